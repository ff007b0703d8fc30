import { followedBy, type IncidentRecord, unchanged } from "../incidents/change.ts";
import { suspended } from "../incidents/record.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import { describeFailure } from "../twilio/failures.ts";
import { type Case, incidentIdOf, opening } from "./case.ts";
import { markTaken, permitFor, wasAskedBefore } from "./enforce.ts";
import { unconfirmed } from "./hold.ts";
import { type Delivery, type Responder, SUSPENSION_SHARE, share } from "./responder.ts";
import { limitedTo, NO_SOONER_MS } from "./time-limit.ts";

/** Of a suspension that was asked for while our own table could not be read or written. */
export const WITHOUT_TABLE = {
  rule: "suspended while our own table could not be read",
  reason: "suspended while our own table could not be read or written; written down afterwards",
} as const;

/**
 * An earlier try asked Twilio for the suspension, and was cut before it was written down what came of it. The policy may
 * want none by now; what was done is recorded all the same.
 * @returns undefined where nothing was asked, or Twilio says that the account is active.
 * @throws TollbreakerError `containment-unconfirmed` when Twilio does not say: the message is then tried again.
 */
export async function foundSuspended(
  responder: Responder,
  delivery: Delivery,
  current: Case,
): Promise<IncidentRecord | undefined> {
  const { known } = current;
  if (known !== undefined && !isUnsettled(known)) return undefined;
  if (!wasAskedBefore(delivery, { known })) return undefined;
  const { store, twilio, clock } = responder;
  const { signal } = delivery;
  const { accountSid } = signal;
  const inTime = limitedTo(twilio, share(responder, delivery, SUSPENSION_SHARE));
  // Once: it stops nothing, and must not hold up what does. The message comes again.
  const reading = await (delivery.reading ?? fetchAccount(inTime, accountSid, NO_SOONER_MS));
  if (reading.kind === "failed") throw unconfirmed(accountSid, describeFailure(reading.failure));
  const account = reading.body;
  if (account.sid !== accountSid) throw unconfirmed(accountSid, `an answer for ${account.sid}`);
  if (account.ownerAccountSid !== twilio.accountSid || account.status !== "suspended") return undefined;
  const suspension = { kind: "suspended", by: "tollbreaker", account, at: clock.now(), asked: true } as const;
  await permitFor(responder, delivery, current, incidentIdOf(signal, current)).settle("ours", delivery.containedAt);
  const tokenMark = await markTaken(responder, suspension);
  const reason = known?.incident.reason ?? WITHOUT_TABLE.reason;
  const found = {
    by: "tollbreaker",
    friendlyName: account.friendlyName,
    reason,
    tokenMark,
    now: suspension.at,
  } as const;
  if (known === undefined) {
    const opened = await opening(responder, { signal, isNamed: true, ...WITHOUT_TABLE }, current);
    return store.save(followedBy(opened, (record) => suspended(record, found)));
  }
  return store.change(known, (record) => (isUnsettled(record) ? suspended(record, found) : unchanged(record)));
}

function isUnsettled({ incident: { state } }: IncidentRecord): boolean {
  return state === "open" || state === "failed" || state === "alerted";
}
