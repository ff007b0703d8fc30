import { compare, isDecimal, subtract } from "../decimal.ts";
import { firedAtOf } from "../policy/period.ts";
import { guardsBy, isCallingUs, isGuard, isGuardOf } from "../triggers/guards.ts";
import type { TriggerPlan } from "../triggers/plan.ts";
import { spentLimits } from "../triggers/spent-limits.ts";
import { type WantedTrigger, watchesTheSame } from "../triggers/wanted.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { isContained, type Known } from "./known.ts";
import type { Repairing } from "./plan-repairs.ts";
import { countedSince, countsSince, firstGuard, isRunning, unguardedLimits } from "./unguarded-limits.ts";

/** What the guards of an account need. */
export interface GuardRepairs extends Pick<TriggerPlan, "create" | "update" | "remove"> {
  /** They follow on those of a probation that is over: that was to be, and is no news. */
  takeOver: readonly WantedTrigger[];
  /** They guard nothing, or nothing any more. */
  endedGuards: readonly UsageTrigger[];
}

export const NO_GUARDS: GuardRepairs = { create: [], update: [], remove: [], takeOver: [], endedGuards: [] };

/**
 * Pure. The guards that an account has to have, where somebody removed them or made them call somebody else: its
 * limits' own triggers may not fire again before their next period. What is called a guard and has another value than it
 * was given first is none, whoever made it. One that has fired stays as it is: the responder has judged it.
 * And a first one for each limit that is spent while its account goes on running.
 */
export function restoreGuards(triggers: readonly UsageTrigger[], repairing: Repairing): GuardRepairs {
  const { known, now } = repairing;
  const guards = triggers.filter(isGuard);
  const unguarded = unguardedLimits(triggers, repairing).flatMap((spent) => firstGuard(spent, repairing) ?? []);
  // One that is contained may be about to come back, with new guards.
  if (isContained(known) && !isRunning(repairing)) return NO_GUARDS;
  const found = wantedGuards(repairing).map((wanted) => ({ wanted, kept: bestOf(guards, wanted, repairing) }));
  const missing = found.flatMap(({ wanted, kept }) => (kept === undefined ? [wanted] : []));
  const kept = found.flatMap(({ kept: guard }) => guard ?? []);
  const before = (wanted: WantedTrigger) => predecessors(guards, wanted, known);
  const takeOver = missing.filter((wanted) => before(wanted).length > 0);
  // The responder learns a moment later of those that the sweep made.
  const uncounted = spentLimits(triggers, repairing).filter(({ name }) => countsSince(name, repairing) === null);
  const standing = uncounted.flatMap(({ guard }) => guard ?? []);
  const needed = new Set([...kept, ...standing, ...takeOver.flatMap(before)]);
  const needless = guards.filter((guard) => !needed.has(guard) && mayGo(guard, known, now));
  return {
    create: missing.filter((wanted) => !takeOver.includes(wanted)),
    update: found.flatMap(({ wanted, kept: trigger }) =>
      trigger === undefined || isCallingUs(trigger, wanted) ? [] : [{ trigger, wanted }],
    ),
    remove: needless.filter((guard) => !isExpected(guard, repairing)),
    takeOver: [...takeOver, ...unguarded],
    endedGuards: needless.filter((guard) => isExpected(guard, repairing)),
  };
}

function wantedGuards({ known, now, policy, accountSid, publicUrl }: Repairing): WantedTrigger[] {
  const { lastReactivatedAt, passed, interims } = known;
  return guardsBy(now, { policy, accountSid, publicUrl, lastReactivatedAt, passed, interims });
}

function bestOf(
  guards: readonly UsageTrigger[],
  wanted: WantedTrigger,
  repairing: Repairing,
): UsageTrigger | undefined {
  const since = countedSince(wanted.limit, repairing);
  const right = guards.filter((guard) => isRight(guard, wanted) && (guard.dateFired === null || isHeard(guard, since)));
  return right.find((trigger) => isCallingUs(trigger, wanted)) ?? right[0];
}

/** Its name proves nothing: whoever holds the account's auth token can make one of the same name that never fires. */
function isRight(trigger: UsageTrigger, wanted: WantedTrigger): boolean {
  const { friendlyName, dateFired, triggerValue, currentValue } = trigger;
  const isNamed = friendlyName === wanted.friendlyName && watchesTheSame(trigger, wanted);
  if (!isNamed || !isDecimal(triggerValue)) return false;
  if (!wanted.triggerValue.startsWith("+")) return compare(triggerValue, wanted.triggerValue) === 0;
  if (dateFired !== null) return true;
  // From its creation on the distance only shrinks.
  return isDecimal(currentValue) && compare(subtract(triggerValue, currentValue), wanted.triggerValue) <= 0;
}

/** Whether it fired since its limit's guard counts: before, it was another one's. DateFired has whole seconds. */
function isHeard(guard: UsageTrigger, since: string | null): boolean {
  const firedAt = firedAtOf(guard)?.getTime();
  return firedAt !== undefined && since !== null && firedAt > Date.parse(since) - 1000;
}

/** The same limit's guards of the phase before, or from before it was raised: they stay until the new one is there. */
function predecessors(guards: readonly UsageTrigger[], wanted: WantedTrigger, { raises }: Known): UsageTrigger[] {
  const { limit, friendlyName } = wanted;
  const isRaised = Object.hasOwn(raises, limit);
  return guards.filter((guard) => isGuardOf(guard, limit) && (isRaised || guard.friendlyName !== friendlyName));
}

/** Longer than it takes to find that its webhook was lost. */
const TO_BE_HEARD_MS = 3600_000;

function mayGo(guard: UsageTrigger, { lastReactivatedAt, open, isClaimed }: Known, now: Date): boolean {
  // Whether the account is just coming back is the responder's to say, unless its incident only told of something.
  if (isClaimed && open?.incident.state !== "alerted") return false;
  const firedAt = firedAtOf(guard);
  return lastReactivatedAt === null || firedAt === null || firedAt.getTime() < now.getTime() - TO_BE_HEARD_MS;
}

/** Whether we made it, or could have. */
function isExpected(guard: UsageTrigger, { known, policy }: Repairing): boolean {
  const isOfLimit = Object.entries(policy.limits).some(
    ([name, { then }]) => then === "suspend" && isGuardOf(guard, name),
  );
  return isOfLimit && (known.lastReactivatedAt !== null || Object.keys(known.interims).length > 0);
}
