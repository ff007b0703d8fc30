import { identityOf } from "../inbox/messages.ts";
import type { DriveNudge, RemindNudge, TamperedNudge } from "../inbox/nudges.ts";
import { type IncidentRecord, unchanged } from "../incidents/change.ts";
import { isOver } from "../incidents/transitions.ts";
import { foundActive, isToldActive, reminded } from "../incidents/watched.ts";
import { endsTampering } from "../policy/exemption.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import { listPhoneNumbers } from "../twilio/phone-numbers.ts";
import { drive } from "./drive.ts";
import { lookAfterRaises } from "./end-raise.ts";
import { finishSoon } from "./finish.ts";
import { guardRunning } from "./guard-running.ts";
import { hold } from "./hold.ts";
import { underRaises } from "./raised.ts";
import { type Recollection, recall } from "./recollect.ts";
import { rehearse } from "./rehearse.ts";
import type { Errand, Outcome, Responder } from "./responder.ts";
import { inWords } from "./waiting.ts";
import { writeDownSuspension } from "./write-down-suspension.ts";

const REQUEST_TIMEOUT_MS = 4000;

/**
 * The story of one nudge: recall ─ look whether it is still so ─ do what is due ─ mark as seen. Whoever nudged has only
 * read; here the incident is read again, in the account's own order.
 *
 * @throws whatever the store throws: the message is then tried again.
 */
export async function heed(responder: Responder, errand: Errand): Promise<Outcome> {
  const { store, clock } = responder;
  const { accountSid } = errand.nudge;
  const identity = identityOf(errand.nudge);
  const recalled = await recall(responder, accountSid, identity);
  if (recalled.kind === "failed") return { kind: "again", why: `our own table could not be read: ${recalled.why}` };
  const { recollection } = recalled;
  if (recollection.memory.seen) return { kind: "done" };

  const { record, again } = await act(responder, errand, recollection);
  if (record !== undefined) await finishSoon(responder, errand, record);
  if (again !== undefined) return { kind: "again", why: again };

  await store.markSeen(accountSid, identity, clock.now());
  return { kind: "done" };
}

interface Heeded {
  record?: IncidentRecord | undefined;
  again?: string | undefined;
}

async function act(plain: Responder, errand: Errand, current: Recollection): Promise<Heeded> {
  const { nudge, ...turn } = errand;
  if (nudge.kind === "raises") return { again: await lookAfterRaises(plain, nudge.accountSid, current.memory, turn) };
  const responder = underRaises(plain, nudge.accountSid, current.memory);
  if (nudge.kind === "drill") return { again: await rehearse(responder, { nudge, ...turn }) };
  if (nudge.kind === "guard") return guardRunning(responder, { nudge, ...turn }, current);
  if (nudge.kind === "found-suspended")
    return { record: await writeDownSuspension(responder, { nudge, ...turn }, current) };
  const { known } = current;
  // It is over, or another story by now.
  if (known === undefined || known.incident.id !== nudge.incidentId)
    return nudge.kind === "drive" ? { record: await endedOf(responder, nudge) } : {};
  switch (nudge.kind) {
    case "tampered":
      return { record: await lookAfter(responder, { nudge, ...turn }, { ...current, known }) };
    case "drive":
      return drive(responder, { nudge, ...turn }, { ...current, known });
    case "remind":
      return { record: await remind(responder, nudge, known) };
  }
}

/** Of an incident that is over, all that may still be due is that people are told. */
async function endedOf({ store }: Responder, { accountSid, incidentId }: DriveNudge) {
  const found = await store.load(incidentId);
  const isEnded = found !== undefined && found.incident.accountSid === accountSid && isOver(found.incident.state);
  return isEnded ? found : undefined;
}

type Current = Recollection & { known: IncidentRecord };

/** Somebody set the account active past us: suspended again if the policy says so, or else people are told. */
async function lookAfter(
  responder: Responder,
  errand: Errand<TamperedNudge>,
  current: Current,
): Promise<IncidentRecord | undefined> {
  const { policy, twilio, store, clock } = responder;
  const { nudge, ...turn } = errand;
  const { known, memory } = current;
  if (known.incident.state !== "suspended") return undefined;
  const account = await fetchAccount(twilio, nudge.accountSid, REQUEST_TIMEOUT_MS);
  if (account.kind === "ok" && account.body.status !== "active") return undefined;
  // A table that was restored does not know whether people brought it back since its backup: told once a day.
  const isRestored = memory.firstMoment !== null && (known.incident.suspendedAt ?? "") < memory.firstMoment;
  if (!isRestored && endsTampering(nudge.accountSid, policy, clock.now())) {
    const { rule } = known.incident;
    const tripping = { signal: nudge, rule, isNamed: true, reason: "somebody set it active past Tollbreaker" };
    return hold(responder, { signal: nudge, ...turn }, current, tripping);
  }
  const now = clock.now();
  return store.change(known, (record) =>
    isToldActive(record.incident, now) ? unchanged(record) : foundActive(record, identityOf(nudge), now),
  );
}

/** What waits for a person, and still does. */
async function remind(
  { store, twilio, clock }: Responder,
  nudge: RemindNudge,
  known: IncidentRecord,
): Promise<IncidentRecord | undefined> {
  if (!["suspended", "alerted", "failed"].includes(known.incident.state)) return undefined;
  const numbers = await listPhoneNumbers(twilio, nudge.accountSid, REQUEST_TIMEOUT_MS);
  const count = numbers.kind === "ok" ? numbers.body.length : null;
  const now = clock.now();
  const note = inWords(known.incident, nudge.waited, count);
  return store.change(known, (record) => reminded(record, identityOf(nudge), note, now));
}
