import { messageOf } from "../errors.ts";
import { identityOf } from "../inbox/messages.ts";
import type { Change, IncidentRecord } from "../incidents/change.ts";
import type { Wish } from "../incidents/incident.ts";
import { type Alerted, failed, suspended, type Tripping, toldAnew } from "../incidents/record.ts";
import { refusedOutright } from "../incidents/refused-outright.ts";
import { wishOf } from "../incidents/wish.ts";
import type { Account } from "../twilio/accounts.ts";
import type { TokenMark } from "../twilio/token-mark.ts";
import { begin, type Case, incidentIdOf } from "./case.ts";
import { endLiveCalls } from "./end-calls.ts";
import type { Permit, PermitOutcome } from "./keep-brake.ts";
import { CALLS_SHARE, type Delivery, MOST_DELIVERIES, type Responder, SUSPENSION_SHARE, share } from "./responder.ts";
import { type Suspension, suspendAccount } from "./suspend.ts";
import { toldOf } from "./tell.ts";

/** Suspends the account, and records it. Neither a store that fails nor one that is slow holds up the suspension. */
export async function enforce(
  responder: Responder,
  delivery: Delivery,
  current: Case,
  tripping: Tripping,
): Promise<IncidentRecord> {
  const { store, brake } = responder;
  const { accountSid } = delivery.signal;
  const incidentId = incidentIdOf(delivery.signal, current);
  // The brake holds the machine, not a person who has looked.
  const permit =
    tripping.signal.kind === "suspend"
      ? brake.bypassFor(accountSid)
      : brake.permitFor(accountSid, incidentId, current.memory.brake);
  // The opening is written down while Twilio is asked.
  const [suspension, [opened]] = await Promise.all([
    suspendOrGiveBack(responder, delivery, permit),
    Promise.allSettled([openCase(responder, tripping, current)]),
  ]);
  const tokenMark = await markTaken(responder, suspension);
  return recordOrEndCalls(responder, delivery, suspension, () =>
    store.save(outcome(unwrapped(opened), { suspension, delivery, tripping, tokenMark, now: responder.clock.now() })),
  );
}

/** The brake counts what happened: a place that was taken for a suspension that did not happen is given back. */
export async function suspendOrGiveBack(responder: Responder, delivery: Delivery, permit: Permit): Promise<Suspension> {
  const until = share(responder, delivery, SUSPENSION_SHARE);
  const suspension = await suspendAccount(responder.twilio, delivery.signal.accountSid, until, permit.mayAsk);
  await permit.settle(outcomeFor(suspension));
  return suspension;
}

function outcomeFor(suspension: Suspension): PermitOutcome {
  if (suspension.kind !== "suspended") return "not-suspended";
  return suspension.by === "tollbreaker" ? "ours" : "not-ours";
}

/** Calls must end even when the store fails: the next delivery may be half a minute away. @throws what `record` throws. */
export async function recordOrEndCalls(
  responder: Responder,
  delivery: Delivery,
  suspension: Suspension,
  record: () => Promise<IncidentRecord>,
): Promise<IncidentRecord> {
  try {
    return await record();
  } catch (error) {
    const { accountSid } = delivery.signal;
    if (suspension.kind === "suspended") {
      await endLiveCalls(responder.twilio, accountSid, share(responder, delivery, CALLS_SHARE));
    }
    throw error;
  }
}

/**
 * How the account came to be suspended. One that is found suspended in a later delivery of the same signal was suspended
 * by an earlier one, which was cut.
 */
function suspendedBy(by: Extract<Suspension, { kind: "suspended" }>["by"], { attempt }: Delivery) {
  return by === "already-suspended" && attempt > 1 ? "tollbreaker" : by;
}

async function openCase(responder: Responder, tripping: Tripping, current: Case): Promise<IncidentRecord> {
  const change = await begin(responder, tripping, current);
  return change.record === current.known ? current.known : responder.store.save(change);
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
  delivery: Delivery;
  tripping: Tripping;
  tokenMark: TokenMark | null;
  now: Date;
}

function outcome(record: IncidentRecord, { suspension, delivery, tripping, tokenMark, now }: Enforced): Change {
  const { reason } = tripping;
  switch (suspension.kind) {
    case "held":
      return told(record, tripping, heldBack(suspension.account, reason, now));
    case "suspended": {
      const friendlyName = suspension.account?.friendlyName ?? null;
      const by = suspendedBy(suspension.by, delivery);
      return suspended(record, { by, friendlyName, reason, wish: wishIn(tripping), tokenMark, now: suspension.at });
    }
    case "refused": {
      const slip = suspension.notOurs ? slipIn(record, tripping) : null;
      if (slip !== null) return refusedOutright(record, slip, notOurs(suspension.message), now);
      return failed(record, { ...why(suspension), retrying: false }, now, wishIn(tripping));
    }
    case "unconfirmed":
      return failed(
        record,
        { ...why(suspension), retrying: delivery.attempt < MOST_DELIVERIES },
        now,
        wishIn(tripping),
      );
  }
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

function unwrapped<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}
