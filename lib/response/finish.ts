import { messageOf } from "../errors.ts";
import { type Change, followedBy, type IncidentRecord, unchanged } from "../incidents/change.ts";
import { alertsDue, callsEnded, evidenceRead, spendRanked } from "../incidents/record.ts";
import { isOver } from "../incidents/transitions.ts";
import type { Until } from "../twilio/backoff.ts";
import { endLiveCalls } from "./end-calls.ts";
import { publishDue } from "./publish-alerts.ts";
import { rankSpenders } from "./rank-spenders.ts";
import { isChecklistDue, withChecklist } from "./read-checklist.ts";
import { readEvidence } from "./read-evidence.ts";
import { CALLS_SHARE, type Responder, share, type Turn } from "./responder.ts";
import { suspendTheTop } from "./suspend-top.ts";
import { limitedTo } from "./time-limit.ts";

/**
 * What is due on an incident after the act itself, whether of this try or of one that was cut: end the calls, read the
 * evidence, tell people, read what has to be in order before the account comes back. The incident is the outbox: it says what
 * is due, and nothing of it holds up the account's next message for long.
 */

/** Longer than each of the steps takes but the calls; renewed after those. Who died at it holds up the next one for no more. */
const LEASE_MS = 5000;

/**
 * Does at once what can be done at once, and leaves the rest to the follow-up queue.
 * @throws what that queue throws: the message is then tried again.
 */
export async function finishSoon(responder: Responder, turn: Turn, record: IncidentRecord): Promise<void> {
  if (!isAnythingDue(record)) return noteToldIfOver(responder, record);
  const { followUps, clock, log } = responder;
  const { id: incidentId, accountSid } = record.incident;
  const begunAt = clock.now().getTime();
  const deadline = Math.min(begunAt + turn.besides.leftMs, turn.deadline);
  const left = await finish(responder, record, { begunAt, deadline, isPatient: false }).catch((error) =>
    toTryAgain(messageOf(error)),
  );
  turn.besides.leftMs = Math.max(0, turn.besides.leftMs - (clock.now().getTime() - begunAt));
  if (left === undefined) return;
  log.info("incident-left-to-follow-up", { accountSid, incidentId, why: left.why });
  const callsDue = areCallsDue(record);
  await followUps.put({ kind: "incident", accountSid, incidentId, callsDue }, (left.laterMs ?? 0) / 1000);
}

/** Times in milliseconds since the epoch. Who is patient tells people even of what did not come out in time. */
export interface Work extends Pick<Turn, "begunAt" | "deadline"> {
  isPatient: boolean;
}

/** What is still due. */
export interface Left {
  why: string;
  /** Where nothing failed, and alerts only have to wait: look again in so many milliseconds. Null where it is to be tried again. */
  laterMs: number | null;
}

/**
 * One at a time for each incident: who comes second leaves it to the first. In this order, because an alert says how many
 * calls were ended and what was spent, and waits for nothing that it does not say.
 * @returns undefined when nothing is due any more.
 * @throws what the store throws
 */
export async function finish(responder: Responder, record: IncidentRecord, work: Work): Promise<Left | undefined> {
  const { store, clock } = responder;
  if (work.deadline <= clock.now().getTime()) return toTryAgain("there is no time left");
  if (!work.isPatient && isRankingDue(responder, record)) return toTryAgain("a ranking of all accounts takes longer");
  const leased = await lease(responder, record, work);
  if (leased === undefined) return AT_IT;
  try {
    return await finishAlone(responder, leased, work);
  } catch (error) {
    // As far as the store lets us: else its time ends it.
    await store.change(leased, unleased).catch(() => undefined);
    throw error;
  }
}

function toTryAgain(why: string): Left {
  return { why, laterMs: null };
}

const AT_IT = toTryAgain("somebody else is at it");

async function finishAlone(responder: Responder, leased: IncidentRecord, work: Work): Promise<Left | undefined> {
  const { store, clock } = responder;
  const until = { clock, deadline: work.deadline };
  const settled = await afterContainment(responder, leased, work);
  if (settled === undefined) return AT_IT;
  // Before anything is told: the money goes on running out.
  const topReason = await suspendTheTop(responder, settled.incident);
  const isLate = areCallsDue(settled) || until.deadline <= clock.now().getTime();
  const {
    record: told,
    failures,
    laterMs,
  } = isLate && !work.isPatient
    ? { record: settled, failures: ["it takes longer"], laterMs: null }
    : await publishAndCheck(responder, settled, { until, isPatient: work.isPatient });
  await store.change(told, unleased);
  const reasons = [callsReason(told), topReason, ...failures].filter((reason) => reason !== undefined);
  if (reasons.length > 0) return toTryAgain(reasons.join("; "));
  if (laterMs !== null) return { why: "another alert of the brake comes first", laterMs };
  await noteToldIfOver(responder, told);
  return undefined;
}

/** The sweep need not look after it any more. */
async function noteToldIfOver({ store }: Responder, { incident }: IncidentRecord): Promise<void> {
  if (isOver(incident.state)) await store.noteTold(incident.accountSid, incident.id);
}

async function publishAndCheck(
  responder: Responder,
  record: IncidentRecord,
  { until, isPatient }: { until: Until; isPatient: boolean },
) {
  const { record: published, failures, laterMs } = await publishDue(responder, record, until);
  const checked = await withChecklist(responder, published, until, isPatient);
  const isUnread = !isPatient && isChecklistDue(checked);
  return { record: checked, laterMs, failures: isUnread ? [...failures, "the check-list is not read yet"] : failures };
}

/** Why the act itself has to be tried again: Twilio has not suspended the account, and may at the next try. */
export function whyUnfinished(record: IncidentRecord | undefined): string | undefined {
  const failure = record?.incident.failure ?? null;
  return failure?.retrying === true ? `not suspended yet: ${failure.message}` : undefined;
}

function isAnythingDue(record: IncidentRecord): boolean {
  return areCallsDue(record) || alertsDue(record).length > 0 || isChecklistDue(record);
}

/** Takes the incident for itself. Undefined where somebody else has it. @throws what the store throws */
async function lease(responder: Responder, record: IncidentRecord, work: Work): Promise<IncidentRecord | undefined> {
  const { store, clock } = responder;
  const now = clock.now();
  let isOurs = false;
  try {
    const leased = await store.change(record, (current) => {
      isOurs = !isLeased(current, now);
      return isOurs ? leasedFrom(current, now, work) : unchanged(current);
    });
    return isOurs ? leased : undefined;
  } catch (error) {
    // Calls cost money whether or not our own store answers.
    if (areCallsDue(record)) await endCalls(responder, record, work);
    throw error;
  }
}

function isLeased({ finishingUntil }: IncidentRecord, now: Date): boolean {
  return finishingUntil !== null && finishingUntil > now.toISOString();
}

function leasedFrom(record: IncidentRecord, now: Date, { deadline }: Work): Change {
  const finishingUntil = new Date(Math.min(now.getTime() + LEASE_MS, deadline + 500)).toISOString();
  return { record: { ...record, finishingUntil }, entries: [] };
}

function unleased(record: IncidentRecord): Change {
  return { record: { ...record, finishingUntil: null }, entries: [] };
}

/** @returns undefined where it took so long that somebody else has begun meanwhile: that one tells people. */
async function afterContainment(
  responder: Responder,
  leased: IncidentRecord,
  work: Work,
): Promise<IncidentRecord | undefined> {
  const { store, clock } = responder;
  const until = share(responder, work, CALLS_SHARE);
  const twilio = limitedTo(responder.twilio, until);
  const [calls, evidence, ranking] = await Promise.all([
    areCallsDue(leased) ? endCalls(responder, leased, work) : undefined,
    isEvidenceDue(leased) ? readEvidence(twilio, leased.incident, clock) : undefined,
    isRankingDue(responder, leased) ? rankSpenders(twilio, until) : undefined,
  ]);
  const now = clock.now();
  let isOurs = false;
  const settled = await store.change(leased, (current) => {
    isOurs = current.finishingUntil === leased.finishingUntil;
    // Of the containment that the calls were ended for, and no later one.
    const isSame = current.incident.suspendedAt === leased.incident.suspendedAt;
    let change = isOurs ? leasedFrom(current, now, work) : unchanged(current);
    if (calls !== undefined && isSame) change = followedBy(change, (next) => callsEnded(next, { ...calls, now }));
    if (evidence !== undefined && isSame) change = followedBy(change, (next) => evidenceRead(next, evidence));
    if (ranking !== undefined) change = followedBy(change, (next) => spendRanked(next, ranking));
    return change;
  });
  return isOurs ? settled : undefined;
}

function endCalls(responder: Responder, { incident }: IncidentRecord, work: Work) {
  const until = share(responder, work, CALLS_SHARE);
  return endLiveCalls(responder.twilio, incident.accountSid, until);
}

function callsReason(record: IncidentRecord): string | undefined {
  if (!areCallsDue(record)) return undefined;
  return `calls left: ${record.incident.containment?.callsLeft ?? "unknown"}`;
}

function isEvidenceDue({ incident: { evidence, trip, state } }: IncidentRecord): boolean {
  return evidence === null && (trip !== null || state === "suspended");
}

/** Only of the parent, which can't be suspended: who spends, then? */
function isRankingDue({ twilio }: Responder, record: IncidentRecord): boolean {
  const { accountSid, ranking } = record.incident;
  return accountSid === twilio.accountSid && ranking === null && isEvidenceDue(record);
}

/** Only of a contained account: calls of one that is on its way back, or is back, are its customer's. */
function areCallsDue({ callsDue, incident }: IncidentRecord): boolean {
  return callsDue && incident.state === "suspended";
}
