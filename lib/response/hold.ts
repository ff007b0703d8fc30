import { TollbreakerError } from "../errors.ts";
import {
  alertedAgain,
  type Change,
  followedBy,
  type IncidentRecord,
  joined,
  suspendedAgain,
  type Tripping,
} from "../incidents/record.ts";
import type { Case } from "./case.ts";
import { heldBack, recordOrEndCalls, suspendedBy, suspendOrGiveBack } from "./enforce.ts";
import type { Delivery, Responder } from "./responder.ts";
import type { Suspension } from "./suspend.ts";

/**
 * Makes sure that an account whose incident says `suspended` still is: whoever sets it active by hand, past us, must not
 * leave it without protection for ever. Found suspended, which is the rule, the signal only joins.
 * @throws TollbreakerError `containment-unconfirmed` when Twilio did not say: the message is then delivered again.
 */
export async function hold(
  responder: Responder,
  delivery: Delivery,
  { known, memory }: Case,
  tripping: Tripping,
): Promise<IncidentRecord | undefined> {
  if (known === undefined) return undefined;
  const { store, brake } = responder;
  const permit = brake.mayPass(delivery.signal.accountSid, known.incident.id, memory.brake);
  const suspension = await suspendOrGiveBack(responder, delivery, permit);
  const change = held(known, { suspension, delivery, tripping, now: responder.clock.now() });
  return recordOrEndCalls(responder, delivery, suspension, async () =>
    change.record === known ? known : store.save(change),
  );
}

interface Held {
  suspension: Suspension;
  delivery: Delivery;
  tripping: Tripping;
  now: Date;
}

function held(known: IncidentRecord, { suspension, delivery, tripping, now }: Held): Change {
  const { reason, signal } = tripping;
  switch (suspension.kind) {
    case "suspended": {
      const change = joined(known, signal, reason, now);
      const by = suspendedBy(suspension.by, delivery);
      if (by !== "tollbreaker") return change;
      const friendlyName = suspension.account?.friendlyName ?? null;
      return followedBy(change, (record) =>
        suspendedAgain(record, tripping, { by, friendlyName, reason, now: suspension.at }),
      );
    }
    case "held":
      return alertedAgain(known, tripping, heldBack(suspension.account, reason, now));
    case "refused":
    case "unconfirmed":
      throw unconfirmed(delivery, suspension);
  }
}

function unconfirmed({ signal }: Delivery, { message }: Extract<Suspension, { kind: "refused" | "unconfirmed" }>) {
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
