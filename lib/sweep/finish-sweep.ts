import type { Notice } from "../alerts/notice.ts";
import type { Run } from "./run-store.ts";
import {
  armedNotice,
  currencyNotice,
  dailySummary,
  driftNotice,
  foundNotice,
  otherTollbreakerNotice,
  repeatedNotice,
  troubleNotice,
} from "./sweep-notices.ts";
import type { Sweeper } from "./sweeper.ts";
import type { Counts } from "./tally.ts";

/** What it takes to end a sweep. */
export type Ending = Pick<Sweeper, "runs" | "alerts" | "clock" | "log">;

/**
 * The last shard is done: tell people, emit the metrics, let the next sweep begin. Cut before its end it is repeated when
 * the shard is handed out again; a notice that comes twice has the same id.
 * @throws what the topic throws: the shard is then handed out again
 */
export async function finishSweep(sweeper: Ending & Pick<Sweeper, "dailySummary">, sweepId: string): Promise<void> {
  const { runs, alerts, clock } = sweeper;
  // Read again: names are added after the shard is counted.
  const run = await runs.read();
  if (run?.sweepId !== sweepId || run.finishedAt !== null) return;
  await tellResults(sweeper, run);
  const today = clock.now().toISOString().slice(0, 10);
  const summary = sweeper.dailySummary && run.summaryOn !== today;
  if (summary) await alerts.publish(dailySummary(run, clock.now()));
  await endSweep(sweeper, sweepId, { ...(summary && { summaryOn: today }) });
}

/** At most one notice of each kind for all accounts together. */
export async function tellResults({ alerts, clock }: Pick<Ending, "alerts" | "clock">, run: Run): Promise<void> {
  const notices: Notice[] = [];
  if (run.counts.arrived > 0) notices.push(armedNotice(run, clock.now()));
  if (run.counts.overBefore + run.counts.suspendedBefore > 0) notices.push(foundNotice(run, clock.now()));
  if (run.counts.drifted > 0) notices.push(driftNotice(run, clock.now()));
  if (run.counts.otherTollbreaker > 0) notices.push(otherTollbreakerNotice(run, clock.now()));
  if (run.counts.repeated > 0) notices.push(repeatedNotice(run, clock.now()));
  if (run.counts.otherCurrency > 0) notices.push(currencyNotice(run, clock.now()));
  if (run.counts.newlyRefused > 0) notices.push(troubleNotice(run, clock.now()));
  for (const notice of notices) await alerts.publish(notice);
}

/** The heartbeat: an alarm sounds when it stays away. */
async function endSweep(
  { runs, clock, log }: Ending,
  sweepId: string,
  told: Parameters<Ending["runs"]["finish"]>[2],
): Promise<void> {
  const run = await runs.read();
  if (run?.sweepId !== sweepId) return;
  const now = clock.now();
  await runs.finish(sweepId, now, told);
  const took = now.getTime() - Date.parse(run.startedAt);
  log.info("sweep-completed", { sweepId, took, shards: run.shards, ...run.counts });
  log.count("SweepCompleted", 1, { sweepId });
  for (const [metric, value] of metricsOf(run.counts)) log.count(metric, value, { sweepId });
  log.count("SweepMilliseconds", took, { sweepId });
}

function metricsOf(counts: Counts): [string, number][] {
  return [
    ["SweepAccounts", counts.accounts],
    ["SweepUnread", counts.unread],
    ["SweepArmed", counts.armed],
    ["DriftRepaired", counts.drifted],
    ["LostWebhooksFound", counts.lost],
    ["OverLimitsFound", counts.over],
    ["SpendRulesTripped", counts.spend],
    ["TamperingFound", counts.tampered],
    ["UnrecordedSuspensionsFound", counts.foundSuspended],
    ["RepairsRefused", counts.refused],
  ];
}
