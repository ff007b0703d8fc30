import type { Policy } from "../policy/policy.ts";
import { otherTollbreaker, withoutOthers } from "../triggers/other-tollbreaker.ts";
import { isNothing, planTriggers, type TriggerPlan } from "../triggers/plan.ts";
import { type WantedTrigger, wantedTriggers } from "../triggers/wanted.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { limitsInOtherMoney } from "./currency.ts";
import type { Known } from "./known.ts";
import { policyFor } from "./policy-for.ts";
import { type GuardRepairs, NO_GUARDS, restoreGuards } from "./restore-guards.ts";

export interface RepairPlan extends TriggerPlan, Pick<GuardRepairs, "takeOver" | "endedGuards"> {
  /** Those that are missing and not created, because the account is billed in another currency than their value. */
  withheld: readonly WantedTrigger[];
}

export interface Repairing {
  accountSid: string;
  /** As Twilio listed it. */
  status: string;
  /** When each firing (`firingOf`) was last dealt with, ISO 8601 UTC. */
  handled: ReadonlyMap<string, string>;
  known: Known;
  policy: Policy;
  publicUrl: string;
  now: Date;
}

/**
 * Pure. What an account's usage triggers lack, and what they have too much. Another Tollbreaker's are left as they are, and
 * ours are made beside them: whoever else is there, this one watches.
 */
export function planRepairs(triggers: readonly UsageTrigger[], repairing: Repairing): RepairPlan {
  const { accountSid, known, policy, publicUrl, now } = repairing;
  const inForce = policyFor(accountSid, policy, known, now);
  const isAnothers = (trigger: UsageTrigger) => otherTollbreaker(trigger, publicUrl) !== undefined;
  const plan = planTriggers(accountSid, triggers, wantedTriggers(inForce, accountSid, publicUrl), isAnothers);
  // The responder is changing the very same triggers.
  if (known.open?.incident.state === "reactivating") return { ...plan, ...NO_GUARDS, problem: undefined, withheld: [] };
  // A policy that lost its limits must not disarm every account by itself: `triggers apply --allow-empty` does.
  const remove = Object.keys(policy.limits).length === 0 ? [] : plan.remove;
  const other = limitsInOtherMoney(accountSid, policy, known);
  const withheld = plan.create.filter(({ limit }) => other.has(limit));
  const guards = restoreGuards(withoutOthers(triggers, publicUrl), { ...repairing, policy: inForce });
  return {
    ...plan,
    ...guards,
    withheld,
    create: [...plan.create.filter((wanted) => !withheld.includes(wanted)), ...guards.create],
    update: [...plan.update, ...guards.update],
    // What is not replaced is better than nothing.
    remove: [...remove.filter((trigger) => !isReplacedBy(withheld, trigger)), ...guards.remove],
  };
}

function isReplacedBy(wanted: readonly WantedTrigger[], { friendlyName }: UsageTrigger): boolean {
  return wanted.some((one) => one.friendlyName === friendlyName);
}

export function needsRepair(plan: RepairPlan): boolean {
  const { problem, takeOver, endedGuards } = plan;
  return !isNothing(plan) || problem !== undefined || takeOver.length + endedGuards.length > 0;
}
