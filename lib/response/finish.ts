import { composeAlert } from "../alerts/compose.ts";
import { messageOf } from "../errors.ts";
import type { AlertDelivery } from "../incidents/incident.ts";
import {
  alertPublished,
  alertsDue,
  type Change,
  callsEnded,
  evidenceRead,
  followedBy,
  type IncidentRecord,
} from "../incidents/record.ts";
import { endLiveCalls } from "./end-calls.ts";
import { readEvidence } from "./read-evidence.ts";
import { CALLS_SHARE, type Delivery, MOST_DELIVERIES, type Responder, share } from "./responder.ts";

/**
 * Everything that is due after the first act, whether of this delivery or of one that was cut: end the calls, read the
 * evidence, tell people. In this order, because the alert says how many calls were ended and what was spent.
 * @returns why the message must be delivered again; undefined when nothing is left.
 */
export async function finish(
  responder: Responder,
  delivery: Delivery,
  record: IncidentRecord,
): Promise<string | undefined> {
  const settled = await afterContainment(responder, delivery, record);
  const { record: told, failures } = await publishDue(responder, settled);
  const reasons = [callsReason(told), failureReason(told, delivery), ...failures].filter(
    (reason) => reason !== undefined,
  );
  return reasons.length === 0 ? undefined : reasons.join("; ");
}

async function afterContainment(
  responder: Responder,
  delivery: Delivery,
  record: IncidentRecord,
): Promise<IncidentRecord> {
  const { twilio, store, clock } = responder;
  const { accountSid } = record.incident;
  const needsEvidence = record.incident.evidence === null && record.incident.trip !== null;
  const [calls, evidence] = await Promise.all([
    record.callsDue ? endLiveCalls(twilio, accountSid, share(responder, delivery, CALLS_SHARE)) : undefined,
    needsEvidence ? readEvidence(twilio, record.incident, clock) : undefined,
  ]);

  let change: Change = { record, entries: [] };
  if (calls !== undefined) {
    change = followedBy(change, (next) => callsEnded(next, { ...calls, now: clock.now() }));
  }
  if (evidence !== undefined) change = followedBy(change, (next) => evidenceRead(next, evidence));
  return change.record === record ? record : store.save(change);
}

interface Told {
  record: IncidentRecord;
  failures: string[];
}

async function publishDue(responder: Responder, record: IncidentRecord): Promise<Told> {
  const told: Told = { record, failures: [] };
  for (const due of alertsDue(record)) {
    const failure = await publish(responder, told.record, due);
    if (failure === undefined) {
      told.record = await responder.store.save(alertPublished(told.record, due.id, responder.clock.now()));
    } else {
      told.failures.push(`alert not published: ${failure}`);
    }
  }
  return told;
}

async function publish(responder: Responder, { incident }: IncidentRecord, due: AlertDelivery) {
  const { about, at, because, problem } = due;
  const incidentUrl = `${responder.publicUrl.replace(/\/+$/, "")}/api/incidents/${incident.id}`;
  try {
    await responder.alerts.publish(composeAlert({ about, incident, at, incidentUrl, because, problem }));
    return undefined;
  } catch (error) {
    responder.log.error("alert-not-published", { incidentId: incident.id, about, reason: messageOf(error) });
    return messageOf(error);
  }
}

function callsReason({ callsDue, incident }: IncidentRecord): string | undefined {
  if (!callsDue) return undefined;
  return `calls left: ${incident.containment?.callsLeft ?? "unknown"}`;
}

function failureReason({ incident }: IncidentRecord, { attempt }: Delivery): string | undefined {
  if (incident.failure === null) return undefined;
  if (incident.failure.retrying) return `not suspended yet: ${incident.failure.message}`;
  // The dead-letter queue raises the alarm, and keeps the signal for a redrive.
  return attempt >= MOST_DELIVERIES ? `given up: ${incident.failure.message}` : undefined;
}
