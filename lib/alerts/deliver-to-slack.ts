import {
  type FetchFunction,
  IncomingWebhook,
  IncomingWebhookHTTPError,
  IncomingWebhookRequestError,
} from "@slack/webhook";
import { oneLine } from "./plain-text.ts";
import type { SlackMessage } from "./slack-message.ts";

export type Delivery =
  /** `as: "text"`: Slack refused the blocks, so that it was sent as its one sentence. */
  | { kind: "delivered"; as: "blocks" | "text" }
  | { kind: "rate-limited"; retryAfterSeconds: number }
  /** `message` says what failed and how to mend it; it never holds the webhook's address, which is a secret. */
  | { kind: "failed"; retryable: boolean; status?: number; message: string };

/** How long Slack may take for one message. */
export const SLACK_TIMEOUT_MS = 5000;

/** Slack names a time with nearly every 429; this is for one that doesn't. */
const DEFAULT_RETRY_AFTER_S = 30;

/** Posts one message to an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export async function deliverToSlack(
  url: string,
  message: SlackMessage,
  timeoutMs: number = SLACK_TIMEOUT_MS,
): Promise<Delivery> {
  if (!isHttpUrl(url)) return { kind: "failed", retryable: false, message: NOT_AN_ADDRESS };
  const outcome = await post(url, message, "blocks", timeoutMs);
  if (!(outcome.kind === "failed" && outcome.status === 400)) return outcome;
  // Slack didn't like how it looks: what happened must be told all the same.
  return post(url, { text: message.text }, "text", timeoutMs);
}

async function post(
  url: string,
  message: { text: string; blocks?: SlackMessage["blocks"] },
  as: "blocks" | "text",
  timeout: number,
): Promise<Delivery> {
  const header: RetryAfter = { value: null };
  try {
    await new IncomingWebhook(url, { timeout, fetch: noting(header) }).send(message);
    return { kind: "delivered", as };
  } catch (error) {
    return outcomeOf(error, header, timeout);
  }
}

interface RetryAfter {
  value: string | null;
}

// The package's error carries the status and the body, but not Retry-After.
function noting(header: RetryAfter): FetchFunction {
  return async (input, init) => {
    const response = await fetch(input, init);
    header.value = response.headers.get("retry-after");
    return response;
  };
}

function outcomeOf(error: unknown, header: RetryAfter, timeoutMs: number): Delivery {
  if (error instanceof IncomingWebhookRequestError) {
    return { kind: "failed", retryable: true, message: noAnswer(error.original, timeoutMs) };
  }
  if (!(error instanceof IncomingWebhookHTTPError)) throw error;
  if (error.statusCode === 429) return { kind: "rate-limited", retryAfterSeconds: seconds(header.value) };
  const retryable = error.statusCode >= 500 || error.statusCode === 408;
  const said = `Slack answered ${error.statusCode} ${oneLine(error.body, 200)}`.trimEnd();
  const message = retryable ? `${said}. Nothing to do: it is sent again.` : `${said}. ${mend(error.statusCode)}`;
  return { kind: "failed", retryable, status: error.statusCode, message };
}

/** Retry-After in whole seconds, at least one; it may also be a date (RFC 9110, 10.2.3). */
function seconds(header: string | null): number {
  if (header === null) return DEFAULT_RETRY_AFTER_S;
  const asked = /^\d+$/.test(header.trim()) ? Number(header) : Math.ceil((Date.parse(header) - Date.now()) / 1000);
  return Number.isNaN(asked) ? DEFAULT_RETRY_AFTER_S : Math.max(1, asked);
}

// The original error's text may hold the webhook's address: only its name and code are told.
function noAnswer(original: Error, timeoutMs: number): string {
  if (original.name === "TimeoutError") return `Slack did not answer within ${timeoutMs} ms; it is sent again.`;
  const { cause } = original;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : original.name;
  return `Slack could not be reached (${code}). Expected: HTTPS to the webhook's host. Fix: if it lasts, check the function's network and SLACK_WEBHOOK_URL.`;
}

const NEW_WEBHOOK =
  "Fix: make an incoming webhook for a channel that exists, and store its address as SLACK_WEBHOOK_URL (on AWS in the SSM parameter that SLACK_WEBHOOK_URL_PARAMETER names); then redrive the notify dead-letter queue.";
const NOT_AN_ADDRESS = `SLACK_WEBHOOK_URL is not a web address. Expected: https://hooks.slack.com/services/... ${NEW_WEBHOOK}`;

function mend(status: number): string {
  if (status !== 400) return NEW_WEBHOOK;
  return "Fix: Slack refuses the message itself, even as plain text; report this as a defect with this line. The alert is in the notify dead-letter queue.";
}

function isHttpUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}
