import type { AlertPublisher } from "../alerts/publish.ts";
import type { Clock } from "../clock.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { Signal } from "../inbox/messages.ts";
import type { IncidentStore } from "../incidents/store.ts";
import type { Log } from "../log.ts";
import type { Policy } from "../policy/policy.ts";
import type { Until } from "../twilio/backoff.ts";
import type { TwilioClient } from "../twilio/client.ts";
import type { BrakeKeeper } from "./keep-brake.ts";

/** Everything the responder works with. */
export interface Responder {
  twilio: TwilioClient;
  store: IncidentStore;
  alerts: AlertPublisher;
  inbox: Inbox;
  policy: Policy;
  brake: BrakeKeeper;
  /** Our base URL, for links to incidents. */
  publicUrl: string;
  clock: Clock;
  log: Log;
}

/** One handing-out of one message. */
export interface Delivery {
  signal: Signal;
  /** Which delivery of this message it is, from 1. */
  attempt: number;
  /** When it was begun, and when the function will be stopped: milliseconds since the epoch. */
  begunAt: number;
  deadline: number;
}

/** Until when a step may go on: each leaves a part of the delivery's time to those after it. */
export function share(responder: Responder, { begunAt, deadline }: Delivery, part: number): Until {
  return { clock: responder.clock, deadline: begunAt + (deadline - begunAt) * part };
}

/** Of 23.5 seconds: 6 to ask Usage Records, where a rule wants it; 14 for the suspension, 19 until the calls must have ended; the rest is for alerts and the record. */
export const CONFIRMATION_SHARE = 0.25;
export const SUSPENSION_SHARE = 0.6;
export const CALLS_SHARE = 0.8;

/** The inbox's maxReceiveCount in serverless.yml: after this delivery a message goes to the dead-letter queue. */
export const MOST_DELIVERIES = 10;
