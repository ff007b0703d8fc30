import { messageOf } from "../errors.ts";
import { identityOf } from "../inbox/messages.ts";
import { type Change, followedBy, type IncidentRecord, unchanged } from "../incidents/change.ts";
import type { Wish } from "../incidents/incident.ts";
import {
  type Alerted,
  failed,
  suspended,
  suspensionAsked,
  type Tripping,
  toldAnew,
  waitsInstead,
} from "../incidents/record.ts";
import { refusedOutright } from "../incidents/refused-outright.ts";
import { wishOf } from "../incidents/wish.ts";
import type { Account } from "../twilio/accounts.ts";
import type { TokenMark } from "../twilio/token-mark.ts";
import { type Case, incidentIdOf, openedBy } from "./case.ts";
import { endLiveCalls } from "./end-calls.ts";
import type { Permit, PermitOutcome } from "./keep-brake.ts";
import { CALLS_SHARE, type Delivery, type Responder, SUSPENSION_SHARE, share } from "./responder.ts";
import { type Asking, type Suspension, suspendAccount } from "./suspend.ts";
import { toldOf } from "./tell.ts";

/** Suspends the account, and records it. Neither a store that fails nor one that is slow holds up the suspension. */
export async function enforce(
  responder: Responder,
  delivery: Delivery,
  current: Case,
  tripping: Tripping,
): Promise<IncidentRecord> {
  const { store } = responder;
  // Written down while Twilio is asked.
  const log = askedLog(responder, openedBy(responder, tripping, current));
  const suspension = await suspendThroughBrake(responder, delivery, {
    askedBefore: wasAskedBefore(delivery, current),
    onAsking: log.note,
    permit: permitFor(responder, delivery, current, incidentIdOf(delivery.signal, current)),
  });
  const tokenMark = await markTaken(responder, suspension);
  const now = responder.clock.now();
  return recordOrEndCalls(responder, delivery, suspension, async () =>
    store.change(await log.written(), (record) => outcome(record, { suspension, tripping, tokenMark, now })),
  );
}

interface BrakedAsking extends Omit<Asking, "mayAsk"> {
  permit: Permit;
}

/**
 * The brake is asked once Twilio says that the account is active: one that is suspended already takes no place. A place is
 * given back where the suspension did not happen; should it come true later, it counts then.
 */
export async function suspendThroughBrake(
  responder: Responder,
  delivery: Delivery,
  { permit, ...asking }: BrakedAsking,
): Promise<Suspension> {
  const { accountSid } = delivery.signal;
  const until = share(responder, delivery, SUSPENSION_SHARE);
  // All but a person's command come from what Twilio signed for, or listed.
  const isProven = delivery.signal.kind !== "suspend";
  const { reading: firstReading } = delivery;
  const steps = { ...asking, isProven, firstReading, mayAsk: permit.mayAsk };
  const suspension = await suspendAccount(responder.twilio, accountSid, until, steps);
  await permit.settle(outcomeFor(suspension), delivery.containedAt);
  return suspension;
}

function outcomeFor(suspension: Suspension): PermitOutcome {
  if (suspension.kind !== "suspended") return "not-suspended";
  return suspension.by === "tollbreaker" ? "ours" : "not-ours";
}

/** Who asks the brake, and who need not: it holds the machine, not a person who has looked, nor an account on its way back. */
export function permitFor(
  { brake }: Responder,
  { signal }: Delivery,
  { known, memory }: Pick<Case, "known" | "memory">,
  incidentId: string,
): Permit {
  const { accountSid } = signal;
  return signal.kind === "suspend" || known?.incident.state === "reactivating"
    ? brake.bypassFor(accountSid)
    : brake.permitFor(accountSid, incidentId, memory.brake);
}

/** Whether our own record says that we asked Twilio for this suspension in an earlier try. */
export function wasAskedBefore({ containedAt }: Delivery, { known }: Pick<Case, "known">): boolean {
  if (containedAt !== null) return true;
  if (known === undefined || known.askedAt === null) return false;
  const { suspendedAt } = known.incident;
  return suspendedAt === null || known.askedAt > suspendedAt;
}

/**
 * Writes down that Twilio is about to be asked, beside the request: it is not waited for. Who finds the account suspended
 * after a cut then knows whether that may have been us.
 */
export function askedLog({ store, clock, log }: Responder, record: Promise<IncidentRecord>) {
  let written = record;
  written.catch(() => undefined);
  return {
    note: () => {
      const now = clock.now();
      written = written.then((known) => store.change(known, (found) => suspensionAsked(found, now)));
      written.catch((error: unknown) => log.warn("asking-not-noted", { reason: messageOf(error) }));
    },
    /** The record as it is stored by now. @throws what the store threw */
    written: () => written,
  };
}

/** Calls must end even when the store fails: the next try may be a while away. @throws what `record` throws. */
export async function recordOrEndCalls(
  responder: Responder,
  delivery: Delivery,
  suspension: Suspension,
  record: () => Promise<IncidentRecord>,
): Promise<IncidentRecord> {
  try {
    return await record();
  } catch (error) {
    if (suspension.kind !== "suspended") throw error;
    const { accountSid } = delivery.signal;
    await endLiveCalls(responder.twilio, accountSid, share(responder, delivery, CALLS_SHARE));
    throw suspension.by === "tollbreaker" ? new ContainedUnrecorded(suspension.at, error) : error;
  }
}

/** We suspended the account, and could not write it down: whoever tries again has to know. */
export class ContainedUnrecorded extends Error {
  readonly at: Date;

  constructor(at: Date, cause: unknown) {
    super(`the account is suspended, and that could not be written down: ${messageOf(cause)}`, { cause });
    this.name = "ContainedUnrecorded";
    this.at = at;
  }
}

/** A fingerprint of the token that the account had when it was contained; null where it was not seen. Never throws. */
export async function markTaken({ markOf, log }: Responder, suspension: Suspension): Promise<TokenMark | null> {
  const account = suspension.kind === "suspended" ? suspension.account : null;
  if (account?.authToken === undefined) return null;
  try {
    return await markOf(account.sid, account.authToken);
  } catch (error) {
    log.warn("token-not-marked", { accountSid: account.sid, reason: messageOf(error) });
    return null;
  }
}

/** Who asked for the suspension; null where Tollbreaker decided. */
export function wishIn({ signal }: Tripping): Wish | null {
  return signal.kind === "suspend" ? wishOf(signal) : null;
}

interface Enforced {
  suspension: Suspension;
  tripping: Tripping;
  tokenMark: TokenMark | null;
  now: Date;
}

function outcome(record: IncidentRecord, { suspension, tripping, tokenMark, now }: Enforced): Change {
  const { reason } = tripping;
  const wish = wishIn(tripping);
  switch (suspension.kind) {
    case "held":
      // Who waits at the brake is asked again when a place is free, and by the sweep.
      return followedBy(told(record, tripping, heldBack(suspension.account, reason, now)), waitsInstead);
    case "suspended": {
      if (record.incident.state === "suspended") return unchanged(record);
      const friendlyName = suspension.account?.friendlyName ?? null;
      return suspended(record, { by: suspension.by, friendlyName, reason, wish, tokenMark, now: suspension.at });
    }
    case "refused": {
      const slip = suspension.notOurs ? slipIn(record, tripping) : null;
      if (slip !== null) return refusedOutright(record, slip, notOurs(suspension.message), now);
      // Not by us: whoever finds it suspended later must not take it for ours.
      return failed(
        { ...record, askedAt: null },
        { ...why(suspension), retrying: false },
        now,
        wish,
        nameIn(suspension),
      );
    }
    case "unconfirmed":
      return failed(record, { ...why(suspension), retrying: true }, now, wish, nameIn(suspension));
  }
}

/** The account's name, where it was read on the way. */
function nameIn(suspension: Suspension): string | null {
  return "account" in suspension ? (suspension.account?.friendlyName ?? null) : null;
}

/**
 * Who mistyped an account's SID, where that is all there is to it; null for an account that something else is known of:
 * Twilio signed for it, so that it cannot be stopped is an alarm.
 */
function slipIn({ incident, openedBy }: IncidentRecord, tripping: Tripping): Wish | null {
  const isOwn = incident.state === "open" && openedBy === identityOf(tripping.signal);
  return isOwn ? wishIn(tripping) : null;
}

function notOurs(message: string): string {
  return `no account under this parent has this SID (${message})`;
}

/** The signal has joined an incident that was there before: only the alert is due. */
function told(record: IncidentRecord, tripping: Tripping, alert: Alerted): Change {
  return record.incident.state === "alerted" ? toldAnew(record, tripping, alert) : toldOf(record, tripping, alert);
}

/** What people are told of an account that the brake keeps from being suspended. */
export function heldBack({ friendlyName }: Account, reason: string, now: Date): Alerted {
  const held = `${reason}; not suspended, because the brake holds: too many accounts were suspended in a short time`;
  return { about: "alerted", because: "brake", problem: null, friendlyName, reason: held, now };
}

function why({ twilioCode, message }: { twilioCode: number | null; message: string }) {
  return { twilioCode, message };
}
