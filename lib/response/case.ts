import type { Change, IncidentRecord } from "../incidents/change.ts";
import type { Recurrence } from "../incidents/incident.ts";
import { incidentIdFor, joined, type Occasion, openIncident, type Tripping, trippedBy } from "../incidents/record.ts";
import { recurrenceOf } from "../incidents/recurrence.ts";
import type { Memory } from "../incidents/store.ts";
import { guardBases, guardedLimit } from "../policy/probation.ts";
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
  return known?.incident.id ?? claimed ?? newIdFor(signal, memory);
}

/** What a signal did while our own table was out may need a second incident, when the one that it opened is over. */
function newIdFor(signal: Occasion, { lastIncidentId, lastReactivatedAt }: Memory): string {
  const id = incidentIdFor(signal);
  if (id !== lastIncidentId) return id;
  return incidentIdFor({ ...signal, id: `${signal.id} again`, receivedAt: lastReactivatedAt ?? signal.receivedAt });
}

/** The account's incident as it is stored once this tripping is part of it: opened, or joined. */
export async function openedBy(responder: Responder, tripping: Tripping, current: Case): Promise<IncidentRecord> {
  const { store, clock } = responder;
  const { known } = current;
  if (known === undefined) return store.save(await opening(responder, tripping, current));
  const now = clock.now();
  return store.change(known, (record) => trip(record, tripping, now));
}

/** Makes an incident the account's open one: one round trip. It is not stored yet. */
export async function opening(responder: Responder, tripping: Tripping, current: Case): Promise<Change> {
  const { store, clock } = responder;
  const { memory, leftOver } = current;
  const { signal } = tripping;
  const id = incidentIdOf(signal, current);
  // Before what Twilio is asked meanwhile.
  const now = clock.now();
  const isToBeClaimed = leftOver !== undefined || memory.openIncidentId === null;
  const [recurrence] = await Promise.all([
    recurrenceIn(responder, tripping, id, memory),
    isToBeClaimed ? store.claim(signal.accountSid, id, leftOver) : undefined,
  ]);
  const { record, entries } = openIncident(id, tripping, now);
  return { record: { ...record, incident: { ...record.incident, recurrence } }, entries };
}

/** Where a guard's firing opens it: the story goes on that the incident before told. */
async function recurrenceIn(
  { store, policy }: Responder,
  { signal }: Tripping,
  id: string,
  memory: Memory,
): Promise<Recurrence | null> {
  if (signal.kind !== "usage-trigger") return null;
  const { lastIncidentId, previousIncidentId } = memory;
  const before = lastIncidentId === id ? previousIncidentId : lastIncidentId;
  const limit = guardedLimit(signal, guardBases(policy, memory), policy) ?? (signal.probation ? signal.limit : null);
  if (limit === null || before === null || before === id) return null;
  const found = await store.load(before);
  return found === undefined ? null : recurrenceOf(limit, found.incident);
}

function trip(known: IncidentRecord, tripping: Tripping, now: Date): Change {
  const joining = joined(known, tripping.signal, tripping.reason, now);
  if (joining.record === known || known.incident.state !== "alerted") return joining;
  return { ...joining, record: trippedBy(joining.record, tripping) };
}
