import type { Policy } from "./policy.ts";

/** Why the account is exempt today (GMT); undefined when it is not. */
export function exemptionOf(accountSid: string, { exempt }: Policy, now: Date): string | undefined {
  const today = now.toISOString().slice(0, 10);
  return exempt.find(({ account, until }) => account === accountSid && (until === null || today <= until))?.why;
}
