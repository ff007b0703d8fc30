import pLimit from "p-limit";
import type { Clock } from "../clock.ts";
import { limitedTo } from "../response/time-limit.ts";
import { type Until, waitToRetry } from "../twilio/backoff.ts";
import type { Answer, TwilioClient } from "../twilio/client.ts";
import { isRefusal, noAnswer, type TwilioFailure } from "../twilio/failures.ts";

export interface Manners {
  /** Requests that may be under way at the same moment. */
  atOnce: number;
  until: Until;
}

/** Of one request: an account that goes on failing comes again with the next sweep. */
const MOST_TRIES = 4;
const TOO_MANY_REQUESTS = 429;
const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 10_000;

export interface PoliteClient extends TwilioClient {
  /** The same, with the same manners, for what has to be over sooner: nothing is under way after `deadline` (milliseconds since the epoch). */
  endingAt(deadline: number): TwilioClient;
}

/**
 * The same client for many accounts at once: so many requests in parallel and no more, and when Twilio says that there
 * are too many, all of them rest, exponentially longer and with jitter, not only the one that was told so.
 * https://www.twilio.com/docs/usage/rate-limits-and-concurrency
 */
export function politeClient(twilio: TwilioClient, { atOnce, until }: Manners): PoliteClient {
  const limit = pLimit(atOnce);
  const rest = sharedRest(until.clock);

  async function patiently<T>(ask: () => Promise<Answer<T>>, within: Until, isRepeatable: boolean): Promise<Answer<T>> {
    for (let tries = 1; ; tries++) {
      if (!(await rest.isOver(within.deadline))) return NO_TIME;
      const answer = await ask();
      rest.heed(answer);
      if (answer.kind === "ok" || !mayAskAgain(answer.failure, isRepeatable) || tries >= MOST_TRIES) return answer;
      if (!(await waitToRetry(within, tries))) return answer;
    }
  }

  function clientUntil(within: Until): TwilioClient {
    // Its time-out is what is left when its turn has come, not when it was asked for.
    const punctual = limitedTo(twilio, within);
    return {
      accountSid: twilio.accountSid,
      send: (request) => limit(() => patiently(() => punctual.send(request), within, isRepeatable(request))),
    };
  }

  return {
    ...clientUntil(until),
    endingAt: (deadline) => clientUntil({ ...until, deadline: Math.min(deadline, until.deadline) }),
  };
}

const NO_TIME = { kind: "failed", failure: noAnswer("the time was over before it could be asked") } as const;

function isRepeatable({ form, method }: { form?: unknown; method?: "DELETE" | "POST" }): boolean {
  return form === undefined && method !== "POST";
}

/**
 * What was posted and got no answer may have been carried out: who wants it done again has to look first. A refusal for
 * too many requests was "never processed".
 */
function mayAskAgain(failure: TwilioFailure, isRepeatable: boolean): boolean {
  return failure.status === TOO_MANY_REQUESTS || (isRepeatable && !isRefusal(failure));
}

function sharedRest(clock: Clock) {
  let [restUntil, strikes] = [0, 0];
  return {
    heed(answer: Answer<unknown>): void {
      if (answer.kind === "ok") strikes = 0;
      else if (answer.failure.status === TOO_MANY_REQUESTS) {
        const longest = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** strikes++);
        restUntil = Math.max(restUntil, clock.now().getTime() + (longest * (1 + Math.random())) / 2);
      }
    },
    /** Waits for its end. @returns false when there is no time left after it. */
    async isOver(deadline: number): Promise<boolean> {
      for (let left = restUntil - clock.now().getTime(); left > 0; left = restUntil - clock.now().getTime()) {
        if (clock.now().getTime() + left >= deadline) return false;
        // Not all of them in the same moment.
        await clock.sleep(Math.ceil(left + Math.random() * Math.min(left, FIRST_REST_MS)));
      }
      return clock.now().getTime() < deadline;
    },
  };
}
