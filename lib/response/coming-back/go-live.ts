import type { IncidentRecord } from "../../incidents/change.ts";
import { activated, goingLive } from "../../incidents/coming-back.ts";
import { type Account, fetchAccount, requestActivation } from "../../twilio/accounts.ts";
import { retrying, waitToRetry } from "../../twilio/backoff.ts";
import type { Answer } from "../../twilio/client.ts";
import { isRefusal, noAnswer, type TwilioFailure } from "../../twilio/failures.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import { keepArmed } from "./arm.ts";
import { type Journey, mayBeLive, type Progress, REQUEST_TIMEOUT_MS, reactivationOf, type Step } from "./journey.ts";

/**
 * Sets the account active: reads it, asks, reads it again. Only a reading that says `active` counts, so that a time-out
 * and a cut connection need no handling of their own.
 */
export const goLive: Step = async (journey, record) => {
  if (reactivationOf(record).activatedAt !== null) return { kind: "on", record };
  const found = await read(journey);
  if (found.kind === "failed") return notActive(record, found.failure);
  // By an earlier delivery of this command, which was cut.
  return isActive(journey, found.body) ? live(journey, record) : askUntilActive(journey, record);
};

/**
 * The time is written down first: a guard that fires once the account is active, before we know that it is, must not look
 * as if it had fired before. Then the guards, each time, as the last thing before the request.
 */
async function askUntilActive(journey: Journey, found: IncidentRecord): Promise<Progress> {
  const { store, clock } = journey.responder;
  let mayWin = mayBeLive(found);
  const now = clock.now();
  let record = await store.change(found, (current) => goingLive(current, now));
  for (let attempt = 0; ; attempt++) {
    const guarded = await keepArmed(journey, record);
    if (guarded.kind !== "on") return { ...guarded, record: known(guarded.record, mayWin) };
    record = guarded.record;
    const asked = await requestActivation(journey.twilio, journey.accountSid, REQUEST_TIMEOUT_MS);
    mayWin ||= !wasRefused(asked);
    const failure = await whyNotActive(journey, asked);
    if (failure === undefined) return live(journey, record);
    if (isRefusal(failure) || !(await waitToRetry(journey.until, attempt))) {
      return notActive(known(record, mayWin), failure);
    }
  }
}

/** @param mayWin whether a request was sent that Twilio did not refuse: it may be carried out, perhaps late. */
function known(record: IncidentRecord, mayWin: boolean): IncidentRecord {
  return mayWin ? record : { ...record, mayBeLiveSince: null };
}

/** 20429: "never processed". What got no answer, or another one of Twilio's troubles, may have been. */
function wasRefused(asked: Answer<Account>): boolean {
  return asked.kind === "failed" && (isRefusal(asked.failure) || asked.failure.status === 429);
}

async function whyNotActive(journey: Journey, asked: Answer<Account>): Promise<TwilioFailure | undefined> {
  const failure = asked.kind === "failed" ? asked.failure : undefined;
  if (failure !== undefined && isRefusal(failure)) return failure;
  const after = await read(journey);
  if (after.kind === "failed") return after.failure;
  if (isActive(journey, after.body)) return undefined;
  return failure ?? noAnswer("Twilio took the request, but the account still reads as suspended");
}

async function live({ responder }: Journey, record: IncidentRecord): Promise<Progress> {
  const why = "Twilio says that the account is active";
  const now = responder.clock.now();
  return { kind: "on", record: await responder.store.change(record, (current) => activated(current, why, now)) };
}

function notActive(record: IncidentRecord, failure: TwilioFailure): Progress {
  return { kind: "failed", record, why: `it was not set active: ${wordsFor(failure)}` };
}

function read({ twilio, accountSid, until }: Journey): Promise<Answer<Account>> {
  return retrying(() => fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
}

function isActive({ accountSid }: Journey, { sid, status }: Account): boolean {
  return sid === accountSid && status === "active";
}
