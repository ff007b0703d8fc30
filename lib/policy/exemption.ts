import type { Policy } from "./policy.ts";

/** Why the account is exempt today (GMT); undefined when it is not. */
export function exemptionOf(accountSid: string, { exempt }: Policy, now: Date): string | undefined {
  const today = now.toISOString().slice(0, 10);
  return exempt.find(({ account, until }) => account === accountSid && (until === null || today <= until))?.why;
}

/** Whether the policy lets nothing but a person suspend the account: it is exempt today, or the mode is `observe`. */
export function isProtected(accountSid: string, policy: Policy, now: Date): boolean {
  return policy.mode === "observe" || exemptionOf(accountSid, policy, now) !== undefined;
}

/** Whether an account that somebody set active past us is suspended again; else people are told. */
export function endsTampering(accountSid: string, policy: Policy, now: Date): boolean {
  return policy.tampering === "suspend" && !isProtected(accountSid, policy, now);
}
