import { hasFiredInPeriod } from "../policy/period.ts";
import type { Limit, Policy } from "../policy/policy.ts";
import { periodEnd } from "../policy/probation.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { interimGuard, isGuard, isGuardOf, standsFor, suspendingLimits } from "./guards.ts";
import { isMarked, isWanted, type WantedTrigger, wantedTriggers } from "./wanted.ts";

/** A limit that suspends, and whose own trigger has fired and says nothing more in its period. */
export interface SpentLimit {
  name: string;
  limit: Limit;
  /** The limit's own trigger. */
  own: UsageTrigger;
  /** When its next period begins; null for one that fires once. */
  until: Date | null;
  /** What stands for it; undefined where nothing does: it is unguarded. */
  guard: UsageTrigger | undefined;
  /** The guard that would stand for it from now on. */
  wanted: WantedTrigger;
  /** Its guards that have fired: those are spent, too. */
  fired: readonly UsageTrigger[];
}

interface Watched {
  accountSid: string;
  policy: Policy;
  publicUrl: string;
  now: Date;
}

/** Pure. An account's spent limits, by its own list of usage triggers. */
export function spentLimits(triggers: readonly UsageTrigger[], watched: Watched): SpentLimit[] {
  const { accountSid, policy, publicUrl, now } = watched;
  // As most accounts are, in most sweeps.
  if (triggers.every(({ dateFired }) => dateFired === null)) return [];
  const own = new Map(wantedTriggers(policy, accountSid, publicUrl).map((wanted) => [wanted.limit, wanted]));
  const ordinary = triggers.filter((trigger) => isMarked(trigger) && !isGuard(trigger));
  return suspendingLimits(policy).flatMap(([name, limit]) => {
    const ones = ordinary.filter((trigger) => isOf(trigger, own.get(name)));
    const [first] = ones;
    if (first === undefined || ones.some((trigger) => !hasFiredInPeriod(trigger, now))) return [];
    const wanted = interimGuard(name, limit, { policy, accountSid, publicUrl, command: now.toISOString() });
    const guards = triggers.filter((trigger) => isGuardOf(trigger, name));
    return {
      ...{ name, limit, own: first, wanted },
      until: nextPeriod(limit, now),
      guard: guards.find((trigger) => standsFor(trigger, wanted)),
      fired: guards.filter(({ dateFired }) => dateFired !== null),
    };
  });
}

function isOf(trigger: UsageTrigger, wanted: WantedTrigger | undefined): boolean {
  return wanted !== undefined && trigger.friendlyName === wanted.friendlyName && isWanted(trigger, wanted);
}

function nextPeriod({ every }: Limit, now: Date): Date | null {
  const end = periodEnd(every, now);
  return Number.isFinite(end) ? new Date(end) : null;
}
