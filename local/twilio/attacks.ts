import * as z from "zod/mini";
import type { Advance, AttackReport } from "./attacks/report.ts";
import { goRound, loopPerHour, RunawayLoop } from "./attacks/runaway-loop.ts";
import { probe, SipProbing } from "./attacks/sip-probing.ts";
import { pumpingPerHour, pumpMessages, SmsPumping } from "./attacks/sms-pumping.ts";
import { dialExpensively, TollFraud, tollPerHour } from "./attacks/toll-fraud.ts";
import { type Micros, unitsOf } from "./money.ts";
import type { Account, World } from "./state.ts";

/** What can go wrong on one account; `billing-glitch.ts` is what goes wrong on all of them. */
export const Attack = z.discriminatedUnion("kind", [SmsPumping, TollFraud, SipProbing, RunawayLoop]);
/** What to start; all but `kind` may be left out. */
export type AttackOrder = z.input<typeof Attack>;
type Attack = z.output<typeof Attack>;

/** An attack under way on one account. */
export interface RunningAttack {
  readonly report: AttackReport;
  advance: Advance;
}

export function startAttack(world: World, account: Account, attack: Attack): RunningAttack {
  const report: AttackReport = {
    accountSid: account.sid,
    kind: attack.kind,
    startedAt: world.clock.now(),
    running: true,
    accepted: 0,
    refused: 0,
    blocked: 0,
    pricePerHour: unitsOf(pricePerHour(attack)),
    timeFactor: attack.timeFactor,
  };
  return { report, advance: courseOf(world, account, attack, report) };
}

function courseOf(world: World, account: Account, attack: Attack, report: AttackReport): Advance {
  switch (attack.kind) {
    case "sms-pumping":
      return pumpMessages(world, account, attack, report);
    case "toll-fraud":
      return dialExpensively(world, account, attack, report);
    case "sip-probing":
      return probe(world, account, attack, report);
    case "runaway-loop":
      return goRound(world, account, attack, report);
  }
}

function pricePerHour(attack: Attack): Micros {
  switch (attack.kind) {
    case "sms-pumping":
      return pumpingPerHour(attack);
    case "toll-fraud":
      return tollPerHour(attack);
    case "sip-probing":
      return 0;
    case "runaway-loop":
      return loopPerHour(attack);
  }
}
