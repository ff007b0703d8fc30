import { TollbreakerError } from "../errors.ts";
import { type IncidentRecord, unchanged } from "../incidents/change.ts";
import { suspended } from "../incidents/record.ts";
import { fetchAccount } from "../twilio/accounts.ts";
import { retrying } from "../twilio/backoff.ts";
import { describeFailure } from "../twilio/failures.ts";
import type { Case } from "./case.ts";
import { markTaken, wasAskedBefore } from "./enforce.ts";
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
  const until = share(responder, delivery, SUSPENSION_SHARE);
  const reading = await retrying(() => fetchAccount(limitedTo(twilio, until), accountSid, NO_SOONER_MS), until);
  if (reading.kind === "failed") {
    throw new TollbreakerError("containment-unconfirmed", `Whether ${accountSid} was suspended is not known.`, {
      expected: "Twilio to say what became of the suspension that it was asked for",
      got: describeFailure(reading.failure),
      fix: "nothing at first: it is tried again; look at the account in Twilio's Console if it lasts",
    });
  }
  const account = reading.body;
  if (account.status !== "suspended") return undefined;
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
