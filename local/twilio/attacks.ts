import * as z from "zod/mini";
import { type Micros, micros, unitsOf } from "./money.ts";
import { type Account, liveCalls, type World } from "./state.ts";
import { sendMessage, startCall } from "./traffic.ts";

const positive = z.number().check(z.positive());
const timeFactor = z._default(positive, 1);

/** Messages to the numbers of one block, whose operator shares what they earn with the attacker. */
const SmsPumping = z.object({
  kind: z.literal("sms-pumping"),
  messages: z._default(z.int().check(z.positive()), 13_000),
  /** Simulated minutes that all the messages together take. */
  minutes: z._default(positive, 5),
  /** The number block; four digits are added. */
  prefix: z._default(z.string().check(z.regex(/^\+\d{4,11}$/)), "+99899394"),
  /** Of one message, in the account's currency. */
  price: z._default(positive, 0.3),
  /** How many simulated seconds pass in a real one: with 60, five minutes of attack take five seconds. */
  timeFactor,
});

/** Many calls at once to expensive numbers, each held open for as long as it lasts. */
const TollFraud = z.object({
  kind: z.literal("toll-fraud"),
  /** How many calls the attacker keeps open. */
  calls: z._default(z.int().check(z.positive()), 200),
  /** Simulated calls dialled a second until all are open. */
  callsPerSecond: z._default(positive, 20),
  prefix: z._default(z.string().check(z.regex(/^\+\d{4,11}$/)), "+37190000"),
  pricePerMinute: z._default(positive, 1.2),
  timeFactor,
});

export const Attack = z.discriminatedUnion("kind", [SmsPumping, TollFraud]);
/** What to start; all but `kind` may be left out. */
export type AttackOrder = z.input<typeof Attack>;
export type Attack = z.output<typeof Attack>;

export interface AttackReport {
  accountSid: string;
  kind: Attack["kind"];
  startedAt: Date;
  running: boolean;
  accepted: number;
  refused: number;
  /** What a simulated hour of this costs unhindered, in the account's currency. */
  pricePerHour: number;
  timeFactor: number;
}

/** An attack under way on one account. */
export interface RunningAttack {
  readonly report: AttackReport;
  /** Lets `elapsed` real milliseconds of it happen. */
  advance(elapsed: number): void;
}

export function startAttack(world: World, account: Account, attack: Attack): RunningAttack {
  const report: AttackReport = {
    accountSid: account.sid,
    kind: attack.kind,
    startedAt: world.clock.now(),
    running: true,
    accepted: 0,
    refused: 0,
    pricePerHour: unitsOf(pricePerHour(attack)),
    timeFactor: attack.timeFactor,
  };
  switch (attack.kind) {
    case "sms-pumping":
      return { report, advance: pumpMessages(world, account, attack, report) };
    case "toll-fraud":
      return { report, advance: dialExpensively(world, account, attack, report) };
  }
}

function pricePerHour(attack: Attack): Micros {
  switch (attack.kind) {
    case "sms-pumping":
      return micros((attack.price * attack.messages * 60) / attack.minutes);
    case "toll-fraud":
      return micros(attack.pricePerMinute * attack.calls * 60);
  }
}

// The attacker does not notice a suspension: attempts go on until the run is over, and are refused.
function pumpMessages(world: World, account: Account, attack: z.output<typeof SmsPumping>, report: AttackReport) {
  const perMillisecond = (attack.messages * attack.timeFactor) / (attack.minutes * 60_000);
  let due = 0;
  return (elapsed: number) => {
    due += elapsed * perMillisecond;
    for (; due >= 1 && report.running; due -= 1) {
      const to = `${attack.prefix}${String(world.random.integer(10_000)).padStart(4, "0")}`;
      tally(report, sendMessage(world, account, { to, price: micros(attack.price) }));
      report.running = report.accepted + report.refused < attack.messages;
    }
  };
}

function dialExpensively(world: World, account: Account, attack: z.output<typeof TollFraud>, report: AttackReport) {
  let due = 0;
  return (elapsed: number) => {
    due = Math.min(attack.calls, due + (elapsed * attack.callsPerSecond * attack.timeFactor) / 1_000);
    let missing = attack.calls - liveCalls(account).length;
    for (; due >= 1 && missing > 0; due -= 1, missing -= 1) {
      const to = `${attack.prefix}${String(world.random.integer(10_000)).padStart(4, "0")}`;
      const course = { timeFactor: attack.timeFactor, elapsed: 0, talks: null };
      tally(report, startCall(world, account, { to, pricePerMinute: micros(attack.pricePerMinute), course }));
    }
  };
}

function tally(report: AttackReport, accepted: boolean): void {
  if (accepted) report.accepted += 1;
  else report.refused += 1;
}
