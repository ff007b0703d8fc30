import * as z from "zod/mini";
import { type Micros, micros } from "../money.ts";
import { fourDigits, pick } from "../random.ts";
import type { Account, World } from "../state.ts";
import { blockMessage, type NewMessage, sendMessage } from "../traffic.ts";
import { type Advance, type AttackReport, attempts, tally } from "./report.ts";
import { numberBlock, positive, share, timeFactor } from "./settings.ts";

/** Messages to the numbers of one block, whose operator shares what they earn with the attacker. */
export const SmsPumping = z.object({
  kind: z.literal("sms-pumping"),
  messages: z._default(z.int().check(z.positive()), 13_000),
  /** Simulated minutes that all the messages together take. */
  minutes: z._default(positive, 5),
  /** The number block; four digits are added. */
  prefix: z._default(numberBlock, "+99899394"),
  /** Of one message, in the account's currency. */
  price: z._default(positive, 0.3),
  /** The part that Twilio's SMS Pumping Protection blocks (30450, 30453), free of charge, once the run is going. */
  blockedShare: z._default(share, 0.1),
  /** The part of the run that passes before it blocks anything. */
  blockedAfter: z._default(share, 0.1),
  timeFactor,
});
type SmsPumping = z.output<typeof SmsPumping>;

export const pumpingPerHour = ({ price, messages, minutes, blockedShare, blockedAfter }: SmsPumping): Micros =>
  micros(((price * messages * 60) / minutes) * (1 - blockedShare * (1 - blockedAfter)));

// The attacker does not notice a suspension: attempts go on until the run is over, and are refused.
export function pumpMessages(world: World, account: Account, attack: SmsPumping, report: AttackReport): Advance {
  const perMillisecond = (attack.messages * attack.timeFactor) / (attack.minutes * 60_000);
  let due = 0;
  return (elapsed) => {
    due += elapsed * perMillisecond;
    for (; due >= 1 && report.running; due -= 1) {
      const message = { to: `${attack.prefix}${fourDigits(world.random)}`, price: micros(attack.price) };
      pumpOne(world, account, { attack, report, message });
      report.running = attempts(report) < attack.messages;
    }
  };
}

interface Pumping {
  attack: SmsPumping;
  report: AttackReport;
  message: NewMessage;
}

function pumpOne(world: World, account: Account, { attack, report, message }: Pumping): void {
  if (account.status !== "active" || !isBlocked(attack, attempts(report))) {
    tally(report, sendMessage(world, account, message));
    return;
  }
  blockMessage(world, account, message, pick(world.random, [30450, 30450, 30453]));
  report.blocked += 1;
}

// Evenly spread rather than drawn: the same run always has the same number of them.
function isBlocked({ messages, blockedShare, blockedAfter }: SmsPumping, sent: number): boolean {
  const nth = sent - Math.ceil(messages * blockedAfter);
  return nth >= 0 && Math.floor((nth + 1) * blockedShare) > Math.floor(nth * blockedShare);
}
