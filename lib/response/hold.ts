import { TollbreakerError } from "../errors.ts";
import { type Change, followedBy, type IncidentRecord } from "../incidents/change.ts";
import { alertedAgain, joined, stillSuspended, suspended, suspendedAgain, type Tripping } from "../incidents/record.ts";
import type { TokenMark } from "../twilio/token-mark.ts";
import type { Case } from "./case.ts";
import { heldBack, markTaken, recordOrEndCalls, suspendOrGiveBack, wishIn } from "./enforce.ts";
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
  const { accountSid } = delivery.signal;
  // An account on its way back is not one more that trips.
  const isFree = delivery.signal.kind === "suspend" || known.incident.state === "reactivating";
  const permit = isFree ? brake.bypassFor(accountSid) : brake.permitFor(accountSid, known.incident.id, memory.brake);
  const suspension = await suspendOrGiveBack(responder, delivery, permit);
  const tokenMark = await markTaken(responder, suspension);
  const change = held(known, { suspension, delivery, tripping, tokenMark, now: responder.clock.now() });
  return recordOrEndCalls(responder, delivery, suspension, async () =>
    change.record === known ? known : store.save(change),
  );
}

interface Held {
  suspension: Suspension;
  delivery: Delivery;
  tripping: Tripping;
  tokenMark: TokenMark | null;
  now: Date;
}

function held(known: IncidentRecord, { suspension, delivery, tripping, tokenMark, now }: Held): Change {
  const { reason, signal } = tripping;
  switch (suspension.kind) {
    case "suspended": {
      const change = joined(known, signal, reason, now);
      // Not inferred from an earlier delivery, which may never have asked: a false one would tell people that it was active.
      const { by } = suspension;
      const friendlyName = suspension.account?.friendlyName ?? null;
      const anew = { by, friendlyName, reason, wish: wishIn(tripping), tokenMark, now: suspension.at };
      // A reactivation that nobody finished: whatever Twilio says of the account now, it is contained.
      if (known.incident.state === "reactivating") {
        const since = by === "already-suspended" ? (known.incident.containment?.by ?? by) : by;
        return followedBy(change, (record) => suspended(record, { ...anew, by: since }));
      }
      if (by === "tollbreaker") return followedBy(change, (record) => suspendedAgain(record, tripping, anew));
      return signal.kind === "suspend" && known.incident.suspension?.command !== signal.id
        ? followedBy(change, (record) => stillSuspended(record, signal, now))
        : change;
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
