import { type Delivery, noAnswerFrom } from "../alerts/deliver-to-slack.ts";
import { oneLine } from "../alerts/plain-text.ts";

/** Why Slack did not do it, in the form in which the notifier deals with it. */
export type SlackFailure = Extract<Delivery, { kind: "rate-limited" | "failed" }>;

/** What Slack says goes by itself; all else stays until somebody mends it. */
const PASSING: ReadonlySet<string> = new Set([
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
  "team_added_to_org",
  "accesslimited",
]);

const LIMITED: ReadonlySet<string> = new Set(["ratelimited", "rate_limited", "message_limit_exceeded"]);

/** It doesn't like how the message looks: the words alone may still pass. */
const BLOCKS_REFUSED: ReadonlySet<string> = new Set([
  "invalid_blocks",
  "invalid_blocks_format",
  "invalid_attachments",
  "msg_blocks_too_long",
  "msg_too_long",
  "block_mismatch",
]);

/** The message that was to be changed, or answered, is not there any more, or not ours. */
const GONE: ReadonlySet<string> = new Set([
  "message_not_found",
  "thread_not_found",
  "invalid_thread_ts",
  "cant_update_message",
  "edit_window_closed",
]);

export function areBlocksRefused(failure: SlackFailure): boolean {
  return failure.kind === "failed" && BLOCKS_REFUSED.has(failure.error ?? "");
}

export function isGone(failure: SlackFailure): boolean {
  return failure.kind === "failed" && GONE.has(failure.error ?? "");
}

/** @param refusal the body of an answer with `ok: false`; `needed` is the scope that a token lacks. */
export function failureOf(refusal: { error: string; needed?: string | undefined }, seconds: number): SlackFailure {
  const error = oneLine(refusal.error, 80);
  if (LIMITED.has(error)) return { kind: "rate-limited", retryAfterSeconds: seconds };
  if (PASSING.has(error)) return passing(`Slack answered ${error}`, error);
  const message = `Slack refused: ${error}. Fix: ${fixFor(error, refusal.needed)}${REDRIVE}`;
  return { kind: "failed", retryable: false, error, message };
}

export function httpFailure(status: number, text: string): SlackFailure {
  const said = `Slack answered ${status} ${oneLine(text, 200)}`.trimEnd();
  if (status >= 500 || status === 408) return { ...passing(said), status };
  const message = `${said}. Fix: check SLACK_API_URL; without it, requests go to https://slack.com/api.`;
  return { kind: "failed", retryable: false, status, message };
}

/** An answer that is none of Slack's: a proxy's, or one that was cut. */
export function unreadable(text: string): SlackFailure {
  return passing(`Slack's answer could not be read: ${oneLine(text, 100)}`);
}

export function noAnswer(error: unknown, timeoutMs: number): SlackFailure {
  const fix = "if it lasts, check the function's network and SLACK_API_URL";
  return { kind: "failed", retryable: true, message: noAnswerFrom("slack.com", error, { timeoutMs, fix }) };
}

function passing(said: string, error?: string): Extract<SlackFailure, { kind: "failed" }> {
  const message = `${said}. Nothing to do: it is sent again.`;
  return { kind: "failed", retryable: true, message, ...(error !== undefined && { error }) };
}

const REDRIVE = "; then redrive the notify dead-letter queue.";
const INVITE = "invite the app to the channel (/invite @Tollbreaker)";
const NEW_TOKEN =
  "install the app in the workspace again, and store its bot token (xoxb-...) as SLACK_BOT_TOKEN (on AWS in the SSM parameter that SLACK_BOT_TOKEN_PARAMETER names)";

/** https://docs.slack.dev/reference/methods/chat.postMessage#errors */
const FIXES: Readonly<Record<string, string>> = {
  channel_not_found: `set SLACK_CHANNEL to the channel's ID, such as C012ABCDEF; if it is private, ${INVITE}`,
  not_in_channel: INVITE,
  is_archived: "bring the channel back, or set SLACK_CHANNEL to another one",
  restricted_action: "let the app post there: the channel's posting permissions keep it out",
  not_authed: NEW_TOKEN,
  invalid_auth: NEW_TOKEN,
  account_inactive: NEW_TOKEN,
  token_revoked: NEW_TOKEN,
  token_expired: NEW_TOKEN,
};

function fixFor(error: string, needed: string | undefined): string {
  if (error === "missing_scope") {
    return `give the app the scope ${oneLine(needed ?? "chat:write", 80)} (OAuth & Permissions), and install it in the workspace again`;
  }
  return FIXES[error] ?? "look the word up under https://docs.slack.dev/reference/methods";
}
