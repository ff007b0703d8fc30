import { TollbreakerError } from "../errors.ts";
import { type Change, type IncidentRecord, joined, suspendedAgain } from "../incidents/record.ts";
import type { Case } from "./case.ts";
import { recordOrEndCalls, suspendedBy } from "./enforce.ts";
import { type Delivery, type Responder, SUSPENSION_SHARE, share } from "./responder.ts";
import { type Suspension, suspendAccount } from "./suspend.ts";

/**
 * Makes sure that an account whose incident says `suspended` still is: whoever sets it active by hand, past us, must not
 * leave it without protection for ever. Found suspended, which is the rule, the signal only joins.
 * @throws TollbreakerError `containment-unconfirmed` when Twilio did not say: the message is then delivered again.
 */
export async function hold(
  responder: Responder,
  delivery: Delivery,
  { known }: Case,
  reason: string,
): Promise<IncidentRecord | undefined> {
  if (known === undefined) return undefined;
  const { twilio, store, clock } = responder;
  const until = share(responder, delivery, SUSPENSION_SHARE);
  const suspension = await suspendAccount(twilio, delivery.signal.accountSid, until);
  const change = held(joined(known, delivery.signal, reason, clock.now()), suspension, delivery, reason);
  return recordOrEndCalls(responder, delivery, suspension, async () =>
    change.record === known ? known : store.save(change),
  );
}

function held(change: Change, suspension: Suspension, delivery: Delivery, reason: string): Change {
  if (suspension.kind !== "suspended") throw unconfirmed(delivery, suspension);
  const by = suspendedBy(suspension.by, delivery);
  if (by !== "tollbreaker") return change;
  const friendlyName = suspension.account?.friendlyName ?? null;
  const again = suspendedAgain(change.record, delivery.signal, { by, friendlyName, reason, now: suspension.at });
  return { record: again.record, entries: [...change.entries, ...again.entries] };
}

function unconfirmed({ signal }: Delivery, { message }: Exclude<Suspension, { kind: "suspended" }>) {
  return new TollbreakerError(
    "containment-unconfirmed",
    `Whether ${signal.accountSid} is still suspended is not known.`,
    {
      expected: "Twilio to say that the account is suspended, as its incident does",
      got: message,
      fix: "nothing at first: the message is delivered again; look at the account in Twilio's Console if it lasts",
    },
  );
}
