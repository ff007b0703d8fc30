import { compare, isDecimal } from "../../lib/decimal.ts";
import { measureOf } from "../../lib/sweep/spend-sample.ts";
import { isGuard } from "../../lib/triggers/guards.ts";
import { planTriggers, type TriggerPlan } from "../../lib/triggers/plan.ts";
import type { WantedTrigger } from "../../lib/triggers/wanted.ts";
import type { UsageTrigger } from "../../lib/twilio/usage-triggers.ts";

export interface AccountPlan extends TriggerPlan {
  /** Not now: the account came back a short while ago, and these would fire at once on what it had spent before. */
  later: readonly WantedTrigger[];
}

/**
 * Pure. As `planTriggers`; but of an account that is on probation (it carries guards) nothing is created that its present
 * value exceeds: old spend would suspend it again. The sweep makes these when the next period begins.
 */
export function planAccount(
  accountSid: string,
  existing: readonly UsageTrigger[],
  wanted: readonly WantedTrigger[],
): AccountPlan {
  const plan = planTriggers(accountSid, existing, wanted);
  const isOnProbation = existing.some(isGuard);
  const later = plan.create.filter((one) => isOnProbation && reached(existing, one) !== undefined);
  const isLater = ({ friendlyName }: Pick<UsageTrigger, "friendlyName">) =>
    later.some((one) => one.friendlyName === friendlyName);
  return {
    ...plan,
    later,
    create: plan.create.filter((one) => !isLater(one)),
    remove: plan.remove.filter((trigger) => !isLater(trigger)),
  };
}

/**
 * The present value of what a trigger would watch, where another trigger of the account shows it and it has reached the
 * new one's: Twilio would fire it at once.
 */
export function reached(existing: readonly UsageTrigger[], wanted: WantedTrigger): string | undefined {
  const measure = measureOf(wanted);
  const shown = existing.find((one) => measureOf(one) === measure && isDecimal(one.currentValue));
  return shown !== undefined && compare(shown.currentValue, wanted.triggerValue) >= 0 ? shown.currentValue : undefined;
}
