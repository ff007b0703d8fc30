import type { DismissCommand } from "../inbox/commands.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { commandRefused, dismissed } from "../incidents/coming-back.ts";
import { firingOf } from "../incidents/firing.ts";
import type { Incident } from "../incidents/incident.ts";
import { mayMove } from "../incidents/transitions.ts";
import { wishOf } from "../incidents/wish.ts";
import { fetchAccount, requestSuspension } from "../twilio/accounts.ts";
import type { Until } from "../twilio/backoff.ts";
import type { TwilioClient } from "../twilio/client.ts";
import { describeFailure } from "../twilio/failures.ts";
import { wordsForCode } from "../twilio/refusals.ts";
import { type Order, type Responder, share } from "./responder.ts";
import { standGuards } from "./stand-guards.ts";

const REQUEST_TIMEOUT_MS = 5000;

/** A person has looked, and nothing is to be done: the incident is over, and what fires next makes a new one. */
export async function dismiss(
  responder: Responder,
  { command, ...turn }: Order<DismissCommand>,
  found: IncidentRecord,
): Promise<IncidentRecord> {
  const { store, brake, clock } = responder;
  const { accountSid, id, dismissal } = found.incident;
  const isDone = dismissal?.command === command.id;
  const refusal = isDone ? undefined : await whyRefused(responder, found);
  const wish = wishOf(command);
  const now = clock.now();
  if (refusal !== undefined) return store.change(found, (known) => commandRefused(known, wish, refusal, now));
  const record = isDone ? found : await leaveRunning(responder, { command, ...turn }, found);
  await brake.strikeOff(accountSid);
  await store.release(accountSid, id, null);
  return record;
}

/** Of the delivery's time. Guards that can't be made in it are made by the next sweep, and people are told so. */
const GUARDS_SHARE = 0.3;

/** It is never active and unguarded: what watches it is there, and known, before the incident is over. */
async function leaveRunning(
  responder: Responder,
  { command, ...turn }: Order<DismissCommand>,
  found: IncidentRecord,
): Promise<IncidentRecord> {
  const { store, clock, twilio } = responder;
  const { accountSid, state } = found.incident;
  const isRunning = state !== "suspended" && accountSid !== twilio.accountSid;
  const watched = isRunning ? await guardedBy(responder, accountSid, share(responder, turn, GUARDS_SHARE)) : null;
  await dealWith(responder, found);
  const now = clock.now();
  return store.change(found, (known) => dismissed(known, wishOf(command), watched, now));
}

async function guardedBy(responder: Responder, accountSid: string, until: Until): Promise<string> {
  const memory = await responder.store.recall(accountSid, "dismiss");
  return (await standGuards(responder, accountSid, memory, until)).words;
}

/** So many of its messages may still be on their way. */
const MOST_ON_THEIR_WAY = 50;
const CLOCK_SKEW_MS = 5 * 60_000;

/** A person has judged what fired: neither a message that comes again nor the sweep may take it for news. */
async function dealWith({ store, clock }: Responder, { incident, openedBy, joined }: IncidentRecord): Promise<void> {
  const { accountSid, trip, firedAt, receivedAt } = incident;
  const now = clock.now();
  const identities = [openedBy, ...joined.slice(-MOST_ON_THEIR_WAY)];
  await Promise.all(identities.map((identity) => store.markSeen(accountSid, identity, now)));
  // Whoever can sign for the account must not make a later firing look like one that was judged.
  if (trip === null || firedAt === null || Date.parse(firedAt) > Date.parse(receivedAt) + CLOCK_SKEW_MS) return;
  await store.noteFired(accountSid, firingOf(trip.usageTriggerSid, trip), firedAt);
}

async function whyRefused({ twilio }: Responder, { incident }: IncidentRecord): Promise<string | undefined> {
  const { state, accountSid } = incident;
  // The move from `open` is not a person's.
  if (state === "open" || !mayMove(state, "dismissed")) return `an incident that is ${state} cannot be dismissed`;
  if (state !== "suspended") return undefined;
  // A suspended account comes back by a reactivation; only one that is closed for good leaves nothing to do.
  const account = await fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS);
  if (account.kind === "failed") return `the account could not be read: ${describeFailure(account.failure)}`;
  switch (account.body.status) {
    case "closed":
      return undefined;
    case "active":
      return `its account is active, set so past Tollbreaker: suspend it first (tollbreaker suspend ${accountSid})`;
    case "suspended":
      return whyHeld(twilio, incident);
  }
}

/**
 * Only Twilio tells whose suspension it is, and only to whoever asks for another one, which changes nothing
 * (https://www.twilio.com/docs/api/errors/21478).
 */
async function whyHeld(twilio: TwilioClient, { accountSid, id }: Incident): Promise<string | undefined> {
  const asked = await requestSuspension(twilio, accountSid, REQUEST_TIMEOUT_MS);
  const code = asked.kind === "failed" ? asked.failure.code : null;
  if (code === 21479) return undefined;
  return code === 21478
    ? `its account is not closed. ${wordsForCode(code)}`
    : `its account is suspended, not closed: bring it back (tollbreaker incidents reactivate ${id})`;
}
