import { isThere, type WantedTrigger } from "../../triggers/wanted.ts";
import { retrying, type Until, waitToRetry } from "../../twilio/backoff.ts";
import type { TwilioClient } from "../../twilio/client.ts";
import { isRefusal } from "../../twilio/failures.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import { createUsageTrigger, listUsageTriggers, type UsageTrigger } from "../../twilio/usage-triggers.ts";
import { REQUEST_TIMEOUT_MS } from "./journey.ts";

export type Creation =
  /** `there` is what Twilio lists, one for each that was wanted; `created` how many of them were not there before. */
  | { kind: "there"; there: readonly UsageTrigger[]; all: readonly UsageTrigger[]; created: number }
  | { kind: "failed"; why: string };

/**
 * Creates the usage triggers that are not there, and goes by the list alone: a creation that got no answer is not
 * repeated before the list was read again, so that none is made twice.
 */
export async function createMissing(
  twilio: TwilioClient,
  accountSid: string,
  wanted: readonly WantedTrigger[],
  until: Until,
): Promise<Creation> {
  let created = 0;
  for (let attempt = 0; ; attempt++) {
    const list = await retrying(() => listUsageTriggers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
    if (list.kind === "failed") return { kind: "failed", why: wordsFor(list.failure) };
    const missing = wanted.filter((one) => !list.body.some((trigger) => isThere(trigger, one)));
    if (attempt === 0) created = missing.length;
    if (missing.length === 0) {
      const there = list.body.filter((trigger) => wanted.some((one) => isThere(trigger, one)));
      return { kind: "there", there, all: list.body, created };
    }
    const failure = await createAll(twilio, accountSid, missing);
    if (failure !== undefined && isRefusal(failure)) return { kind: "failed", why: wordsFor(failure) };
    if (failure !== undefined && !(await waitToRetry(until, attempt)))
      return { kind: "failed", why: wordsFor(failure) };
    if (until.clock.now().getTime() >= until.deadline) return { kind: "failed", why: "the time was over" };
  }
}

/** @returns the first failure; those after it are not tried. */
async function createAll(twilio: TwilioClient, accountSid: string, missing: readonly WantedTrigger[]) {
  for (const one of missing) {
    const answer = await createUsageTrigger(twilio, accountSid, one, REQUEST_TIMEOUT_MS);
    if (answer.kind === "failed") return answer.failure;
  }
  return undefined;
}
