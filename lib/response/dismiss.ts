import type { DismissCommand } from "../inbox/commands.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { commandRefused, dismissed } from "../incidents/coming-back.ts";
import type { Incident } from "../incidents/incident.ts";
import { mayMove } from "../incidents/transitions.ts";
import { wishOf } from "../incidents/wish.ts";
import { fetchAccount, requestSuspension } from "../twilio/accounts.ts";
import type { TwilioClient } from "../twilio/client.ts";
import { describeFailure } from "../twilio/failures.ts";
import { wordsForCode } from "../twilio/refusals.ts";
import type { Order, Responder } from "./responder.ts";

const REQUEST_TIMEOUT_MS = 5000;

/** A person has looked, and nothing is to be done: the incident is over, and what fires next makes a new one. */
export async function dismiss(
  responder: Responder,
  { command }: Order<DismissCommand>,
  found: IncidentRecord,
): Promise<IncidentRecord> {
  const { store, brake, clock } = responder;
  const { accountSid, id, dismissal } = found.incident;
  const isDone = dismissal?.command === command.id;
  const refusal = isDone ? undefined : await whyRefused(responder, found);
  const wish = wishOf(command);
  const now = clock.now();
  if (refusal !== undefined) return store.change(found, (known) => commandRefused(known, wish, refusal, now));
  const record = isDone ? found : await store.change(found, (known) => dismissed(known, wish, now));
  await brake.strikeOff(accountSid);
  await store.release(accountSid, id, null);
  return record;
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
