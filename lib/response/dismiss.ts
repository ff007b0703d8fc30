import type { DismissCommand } from "../inbox/commands.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import { commandRefused, dismissed } from "../incidents/coming-back.ts";
import { mayMove } from "../incidents/transitions.ts";
import { wishOf } from "../incidents/wish.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import { describeFailure } from "../twilio/failures.ts";
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
  if (refusal !== undefined) return store.save(commandRefused(found, wish, refusal, clock.now()));
  const record = isDone ? found : await store.save(dismissed(found, wish, clock.now()));
  await brake.strikeOff(accountSid);
  await store.release(accountSid, id, null);
  return record;
}

async function whyRefused({ twilio }: Responder, { incident }: IncidentRecord): Promise<string | undefined> {
  const { state, accountSid } = incident;
  if (!mayMove(state, "dismissed")) return `an incident that is ${state} cannot be dismissed`;
  if (state !== "suspended") return undefined;
  // A suspended account comes back by a reactivation; only one that is closed for good leaves nothing to do.
  const account = await fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS);
  if (account.kind === "failed") return `the account could not be read: ${describeFailure(account.failure)}`;
  return account.body.status === "closed"
    ? undefined
    : `its account is ${account.body.status}, not closed: reactivate it (tollbreaker incidents reactivate)`;
}
