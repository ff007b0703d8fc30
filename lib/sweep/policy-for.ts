import type { Policy } from "../policy/policy.ts";
import { type Raises, raisedPolicy } from "../policy/raise.ts";
import { limitsInOtherMoney } from "./currency.ts";
import type { Known } from "./known.ts";

/**
 * How long a raise whose time is over keeps its trigger, and what is left of it: by then the responder has arranged it, which
 * it does not in the first hour of a period, or is not to be waited for.
 */
const LATE_MS = 2 * 60 * 60_000;

/** Pure. The policy by which an account's usage triggers are arranged: with what somebody raised for a while. */
export function policyFor(accountSid: string, policy: Policy, known: Known, now: Date): Policy {
  return raisedPolicy(policy, accountSid, raisesFor(accountSid, policy, known), now, LATE_MS);
}

/** Pure. The same by which its spend is judged. */
export function judgingPolicyFor(accountSid: string, policy: Policy, known: Known, now: Date): Policy {
  return raisedPolicy(policy, accountSid, raisesFor(accountSid, policy, known), now);
}

/** A limit that is not for this account, because its money is another, does not become one by being raised. */
function raisesFor(accountSid: string, policy: Policy, known: Known): Raises {
  const other = limitsInOtherMoney(accountSid, policy, known);
  return Object.fromEntries(Object.entries(known.raises).filter(([name]) => !other.has(name)));
}
