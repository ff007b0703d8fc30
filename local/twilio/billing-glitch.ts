import * as z from "zod/mini";
import { dayOf, today } from "./gmt.ts";
import { micros } from "./money.ts";
import { subaccountsOf, type World } from "./state.ts";
import { addUsage, multiplyUsage, TOTAL_PRICE, usageOf } from "./usage.ts";

/** Not an attack: Twilio's own figures go wrong for everybody at once, and nobody has spent a cent of it. */
export const BillingGlitch = z.object({
  /** What today's usage of every subaccount is multiplied with. */
  factor: z._default(z.number().check(z.positive()), 100),
  /** What each has spent today at the least, afterwards, in its currency: more than its limits. */
  atLeast: z._default(z.number().check(z.nonnegative()), 500),
});
export type BillingGlitchOrder = z.input<typeof BillingGlitch>;

export interface GlitchReport {
  kind: "billing-glitch";
  startedAt: Date;
  /** The subaccounts whose figures are wrong. */
  accounts: number;
  factor: number;
  atLeast: number;
}

/** All in one step, so that one evaluation finds every trigger reached. */
export function glitchBilling(world: World, order: BillingGlitchOrder): GlitchReport {
  const { factor, atLeast } = z.parse(BillingGlitch, order);
  const now = world.clock.now();
  const accounts = subaccountsOf(world).filter(({ status }) => status === "active");
  for (const { ledger } of accounts) {
    multiplyUsage(ledger, dayOf(now), factor);
    const missing = micros(atLeast) - usageOf(ledger, TOTAL_PRICE, today(now)).price;
    if (missing > 0) addUsage(ledger, dayOf(now), ["sms"], { count: 0, usage: 0, price: missing });
  }
  world.changed();
  return { kind: "billing-glitch", startedAt: now, accounts: accounts.length, factor, atLeast };
}
