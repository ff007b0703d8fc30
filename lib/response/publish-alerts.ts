import pLimit from "p-limit";
import { composeAlert, type WaitingAccount } from "../alerts/compose.ts";
import { messageOf } from "../errors.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import type { AlertDelivery, Incident } from "../incidents/incident.ts";
import { alertPublished, alertsDue, toldElsewhere } from "../incidents/record.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import type { Until } from "../twilio/backoff.ts";
import type { Responder } from "./responder.ts";

export interface Told {
  record: IncidentRecord;
  /** Why alerts are still due. */
  failures: string[];
}

/** Publishes what people are owed; each alert is struck off only after it was taken. */
export async function publishDue(responder: Responder, record: IncidentRecord, _until: Until): Promise<Told> {
  const told: Told = { record, failures: [] };
  for (const due of alertsDue(record)) {
    const outcome = await publish(responder, told.record, due);
    const now = responder.clock.now();
    if (outcome.kind === "failed") told.failures.push(`alert not published: ${outcome.why}`);
    else if (outcome.kind === "told-elsewhere")
      told.record = await responder.store.change(told.record, (current) => toldElsewhere(current, due.id, now));
    else told.record = await responder.store.change(told.record, (current) => alertPublished(current, due.id, now));
  }
  return told;
}

type Publication = { kind: "published" } | { kind: "told-elsewhere" } | { kind: "failed"; why: string };

async function publish(responder: Responder, { incident }: IncidentRecord, due: AlertDelivery): Promise<Publication> {
  const { about, at, because, problem, note } = due;
  const incidentUrl = `${responder.publicUrl.replace(/\/+$/, "")}/api/incidents/${incident.id}`;
  try {
    const waiting = because === "brake" ? await namesToTell(responder, incident) : [];
    if (because === "brake" && waiting.length === 0) return { kind: "told-elsewhere" };
    await responder.alerts.publish(composeAlert({ about, incident, at, incidentUrl, because, problem, note, waiting }));
    return { kind: "published" };
  } catch (error) {
    responder.log.error("alert-not-published", { incidentId: incident.id, about, reason: messageOf(error) });
    return { kind: "failed", why: messageOf(error) };
  }
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
