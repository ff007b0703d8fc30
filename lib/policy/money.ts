import type { Policy } from "./policy.ts";

/** The limits whose value is money, by name; rates and spikes among them. */
export function moneyLimits({ limits, rates }: Policy): string[] {
  return [...Object.entries(limits), ...Object.entries(rates)]
    .filter(([, { by }]) => by === "price")
    .map(([name]) => name);
}

/**
 * Those of them whose value is the policy's, and so in its currency: the account has none of its own, which is meant in the
 * account's currency. Of a spike no account has one.
 */
export function inPolicysCurrency(policy: Policy, accountSid: string): string[] {
  const own = Object.hasOwn(policy.accounts, accountSid) ? (policy.accounts[accountSid] ?? {}) : {};
  return moneyLimits(policy).filter((name) => !Object.hasOwn(own, name));
}

/** Whether an account has a value of its own wherever it can have one: all of its money is meant in its own currency. */
export function hasOwnValues(policy: Policy, accountSid: string): boolean {
  return inPolicysCurrency(policy, accountSid).every((name) => policy.rates[name]?.kind === "spike");
}
