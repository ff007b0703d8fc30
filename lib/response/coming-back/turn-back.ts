import type { IncidentRecord } from "../../incidents/change.ts";
import { markedAnew, notReactivated, stuck, turningBack } from "../../incidents/coming-back.ts";
import { fetchAccount, requestSuspension } from "../../twilio/accounts.ts";
import { retrying, type Until } from "../../twilio/backoff.ts";
import type { TwilioClient } from "../../twilio/client.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import { markTaken } from "../enforce.ts";
import { MOST_DELIVERIES, share } from "../responder.ts";
import { type Suspension, suspendAccount } from "../suspend.ts";
import { limitedTo } from "../time-limit.ts";
import { type Journey, mayBeLive, type Progress, REQUEST_TIMEOUT_MS, reactivationOf } from "./journey.ts";

/** Of the delivery's time, from its beginning: until then the account must be suspended again. */
const TURNING_BACK_SHARE = 0.8;
/** Only to know whether calls may have begun: it must not hold up the suspension. */
const FIRST_LOOK_MS = 2000;

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
  if (!mayBeLive(record)) {
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
  const { suspension, wasActive } = await suspendSurely(twilio, accountSid, until);
  const now = clock.now();
  switch (suspension.kind) {
    case "suspended": {
      const wasLive = wasActive || reactivationOf(record).activatedAt !== null;
      const marked = markedAnew(record, await markTaken(responder, suspension));
      const change = notReactivated(marked, { kind: "failed", why, wasLive }, now);
      // Calls may have begun in that moment.
      const callsDue = change.record.callsDue || wasLive;
      return { kind: "settled", record: await store.save({ ...change, record: { ...change.record, callsDue } }) };
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

interface SurelySuspended {
  suspension: Suspension;
  /** Also when that could not be read. */
  wasActive: boolean;
}

/**
 * A request for `active` that got no answer may be carried out after any reading. So `suspended` is asked for whatever the
 * reading says, and only then is it read back.
 */
async function suspendSurely(twilio: TwilioClient, accountSid: string, until: Until): Promise<SurelySuspended> {
  const inTime = limitedTo(twilio, until);
  const before = await fetchAccount(inTime, accountSid, FIRST_LOOK_MS);
  const wasActive = before.kind === "failed" || before.body.status === "active";
  const asked = await retrying(() => requestSuspension(inTime, accountSid, REQUEST_TIMEOUT_MS), until);
  // Suspended by Twilio itself, or closed: the reading says so.
  if (asked.kind === "failed" && asked.failure.kind !== "already-contained") {
    const { failure } = asked;
    const kind = failure.kind === "retryable" ? "unconfirmed" : "refused";
    return { suspension: { kind, twilioCode: failure.code, message: wordsFor(failure) }, wasActive };
  }
  const suspension = await suspendAccount(twilio, accountSid, until, async () => true);
  return { suspension, wasActive: wasActive || (suspension.kind === "suspended" && suspension.by === "tollbreaker") };
}
