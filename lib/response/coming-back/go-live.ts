import { activated } from "../../incidents/coming-back.ts";
import { type Account, fetchAccount, requestActivation } from "../../twilio/accounts.ts";
import { waitToRetry } from "../../twilio/backoff.ts";
import { noAnswer, type TwilioFailure } from "../../twilio/failures.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import { type Journey, REQUEST_TIMEOUT_MS, reactivationOf, type Step } from "./journey.ts";

/**
 * Sets the account active: reads it, asks, reads it again. Only a reading that says `active` counts, so that a time-out
 * and a cut connection need no handling of their own.
 */
export const goLive: Step = async (journey, record) => {
  if (reactivationOf(record).activatedAt !== null) return { kind: "on", record };
  const { store, clock } = journey.responder;
  for (let attempt = 0; ; attempt++) {
    const outcome = await askAndRead(journey);
    if (outcome.kind === "active") {
      const why = "Twilio says that the account is active";
      return { kind: "on", record: await store.save(activated(record, why, clock.now())) };
    }
    const isHopeless = outcome.failure.kind !== "retryable";
    if (isHopeless || !(await waitToRetry(journey.until, attempt))) {
      return { kind: "failed", record, why: `it was not set active: ${wordsFor(outcome.failure)}` };
    }
  }
};

type Asked = { kind: "active" } | { kind: "not-active"; failure: TwilioFailure };

async function askAndRead(journey: Journey): Promise<Asked> {
  const before = await read(journey);
  // By an earlier delivery of this command, which was cut.
  if (before.kind === "active") return before;
  if (before.failure !== undefined) return { kind: "not-active", failure: before.failure };
  const asking = await requestActivation(journey.twilio, journey.accountSid, REQUEST_TIMEOUT_MS);
  if (asking.kind === "failed" && asking.failure.kind !== "retryable") {
    return { kind: "not-active", failure: asking.failure };
  }
  const after = await read(journey);
  if (after.kind === "active") return after;
  const asked = asking.kind === "failed" ? asking.failure : undefined;
  return {
    kind: "not-active",
    failure: after.failure ?? asked ?? noAnswer("Twilio took the request, but the account still reads as suspended"),
  };
}

async function read({ twilio, accountSid }: Journey) {
  const reading = await fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS);
  if (reading.kind === "failed") return { kind: "not-active", failure: reading.failure } as const;
  return isActive(reading.body, accountSid)
    ? ({ kind: "active" } as const)
    : ({ kind: "not-active", failure: undefined } as const);
}

function isActive({ sid, status }: Account, accountSid: string): boolean {
  return sid === accountSid && status === "active";
}
