import type { Notice } from "../alerts/notice.ts";
import { cut } from "../cut.ts";
import { messageOf } from "../errors.ts";
import type { IncidentReader } from "../incidents/incident-reader.ts";
import { type Account, type AccountList, listAccounts } from "../twilio/accounts.ts";
import { describeFailure } from "../twilio/failures.ts";
import { type Ending, tellResults } from "./finish-sweep.ts";
import { beginningOf, type TableAge } from "./first-moment.ts";
import { politeClient } from "./polite-client.ts";
import type { Run } from "./run-store.ts";
import { cutIntoShards, type SweptAccount } from "./shard.ts";
import type { ShardQueue } from "./shard-queue.ts";
import { incompleteNotice, setAsideNotice } from "./sweep-notices.ts";
import { REQUEST_TIMEOUT_MS, type Sweeper } from "./sweeper.ts";
import { unlistedAccounts } from "./unlisted-accounts.ts";

/** What it takes to begin a sweep. */
export type Starter = Ending &
  Pick<Sweeper, "twilio"> & { shards: ShardQueue; incidents: Pick<IncidentReader, "list">; table?: TableAge };

export type Start =
  | { kind: "started"; sweepId: string; accounts: number; shards: number }
  /** The one before is still under way. */
  | { kind: "skipped"; since: string }
  /** The accounts could not be listed: nothing was begun. */
  | { kind: "failed"; why: string };

/**
 * Begins a sweep: take the lock ─ list the subaccounts ─ cut them into shards ─ queue them.
 * @param deadline milliseconds since the epoch
 * @throws what the store and the queue throw
 */
export async function startSweep(starter: Starter, deadline: number): Promise<Start> {
  const { runs, clock, log } = starter;
  const beginning = await runs.begin(clock.now());
  if (beginning.kind === "running") {
    log.warn("sweep-skipped", { since: beginning.since });
    log.count("SweepSkipped", 1);
    return { kind: "skipped", since: beginning.since };
  }
  if (beginning.abandoned !== undefined) await tellOfAbandoned(starter, beginning.abandoned);
  const { sweepId } = beginning.run;
  try {
    const started = await listAndQueue(starter, beginning.run, deadline);
    if (started.kind === "failed") await giveUp(starter, sweepId, started.why);
    return started;
  } catch (error) {
    await giveUp(starter, sweepId, messageOf(error));
    throw error;
  }
}

/** The next one need not wait for it. */
async function giveUp({ runs, log }: Starter, sweepId: string, reason: string): Promise<void> {
  log.error("sweep-failed", { sweepId, reason });
  log.count("SweepFailed", 1);
  await runs.release(sweepId);
}

async function listAndQueue(starter: Starter, run: Run, deadline: number): Promise<Start> {
  const { twilio, shards: queue, runs, clock, log } = starter;
  const { sweepId, from, lastFinishedAt } = run;
  const polite = politeClient(twilio, { atOnce: 1, until: { clock, deadline } });
  const firstMoment = await beginningOf(starter, run);
  const isFirst = lastFinishedAt === null || firstMoment > lastFinishedAt;
  // Before the list: what happens while it is read is news.
  const listedAt = clock.now().toISOString();
  const list = await listAccounts(polite, REQUEST_TIMEOUT_MS);
  if (list.kind === "failed") return { kind: "failed", why: describeFailure(list.failure) };
  const swept = sweptAccounts(list.body.accounts, twilio.accountSid);
  const all = [...swept, ...(await unlistedAccounts(starter, new Set(swept.map(({ accountSid }) => accountSid))))];
  const shards = cutIntoShards({ sweepId, listedAt, firstMoment, isFirst }, beginningAt(from, all));
  const accounts = all.filter(({ watchOnly }) => watchOnly !== true).length;
  // Known before the first of them can be done.
  await runs.plan(sweepId, shards.length);
  await queue.put(shards);
  log.info("sweep-started", { sweepId, accounts, shards: shards.length });
  await tellOfUnlisted(starter, run, list.body);
  return { kind: "started", sweepId, accounts, shards: shards.length };
}

/**
 * Our subaccounts, and the parent, whether it is listed or not; each once, should it be listed on two pages. The parent
 * and what is closed for good carry no triggers of ours, but may have an incident that waits for somebody.
 */
function sweptAccounts(accounts: readonly Account[], parentSid: string): SweptAccount[] {
  const parent: SweptAccount = { accountSid: parentSid, status: "active", friendlyName: "", watchOnly: true };
  const ours = accounts.filter(({ sid, ownerAccountSid }) => sid !== parentSid && ownerAccountSid === parentSid);
  const subaccounts = ours.map(({ sid, status, friendlyName }): SweptAccount => {
    const account = { accountSid: sid, status, friendlyName: oneLine(friendlyName) };
    return status === "closed" ? { ...account, watchOnly: true } : account;
  });
  return [...new Map([parent, ...subaccounts].map((account) => [account.accountSid, account])).values()];
}

/** The same ones, in the same order, from another one on. */
function beginningAt(from: number, accounts: readonly SweptAccount[]): SweptAccount[] {
  const start = from % accounts.length;
  return [...accounts.slice(start), ...accounts.slice(0, start)];
}

// SQS refuses some characters, and a name with line breaks would pretend to be more than one in a notice.
function oneLine(name: string): string {
  return cut(name.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]/gu, " "), 64).trim();
}

/** Who is not swept, because Twilio's list does not say who or what they are; told once a day, of each kind. */
async function tellOfUnlisted(starter: Starter, run: Run, { setAside, incomplete }: AccountList): Promise<void> {
  const { clock, log } = starter;
  const { sweepId } = run;
  for (const { sid, why } of setAside) log.error("account-set-aside", { sweepId, accountSid: sid, reason: why });
  if (incomplete !== null) log.error("account-list-incomplete", { sweepId, reason: describeFailure(incomplete) });
  log.count("AccountsSetAside", setAside.length, { sweepId });
  const now = clock.now();
  try {
    if (setAside.length > 0) await tellOnceADay(starter, run, "setAsideToldOn", setAsideNotice(run, setAside, now));
    if (incomplete !== null)
      await tellOnceADay(starter, run, "incompleteToldOn", incompleteNotice(run, describeFailure(incomplete), now));
  } catch (error) {
    // Those who are listed are swept all the same, and the next sweep tells it.
    log.error("sweep-not-told", { sweepId, reason: messageOf(error) });
  }
}

async function tellOnceADay(
  { runs, alerts }: Starter,
  run: Run,
  toldOn: "setAsideToldOn" | "incompleteToldOn",
  notice: Notice,
): Promise<void> {
  const day = notice.at.slice(0, 10);
  if (run[toldOn] === day) return;
  await alerts.publish(notice);
  await runs.noteTold(run.sweepId, { [toldOn]: day });
}

/** What it repaired before it died was done, and nobody has been told. */
async function tellOfAbandoned(starter: Starter, abandoned: Run): Promise<void> {
  const { sweepId, startedAt } = abandoned;
  starter.log.error("sweep-abandoned", { sweepId, startedAt, shards: abandoned.shards, done: abandoned.done.size });
  starter.log.count("SweepAbandoned", 1);
  try {
    await tellResults(starter, abandoned);
  } catch (error) {
    // The next sweep matters more.
    starter.log.error("sweep-not-told", { sweepId, reason: messageOf(error) });
  }
}
