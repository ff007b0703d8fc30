import type { ReactivateCommand } from "../../inbox/commands.ts";
import type { IncidentRecord } from "../../incidents/change.ts";
import type { CleanupId } from "../../incidents/checklist.ts";
import type { Reactivation } from "../../incidents/incident.ts";
import type { Until } from "../../twilio/backoff.ts";
import type { TwilioClient } from "../../twilio/client.ts";
import type { Order, Responder } from "../responder.ts";
import type { TriggerSightings } from "./trigger-sightings.ts";

/** An account on its way back: what each step works with. */
export interface Journey {
  responder: Responder;
  order: Order<ReactivateCommand>;
  accountSid: string;
  /** With the parent's credentials; no request of it goes on beyond `until`. */
  twilio: TwilioClient;
  until: Until;
  /** Since when its old auth token does not work any more, milliseconds since the epoch, where it was to be changed. */
  lockedOutAt?: number;
  /** What Twilio said of single usage triggers, which its lists may not show yet. */
  sightings: TriggerSightings;
}

/** How a step ended. Each step can be repeated: it looks first at what is there. */
export type Progress =
  /** On to the next one; the record is as stored. */
  | { kind: "on"; record: IncidentRecord }
  /** It got on, and there is more of it than fits into one delivery: the next one goes on from there. */
  | { kind: "later"; record: IncidentRecord; why: string }
  /** `refused`: nothing was changed at Twilio. */
  | { kind: "refused" | "failed"; record: IncidentRecord; why: string };

export type Step = (journey: Journey, record: IncidentRecord) => Promise<Progress>;

export const REQUEST_TIMEOUT_MS = 4000;
/** Twilio answers 429 beyond an undocumented number of parallel requests. */
export const PARALLEL_REQUESTS = 10;

/** Those after it are left for the way back to safe, should that be needed. */
const MOST_DELIVERIES = 15;

/** Whether another delivery may go on with what did not fit into this one. */
export function mayGoOn({ order }: Journey): boolean {
  return order.tries < MOST_DELIVERIES;
}

/** @throws TypeError for an incident that nobody asked to reactivate: the steps are only taken once somebody has. */
export function reactivationOf({ incident }: IncidentRecord): Reactivation {
  if (incident.reactivation === null) throw new TypeError(`Nobody asked for a reactivation of ${incident.id}.`);
  return incident.reactivation;
}

export function isArmed(record: IncidentRecord): boolean {
  return reactivationOf(record).probationUntil !== null;
}

/** Whether Twilio may have been asked to set it active, and may yet do so: no reading tells. */
export function mayBeLive({ mayBeLiveSince }: IncidentRecord): boolean {
  return mayBeLiveSince !== null;
}

/** Whether it was asked for, and is not done yet. */
export function isDue(record: IncidentRecord, id: CleanupId): boolean {
  const { cleanup, cleaned } = reactivationOf(record);
  return cleanup.includes(id) && !cleaned.includes(id);
}
