import type { Signal } from "../../../lib/inbox/messages.ts";
import type { IncidentRecord } from "../../../lib/incidents/change.ts";
import type { Check, Checklist, CleanupId } from "../../../lib/incidents/checklist.ts";
import { checklistRead, dismissed, reactivated, reactivationAsked } from "../../../lib/incidents/coming-back.ts";
import type { Containment, Incident, IncidentState } from "../../../lib/incidents/incident.ts";
import { alerted, failed, incidentIdFor, openIncident, suspended } from "../../../lib/incidents/record.ts";
import { wishOf } from "../../../lib/incidents/wish.ts";
import { reactivate } from "../../support/commands.ts";
import { firing, tripping } from "../../support/signals.ts";
import { type CommandRig, NOW, newAccount } from "./command-rig.ts";

export const CHECKLIST: readonly Check[] = [
  { id: "suspended-by", answer: "done", why: "Tollbreaker suspended it" },
  { id: "live-calls", answer: "done", why: "no call is live" },
  { id: "api-keys", answer: "not-done", why: "2 from before the incident, 1 made during it" },
  { id: "auth-token", answer: "cannot-tell", why: "Twilio does not show us the account's auth token" },
  { id: "triggers", answer: "done", why: "all 2 usage triggers are there and call us" },
];

export interface Wanted {
  state: IncidentState;
  accountSid?: string;
  by?: Containment["by"];
  /** Null: it was not read. */
  checklist?: readonly Check[] | null;
  /** The account's status when the list was read; left out where it could not be. */
  account?: Checklist["account"];
  cleanup?: readonly CleanupId[];
  /** When the account tripped. */
  at?: Date;
  /** When its reactivation was asked for. */
  asked?: Date;
}

/** Writes an incident as the responder would have on its way to this state. */
export async function incidentIn(rig: CommandRig, wanted: Wanted): Promise<Incident> {
  const { state, accountSid = newAccount(), by = "tollbreaker", checklist = CHECKLIST } = wanted;
  const { cleanup = [] } = wanted;
  const { at = TRIPPED, asked = ASKED } = wanted;
  const { store } = rig;
  const signal = { ...firing(accountSid), receivedAt: at.toISOString() };
  const opened = await store.save(openIncident(incidentIdFor(signal), tripped(signal), at));
  if (state === "open") return opened.incident;
  if (state === "alerted" || state === "dismissed") return alertedOrDismissed(rig, opened, state);
  if (state === "failed") {
    const failure = { twilioCode: 20003, message: "Twilio refused", retrying: false };
    return (await store.save(failed(opened, failure, at))).incident;
  }
  const held = await store.save(suspended(opened, { by, friendlyName: "Acme", reason: "tripped", now: at }));
  const readAt = at.toISOString();
  const status = wanted.account === undefined ? {} : { account: wanted.account };
  const read: Checklist | null = checklist === null ? null : { readAt, items: checklist, ...status };
  const checked = read === null ? held : await store.save(checklistRead(held, read, null));
  return state === "suspended" ? checked.incident : comingBack(rig, checked, state, { asked, cleanup });
}

const tripped = (signal: Signal) => tripping(signal, { rule: "sms-spend", reason: "tripped" });
const TRIPPED = new Date(NOW.getTime() - 3_600_000);
/** A minute ago. */
export const ASKED = new Date(NOW.getTime() - 60_000);

async function alertedOrDismissed({ store }: CommandRig, opened: IncidentRecord, state: "alerted" | "dismissed") {
  const telling = { about: "alerted" as const, because: "rule" as const, problem: null, friendlyName: null };
  const told = await store.save(
    alerted(opened, tripped(firing(opened.incident.accountSid)), { ...telling, reason: "tripped", now: TRIPPED }),
  );
  if (state === "alerted") return told.incident;
  const wish = { ...wishOf(reactivate(told.incident)), operator: "olga" };
  return (await store.save(dismissed(told, wish, null, ASKED))).incident;
}

type Back = "reactivating" | "reactivated";

async function comingBack(
  { store }: CommandRig,
  checked: IncidentRecord,
  state: Back,
  { asked: at, cleanup }: { asked: Date; cleanup: readonly CleanupId[] },
) {
  const command = reactivate(checked.incident, { receivedAt: at.toISOString(), cleanup: [...cleanup] });
  const asked = await store.save(reactivationAsked(checked, command, at));
  return state === "reactivating" ? asked.incident : (await store.save(reactivated(asked, at))).incident;
}
