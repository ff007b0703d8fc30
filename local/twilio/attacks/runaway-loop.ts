import * as z from "zod/mini";
import { dayOf } from "../gmt.ts";
import { type Micros, micros } from "../money.ts";
import type { Account, World } from "../state.ts";
import { sendMessage, startCall } from "../traffic.ts";
import { addUsage, SMS_INBOUND_CATEGORIES } from "../usage.ts";
import { type Advance, type AttackReport, tally } from "./report.ts";
import { positive, timeFactor } from "./settings.ts";

/** No attack but the customer's own mistake: two of its numbers answer each other, and never stop. */
export const RunawayLoop = z.object({
  kind: z.literal("runaway-loop"),
  by: z._default(z.enum(["messages", "calls"]), "messages"),
  /** Messages or calls in a simulated minute. */
  perMinute: z._default(positive, 9_000),
  /** Of one message sent, or of one call, which lasts a few seconds and is charged as a minute. */
  price: z._default(positive, 0.0079),
  /** Of the same message as the other number receives it. */
  inboundPrice: z._default(z.number().check(z.nonnegative()), 0.0075),
  timeFactor,
});
type RunawayLoop = z.output<typeof RunawayLoop>;

export const loopPerHour = ({ by, price, inboundPrice, perMinute }: RunawayLoop): Micros =>
  micros((by === "messages" ? price + inboundPrice : price) * perMinute * 60);

const OWN_NUMBERS = ["+14155550100", "+14155550101"] as const;
const CALL_TALKS_MS = 5_000;

export function goRound(world: World, account: Account, attack: RunawayLoop, report: AttackReport): Advance {
  let due = 0;
  return (elapsed) => {
    due += (elapsed * attack.perMinute * attack.timeFactor) / 60_000;
    for (; due >= 1 && report.running; due -= 1) tally(report, goOnce(world, account, attack));
  };
}

function goOnce(world: World, account: Account, { by, price, inboundPrice, timeFactor }: RunawayLoop): boolean {
  const to = OWN_NUMBERS[world.random.integer(2)] ?? OWN_NUMBERS[0];
  if (by === "calls") {
    const course = { timeFactor, elapsed: 0, talks: CALL_TALKS_MS };
    return startCall(world, account, { to, pricePerMinute: micros(price), course });
  }
  const sent = sendMessage(world, account, { to, price: micros(price) });
  if (sent) receive(world, account, micros(inboundPrice));
  return sent;
}

function receive(world: World, account: Account, price: Micros): void {
  const amount = { count: 1, usage: 1_000_000, price };
  addUsage(account.ledger, dayOf(world.clock.now()), SMS_INBOUND_CATEGORIES, amount);
}
