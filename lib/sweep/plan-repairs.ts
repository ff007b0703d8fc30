import { compare, isDecimal } from "../decimal.ts";
import type { Policy } from "../policy/policy.ts";
import { isGuard } from "../triggers/guards.ts";
import { isNothing, planTriggers, type TriggerPlan } from "../triggers/plan.ts";
import { type WantedTrigger, wantedTriggers } from "../triggers/wanted.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { isContained, type Known } from "./known.ts";
import { periodStart } from "./period.ts";
import { restoreGuards } from "./restore-guards.ts";
import { measureOf, valuesOf } from "./spend-sample.ts";

export interface RepairPlan extends TriggerPlan {
  /** Those that guarded a probation which is over. */
  endedGuards: readonly UsageTrigger[];
}

export interface Repairing {
  accountSid: string;
  known: Known;
  policy: Policy;
  publicUrl: string;
  now: Date;
}

/** Pure. What an account's usage triggers lack, and what they have too much. */
export function planRepairs(triggers: readonly UsageTrigger[], repairing: Repairing): RepairPlan {
  const { accountSid, known, policy, publicUrl } = repairing;
  const plan = planTriggers(accountSid, triggers, wantedTriggers(policy, accountSid, publicUrl));
  const endedGuards = triggers.filter((trigger) => isGuard(trigger) && isOver(repairing));
  // The responder is changing the very same triggers.
  if (known.open?.incident.state === "reactivating") return { ...plan, ...NOTHING, endedGuards: [] };
  // A policy that lost its limits must not disarm every account by itself: `triggers apply --allow-empty` does.
  const remove = Object.keys(policy.limits).length === 0 ? [] : plan.remove;
  const create = plan.create.filter((wanted) => !wouldTripOnOldSpend(wanted, triggers, repairing));
  const guards = restoreGuards(triggers, repairing);
  return {
    ...plan,
    create: [...create, ...guards.create],
    update: [...plan.update, ...guards.update],
    remove,
    endedGuards,
  };
}

const NOTHING = { create: [], update: [], remove: [], problem: undefined };

export function needsRepair(plan: RepairPlan): boolean {
  return !isNothing(plan) || plan.problem !== undefined || plan.endedGuards.length > 0;
}

function isOver({ known, policy, now }: Repairing): boolean {
  const { lastReactivatedAt } = known;
  // One that is contained may be about to come back, with new guards.
  if (lastReactivatedAt === null || isContained(known)) return false;
  return Date.parse(lastReactivatedAt) + policy.probation.for < now.getTime();
}

/**
 * A trigger that is made while its value is exceeded fires at once. After a reactivation in the same period that would be
 * old news: the account's guards watch it, and the trigger is made when the next period begins.
 */
function wouldTripOnOldSpend(
  wanted: WantedTrigger,
  triggers: readonly UsageTrigger[],
  { known, policy, now }: Repairing,
): boolean {
  const start = periodStart(wanted.recurring, now);
  const { lastReactivatedAt, memory } = known;
  if (start === null || lastReactivatedAt === null || Date.parse(lastReactivatedAt) < start.getTime()) return false;
  const isOfThisPeriod =
    memory !== undefined && memory.sampledAt !== null && Date.parse(memory.sampledAt) >= start.getTime();
  const remembered = isOfThisPeriod ? memory.values[measureOf(wanted)] : undefined;
  const value = valuesOf(triggers, policy)[measureOf(wanted)] ?? remembered;
  return value !== undefined && isDecimal(value) && compare(value, wanted.triggerValue) >= 0;
}
