import { isThere, type WantedTrigger } from "../../triggers/wanted.ts";
import { retrying, waitToRetry } from "../../twilio/backoff.ts";
import { isRefusal, type TwilioFailure } from "../../twilio/failures.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import { createUsageTrigger, listUsageTriggers, type UsageTrigger } from "../../twilio/usage-triggers.ts";
import { type Journey, REQUEST_TIMEOUT_MS } from "./journey.ts";
import { withSightings } from "./trigger-sightings.ts";

export type Creation =
  /** `there` is what Twilio has, one for each that was wanted; `created` how many of them were not there before. */
  | { kind: "there"; there: readonly UsageTrigger[]; all: readonly UsageTrigger[]; created: number }
  | { kind: "failed"; why: string };

type Creating = Pick<Journey, "twilio" | "accountSid" | "until" | "sightings">;

/** So long after a creation that got no answer, a list that does not show it is believed. */
const LISTED_AFTER_MS = 4000;

/**
 * Creates the usage triggers that are not there, none twice. Lists may lag: what Twilio answered with a SID is there,
 * whether or not it is listed; and a creation that got no answer is not repeated before the list had time to show it.
 */
export async function createMissing(journey: Creating, wanted: readonly WantedTrigger[]): Promise<Creation> {
  const { twilio, accountSid, until, sightings } = journey;
  const now = () => until.clock.now().getTime();
  /** When those were asked for of which nobody knows whether they were made. */
  const doubtful = new Map<WantedTrigger, number>();
  let created = 0;
  for (let attempt = 0; ; attempt++) {
    const list = await retrying(() => listUsageTriggers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
    if (list.kind === "failed") return { kind: "failed", why: wordsFor(list.failure) };
    const all = withSightings(list.body, sightings);
    const missing = wanted.filter((one) => !all.some((trigger) => isThere(trigger, one)));
    if (attempt === 0) created = missing.length;
    if (missing.length === 0) {
      const there = all.filter((trigger) => wanted.some((one) => isThere(trigger, one)));
      return { kind: "there", there, all, created };
    }
    const due = missing.filter((one) => now() - (doubtful.get(one) ?? Number.NEGATIVE_INFINITY) >= LISTED_AFTER_MS);
    const { failure, at } = await createAll(journey, due);
    if (failure !== undefined && isRefusal(failure)) return { kind: "failed", why: wordsFor(failure) };
    if (at !== undefined && failure?.status !== 429) doubtful.set(at, now());
    const isWaiting = failure !== undefined || due.length < missing.length;
    if (isWaiting && !(await waitToRetry(until, attempt))) {
      return { kind: "failed", why: failure === undefined ? "the time was over" : wordsFor(failure) };
    }
    if (now() >= until.deadline) return { kind: "failed", why: "the time was over" };
  }
}

/** @returns the first failure, and at what; those after it are not tried. */
async function createAll(
  { twilio, accountSid, sightings }: Creating,
  due: readonly WantedTrigger[],
): Promise<{ failure?: TwilioFailure; at?: WantedTrigger }> {
  for (const one of due) {
    const answer = await createUsageTrigger(twilio, accountSid, one, REQUEST_TIMEOUT_MS);
    if (answer.kind === "failed") return { failure: answer.failure, at: one };
    sightings.made.set(answer.body.sid, answer.body);
  }
  return {};
}
