import type { IncidentRecord } from "../../incidents/change.ts";
import { markedAnew, notReactivated, stuck, turningBack } from "../../incidents/coming-back.ts";
import { fetchAccount } from "../../twilio/accounts.ts";
import type { Until } from "../../twilio/backoff.ts";
import type { TwilioClient } from "../../twilio/client.ts";
import { withAdvice } from "../../twilio/refusals.ts";
import { markTaken } from "../enforce.ts";
import { share } from "../responder.ts";
import { type Suspension, suspendAccount } from "../suspend.ts";
import { limitedTo, NO_SOONER_MS } from "../time-limit.ts";
import { type Journey, mayBeLive, type Progress, reactivationOf } from "./journey.ts";

/** Of the delivery's time, from its beginning: until then the account must be suspended again. */
const TURNING_BACK_SHARE = 0.8;
/** Then people are told that they have to act; the sweep goes on trying. */
const MOST_TRIES_BACK = 10;

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
  { kind, why }: Pick<Extract<Progress, { kind: "refused" | "failed" }>, "kind" | "why">,
): Promise<TurnedBack> {
  const { store, clock } = journey.responder;
  if (!mayBeLive(record)) {
    const now = clock.now();
    const settled = await store.change(record, (known) => notReactivated(known, { kind, why, wasLive: false }, now));
    return { kind: "settled", record: settled };
  }
  const { failure } = reactivationOf(record);
  const now = clock.now();
  const turning = failure === why ? record : await store.change(record, (known) => turningBack(known, why, now));
  return suspendAgain(journey, turning, why);
}

async function suspendAgain(journey: Journey, record: IncidentRecord, why: string): Promise<TurnedBack> {
  const { responder, order, accountSid } = journey;
  const { store, clock, twilio } = responder;
  const until = share(responder, order, TURNING_BACK_SHARE);
  const { suspension, wasActive } = await suspendSurely(twilio, accountSid, until);
  const now = clock.now();
  switch (suspension.kind) {
    case "suspended": {
      const wasLive = wasActive || reactivationOf(record).activatedAt !== null;
      const mark = await markTaken(responder, suspension);
      const settled = await store.change(record, (known) => {
        const change = notReactivated(markedAnew(known, mark), { kind: "failed", why, wasLive }, now);
        // Calls may have begun in that moment.
        return { ...change, record: { ...change.record, callsDue: change.record.callsDue || wasLive } };
      });
      return { kind: "settled", record: settled };
    }
    case "held":
    case "refused":
    case "unconfirmed": {
      const message =
        "message" in suspension ? withAdvice(suspension.message, suspension.twilioCode) : "the brake holds";
      const said = `${why}; it had to be suspended again, and Twilio did not: ${message}`;
      if (order.tries < MOST_TRIES_BACK) return { kind: "unsettled", record, why: said };
      return { kind: "settled", record: await store.change(record, (known) => stuck(known, said, now)) };
    }
  }
}

interface SurelySuspended {
  suspension: Suspension;
  /** Also when that could not be read. */
  wasActive: boolean;
}

/**
 * A request for `active` that got no answer may be carried out after any reading. So `suspended` is asked for whatever the
 * first reading says, and only then is it read back.
 */
async function suspendSurely(twilio: TwilioClient, accountSid: string, until: Until): Promise<SurelySuspended> {
  const firstReading = fetchAccount(limitedTo(twilio, until), accountSid, NO_SOONER_MS);
  const suspension = await suspendAccount(twilio, accountSid, until, {
    mayAsk: async () => true,
    isProven: true,
    evenIfSuspended: true,
    firstReading,
  });
  const before = await Promise.race([firstReading, Promise.resolve(undefined)]);
  return { suspension, wasActive: before?.kind !== "ok" || before.body.status === "active" };
}
