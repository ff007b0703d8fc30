import type { Containment } from "../incidents/incident.ts";
import { type Account, fetchAccount, requestSuspension } from "../twilio/accounts.ts";
import { type Until, waitToRetry } from "../twilio/backoff.ts";
import type { TwilioClient } from "../twilio/client.ts";
import { describeFailure, type TwilioFailure } from "../twilio/failures.ts";
import { extended, LAST_LOOK_MS, limitedTo } from "./time-limit.ts";

export type Suspension =
  /** `at` is when Twilio said so. */
  | { kind: "suspended"; by: Containment["by"]; account: Account | null; at: Date }
  /** It was not asked for: the brake holds. */
  | { kind: "held"; account: Account }
  /** Trying again will not help: a person is needed. `notOurs`: no account under our parent has this SID. */
  | { kind: "refused"; twilioCode: number | null; message: string; notOurs?: boolean }
  /** Twilio did not confirm it within the time; it may still come true. */
  | { kind: "unconfirmed"; twilioCode: number | null; message: string };

const REQUEST_TIMEOUT_MS = 5000;
/** https://www.twilio.com/docs/api/errors/20404 */
const NO_SUCH_ACCOUNT = 20404;

/**
 * Suspends a subaccount: read it, act on what was read, read it again. The only way to success is an answer of
 * Twilio's that says `suspended` for this account under our parent, so that a time-out, a cut connection or a status
 * update that changed nothing need no handling of their own: the next reading tells.
 *
 * Can be repeated at any time. Never touches the parent, an account that is not ours, or a closed one.
 * @param mayAsk whether the brake lets it through; asked only about an account that was read as active.
 */
export async function suspendAccount(
  twilio: TwilioClient,
  accountSid: string,
  until: Until,
  mayAsk: () => Promise<boolean>,
): Promise<Suspension> {
  if (accountSid === twilio.accountSid) return refused("the parent account cannot be suspended");
  const inTime = limitedTo(twilio, until);
  const afterwards = limitedTo(twilio, extended(until, LAST_LOOK_MS));
  let asked = false;

  async function readAskReadBack(): Promise<Step> {
    const before = await read(inTime);
    if (before.kind !== "active") return before;
    if (!(await mayAsk())) return { kind: "held", account: before.account };
    asked = true;
    const asking = await requestSuspension(inTime, accountSid, REQUEST_TIMEOUT_MS);
    const failure = asking.kind === "failed" ? asking.failure : undefined;
    if (failure !== undefined && failure.kind !== "retryable") return outcomeOf(failure, before.account);
    // "Never processed and is always safe to retry": https://www.twilio.com/docs/api/errors/20429
    if (failure?.status === 429) return { kind: "not-yet", failure };
    const after = await read(afterwards);
    return after.kind === "active" ? { kind: "not-yet", failure } : after;
  }

  async function read(client: TwilioClient): Promise<Step | { kind: "active"; account: Account }> {
    const reading = await fetchAccount(client, accountSid, REQUEST_TIMEOUT_MS);
    if (reading.kind === "ok") return judge(reading.body);
    const { failure } = reading;
    return failure.kind === "retryable" ? { kind: "not-yet", failure } : outcomeOf(failure, null);
  }

  function judge(account: Account): Suspension | { kind: "active"; account: Account } {
    const { sid, ownerAccountSid: owner, status } = account;
    if (sid !== accountSid) return refused(`Twilio answered for ${sid} instead of ${accountSid}`);
    if (owner !== twilio.accountSid)
      return { ...refused(`the account belongs to ${owner}, not to ${twilio.accountSid}`), notOurs: true };
    if (status === "active") return { kind: "active", account };
    if (status === "closed") return suspended("closed", account);
    return suspended(asked ? "tollbreaker" : "already-suspended", account);
  }

  // Twilio's own suspension (21478) and a closed account (21479) are as good as ours: no traffic passes.
  function outcomeOf(failure: TwilioFailure, account: Account | null): Suspension {
    if (failure.kind === "already-contained") {
      return suspended(failure.code === 21479 ? "closed" : "suspended-by-twilio", account);
    }
    // A bare 404 may come from a wrong address; and one that was read a moment ago is ours, whatever Twilio says next.
    const notOurs = failure.code === NO_SUCH_ACCOUNT && account === null && !asked;
    return { kind: "refused", twilioCode: failure.code, message: describeFailure(failure), notOurs };
  }

  function suspended(by: Containment["by"], account: Account | null): Suspension {
    return { kind: "suspended", by, account, at: until.clock.now() };
  }

  for (let attempt = 0; ; attempt++) {
    const step = await readAskReadBack();
    if (step.kind !== "not-yet") return step;
    if (!(await waitToRetry(until, attempt))) return unconfirmed(step.failure);
  }
}

/** Where one round of reading and asking ended. */
type Step = Suspension | { kind: "not-yet"; failure: TwilioFailure | undefined };

function refused(message: string): Extract<Suspension, { kind: "refused" }> {
  return { kind: "refused", twilioCode: null, message };
}

function unconfirmed(failure: TwilioFailure | undefined): Suspension {
  const message =
    failure === undefined
      ? "Twilio accepted the suspension, but the account still reads as active"
      : describeFailure(failure);
  return { kind: "unconfirmed", twilioCode: failure?.code ?? null, message };
}
