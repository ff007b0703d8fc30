import { messageOf } from "../errors.ts";
import type { Message, UsageTriggerSignal } from "../inbox/messages.ts";
import { firingOf } from "../incidents/firing.ts";
import type { Policy } from "../policy/policy.ts";
import { isNothing } from "../triggers/plan.ts";
import { describeFailure } from "../twilio/failures.ts";
import { listUsageTriggers, type UsageTrigger } from "../twilio/usage-triggers.ts";
import { type Findings, judgeAccount } from "./judge-account.ts";
import type { Known } from "./known.ts";
import { firedTriggers } from "./lost-firings.ts";
import { needsRepair } from "./plan-repairs.ts";
import { type Repair, repairAccount } from "./repair-account.ts";
import type { SweptAccount } from "./shard.ts";
import { isSpending, lookBackOf, spendSignals } from "./spend-signals.ts";
import { REQUEST_TIMEOUT_MS, type Sweeper, type Turn } from "./sweeper.ts";
import { type Counts, NO_NAMES, type Tally } from "./tally.ts";

/**
 * The story of one account: read its triggers, once ─ judge ─ say what happened ─ repair ─ keep the sample ─ remember.
 * Whatever could not be read or said is found again by the next sweep, so an account that fails holds up no other.
 */
export async function sweepAccount(sweeper: Sweeper, account: SweptAccount, known: Known, turn: Turn): Promise<Tally> {
  const { log } = sweeper;
  const { accountSid } = account;
  try {
    const list = await listUsageTriggers(turn.twilio, accountSid, REQUEST_TIMEOUT_MS);
    if (list.kind === "ok") return await sweepTriggers(sweeper, { account, known, triggers: list.body }, turn);
    log.warn("account-not-read", { accountSid, reason: describeFailure(list.failure) });
  } catch (error) {
    log.error("account-not-swept", { accountSid, reason: messageOf(error) });
  }
  return { counts: { accounts: 1, unread: 1 }, names: NO_NAMES };
}

interface Read {
  account: SweptAccount;
  known: Known;
  triggers: readonly UsageTrigger[];
}

async function sweepTriggers(sweeper: Sweeper, read: Read, turn: Turn): Promise<Tally> {
  const { policy, publicUrl, clock } = sweeper;
  const { account, known } = read;
  const { accountSid } = account;
  const law = { policy, publicUrl, now: clock.now() };
  const handled = await handledFirings(sweeper, read, turn, law.now);
  const findings = judgeAccount({ ...read, listedAt: turn.listedAt, handled }, law);
  // Before anything else: it may be spending.
  await putAll(sweeper, [...suspendingFirst([...findings.lost, ...findings.over], policy), ...findings.nudges]);
  const spend = await watchSpend(sweeper, read, findings, law.now);
  const repair = needsRepair(findings.plan)
    ? await repairAccount(sweeper, { accountSid, known, ...law }, turn)
    : undefined;
  await rememberAccount(sweeper, read, { findings, repair }, turn, law.now);
  return tallyOf(read, { findings, repair, spend }, turn);
}

/** Messages of one account are dealt with in order: a warning must not hold up the suspension. */
function suspendingFirst(signals: readonly UsageTriggerSignal[], { limits }: Policy): UsageTriggerSignal[] {
  const isWarning = ({ limit }: UsageTriggerSignal) =>
    Object.entries(limits).some(([name, { then }]) => name === limit && then === "alert");
  return signals.toSorted((one, other) => Number(isWarning(one)) - Number(isWarning(other)));
}

/** One round trip, and only for an account of which something fired in this period. */
async function handledFirings(sweeper: Sweeper, { account, known, triggers }: Read, turn: Turn, now: Date) {
  const { accountSid } = account;
  const { lastReactivatedAt } = known;
  const fired = firedTriggers(triggers, { accountSid, publicUrl: sweeper.publicUrl, lastReactivatedAt, now });
  const firings = fired.map((trigger) => firingOf(trigger.sid, trigger));
  return firings.length === 0 ? new Map<string, string>() : sweeper.memory.firedAt(accountSid, firings, turn.until);
}

async function putAll({ inbox }: Sweeper, messages: readonly Message[]): Promise<void> {
  for (const message of messages) await inbox.put(message);
}

/** Keeps the sample, and asks the spend rules. @returns how many tripped. */
async function watchSpend(sweeper: Sweeper, { account, known }: Read, findings: Findings, now: Date): Promise<number> {
  const { samples, policy } = sweeper;
  const { accountSid, status } = account;
  const { sample, spentAt } = findings.sampling;
  if (sample !== undefined) await keepSample(sweeper, accountSid, known, sample);
  const lookBackMs = lookBackOf(policy);
  if (lookBackMs === null || status !== "active" || !isSpending(spentAt, known, now)) return 0;
  const recent = await samples.recent(accountSid, { now, lookBackMs });
  // Written a moment ago: it may not be read yet.
  const all = sample === undefined ? recent : [...recent, sample];
  const signals = spendSignals(accountSid, all, { policy, known, now });
  await putAll(sweeper, signals);
  return signals.length;
}

type Sample = NonNullable<Findings["sampling"]["sample"]>;

async function keepSample({ samples }: Sweeper, accountSid: string, { memory }: Known, sample: Sample): Promise<void> {
  const hourOf = (at: string) => at.slice(0, 13);
  const last = memory?.sampledAt ?? null;
  // Now it is known that it was the last of its hour.
  if (memory !== undefined && last !== null && hourOf(last) !== hourOf(sample.at)) {
    await samples.putHourly(accountSid, { at: last, values: memory.values });
  }
  await samples.put(accountSid, sample);
}

interface Swept {
  findings: Findings;
  /** Undefined where nothing had to be repaired. */
  repair: Repair | undefined;
}

/** One write, and only when there is something new. */
async function rememberAccount(
  { memory }: Sweeper,
  { account, known }: Read,
  { findings, repair }: Swept,
  { sweepId }: Turn,
  now: Date,
): Promise<void> {
  // A new account that could not be armed is new again the next time.
  if (known.memory === undefined && repair !== undefined && repair.kind !== "repaired") return;
  const { sampling, firstSights } = findings;
  const before = known.memory;
  const isSame = sampling.sample === undefined && JSON.stringify(firstSights) === JSON.stringify(before?.over ?? {});
  if (before !== undefined && isSame && sampling.spentAt === before.spentAt) return;
  await memory.remember(account.accountSid, {
    firstSeenIn: before?.firstSeenIn ?? sweepId,
    values: sampling.sample?.values ?? before?.values ?? {},
    sampledAt: sampling.sample === undefined ? (before?.sampledAt ?? null) : now.toISOString(),
    spentAt: sampling.spentAt,
    over: firstSights,
  });
}

function tallyOf({ account, known }: Read, swept: Swept & { spend: number }, { sweepId }: Turn): Tally {
  const { findings, repair, spend } = swept;
  const { lost, over, nudges, plan } = findings;
  const isArmed = repair === undefined ? plan.create.length === 0 : repair.kind === "repaired";
  // In this same sweep, by a worker that did not live to say so, counts as well.
  const isNew = known.memory === undefined || known.memory.firstSeenIn === sweepId;
  const hasDrifted = known.memory?.repairedIn === sweepId || (repair !== undefined && !isNothing(plan));
  const isRepaired = hasDrifted && (repair === undefined || repair.kind === "repaired");
  const isQuiet =
    isArmed && account.status === "active" && known.open === undefined && lost.length + over.length + spend === 0;
  const count = (kind: string) => nudges.filter((nudge) => nudge.kind === kind).length;
  const counts: Partial<Counts> = {
    accounts: 1,
    unread: one(repair?.kind === "failed" && !repair.isRefused),
    armed: one(isArmed),
    quiet: one(isQuiet),
    suspended: one(account.status === "suspended"),
    open: one(known.open !== undefined),
    arrived: one(isNew && repair?.kind !== "failed" && repair?.kind !== "busy"),
    drifted: one(!isNew && isRepaired),
    // Of a suspended account nobody need care: it spends nothing, and is armed when it comes back.
    refused: one(repair?.kind === "failed" && repair.isRefused && account.status === "active"),
    ...(repair?.kind === "repaired" && { created: repair.created, updated: repair.updated, removed: repair.removed }),
    ...{ lost: lost.length, over: over.length, spend },
    ...{ tampered: count("tampered"), driven: count("drive"), reminded: count("remind") },
  };
  return { counts, names: namesOf(account, repair, counts) };
}

const one = (holds: boolean): number => (holds ? 1 : 0);

function namesOf({ accountSid, friendlyName }: SweptAccount, repair: Repair | undefined, counts: Partial<Counts>) {
  const name = friendlyName === "" ? accountSid : `${friendlyName} (${accountSid})`;
  const what = repair?.kind === "repaired" ? inWords(repair) : "";
  return {
    arrived: counts.arrived === 1 ? [name] : [],
    drifted: counts.drifted === 1 ? [what === "" ? name : `${name}: ${what}`] : [],
    refused: counts.refused === 1 && repair?.kind === "failed" ? [`${name}: ${repair.why}`] : [],
  };
}

function inWords({ created, updated, removed }: Extract<Repair, { kind: "repaired" }>): string {
  const parts = [
    created > 0 ? `${created} created` : "",
    updated > 0 ? `${updated} made to call us again` : "",
    removed > 0 ? `${removed} removed` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}
