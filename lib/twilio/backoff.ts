import type { Clock } from "../clock.ts";
import type { Answer } from "./client.ts";
import { isRefusal } from "./failures.ts";

/** How long something may go on. */
export interface Until {
  clock: Clock;
  /** Milliseconds since the epoch. Nothing new is begun after it. */
  deadline: number;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 3000;

/**
 * Waits before try number `attempt` + 2, exponentially longer, with full jitter, so that many workers do not come back
 * together: https://www.twilio.com/docs/usage/rate-limits-and-concurrency asks for exponential backoff.
 * @returns false, at once, when there is no time left for another try.
 */
export async function waitToRetry({ clock, deadline }: Until, attempt: number): Promise<boolean> {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  const wait = Math.ceil(Math.random() * longest);
  if (clock.now().getTime() + wait >= deadline) return false;
  await clock.sleep(wait);
  return true;
}

/** A refusal can pass in a moment (a token that was just rotated); one that was given so often in a row is an answer. */
const MOST_REFUSALS = 3;

/** Repeats a request while trying again may help and there is time; then gives the last answer. */
export async function retrying<T>(request: () => Promise<Answer<T>>, until: Until): Promise<Answer<T>> {
  for (let attempt = 0, refusals = 0; ; attempt++) {
    const answer = await request();
    if (answer.kind === "ok" || answer.failure.kind !== "retryable") return answer;
    refusals = isRefusal(answer.failure) ? refusals + 1 : 0;
    if (refusals === MOST_REFUSALS) return answer;
    if (!(await waitToRetry(until, attempt))) return answer;
  }
}
