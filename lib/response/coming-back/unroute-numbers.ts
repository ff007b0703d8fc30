import pLimit from "p-limit";
import { retrying, waitToRetry } from "../../twilio/backoff.ts";
import { describeFailure, isRefusal, type TwilioFailure } from "../../twilio/failures.ts";
import {
  fetchPhoneNumber,
  isRouted,
  listPhoneNumbers,
  type PhoneNumber,
  UNROUTED,
  updateRouting,
} from "../../twilio/phone-numbers.ts";
import { named } from "./delete-keys.ts";
import { type Journey, PARALLEL_REQUESTS, REQUEST_TIMEOUT_MS } from "./journey.ts";

export type Unrouting =
  /** `unrouted` as they were before; `all` is how many the account has. */
  | { kind: "unrouted"; unrouted: readonly PhoneNumber[]; all: number }
  /** The time was over, and some of them are unrouted: another delivery can go on. */
  | { kind: "unfinished"; unrouted: readonly PhoneNumber[]; why: string }
  | { kind: "failed"; why: string };

/**
 * Takes the webhooks from the account's phone numbers, until none that is listed has one. Lists may lag: of a number that
 * Twilio said has none and that is listed with one all the same, the number itself is read, and that counts.
 * @param keep called before anything is taken away from a number; null where they were unrouted before: then each that is
 * listed with one is read itself first
 */
export async function unrouteNumbers(
  { twilio, accountSid, until }: Journey,
  keep: ((number: PhoneNumber) => Promise<void>) | null,
): Promise<Unrouting> {
  const unrouted = new Map<string, PhoneNumber>();
  const proven = new Set<string>();
  for (let attempt = 0; ; attempt++) {
    const listed = await retrying(() => listPhoneNumbers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
    if (listed.kind === "failed") {
      return ended(unrouted, `the phone numbers could not be listed: ${describeFailure(listed.failure)}`);
    }
    const left = await stillRouted(listed.body.filter(isRouted));
    if (left.length === 0) return { kind: "unrouted", unrouted: [...unrouted.values()], all: listed.body.length };

    const failures = await unrouteAll(left);
    const isRefused = failures.length === left.length && failures.every(isRefusal);
    if (isRefused || !(await waitToRetry(until, attempt))) return ended(unrouted, whyLeft(left, failures));
  }

  async function stillRouted(listed: readonly PhoneNumber[]): Promise<PhoneNumber[]> {
    const left = await pLimit(PARALLEL_REQUESTS).map(listed, async (number) => {
      const { sid } = number;
      if (keep !== null && !unrouted.has(sid)) return number;
      if (proven.has(sid)) return undefined;
      const read = await retrying(() => fetchPhoneNumber(twilio, accountSid, sid, REQUEST_TIMEOUT_MS), until);
      if (read.kind === "ok" && isRouted(read.body)) return read.body;
      if (read.kind === "failed" && read.failure.kind !== "not-found") return number;
      proven.add(sid);
      return undefined;
    });
    return left.filter((number) => number !== undefined);
  }

  /** @returns why some are not unrouted. */
  async function unrouteAll(left: readonly PhoneNumber[]): Promise<TwilioFailure[]> {
    const failures = await pLimit(PARALLEL_REQUESTS).map(left, async (number) => {
      // Nothing new is begun when the time is over: what was kept and not taken away would be kept in vain.
      if (until.clock.now().getTime() >= until.deadline) return undefined;
      const { sid } = number;
      if (!unrouted.has(sid)) await keep?.(number);
      const answer = await retrying(() => updateRouting(twilio, accountSid, sid, UNROUTED, REQUEST_TIMEOUT_MS), until);
      if (answer.kind === "failed" && answer.failure.kind !== "not-found") return answer.failure;
      if (!unrouted.has(sid)) unrouted.set(sid, number);
      return undefined;
    });
    return failures.filter((failure) => failure !== undefined);
  }

  function whyLeft(left: readonly PhoneNumber[], failures: readonly TwilioFailure[]): string {
    const sids = left.map(({ sid }) => sid).filter((sid) => !unrouted.has(sid));
    const [first] = failures;
    const why = first === undefined ? "the time was over" : describeFailure(first);
    return `phone numbers could not be unrouted: ${named(sids)} (${why})`;
  }
}

function ended(unrouted: ReadonlyMap<string, PhoneNumber>, why: string): Unrouting {
  return unrouted.size === 0 ? { kind: "failed", why } : { kind: "unfinished", unrouted: [...unrouted.values()], why };
}
