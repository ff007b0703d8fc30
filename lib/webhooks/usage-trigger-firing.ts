import { createHash } from "node:crypto";
import { isDecimal } from "../decimal.ts";
import type { NotUnderstoodSignal, UsageTriggerSignal } from "../inbox/messages.ts";
import { LIMIT_PARAMETER, PROBATION_PARAMETER } from "../triggers/callback.ts";
import { USAGE_TRIGGER_SID } from "../twilio/sids.ts";
import type { Form } from "../twilio/signature.ts";

export interface SignedFiring {
  accountSid: string;
  form: Form;
  /** The callback's address, with its query. */
  url: string;
}

/**
 * The callback of a usage trigger as a typed signal. What was signed but cannot be read becomes a signal of its own
 * kind: it is kept and shown to a person, never dropped and never acted on.
 * Fields: https://www.twilio.com/docs/usage/api/usage-trigger#webhook
 */
export function readFiring(
  { accountSid, form, url }: SignedFiring,
  receivedAt: Date,
): UsageTriggerSignal | NotUnderstoodSignal {
  const problems: string[] = [];
  const field = (name: string, expected: string, accept: (value: string) => boolean) => {
    const values = form.get(name) ?? [];
    const [value = ""] = values;
    if (values.length !== 1 || !accept(value)) problems.push(complaint(name, values, expected));
    return value;
  };

  const firing = {
    usageTriggerSid: field("UsageTriggerSid", "UT and 32 hexadecimal digits", (value) => USAGE_TRIGGER_SID.test(value)),
    dateFired: field("DateFired", "a time", isGiven),
    recurring: recurringOf(form, problems),
    usageCategory: field("UsageCategory", "a usage category such as totalprice", isGiven),
    triggerBy: field("TriggerBy", "count, usage or price", isGiven),
    triggerValue: field("TriggerValue", "a decimal number such as 1000.000000", isDecimal),
    currentValue: field("CurrentValue", "a decimal number such as 1000.000000", isDecimal),
    usageRecordUri: field("UsageRecordUri", "the path of a usage record", isGiven),
    idempotencyToken: field("IdempotencyToken", "the token of this firing", isGiven),
  };

  const envelope = { accountSid, receivedAt: receivedAt.toISOString() };
  if (problems.length > 0) return notUnderstood(envelope, form, problems.join("; "));
  return {
    kind: "usage-trigger",
    id: messageId(firing.idempotencyToken),
    ...envelope,
    ...firing,
    firedAt: readTime(firing.dateFired),
    limit: new URL(url).searchParams.get(LIMIT_PARAMETER)?.slice(0, 64) || null,
    found: "webhook",
    // Guards fire once. Whoever holds the account's auth token could write this into the address of a daily trigger.
    probation: isOnce(firing.recurring) && new URL(url).searchParams.has(PROBATION_PARAMETER),
    fingerprint: sha256(JSON.stringify([url, [...form].sort(byName)])),
  };
}

// Twilio may send the parameters of a retry in another order.
function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function isGiven(value: string): boolean {
  return value.trim() !== "" && value.length <= 1024;
}

// Empty for a trigger that fires once; a sender may as well leave an empty parameter out.
function recurringOf(form: Form, problems: string[]): string {
  const values = form.get("Recurring") ?? [""];
  const [value = ""] = values;
  if (values.length !== 1 || value.length > 64)
    problems.push(complaint("Recurring", values, "daily, monthly, yearly, alltime or empty"));
  return value;
}

function isOnce(recurring: string): boolean {
  return recurring === "" || recurring === "alltime";
}

function complaint(name: string, values: readonly string[], expected: string): string {
  const got = values.length === 0 ? "nothing" : values.map((value) => JSON.stringify(cut(value, 100))).join(" and ");
  return `${name}: expected ${expected}, got ${got}`;
}

/** RFC 2822 (`Sun, 04 Oct 2026 12:00:00 +0000`) and ISO 8601, with or without a zone. */
const TIME_SHAPES = [
  /^(?:[A-Za-z]{3,9},?\s+)?\d{1,2}\s+[A-Za-z]{3,9}\s+\d{4}\s+\d{1,2}:\d{2}/,
  /^\d{4}-\d{2}-\d{2}[T\s]\d{1,2}:\d{2}/,
];
const ZONE = /(?:\d[zZ]|\bGMT|\bUTC?|\s?[+-]\d{2}:?\d{2})$/;

/**
 * DateFired is "in GMT", in a format that Twilio does not specify. A time without a zone is read as GMT; what is no
 * time is null, never a reason to let a firing pass. Strict about the shape, because JavaScript's parser finds a date
 * in almost any text, and one that is too early (a day without its hour, too) makes a firing look like old news.
 */
export function readTime(dateFired: string): string | null {
  const text = dateFired.trim();
  if (!TIME_SHAPES.some((shape) => shape.test(text))) return null;
  const candidates = ZONE.test(text) ? [text] : [`${text} UTC`, `${text}Z`];
  const time = candidates.map((candidate) => Date.parse(candidate)).find((parsed) => !Number.isNaN(parsed));
  return time === undefined ? null : isoTime(time);
}

// A zone can push the last or first hours of the four-digit years beyond them, where ISO 8601 looks different.
function isoTime(milliseconds: number): string | null {
  const text = new Date(milliseconds).toISOString();
  return /^\d{4}-/.test(text) ? text : null;
}

/**
 * SQS takes deduplication IDs of at most 128 letters, digits and punctuation marks; IdempotencyToken is opaque.
 * A token that looks like an ID of ours is hashed as well, so that different tokens never share one.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function messageId(idempotencyToken: string): string {
  const isTaken = /^(?!sha256-|unread-)[!-~]{1,128}$/.test(idempotencyToken);
  return isTaken ? idempotencyToken : `sha256-${sha256(idempotencyToken)}`;
}

function notUnderstood(
  envelope: { accountSid: string; receivedAt: string },
  form: Form,
  problem: string,
): NotUnderstoodSignal {
  const whole = JSON.stringify([...form]);
  return {
    kind: "not-understood",
    id: `unread-${sha256(whole)}`,
    ...envelope,
    problem: cut(problem, 2000),
    fields: excerpt(form),
  };
}

/** A person can read this much; and an SQS message has a limit. */
const MOST_FIELDS = 40;

function excerpt(form: Form): Record<string, string> {
  const shown = [...form].slice(0, MOST_FIELDS).map(([name, values]) => [cut(name, 64), cut(values.join(" | "), 256)]);
  return Object.fromEntries(shown);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…(${text.length} characters)`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
