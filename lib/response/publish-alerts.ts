import { type AlertOccasion, composeAlert } from "../alerts/compose.ts";
import { messageOf } from "../errors.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import type { AlertDelivery } from "../incidents/incident.ts";
import { alertPublished, alertsDue, toldElsewhere } from "../incidents/record.ts";
import type { Until } from "../twilio/backoff.ts";
import { nameWaiting } from "./name-waiting.ts";
import type { Responder } from "./responder.ts";

export interface Told {
  record: IncidentRecord;
  /** Why alerts are still due. */
  failures: string[];
}

/** Publishes what people are owed; each alert is struck off only after it was taken. */
export async function publishDue(responder: Responder, record: IncidentRecord, until: Until): Promise<Told> {
  const told: Told = { record, failures: [] };
  for (const due of alertsDue(record)) {
    const outcome = await publish(responder, told.record, due, until);
    const now = responder.clock.now();
    if (outcome.kind === "failed") told.failures.push(`alert not published: ${outcome.why}`);
    else if (outcome.kind === "told-elsewhere")
      told.record = await responder.store.change(told.record, (current) => toldElsewhere(current, due.id, now));
    else told.record = await responder.store.change(told.record, (current) => alertPublished(current, due.id, now));
  }
  return told;
}

type Publication = { kind: "published" } | { kind: "told-elsewhere" } | { kind: "failed"; why: string };

async function publish(
  responder: Responder,
  { incident }: IncidentRecord,
  due: AlertDelivery,
  until: Until,
): Promise<Publication> {
  const { about, at, because, problem, note } = due;
  const incidentUrl = `${responder.publicUrl.replace(/\/+$/, "")}/api/incidents/${incident.id}`;
  try {
    const occasion = { about, incident, at, incidentUrl, because, problem, note };
    if (because === "brake") return await publishForAll(responder, occasion, until);
    await responder.alerts.publish(composeAlert(occasion));
    return { kind: "published" };
  } catch (error) {
    responder.log.error("alert-not-published", { incidentId: incident.id, about, reason: messageOf(error) });
    return { kind: "failed", why: messageOf(error) };
  }
}

/** One loud alert for all that wait at the brake, instead of one for each. @throws what SNS or the store throws. */
async function publishForAll(responder: Responder, occasion: AlertOccasion, until: Until): Promise<Publication> {
  const announcement = await nameWaiting(responder, occasion.incident, until);
  if (announcement.kind === "told-elsewhere") return announcement;
  if (announcement.kind === "later") return { kind: "failed", why: "another alert of the brake comes first" };
  let isPublished = false;
  try {
    await responder.alerts.publish(composeAlert({ ...occasion, waiting: announcement.accounts }));
    isPublished = true;
  } finally {
    await announcement.settle(isPublished);
  }
  return { kind: "published" };
}
