import { TollbreakerError } from "../errors.ts";
import { type Change, followedBy, type IncidentRecord } from "../incidents/change.ts";
import { alertedAgain, joined, stillSuspended, suspended, suspendedAgain, type Tripping } from "../incidents/record.ts";
import type { TokenMark } from "../twilio/token-mark.ts";
import type { Case } from "./case.ts";
import {
  askedLog,
  heldBack,
  markTaken,
  permitFor,
  recordOrEndCalls,
  suspendThroughBrake,
  wasAskedBefore,
  wishIn,
} from "./enforce.ts";
import type { Delivery, Responder } from "./responder.ts";
import type { Suspension } from "./suspend.ts";

/**
 * Makes sure that an account whose incident says `suspended` still is: whoever sets it active by hand, past us, must not
 * leave it without protection for ever. Found suspended, which is the rule, the signal only joins.
 * @throws TollbreakerError `containment-unconfirmed` when Twilio did not say: the message is then tried again.
 */
export async function hold(
  responder: Responder,
  delivery: Delivery,
  { known, memory }: Case,
  tripping: Tripping,
): Promise<IncidentRecord | undefined> {
  if (known === undefined) return undefined;
  const { store, clock } = responder;
  const log = askedLog(responder, Promise.resolve(known));
  const suspension = await suspendThroughBrake(responder, delivery, {
    askedBefore: wasAskedBefore(delivery, { known }),
    onAsking: log.note,
    permit: permitFor(responder, delivery, { known, memory }, known.incident.id),
  });
  const tokenMark = await markTaken(responder, suspension);
  if (suspension.kind === "refused" || suspension.kind === "unconfirmed") {
    throw unconfirmed(delivery.signal.accountSid, suspension.message);
  }
  const holding = { suspension, tripping, tokenMark, now: clock.now() };
  return recordOrEndCalls(responder, delivery, suspension, async () =>
    store.change(await log.written(), (record) => held(record, holding)),
  );
}

interface Held {
  suspension: Extract<Suspension, { kind: "suspended" | "held" }>;
  tripping: Tripping;
  tokenMark: TokenMark | null;
  now: Date;
}

function held(known: IncidentRecord, { suspension, tripping, tokenMark, now }: Held): Change {
  const { reason, signal } = tripping;
  if (suspension.kind === "held") return alertedAgain(known, tripping, heldBack(suspension.account, reason, now));
  const change = joined(known, signal, reason, now);
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

/** Whether the account is suspended, Twilio did not say. */
export function unconfirmed(accountSid: string, got: string): TollbreakerError {
  return new TollbreakerError("containment-unconfirmed", `Whether ${accountSid} is suspended is not known.`, {
    expected: "Twilio to say whether the account is suspended, as we asked for",
    got,
    fix: "nothing at first: it is tried again; look at the account in Twilio's Console if it lasts",
  });
}
