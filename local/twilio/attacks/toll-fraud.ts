import * as z from "zod/mini";
import { type Micros, micros } from "../money.ts";
import { fourDigits } from "../random.ts";
import { type Account, liveCalls, type World } from "../state.ts";
import { startCall } from "../traffic.ts";
import { type Advance, type AttackReport, tally } from "./report.ts";
import { numberBlock, positive, timeFactor } from "./settings.ts";

/** Many calls at once to expensive numbers, each held open for as long as it lasts. */
export const TollFraud = z.object({
  kind: z.literal("toll-fraud"),
  /** How many calls the attacker keeps open. */
  calls: z._default(z.int().check(z.positive()), 200),
  /** Simulated calls dialled a second until all are open. */
  callsPerSecond: z._default(positive, 20),
  prefix: z._default(numberBlock, "+37190000"),
  pricePerMinute: z._default(positive, 1.2),
  timeFactor,
});
type TollFraud = z.output<typeof TollFraud>;

export const tollPerHour = ({ pricePerMinute, calls }: TollFraud): Micros => micros(pricePerMinute * calls * 60);

export function dialExpensively(world: World, account: Account, attack: TollFraud, report: AttackReport): Advance {
  let due = 0;
  return (elapsed) => {
    due = Math.min(attack.calls, due + (elapsed * attack.callsPerSecond * attack.timeFactor) / 1_000);
    let missing = attack.calls - liveCalls(account).length;
    for (; due >= 1 && missing > 0; due -= 1, missing -= 1) {
      const to = `${attack.prefix}${fourDigits(world.random)}`;
      const course = { timeFactor: attack.timeFactor, elapsed: 0, talks: null };
      tally(report, startCall(world, account, { to, pricePerMinute: micros(attack.pricePerMinute), course }));
    }
  };
}
