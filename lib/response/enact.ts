import type { Signal } from "../inbox/messages.ts";
import {
  alerted,
  type Change,
  failed,
  followedBy,
  type IncidentRecord,
  incidentIdFor,
  joined,
  oldNews,
  openIncident,
  suspended,
  toldNotUnderstood,
} from "../incidents/record.ts";
import type { Memory } from "../incidents/store.ts";
import type { Verdict } from "../policy/decide.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import { endLiveCalls } from "./end-calls.ts";
import { CALLS_SHARE, type Delivery, type Responder, SUSPENSION_SHARE, share } from "./responder.ts";
import { type Suspension, suspendAccount } from "./suspend.ts";

export interface Case {
  memory: Memory;
  /** The account's open incident, if it has one. */
  known: IncidentRecord | undefined;
  verdict: Verdict;
}

/** Does what was decided, and records it. Undefined when no open incident is concerned. */
export async function enact(
  responder: Responder,
  delivery: Delivery,
  { memory, known, verdict }: Case,
): Promise<IncidentRecord | undefined> {
  switch (verdict.kind) {
    case "suspend":
      return suspend(responder, delivery, () => begin(responder, delivery.signal, memory, known, verdict.reason));
    case "alert":
      return tell(responder, delivery.signal, memory, known, verdict);
    case "join":
      return known === undefined
        ? joinTheLast(responder, delivery.signal, memory, verdict.reason)
        : save(responder, known, joinedTo(known, delivery.signal, verdict.reason, responder.clock.now()));
  }
}

/** Takes the account's open incident, or makes it: at most one round trip. */
async function begin(
  { store, clock }: Responder,
  signal: Signal,
  { openIncidentId }: Memory,
  known: IncidentRecord | undefined,
  reason: string,
): Promise<Change> {
  if (known !== undefined) return joined(known, signal, reason, clock.now());
  // An id that was claimed but never written belongs to a delivery that was cut: go on with it.
  const id = openIncidentId ?? incidentIdFor(signal);
  if (openIncidentId === null) await store.claim(signal.accountSid, id);
  return openIncident(id, signal, reason, clock.now());
}

async function suspend(
  responder: Responder,
  delivery: Delivery,
  opening: () => Promise<Change>,
): Promise<IncidentRecord> {
  const { twilio, store, clock } = responder;
  const { accountSid } = delivery.signal;
  const [begun] = await Promise.allSettled([opening()]);
  // The opening is written down while Twilio is asked. A store that fails must not hold up or undo the suspension.
  const [suspension, opened] = await Promise.all([
    suspendAccount(twilio, accountSid, share(responder, delivery, SUSPENSION_SHARE)),
    Promise.allSettled([begun.status === "fulfilled" ? store.save(begun.value) : Promise.reject(begun.reason)]),
  ]);
  if (opened[0].status === "fulfilled") {
    return store.save(recorded(opened[0].value, suspension, delivery, clock.now()));
  }
  if (suspension.kind === "suspended") await endLiveCalls(twilio, accountSid, share(responder, delivery, CALLS_SHARE));
  throw opened[0].reason;
}

function recorded(record: IncidentRecord, suspension: Suspension, { signal, attempt }: Delivery, now: Date): Change {
  switch (suspension.kind) {
    case "suspended": {
      // Found suspended in a later delivery of the signal that opened the incident: an earlier one did it, and was cut.
      const isOurs = suspension.by === "already-suspended" && attempt > 1 && record.openedBy === signal.id;
      const by = isOurs ? "tollbreaker" : suspension.by;
      const friendlyName = suspension.account?.friendlyName ?? null;
      return suspended(record, { by, friendlyName, reason: record.incident.reason, now });
    }
    case "refused":
      return failed(record, { ...reasonOf(suspension), retrying: false }, now);
    case "unconfirmed":
      return failed(record, { ...reasonOf(suspension), retrying: true }, now);
  }
}

function reasonOf({ twilioCode, message }: { twilioCode: number | null; message: string }) {
  return { twilioCode, message };
}

const NAME_TIMEOUT_MS = 3000;

async function tell(
  responder: Responder,
  signal: Signal,
  memory: Memory,
  known: IncidentRecord | undefined,
  { about, because, reason }: Extract<Verdict, { kind: "alert" }>,
): Promise<IncidentRecord> {
  const { twilio, store, clock } = responder;
  const opening = await begin(responder, signal, memory, known, reason);
  const account = await fetchAccount(twilio, signal.accountSid, NAME_TIMEOUT_MS);
  const friendlyName = account.kind === "ok" ? account.body.friendlyName : null;
  const problem = signal.kind === "not-understood" ? signal.problem : null;
  const now = clock.now();
  return store.save(
    followedBy(opening, (record) => alerted(record, { about, because, problem, friendlyName, reason, now })),
  );
}

function joinedTo(known: IncidentRecord, signal: Signal, reason: string, now: Date): Change {
  const change = joined(known, signal, reason, now);
  return signal.kind === "not-understood"
    ? { ...change, record: toldNotUnderstood(change.record, signal.problem, now) }
    : change;
}

/** Nothing is written when nothing changed, as in a repeated delivery. */
async function save({ store }: Responder, before: IncidentRecord, change: Change): Promise<IncidentRecord> {
  return change.record === before ? before : store.save(change);
}

async function joinTheLast({ store, clock }: Responder, signal: Signal, memory: Memory, reason: string) {
  if (memory.lastIncidentId !== null) await store.append(memory.lastIncidentId, oldNews(signal, reason, clock.now()));
  return undefined;
}
