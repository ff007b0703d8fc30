import type { Signal } from "../inbox/messages.ts";
import {
  type Change,
  type IncidentRecord,
  incidentIdFor,
  joined,
  openIncident,
  trippedBy,
} from "../incidents/record.ts";
import type { Memory } from "../incidents/store.ts";
import type { Responder } from "./responder.ts";

/** What is known of the account before anything is done. */
export interface Case {
  memory: Memory;
  /** The account's open incident, if it has one. */
  known: IncidentRecord | undefined;
  /** An incident that is over and still claimed as the open one. */
  leftOver: string | undefined;
}

/** Takes the account's open incident, or makes it: at most one round trip. */
export async function begin(
  { store, clock }: Responder,
  signal: Signal,
  { memory, known, leftOver }: Case,
  reason: string,
): Promise<Change> {
  if (known !== undefined) return trip(known, signal, reason, clock.now());
  const claimed = leftOver === undefined ? memory.openIncidentId : null;
  // An id that was claimed but never written belongs to a delivery that was cut: go on with it.
  const id = claimed ?? incidentIdFor(signal);
  if (claimed === null) await store.claim(signal.accountSid, id, leftOver);
  return openIncident(id, signal, reason, clock.now());
}

function trip(known: IncidentRecord, signal: Signal, reason: string, now: Date): Change {
  const { record, entries } = joined(known, signal, reason, now);
  return { record: known.incident.state === "alerted" ? trippedBy(record, signal) : record, entries };
}
