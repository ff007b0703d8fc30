import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { ErrorCounter } from "./count-errors.ts";
import type { WebhookAnswer } from "./receive-webhook.ts";
import type { SigningTokens } from "./signing-tokens.ts";

/** What both roads of errors work with. */
export interface ErrorSource {
  /** The base URL that Twilio was told; signatures are made over it. */
  publicUrl: string;
  parentSid: string;
  tokens: SigningTokens;
  counter: ErrorCounter;
  clock: Clock;
  log: Log;
}

/** Event Streams gives up after 5 seconds: https://www.twilio.com/docs/events/webhook-quickstart */
const ANSWER_WITHIN_MS = 4000;

/** The answer to `work`, or 503 when it takes too long: the event comes again, and counts once. */
export function inTime(
  { log }: ErrorSource,
  work: (signal: AbortSignal) => Promise<WebhookAnswer>,
): Promise<WebhookAnswer> {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const late = new Promise<WebhookAnswer>((resolve) => {
    signal.addEventListener("abort", () => {
      resolve(503);
    });
  });
  const answer = work(signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    log.error("webhook-late", { milliseconds: ANSWER_WITHIN_MS });
    return 503 as const;
  });
  return Promise.race([answer, late]);
}

export function refuse({ log }: ErrorSource, why: string): WebhookAnswer {
  log.count("WebhooksRefused", 1, { why });
  return 403;
}
