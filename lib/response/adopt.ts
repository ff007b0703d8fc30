import type { AdoptCommand } from "../inbox/commands.ts";
import { identityOf } from "../inbox/messages.ts";
import { adopted } from "../incidents/adopted.ts";
import { type IncidentRecord, unchanged } from "../incidents/change.ts";
import { type Account, fetchAccount } from "../twilio/accounts.ts";
import { retrying } from "../twilio/backoff.ts";
import { describeFailure } from "../twilio/failures.ts";
import { openedBy } from "./case.ts";
import { markTaken } from "./enforce.ts";
import { unconfirmed } from "./hold.ts";
import type { Recollection } from "./recollect.ts";
import { refuseByHand } from "./refuse-by-hand.ts";
import { type Order, type Responder, SUSPENSION_SHARE, share } from "./responder.ts";
import { whyStale } from "./stale-command.ts";
import { NO_SOONER_MS } from "./time-limit.ts";

/** The rule of an incident that tells of a suspension from before we watched. */
const BEFORE_US = "suspended before Tollbreaker watched";

/**
 * An operator wants an account that was suspended past us to have an incident, so that it can be reactivated as any other.
 * Changes nothing at Twilio.
 * @throws TollbreakerError `containment-unconfirmed` when Twilio did not say: the message is then tried again.
 */
export async function adopt(
  responder: Responder,
  order: Order<AdoptCommand>,
  current: Recollection,
): Promise<IncidentRecord> {
  const { command } = order;
  const { known } = current;
  const begun = known?.openedBy === identityOf(command);
  // An earlier delivery did all of it.
  if (known !== undefined && begun && known.incident.state !== "open") return known;
  const read = await whatTwilioSays(responder, order);
  const refusal = whyRefused(responder, order, current, read, begun);
  if (refusal !== undefined || read === undefined)
    return refuseByHand(responder, trippingBy(command), current.known, refusal ?? NOT_KNOWN);
  const tokenMark = await markTaken(responder, {
    ...{ kind: "suspended", by: "already-suspended", asked: false },
    ...{ account: read, at: responder.clock.now() },
  });
  const opened = await openedBy(responder, trippingBy(command), current);
  const found = { friendlyName: read.friendlyName, tokenMark, now: responder.clock.now() };
  return responder.store.change(opened, (record) =>
    record.incident.state === "open" ? adopted(record, command, found) : unchanged(record),
  );
}

const NOT_KNOWN = "Twilio knows no account of this SID under our parent";

/** Undefined where Twilio knows none. */
async function whatTwilioSays(responder: Responder, order: Order<AdoptCommand>): Promise<Account | undefined> {
  const { accountSid } = order.command;
  const until = share(responder, order, SUSPENSION_SHARE);
  const answer = await retrying(() => fetchAccount(responder.twilio, accountSid, NO_SOONER_MS), until);
  if (answer.kind === "ok") return answer.body;
  if (answer.failure.kind === "not-found") return undefined;
  throw unconfirmed(accountSid, describeFailure(answer.failure));
}

function whyRefused(
  { twilio, clock }: Responder,
  { command }: Order<AdoptCommand>,
  { known }: Recollection,
  account: Account | undefined,
  begun: boolean,
): string | undefined {
  const { accountSid } = command;
  if (accountSid === twilio.accountSid) return "the parent account is never suspended";
  if (known !== undefined && !begun) return `the account has an open incident already: ${known.incident.id}`;
  const isKnown = account?.sid === accountSid && account.ownerAccountSid === twilio.accountSid;
  if (!isKnown) return NOT_KNOWN;
  if (account.status !== "suspended")
    return `only a suspended account is adopted; Twilio says that it is ${account.status}`;
  return whyStale(command, known, clock.now());
}

function trippingBy(command: AdoptCommand) {
  return { signal: command, rule: BEFORE_US, isNamed: true, reason: command.reason };
}
