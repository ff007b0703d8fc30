import pLimit from "p-limit";
import { alertOf } from "../alerts/alert-of.ts";
import type { WaitingAccount } from "../alerts/compose.ts";
import { messageOf } from "../errors.ts";
import { inTime } from "../in-time.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import type { AlertDelivery, Incident } from "../incidents/incident.ts";
import { alertPublished, alertsDue, toldElsewhere } from "../incidents/record.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import type { Until } from "../twilio/backoff.ts";
import type { Responder } from "./responder.ts";

export interface Published {
  record: IncidentRecord;
  /** Why alerts are still due. */
  failures: string[];
}

/**
 * Publishes what people are owed, until the time is over; each alert is struck off only after it was taken, and one that
 * fails keeps no other from being tried. Never throws: whoever calls does what is left later.
 */
export async function publishDue(responder: Responder, record: IncidentRecord, until: Until): Promise<Published> {
  const published: Published = { record, failures: [] };
  const tried = new Set<string>();
  for (let due = nextDue(record, tried); due !== undefined; due = nextDue(published.record, tried)) {
    tried.add(due.id);
    try {
      published.record = await publishInTime(responder, published.record, due, until);
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

async function publishInTime(
  responder: Responder,
  record: IncidentRecord,
  due: AlertDelivery,
  { clock, deadline }: Until,
): Promise<IncidentRecord> {
  const left = deadline - clock.now().getTime();
  if (left <= 0) throw new Error("the time was over");
  const signal = AbortSignal.timeout(Math.ceil(left));
  const work = await inTime(publish(responder, record, due, signal), left);
  if (work.kind === "late") throw new Error(`not taken within ${Math.ceil(left)} ms`);
  const now = clock.now();
  return responder.store.change(record, (current) =>
    work.value === "told-elsewhere"
      ? toldElsewhere(current, due.id, now)
      : alertPublished(current, due.id, now, record.incident),
  );
}

/** @throws TollbreakerError `alert-not-published` when SNS did not take it, and whatever the brake's store throws. */
async function publish(
  responder: Responder,
  { incident }: IncidentRecord,
  due: AlertDelivery,
  signal: AbortSignal,
): Promise<"published" | "told-elsewhere"> {
  const { about, at, because, problem, note } = due;
  const incidentUrl = `${responder.publicUrl.replace(/\/+$/, "")}/api/incidents/${incident.id}`;
  const waiting = because === "brake" ? await namesToTell(responder, incident) : [];
  if (because === "brake" && waiting.length === 0) return "told-elsewhere";
  const occasion = { about, incident: asTold(incident, due), at, incidentUrl, because, problem, note, waiting };
  await responder.alerts.publish(alertOf(occasion, responder.log), signal);
  return "published";
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

/** Accounts that trip together are named together: this long the first one waits for the others. */
const GATHERING_MS = 2000;
const NAME_TIMEOUT_MS = 2000;
/** Beyond these, an alert names accounts by their SIDs only. */
const MOST_NAMES = 20;

/** The accounts that wait at the brake and that nobody was told of: one loud alert instead of one for each. */
async function namesToTell(responder: Responder, { accountSid: own, id }: Incident): Promise<WaitingAccount[]> {
  const { twilio, brake, clock } = responder;
  await clock.sleep(GATHERING_MS);
  const waiting = await brake.announce(own, id);
  const inTurn = pLimit(10);
  return inTurn.map(waiting, async ({ accountSid }, index) => {
    if (index >= MOST_NAMES) return { accountSid, friendlyName: null };
    const account = await fetchAccount(twilio, accountSid, NAME_TIMEOUT_MS);
    return { accountSid, friendlyName: account.kind === "ok" ? account.body.friendlyName : null };
  });
}
