import type { Clock } from "../../lib/clock.ts";
import { messageOf } from "../../lib/errors.ts";

/** A request of Twilio's to a server of the customer's, signed. */
export interface SignedRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string | null;
}

/** One try to send it. */
export interface Attempt {
  /** 1 for the first. */
  attempt: number;
  at: Date;
  /** How long the answer took. */
  milliseconds: number;
  method: string;
  url: string;
  outcome: DeliveryOutcome;
}

export type DeliveryOutcome =
  | { kind: "answered"; status: number }
  | { kind: "timed-out" }
  | { kind: "not-connected"; reason: string };

export interface Sending {
  clock: Clock;
  /** How long Twilio waits for an answer, in milliseconds. */
  timeout: number;
  /** The pause before each retry, in milliseconds; Twilio only says "quickly". */
  retryAfter: number;
  /** How many tries may follow the first, given what the last one came to. */
  retries(outcome: DeliveryOutcome): number;
  /** Aborted when the simulator closes. */
  closing: AbortSignal;
}

export const USER_AGENT = "TwilioProxy/1.1";

/**
 * Sends until an answer ends it, and tells `record` of each attempt.
 * @param sign makes the request anew for each attempt: the token may have been rotated between two
 */
export async function deliver(
  sign: () => SignedRequest,
  sending: Sending,
  record: (attempt: Attempt, request: SignedRequest) => void,
): Promise<void> {
  for (let attempt = 1; !sending.closing.aborted; attempt += 1) {
    const request = sign();
    const made = await attemptOnce(request, sending, attempt);
    record(made, request);
    if (attempt > sending.retries(made.outcome)) return;
    await sending.clock.sleep(sending.retryAfter);
  }
}

async function attemptOnce(request: SignedRequest, sending: Sending, attempt: number): Promise<Attempt> {
  const at = sending.clock.now();
  const started = performance.now();
  const outcome = await send(request, sending);
  const milliseconds = Math.round(performance.now() - started);
  return { attempt, at, milliseconds, method: request.method, url: request.url, outcome };
}

async function send({ url, ...request }: SignedRequest, { timeout, closing }: Sending): Promise<DeliveryOutcome> {
  const late = new AbortController();
  // Cleared as soon as there is an answer: a flood would leave thousands of timers behind otherwise.
  const timer = setTimeout(() => late.abort(), timeout);
  const signal = AbortSignal.any([late.signal, closing]);
  try {
    const response = await fetch(url, { ...request, signal, redirect: "manual" });
    await response.body?.cancel();
    return { kind: "answered", status: response.status };
  } catch (thrown) {
    return late.signal.aborted ? { kind: "timed-out" } : { kind: "not-connected", reason: messageOf(thrown) };
  } finally {
    clearTimeout(timer);
  }
}

// The fragment holds Twilio's connection overrides; it "does not make it into the signature computation".
export const withoutFragment = (url: string): string => url.split("#")[0] ?? url;
export const withQuery = (url: string, query: string): string => `${url}${url.includes("?") ? "&" : "?"}${query}`;
