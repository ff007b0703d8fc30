import { compare, isDecimal, subtract } from "../decimal.ts";
import type { UsageTriggerSignal } from "../inbox/messages.ts";
import { firingOf } from "../incidents/firing.ts";
import { isProtected } from "../policy/exemption.ts";
import { measureOf, RECURRING } from "../policy/measure.ts";
import { firedAtOf, occasionOf, periodStart } from "../policy/period.ts";
import { allowanceOf, guardBases, hasGuardValue, interimOf } from "../policy/probation.ts";
import { foundSignal } from "../triggers/found-signal.ts";
import { firedTriggers } from "../triggers/lost-firings.ts";
import { type SpentLimit, spentLimits } from "../triggers/spent-limits.ts";
import type { WantedTrigger } from "../triggers/wanted.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import type { Known } from "./known.ts";
import type { Repairing } from "./plan-repairs.ts";

/** The status was listed a moment ago, and an account is suspended from one moment to the next. */
const TAMPERED_AFTER_MS = 2 * 60_000;

/**
 * Pure. Limits that are spent on an active account that the policy would suspend, and for which nothing stands: its
 * exemption or the observe mode is over, its suspension failed, somebody set it active past us, its guard has fired. Only
 * once their firing was dealt with: until then it may suspend the account in a moment.
 */
export function unguardedLimits(triggers: readonly UsageTrigger[], repairing: Repairing): SpentLimit[] {
  const { accountSid, known, policy, now } = repairing;
  if (!isRunning(repairing) || isProtected(accountSid, policy, now)) return [];
  const dealtWith = (trigger: UsageTrigger) =>
    (known.open !== undefined && isGivenUp(known)) || isDealtWith(trigger, repairing);
  return spentLimits(triggers, repairing).filter(({ name, guard, own, fired }) => {
    if (guard !== undefined) return false;
    const since = countsSince(name, repairing);
    const last = fired.filter(
      (trigger) => since !== null && (firedAtOf(trigger)?.getTime() ?? 0) > Date.parse(since) - 1000,
    );
    // Where one counts already, only that it has fired asks for another; what waits at the brake waits for a person.
    if (since !== null) return last.length > 0 && last.every(dealtWith) && known.open?.incident.because !== "brake";
    return dealtWith(own);
  });
}

/** From when on the guard of this limit counts, or last did, ISO 8601 UTC; null where none ever did. */
export function countedSince(name: string, { known, policy }: Repairing): string | null {
  const limit = policy.limits[name];
  return (limit && interimOf(name, limit, known)?.since) ?? known.lastReactivatedAt;
}

/** The same; null where that was in an earlier period. */
export function countsSince(name: string, repairing: Repairing): string | null {
  const { policy, now } = repairing;
  const limit = policy.limits[name];
  const since = countedSince(name, repairing);
  if (limit === undefined || since === null) return null;
  const start = periodStart(RECURRING[limit.every], now);
  return start !== null && Date.parse(since) < start.getTime() ? null : since;
}

/** Whether it can spend, and nobody is about to change that: also one that was set active past us. */
export function isRunning({ status, known, now }: Repairing): boolean {
  if (status !== "active") return false;
  const open = known.open?.incident;
  switch (open?.state) {
    case "open":
    case "reactivating":
      return false;
    case "suspended":
      return open.suspendedAt !== null && now.getTime() - Date.parse(open.suspendedAt) >= TAMPERED_AFTER_MS;
    default:
      return true;
  }
}

/** Its message may wait for ever: it could not be suspended, or is active although it was. */
function isGivenUp({ open }: Known): boolean {
  return open?.incident.state === "failed" || open?.incident.state === "suspended";
}

/** What fired too long ago to be asked about was found long ago, if its webhook was lost. */
function isDealtWith(trigger: UsageTrigger, repairing: Repairing): boolean {
  const { accountSid, publicUrl, known, handled, now } = repairing;
  const firedAt = firedAtOf(trigger);
  if (firedAt === null) return false;
  const { lastReactivatedAt } = known;
  const isAskedAbout = firedTriggers([trigger], { accountSid, publicUrl, lastReactivatedAt, now }, 0).length > 0;
  if (!isAskedAbout) return firedAt.getTime() <= now.getTime();
  const handledAt = handled.get(firingOf(trigger.sid, trigger));
  return handledAt !== undefined && Date.parse(handledAt) >= firedAt.getTime();
}

/** What the limit still allows since it was left running; undefined where that is spent already. */
export function firstGuard(spent: SpentLimit, repairing: Repairing): WantedTrigger | undefined {
  const left = leftOf(spent, repairing);
  return compare(left, "0") > 0 ? { ...spent.wanted, triggerValue: `+${left}` } : undefined;
}

/** Pure. A signal for each limit whose whole value was spent on top while nothing stood for it. */
export function passedUnguarded(triggers: readonly UsageTrigger[], repairing: Repairing): UsageTriggerSignal[] {
  const { accountSid, known, now } = repairing;
  const passed = unguardedLimits(triggers, repairing).filter((spent) => firstGuard(spent, repairing) === undefined);
  return passed.map(({ own }) => {
    const start = periodStart(own.recurring, now)?.toISOString().slice(0, "2026-10-04".length) ?? null;
    const id = `sweep-past:${own.sid}:${occasionOf(start, known.lastReactivatedAt)}`;
    return foundSignal({ accountSid, trigger: own, found: "sweep-over", id, firedAt: null, now });
  });
}

/** Pure. Whether the responder has to be asked: a guard stands, or is about to, and nobody knows what it counts from. */
export function lacksCount(triggers: readonly UsageTrigger[], repairing: Repairing): boolean {
  const isAnyUnguarded = unguardedLimits(triggers, repairing).some(
    (spent) => firstGuard(spent, repairing) !== undefined,
  );
  if (isAnyUnguarded) return true;
  const { accountSid, policy, known, now } = repairing;
  if (!isRunning(repairing) || isProtected(accountSid, policy, now)) return false;
  const bases = guardBases(policy, known);
  return spentLimits(triggers, repairing).some(
    ({ name, guard }) => guard !== undefined && !hasGuardValue(name, guard, { accountSid, policy, bases }),
  );
}

/**
 * The whole limit, less what was spent since people were last told of it, or since the last sweep before. Of an account
 * that was never swept nothing is known: all of it.
 */
function leftOf({ name, limit, own }: SpentLimit, repairing: Repairing): string {
  const { accountSid, known, policy } = repairing;
  const allowance = allowanceOf(name, limit, accountSid, policy, "1");
  if (known.memory === undefined || !isDecimal(own.currentValue)) return allowance;
  const earlier = [own.triggerValue, toldOf(own, known), seenOf(own, repairing)].filter((value) => value !== undefined);
  const from = earlier.reduce((most, value) => (isDecimal(value) && compare(value, most) > 0 ? value : most), "0");
  const since = subtract(own.currentValue, from);
  return compare(since, "0") > 0 ? subtract(allowance, since) : allowance;
}

function toldOf(own: UsageTrigger, { open }: Known): string | undefined {
  const trip = open?.incident.trip;
  return trip && measureOf(trip) === measureOf(own) ? trip.currentValue : undefined;
}

/** Of an earlier period it says nothing. */
function seenOf(own: UsageTrigger, { known, now }: Repairing): string | undefined {
  const { memory } = known;
  const start = periodStart(own.recurring, now);
  if (memory === undefined || memory.sampledAt === null) return undefined;
  return start !== null && Date.parse(memory.sampledAt) < start.getTime() ? undefined : memory.values[measureOf(own)];
}
