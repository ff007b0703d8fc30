import { createHash } from "node:crypto";
import { cut } from "../cut.ts";
import { isDecimal, plainText } from "../decimal.ts";
import type { NotUnderstoodSignal, UsageTriggerSignal } from "../inbox/messages.ts";
import { LIMIT_PARAMETER, PROBATION_PARAMETER } from "../triggers/callback.ts";
import { USAGE_TRIGGER_SID } from "../twilio/sids.ts";
import type { Form } from "../twilio/signature.ts";
import { parseTime } from "../twilio/times.ts";

export interface SignedFiring {
  accountSid: string;
  form: Form;
  /** The callback's address, with its query. */
  url: string;
}

/**
 * The callback of a usage trigger as a typed signal. What was signed but cannot be judged becomes a signal of its own
 * kind: it is kept and shown to a person, never dropped and never acted on. What nothing is judged by may be missing.
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

  const usageTriggerSid = field("UsageTriggerSid", "UT and 32 hexadecimal digits", (value) =>
    USAGE_TRIGGER_SID.test(value),
  );
  const recurring = recurringOf(form, problems);
  const usageCategory = field("UsageCategory", "a usage category such as totalprice", isGiven);
  const triggerBy = field("TriggerBy", "count, usage or price", isGiven);
  const triggerValue = field("TriggerValue", "a decimal number such as 1000.000000", isDecimal);
  const currentValue = field("CurrentValue", "a decimal number such as 1000.000000", isDecimal);

  const envelope = { accountSid, receivedAt: receivedAt.toISOString() };
  if (problems.length > 0) return notUnderstood(envelope, form, problems.join("; "));
  const fingerprint = sha256(JSON.stringify([url, [...form].sort(byName)]));
  const idempotencyToken = onlyValue(form, "IdempotencyToken");
  const dateFired = cut(onlyValue(form, "DateFired"), MOST_LETTERS);
  return {
    kind: "usage-trigger",
    id: idempotencyToken.trim() === "" ? `firing-${fingerprint}` : messageId(idempotencyToken),
    ...envelope,
    usageTriggerSid,
    dateFired,
    firedAt: readTime(dateFired),
    recurring,
    usageCategory,
    triggerBy,
    triggerValue: plainText(triggerValue),
    currentValue: plainText(currentValue),
    usageRecordUri: cut(onlyValue(form, "UsageRecordUri"), MOST_LETTERS),
    idempotencyToken: cut(idempotencyToken, MOST_LETTERS),
    limit: cut(new URL(url).searchParams.get(LIMIT_PARAMETER) ?? "", 64) || null,
    found: "webhook",
    // Guards fire once. Whoever holds the account's auth token could write this into the address of a daily trigger.
    probation: isOnce(recurring) && new URL(url).searchParams.has(PROBATION_PARAMETER),
    fingerprint,
  };
}

// Twilio may send the parameters of a retry in another order.
function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

const MOST_LETTERS = 1024;

function isGiven(value: string): boolean {
  return value.trim() !== "" && value.length <= MOST_LETTERS;
}

/** Empty where it is missing, or there are several, which say nothing. */
function onlyValue(form: Form, name: string): string {
  const [value = "", ...others] = form.get(name) ?? [];
  return others.length === 0 ? value : "";
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
  const got =
    values.length === 0 ? "nothing" : values.map((value) => JSON.stringify(excerpt(value, 100))).join(" and ");
  return `${name}: expected ${expected}, got ${got}`;
}

/**
 * DateFired, which is "in GMT" in a format that Twilio does not specify, as ISO 8601 UTC. What is no time is null, never a
 * reason to let a firing pass.
 */
export function readTime(dateFired: string): string | null {
  const text = parseTime(dateFired)?.toISOString();
  // A zone can push the last or first hours of the four-digit years beyond them, where ISO 8601 looks different.
  return text !== undefined && /^\d{4}-/.test(text) ? text : null;
}

/**
 * SQS takes deduplication IDs of at most 128 letters, digits and punctuation marks; IdempotencyToken is opaque.
 * A token that looks like an ID of ours is hashed as well, so that different tokens never share one.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function messageId(idempotencyToken: string): string {
  const isTaken = /^(?!sha256-|unread-|firing-)[!-~]{1,128}$/.test(idempotencyToken);
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
    problem: excerpt(problem, 2000),
    fields: shownFields(form),
  };
}

/** A person can read this much; and an SQS message has a limit. */
const MOST_FIELDS = 40;

function shownFields(form: Form): Record<string, string> {
  const shown = [...form]
    .slice(0, MOST_FIELDS)
    .map(([name, values]) => [excerpt(name, 64), excerpt(values.join(" | "), 256)]);
  return Object.fromEntries(shown);
}

function excerpt(text: string, length: number): string {
  return text.length <= length ? text : `${cut(text, length)}…(${text.length} characters)`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
