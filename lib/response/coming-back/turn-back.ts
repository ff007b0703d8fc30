import type { IncidentRecord } from "../../incidents/change.ts";
import { notReactivated, stuck, turningBack } from "../../incidents/coming-back.ts";
import { MOST_DELIVERIES, share } from "../responder.ts";
import { suspendAccount } from "../suspend.ts";
import { isArmed, type Journey, type Progress, reactivationOf } from "./journey.ts";

/** Of the delivery's time, from its beginning: until then the account must be suspended again. */
const TURNING_BACK_SHARE = 0.8;

export type TurnedBack =
  | { kind: "settled"; record: IncidentRecord }
  /** It may be active: the message must be delivered again. */
  | { kind: "unsettled"; record: IncidentRecord; why: string };

/**
 * Back to safe. An account that may be active is suspended first, whatever else there is to say. The reason is written
 * down before, so that a delivery that finds it goes on with going back, and not with coming back.
 */
export async function turnBack(
  journey: Journey,
  record: IncidentRecord,
  { kind, why }: Pick<Extract<Progress, { why: string }>, "kind" | "why">,
): Promise<TurnedBack> {
  const { store, clock } = journey.responder;
  if (!isArmed(record)) {
    return {
      kind: "settled",
      record: await store.save(notReactivated(record, { kind, why, wasLive: false }, clock.now())),
    };
  }
  const { failure } = reactivationOf(record);
  const turning =
    failure === why ? record : await store.save({ record: turningBack(record, why, clock.now()), entries: [] });
  return suspendAgain(journey, turning, why);
}

async function suspendAgain(journey: Journey, record: IncidentRecord, why: string): Promise<TurnedBack> {
  const { responder, order, accountSid } = journey;
  const { store, clock, twilio } = responder;
  const until = share(responder, order, TURNING_BACK_SHARE);
  const suspension = await suspendAccount(twilio, accountSid, until, Promise.resolve(true));
  const now = clock.now();
  switch (suspension.kind) {
    case "suspended": {
      const wasLive = suspension.by === "tollbreaker" || reactivationOf(record).activatedAt !== null;
      const change = notReactivated(record, { kind: "failed", why, wasLive }, now);
      // Calls may have begun in that moment.
      return {
        kind: "settled",
        record: await store.save({ ...change, record: { ...change.record, callsDue: wasLive } }),
      };
    }
    case "held":
    case "refused":
    case "unconfirmed": {
      const message = "message" in suspension ? suspension.message : "the brake holds";
      const said = `${why}; it had to be suspended again, and Twilio did not: ${message}`;
      if (order.attempt < MOST_DELIVERIES) return { kind: "unsettled", record, why: said };
      return { kind: "settled", record: await store.save(stuck(record, said, now)) };
    }
  }
}
