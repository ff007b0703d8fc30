import { exemptionOf } from "../../policy/exemption.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Objection } from "./wished.ts";

/** What the policy says against suspending the account at `now`, and why; each has to be acknowledged. */
export function objections(policy: Policy, accountSid: string, now: Date): { id: Objection; why: string }[] {
  const exemption = exemptionOf(accountSid, policy, now);
  return [
    ...(exemption === undefined ? [] : [{ id: "exempt" as const, why: `the account is exempt (${exemption})` }]),
    ...(policy.mode === "observe"
      ? [{ id: "observe-mode" as const, why: "in observe mode nothing is suspended" }]
      : []),
  ];
}
