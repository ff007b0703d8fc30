import { type IncidentRecord, unchanged } from "../incidents/change.ts";
import { suspended } from "../incidents/record.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import { describeFailure } from "../twilio/failures.ts";
import type { Case } from "./case.ts";
import { markTaken, wasAskedBefore } from "./enforce.ts";
import { unconfirmed } from "./hold.ts";
import { type Delivery, type Responder, SUSPENSION_SHARE, share } from "./responder.ts";
import { limitedTo, NO_SOONER_MS } from "./time-limit.ts";

/**
 * An earlier try asked Twilio for the suspension, and was cut before it was written down what came of it. The policy may
 * want none by now; what was done is recorded all the same.
 * @returns undefined where nothing was asked, or Twilio says that the account is active.
 * @throws TollbreakerError `containment-unconfirmed` when Twilio does not say: the message is then tried again.
 */
export async function foundSuspended(
  responder: Responder,
  delivery: Delivery,
  { known }: Pick<Case, "known">,
): Promise<IncidentRecord | undefined> {
  if (known === undefined || !isUnsettled(known) || !wasAskedBefore(delivery, { known })) return undefined;
  const { store, twilio, clock } = responder;
  const { accountSid, reason } = known.incident;
  const inTime = limitedTo(twilio, share(responder, delivery, SUSPENSION_SHARE));
  // Once: it stops nothing, and must not hold up what does. The message comes again.
  const reading = await (delivery.reading ?? fetchAccount(inTime, accountSid, NO_SOONER_MS));
  if (reading.kind === "failed") throw unconfirmed(accountSid, describeFailure(reading.failure));
  const account = reading.body;
  if (account.sid !== accountSid) throw unconfirmed(accountSid, `an answer for ${account.sid}`);
  if (account.ownerAccountSid !== twilio.accountSid || account.status !== "suspended") return undefined;
  const suspension = { kind: "suspended", by: "tollbreaker", account, at: clock.now(), asked: true } as const;
  const tokenMark = await markTaken(responder, suspension);
  const { friendlyName } = account;
  return store.change(known, (record) =>
    isUnsettled(record)
      ? suspended(record, { by: "tollbreaker", friendlyName, reason, wish: null, tokenMark, now: suspension.at })
      : unchanged(record),
  );
}

function isUnsettled({ incident: { state } }: IncidentRecord): boolean {
  return state === "open" || state === "failed";
}
