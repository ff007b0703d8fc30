import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { inTime } from "../in-time.ts";
import type { Log } from "../log.ts";
import type { ErrorCounter } from "./count-errors.ts";
import { notStored, turnAway, undecided, type WebhookAnswer } from "./receive-webhook.ts";
import type { SigningTokens, Undecided } from "./signing-tokens.ts";
import type { Refusal } from "./verified-form.ts";

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

/** One request about errors. */
interface ErrorRequest<Verified> {
  answerWithinMs: number;
  verify(): Promise<Verified | Refusal | Undecided>;
  /** Counts what was verified. @throws when it could not. */
  count(verified: Verified, signal: AbortSignal): Promise<void>;
}

/** Verifies a request, then counts its errors, then answers; 503 when that takes too long: it comes again, and counts once. */
export async function receiveErrors<Verified extends { kind: "verified" }>(
  { log }: ErrorSource,
  { answerWithinMs, verify, count }: ErrorRequest<Verified>,
): Promise<WebhookAnswer> {
  const late = new AbortController();
  let isVerified = false;

  async function receive(): Promise<WebhookAnswer> {
    const verification = await verify();
    if (verification.kind !== "verified") return turnAway(log, verification);
    isVerified = true;
    return store(verification);
  }

  async function store(verified: Verified): Promise<WebhookAnswer> {
    try {
      await count(verified, late.signal);
      return 204;
    } catch (error) {
      if (late.signal.aborted) return 503;
      log.error("errors-not-counted", { reason: messageOf(error) });
      return notStored(log, "error-event");
    }
  }

  const answer = await inTime(receive(), answerWithinMs);
  if (answer.kind === "in-time") return answer.value;
  late.abort();
  log.error("webhook-late", { milliseconds: answerWithinMs });
  return isVerified ? notStored(log, "error-event") : undecided(log, "late");
}
