import { alertOf } from "../alerts/alert-of.ts";
import type { AlertOccasion } from "../alerts/compose.ts";
import { messageOf } from "../errors.ts";
import { inTime } from "../in-time.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import type { AlertDelivery, Incident } from "../incidents/incident.ts";
import { alertPublished, alertsDue, toldElsewhere } from "../incidents/record.ts";
import { isChangedMeanwhile } from "../incidents/store.ts";
import type { Until } from "../twilio/backoff.ts";
import { nameWaiting } from "./name-waiting.ts";
import type { Responder } from "./responder.ts";

export interface Published {
  record: IncidentRecord;
  /** Why alerts are still due. */
  failures: string[];
  /** In how many milliseconds to look again at alerts that are due and have to wait; null where none has to. */
  laterMs: number | null;
}

/**
 * Publishes what people are owed, until the time is over; each alert is struck off only after it was taken, and one that
 * fails keeps no other from being tried. Never throws: whoever calls does what is left later.
 */
export async function publishDue(responder: Responder, record: IncidentRecord, until: Until): Promise<Published> {
  const published: Published = { record, failures: [], laterMs: null };
  const tried = new Set<string>();
  for (let due = nextDue(record, tried); due !== undefined; due = nextDue(published.record, tried)) {
    tried.add(due.id);
    try {
      const outcome = await publishInTime(responder, published.record, due, until);
      if (outcome.kind === "later") published.laterMs = Math.min(outcome.ms, published.laterMs ?? outcome.ms);
      else published.record = await struckOff(responder, published.record, due, outcome);
    } catch (error) {
      const { about } = due;
      responder.log.error("alert-not-published", { incidentId: record.incident.id, about, reason: messageOf(error) });
      published.failures.push(`alert not published: ${messageOf(error)}`);
    }
  }
  return published;
}

/** The brake's comes last: it gathers the accounts that wait, and takes its time for it. */
function nextDue(record: IncidentRecord, tried: ReadonlySet<string>): AlertDelivery | undefined {
  const left = alertsDue(record).filter(({ id }) => !tried.has(id));
  return left.find(({ because }) => because !== "brake") ?? left[0];
}

type Publication = { kind: "published" } | { kind: "told-elsewhere" } | { kind: "later"; ms: number };

async function publishInTime(
  responder: Responder,
  record: IncidentRecord,
  due: AlertDelivery,
  until: Until,
): Promise<Publication> {
  const left = until.deadline - until.clock.now().getTime();
  if (left <= 0) throw new Error("the time was over");
  const work = await inTime(publish(responder, record, due, until), left);
  if (work.kind === "late") throw new Error(`not taken within ${Math.ceil(left)} ms`);
  return work.value;
}

/**
 * In whatever state somebody else has put the incident meanwhile: people were told, and are not to be told again.
 * @throws what the store throws
 */
async function struckOff(
  { store, clock }: Responder,
  record: IncidentRecord,
  due: AlertDelivery,
  { kind }: Exclude<Publication, { kind: "later" }>,
): Promise<IncidentRecord> {
  const now = clock.now();
  const strike = (current: IncidentRecord) =>
    kind === "told-elsewhere"
      ? toldElsewhere(current, due.id, now)
      : alertPublished(current, due.id, now, record.incident);
  try {
    return await store.change(record, strike);
  } catch (error) {
    const moved = isChangedMeanwhile(error) ? await store.load(record.incident.id) : undefined;
    if (moved === undefined) throw error;
    return store.change(moved, strike);
  }
}

/** @throws TollbreakerError `alert-not-published` when SNS did not take it, and whatever the brake's store throws. */
async function publish(
  responder: Responder,
  { incident }: IncidentRecord,
  due: AlertDelivery,
  until: Until,
): Promise<Publication> {
  if (due.because === "brake") return publishForAll(responder, incident, due, until);
  await publishUntil(responder, occasionOf(responder, incident, due), until);
  return { kind: "published" };
}

function occasionOf({ publicUrl }: Responder, incident: Incident, due: AlertDelivery): AlertOccasion {
  const { about, at, because, problem, note } = due;
  const incidentUrl = `${publicUrl.replace(/\/+$/, "")}/api/incidents/${incident.id}`;
  return { about, incident: asTold(incident, due), at, incidentUrl, because, problem, note };
}

/** One loud alert for all that wait at the brake, instead of one for each. @throws as `publish` */
async function publishForAll(
  responder: Responder,
  known: Incident,
  due: AlertDelivery,
  until: Until,
): Promise<Publication> {
  const announcement = await nameWaiting(responder, known, until);
  if (announcement.kind !== "tell") return announcement;
  const { incident, accounts: waiting } = announcement;
  let isPublished = false;
  try {
    await publishUntil(responder, { ...occasionOf(responder, incident, due), waiting }, until);
    isPublished = true;
  } finally {
    await announcement.settle(isPublished);
  }
  return { kind: "published" };
}

async function publishUntil(
  { alerts, log }: Responder,
  occasion: AlertOccasion,
  { clock, deadline }: Until,
): Promise<void> {
  const left = Math.max(0, Math.ceil(deadline - clock.now().getTime()));
  await alerts.publish(alertOf(occasion, log), AbortSignal.timeout(left));
}

/**
 * The incident as this alert tells of it. Where it was published late, the incident tells of another rule by now: then
 * that one's numbers are left out, and the reason has this one's.
 */
function asTold(incident: Incident, { about, rule, note }: AlertDelivery): Incident {
  if (about !== "alerted" || rule === incident.rule) return incident;
  const unknown = { trip: null, errors: null, evidence: null, ranking: null, firedAt: null };
  return { ...incident, ...unknown, rule, reason: note ?? "the incident's history says why" };
}
