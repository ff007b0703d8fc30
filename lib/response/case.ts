import type { Change, IncidentRecord } from "../incidents/change.ts";
import { incidentIdFor, joined, type Occasion, openIncident, type Tripping, trippedBy } from "../incidents/record.ts";
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

/** The incident that this signal belongs to, whether or not it was written yet. */
export function incidentIdOf(signal: Occasion, { memory, known, leftOver }: Case): string {
  // An id that was claimed but never written belongs to a delivery that was cut: go on with it.
  const claimed = leftOver === undefined ? memory.openIncidentId : null;
  return known?.incident.id ?? claimed ?? incidentIdFor(signal);
}

/** Takes the account's open incident, or makes it: at most one round trip. */
export async function begin({ store, clock }: Responder, tripping: Tripping, current: Case): Promise<Change> {
  const { memory, known, leftOver } = current;
  if (known !== undefined) return trip(known, tripping, clock.now());
  const { signal } = tripping;
  const id = incidentIdOf(signal, current);
  if (leftOver !== undefined || memory.openIncidentId === null) await store.claim(signal.accountSid, id, leftOver);
  return openIncident(id, tripping, clock.now());
}

function trip(known: IncidentRecord, tripping: Tripping, now: Date): Change {
  const { record, entries } = joined(known, tripping.signal, tripping.reason, now);
  return { record: known.incident.state === "alerted" ? trippedBy(record, tripping) : record, entries };
}
