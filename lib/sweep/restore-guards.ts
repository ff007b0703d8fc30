import { PROBATION_PARAMETER } from "../triggers/callback.ts";
import { guardsFor, isGuard } from "../triggers/guards.ts";
import type { TriggerPlan } from "../triggers/plan.ts";
import { callsUs, type WantedTrigger, watchesTheSame } from "../triggers/wanted.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { isContained } from "./known.ts";
import type { Repairing } from "./plan-repairs.ts";

/**
 * Pure. The guards of an account on probation that somebody removed, or made call somebody else: until midnight it may
 * have no other trigger that can still fire. A new one counts from the present value on. One that has fired stays as it is.
 */
export function restoreGuards(
  triggers: readonly UsageTrigger[],
  repairing: Repairing,
): Pick<TriggerPlan, "create" | "update"> {
  const { accountSid, known, policy, publicUrl } = repairing;
  if (known.lastReactivatedAt === null || !isOnProbation(repairing)) return { create: [], update: [] };
  const found = guardsFor(policy, accountSid, publicUrl, known.lastReactivatedAt).map((wanted) => ({
    wanted,
    guards: triggers.filter((trigger) => isGuardFor(trigger, wanted)),
  }));
  return {
    create: found.filter(({ guards }) => guards.length === 0).map(({ wanted }) => wanted),
    update: found.flatMap(({ guards, wanted }) =>
      guards.filter((trigger) => !isCallingUs(trigger, wanted)).map((trigger) => ({ trigger, wanted })),
    ),
  };
}

function isOnProbation({ known, policy, now }: Repairing): boolean {
  const { lastReactivatedAt } = known;
  if (lastReactivatedAt === null || isContained(known)) return false;
  return Date.parse(lastReactivatedAt) + policy.probation.for >= now.getTime();
}

function isGuardFor(trigger: UsageTrigger, wanted: WantedTrigger): boolean {
  return isGuard(trigger) && trigger.friendlyName === wanted.friendlyName && watchesTheSame(trigger, wanted);
}

/** The address tells which reactivation, by a tag that only the responder knows: whatever it says there is right. */
function isCallingUs(trigger: UsageTrigger, wanted: WantedTrigger): boolean {
  const tag = URL.canParse(trigger.callbackUrl) && new URL(trigger.callbackUrl).searchParams.get(PROBATION_PARAMETER);
  if (!tag) return false;
  const address = new URL(wanted.callbackUrl);
  address.searchParams.set(PROBATION_PARAMETER, tag);
  return callsUs(trigger, { callbackUrl: address.href });
}
