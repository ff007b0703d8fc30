import { type Change, followedBy, type IncidentRecord } from "../incidents/change.ts";
import { callsEnded, evidenceRead, spendRanked } from "../incidents/record.ts";
import { endLiveCalls } from "./end-calls.ts";
import { publishDue } from "./publish-alerts.ts";
import { rankSpenders } from "./rank-spenders.ts";
import { withChecklist } from "./read-checklist.ts";
import { readEvidence } from "./read-evidence.ts";
import { CALLS_SHARE, MOST_DELIVERIES, type Responder, share, type Turn } from "./responder.ts";
import { suspendTheTop } from "./suspend-top.ts";

/**
 * Everything that is due after the first act, whether of this delivery or of one that was cut: end the calls, read the
 * evidence, tell people, read what has to be in order before the account comes back. In this order, because the alert
 * says how many calls were ended and what was spent, and waits for nothing that it does not say.
 * @returns why the message must be delivered again; undefined when nothing is left.
 */
export async function finish(responder: Responder, turn: Turn, record: IncidentRecord): Promise<string | undefined> {
  const change = await afterContainment(responder, turn, record);
  // Before anything is recorded: the money goes on running out.
  const topReason = await suspendTheTop(responder, change.record.incident);
  const settled = change.record === record ? record : await responder.store.save(change);
  const { record: published, failures } = await publishDue(responder, settled, share(responder, turn, 1));
  const told = await withChecklist(responder, turn, published);
  const reasons = [callsReason(told), failureReason(told, turn), topReason, ...failures].filter(
    (reason) => reason !== undefined,
  );
  return reasons.length === 0 ? undefined : reasons.join("; ");
}

async function afterContainment(responder: Responder, turn: Turn, record: IncidentRecord): Promise<Change> {
  const { twilio, clock } = responder;
  const { accountSid } = record.incident;
  const { evidence: known, trip, state } = record.incident;
  const needsEvidence = known === null && (trip !== null || state === "suspended");
  const needsRanking = accountSid === twilio.accountSid && record.incident.ranking === null && needsEvidence;
  const until = share(responder, turn, CALLS_SHARE);
  const [calls, evidence, ranking] = await Promise.all([
    areCallsDue(record) ? endLiveCalls(twilio, accountSid, until) : undefined,
    needsEvidence ? readEvidence(twilio, record.incident, clock) : undefined,
    needsRanking ? rankSpenders(twilio, until) : undefined,
  ]);

  let change: Change = { record, entries: [] };
  if (calls !== undefined) {
    change = followedBy(change, (next) => callsEnded(next, { ...calls, now: clock.now() }));
  }
  if (evidence !== undefined) change = followedBy(change, (next) => evidenceRead(next, evidence));
  if (ranking !== undefined) change = followedBy(change, (next) => spendRanked(next, ranking));
  return change;
}

function callsReason(record: IncidentRecord): string | undefined {
  if (!areCallsDue(record)) return undefined;
  return `calls left: ${record.incident.containment?.callsLeft ?? "unknown"}`;
}

/** Only of a contained account: calls of one that is on its way back, or is back, are its customer's. */
function areCallsDue({ callsDue, incident }: IncidentRecord): boolean {
  return callsDue && incident.state === "suspended";
}

function failureReason({ incident }: IncidentRecord, { attempt }: Turn): string | undefined {
  if (incident.failure === null) return undefined;
  if (incident.failure.retrying) return `not suspended yet: ${incident.failure.message}`;
  // The dead-letter queue raises the alarm, and keeps the signal for a redrive.
  return attempt >= MOST_DELIVERIES ? `given up: ${incident.failure.message}` : undefined;
}
