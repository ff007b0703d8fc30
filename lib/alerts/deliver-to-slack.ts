import {
  type FetchFunction,
  IncomingWebhook,
  IncomingWebhookHTTPError,
  IncomingWebhookRequestError,
} from "@slack/webhook";
import { oneLine } from "./plain-text.ts";
import type { Notification } from "./read-notification.ts";
import type { SlackMessage } from "./slack-message.ts";

/** A way to Slack: an incoming webhook, or an app. */
export interface Sender {
  /** @param left the milliseconds until it has to be done; at least `turnMs` at the beginning. */
  send(notification: Notification, left: () => number): Promise<Delivery>;
  /** How long one takes at most, but for what it does only while time is left: with less, none is begun. */
  turnMs: number;
}

export type Delivery =
  /** `as: "text"`: Slack refused the blocks, so that it was sent as its one sentence. */
  | { kind: "delivered"; as: "blocks" | "text" }
  | { kind: "rate-limited"; retryAfterSeconds: number }
  /** Somebody else is just at the same message, or there is no time left for what is not done yet: it comes after. */
  | { kind: "busy"; retryAfterSeconds: number }
  /**
   * `message` says what failed and how to mend it; it never holds the webhook's address or a token, which are secrets.
   * `error` is Slack's own word for it, where it gave one.
   */
  | { kind: "failed"; retryable: boolean; status?: number; error?: string; message: string };

/** How long Slack may take for one message. */
const SLACK_TIMEOUT_MS = 5000;

/** Slack names a time with nearly every 429; this is for one that doesn't. */
const DEFAULT_RETRY_AFTER_S = 30;

export function webhookSender(url: string, timeoutMs: number = SLACK_TIMEOUT_MS): Sender {
  // Twice, where Slack refuses the blocks.
  return { send: ({ message }) => deliverToSlack(url, message, timeoutMs), turnMs: 2 * timeoutMs };
}

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
    const fix = "if it lasts, check the function's network and SLACK_WEBHOOK_URL";
    const message = noAnswerFrom("the webhook's host", error.original, { timeoutMs, fix });
    return { kind: "failed", retryable: true, message };
  }
  if (!(error instanceof IncomingWebhookHTTPError)) throw error;
  if (error.statusCode === 429) return { kind: "rate-limited", retryAfterSeconds: retryAfterSeconds(header.value) };
  const retryable = error.statusCode >= 500 || error.statusCode === 408;
  const said = `Slack answered ${error.statusCode} ${oneLine(error.body, 200)}`.trimEnd();
  const message = retryable ? `${said}. Nothing to do: it is sent again.` : `${said}. ${mend(error.statusCode)}`;
  return { kind: "failed", retryable, status: error.statusCode, message };
}

/** Retry-After in whole seconds, at least one; it may also be a date (RFC 9110, 10.2.3). */
export function retryAfterSeconds(header: string | null): number {
  if (header === null) return DEFAULT_RETRY_AFTER_S;
  const asked = /^\d+$/.test(header.trim()) ? Number(header) : Math.ceil((Date.parse(header) - Date.now()) / 1000);
  return Number.isNaN(asked) ? DEFAULT_RETRY_AFTER_S : Math.max(1, asked);
}

/** What to say of a request without an answer. The error's own text may hold a secret address: only its code is told. */
export function noAnswerFrom(
  host: string,
  error: unknown,
  { timeoutMs, fix }: { timeoutMs: number; fix: string },
): string {
  const { name, cause } = error instanceof Error ? error : new Error(String(error));
  if (name === "TimeoutError") return `Slack did not answer within ${timeoutMs} ms; it is sent again.`;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : name;
  return `Slack could not be reached (${code}). Expected: HTTPS to ${host}. Fix: ${fix}.`;
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
