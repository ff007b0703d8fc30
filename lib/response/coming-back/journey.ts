import type { ReactivateCommand } from "../../inbox/commands.ts";
import type { IncidentRecord } from "../../incidents/change.ts";
import type { CleanupId } from "../../incidents/checklist.ts";
import type { Reactivation } from "../../incidents/incident.ts";
import type { Until } from "../../twilio/backoff.ts";
import type { TwilioClient } from "../../twilio/client.ts";
import type { Order, Responder } from "../responder.ts";

/** An account on its way back: what each step works with. */
export interface Journey {
  responder: Responder;
  order: Order<ReactivateCommand>;
  accountSid: string;
  /** With the parent's credentials; no request of it goes on beyond `until`. */
  twilio: TwilioClient;
  until: Until;
}

/** How a step ended. Each step can be repeated: it looks first at what is there. */
export type Progress =
  /** On to the next one; the record is as stored. */
  | { kind: "on"; record: IncidentRecord }
  /** `refused`: nothing was changed at Twilio. */
  | { kind: "refused" | "failed"; record: IncidentRecord; why: string };

export type Step = (journey: Journey, record: IncidentRecord) => Promise<Progress>;

export const REQUEST_TIMEOUT_MS = 4000;

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
