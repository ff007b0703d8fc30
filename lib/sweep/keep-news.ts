import { messageOf } from "../errors.ts";
import { byUrgency } from "../triggers/most-urgent.ts";
import type { Aftermath } from "./judge-account.ts";
import type { Known } from "./known.ts";
import { putAll } from "./put-signals.ts";
import type { Repair } from "./repair-account.ts";
import type { Repetition } from "./repeated-drift.ts";
import { isSpending, lookBackOf, spendSignals } from "./spend-signals.ts";
import { newBases } from "./spent-before-us.ts";
import type { Sweeper, Turn } from "./sweeper.ts";
import type { Read, Swept } from "./swept.ts";

/** What was repaired is told, whatever fails here: the next sweep finds it in order. @returns how many spend rules tripped. */
export async function keepNews(
  sweeper: Sweeper,
  read: Read,
  swept: Swept & Pick<Repetition, "drift">,
  turn: Turn,
  now: Date,
): Promise<{ spend: number; isKept: boolean }> {
  let spend = 0;
  try {
    await putAll(sweeper, byUrgency(swept.after.over, sweeper.policy, now));
    spend = await watchSpend(sweeper, read, swept.after, now);
    await rememberAccount(sweeper, read, swept, turn, now);
    await forgetRefusal(sweeper, read, swept.repair);
    await keepBases(sweeper, read, swept, now);
    return { spend, isKept: true };
  } catch (error) {
    sweeper.log.error("account-not-kept", { accountSid: read.account.accountSid, reason: messageOf(error) });
    return { spend, isKept: false };
  }
}

/** Keeps the sample, and asks the spend rules. @returns how many tripped. */
async function watchSpend(sweeper: Sweeper, { account, known }: Read, after: Aftermath, now: Date): Promise<number> {
  const { samples, policy } = sweeper;
  const { accountSid, status } = account;
  const { sample, spentAt } = after.sampling;
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

type Sample = NonNullable<Aftermath["sampling"]["sample"]>;

async function keepSample({ samples }: Sweeper, accountSid: string, { memory }: Known, sample: Sample): Promise<void> {
  const hourOf = (at: string) => at.slice(0, 13);
  const last = memory?.sampledAt ?? null;
  // Now it is known that it was the last of its hour.
  if (memory !== undefined && last !== null && hourOf(last) !== hourOf(sample.at)) {
    await samples.putHourly(accountSid, { at: last, values: memory.values });
  }
  await samples.put(accountSid, sample);
}

/** One write, and only when there is something new. */
async function rememberAccount(
  { memory }: Sweeper,
  { account, known }: Read,
  { findings, repair, after, drift }: Swept & Pick<Repetition, "drift">,
  { sweepId }: Turn,
  now: Date,
): Promise<void> {
  // A new account that could not be armed is new again the next time.
  if (known.memory === undefined && repair !== undefined && repair.kind !== "repaired") return;
  const { firstSights } = findings;
  const { sampling } = after;
  const before = known.memory;
  const isSame = sampling.sample === undefined && JSON.stringify(firstSights) === JSON.stringify(before?.over ?? {});
  const hasBeenActive = before?.hasBeenActive === true || account.status === "active";
  const hasSame =
    sampling.spentAt === before?.spentAt && drift === before?.drift && hasBeenActive === before?.hasBeenActive;
  if (isSame && hasSame) return;
  await memory.remember(account.accountSid, {
    firstSeenIn: before?.firstSeenIn ?? sweepId,
    values: sampling.sample?.values ?? before?.values ?? {},
    sampledAt: sampling.sample === undefined ? (before?.sampledAt ?? null) : now.toISOString(),
    spentAt: sampling.spentAt,
    over: firstSights,
    drift,
    hasBeenActive,
  });
}

/** Once it is armed: should it be refused again, that is news. */
async function forgetRefusal({ memory }: Sweeper, { account, known }: Read, repair: Repair | undefined): Promise<void> {
  const isArmed = repair === undefined || repair.kind === "repaired";
  if (isArmed && known.refusalToldOn !== null) await memory.noteRefusal(account.accountSid, null);
}

/** From which value on the guards count that the sweep made, so that one that is made anew allows no more. */
async function keepBases(
  { memory, policy, publicUrl }: Sweeper,
  { account, known, triggers }: Read,
  { repair }: Swept,
  now: Date,
): Promise<void> {
  if (known.before === null) return;
  const made = repair === undefined || repair.kind === "busy" ? [] : repair.shown;
  const bases = newBases(account.accountSid, known, [...made, ...triggers], { policy, publicUrl, now });
  if (Object.keys(bases).length === 0) return;
  const { at, passed } = known.before;
  await memory.noteBefore(account.accountSid, { at, passed: { ...passed, ...bases } });
}
