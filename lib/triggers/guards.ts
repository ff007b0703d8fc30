import { createHash } from "node:crypto";
import { multiply, roundUp } from "../decimal.ts";
import type { Limit, Policy } from "../policy/policy.ts";
import { valueFor } from "../policy/rule-for.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { callbackUrl, LIMIT_PARAMETER, PROBATION_PARAMETER } from "./callback.ts";
import { isMarked, MARK, type WantedTrigger } from "./wanted.ts";

/** With it the longest limit's name, 40 letters, fits into Twilio's 64. */
const GUARD = " probation";

/**
 * What guards an account from the moment it is reactivated: "a UsageTrigger will fire once (at most) during its recurring
 * interval", so those that tripped will not trip again in their period. Each suspending limit gets one that fires once,
 * `+N` above what has been used until now, N being a share of the limit: whatever made it overspend may not be over.
 */
export function guardsFor(policy: Policy, accountSid: string, publicUrl: string, command: string): WantedTrigger[] {
  return Object.entries(policy.limits)
    .filter(([, { then }]) => then === "suspend")
    .map(([name, limit]) => ({
      limit: name,
      friendlyName: MARK + name + GUARD,
      callbackUrl: callbackUrl(publicUrl, { [LIMIT_PARAMETER]: name, [PROBATION_PARAMETER]: tagOf(command) }),
      usageCategory: limit.category,
      triggerBy: limit.by,
      triggerValue: `+${shareOf(limit, valueFor(accountSid, name, limit, policy), policy.probation.share)}`,
      recurring: "",
    }));
}

export function isGuard(trigger: Pick<UsageTrigger, "friendlyName">): boolean {
  return isMarked(trigger) && trigger.friendlyName.endsWith(GUARD);
}

// Things are counted in whole ones; money and minutes have six decimals at Twilio.
function shareOf({ by }: Limit, at: string, share: string): string {
  return roundUp(multiply(at, share), by === "count" ? 0 : 6);
}

/** Short, because an address is limited; the same for each delivery of the command, so that no guard is made twice. */
function tagOf(command: string): string {
  return createHash("sha256").update(command).digest("hex").slice(0, 12);
}
