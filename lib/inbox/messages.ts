import * as z from "zod/mini";
import { Command } from "./commands.ts";
import { accountSid, time } from "./fields.ts";
import { Nudge } from "./nudges.ts";

/**
 * What travels through the inbox. A signal says that something happened, a command (commands.ts) that a person wants
 * something; only the responder acts on either.
 * Times are ISO 8601 in UTC. Amounts are decimal strings exactly as Twilio sent them (`"1000.000000"`).
 */

const envelope = {
  /** Unique for this event within its account; the same for each redelivery of the same event. */
  id: z.string().check(z.minLength(1), z.maxLength(128)),
  accountSid,
  /** When our webhook accepted it. */
  receivedAt: time,
};

/** A usage trigger fired: https://www.twilio.com/docs/usage/api/usage-trigger */
export const UsageTriggerSignal = z.object({
  kind: z.literal("usage-trigger"),
  ...envelope,
  usageTriggerSid: z.string(),
  /** Parsed from DateFired; null where Twilio's text could not be read as a time. */
  firedAt: z.nullable(time),
  /** DateFired as it came. */
  dateFired: z.string(),
  /** "daily", "monthly", "yearly", "alltime"; empty for a trigger that fires once. */
  recurring: z.string(),
  usageCategory: z.string(),
  triggerBy: z.string(),
  triggerValue: z.string(),
  currentValue: z.string(),
  usageRecordUri: z.string(),
  idempotencyToken: z.string(),
  /** The limit of the policy that the callback's address names; null where it names none. */
  limit: z.nullable(z.string()),
  /** Whether the callback's address says that it guards a reactivated account, by a smaller value than the limit's. */
  probation: z._default(z.boolean(), false),
  /**
   * Twilio told us; or its webhook was lost and the sweep found the firing, or a value over its limit that had not fired;
   * or a webhook was not believed, and the account's own triggers were read instead.
   */
  found: z._default(z.enum(["webhook", "sweep-fired", "sweep-over", "reconciled"]), "webhook"),
  /** A digest of everything that was signed; of what the sweep found, the firing's own name. */
  fingerprint: z.string().check(z.minLength(1), z.maxLength(64)),
});
export type UsageTriggerSignal = z.infer<typeof UsageTriggerSignal>;

/** Rightly signed, but not what was agreed: a person has to look, and no account is touched because of it. */
export const NotUnderstoodSignal = z.object({
  kind: z.literal("not-understood"),
  ...envelope,
  /** What could not be read, in words for a person. */
  problem: z.string(),
  /** The parameters as received, cut to a size that a person can read. */
  fields: z.record(z.string(), z.string()),
});
export type NotUnderstoodSignal = z.infer<typeof NotUnderstoodSignal>;

/** An account caused as many errors within a time as a rule of the policy allows: evidence, not yet a proof of spend. */
export const ErrorRuleSignal = z.object({
  kind: z.literal("error-rule"),
  ...envelope,
  /** The rule's name in the policy. */
  rule: z.string(),
  /** Different errors within the window when it was crossed, and the window's length in milliseconds. */
  count: z.int().check(z.positive()),
  within: z.int().check(z.positive()),
  /** When the first and the last of them reached us. */
  firstAt: time,
  lastAt: time,
  /** The first few of them, redacted: no bodies, no credentials, numbers cut to prefixes. */
  samples: z
    .array(
      z.object({
        sid: z.string(),
        /** https://www.twilio.com/docs/api/errors */
        code: z.int(),
        /** When it reached us. */
        at: time,
        /** In capitals: `ERROR`, `WARNING`. */
        level: z.string(),
        road: z.enum(["debugger", "event-streams"]),
        /** Twilio's own short message; may be empty. */
        note: z.string(),
      }),
    )
    .check(z.maxLength(10)),
  /** Whose auth token had signed the request that crossed it. */
  signedBy: z.enum(["subaccount", "parent"]),
});
export type ErrorRuleSignal = z.infer<typeof ErrorRuleSignal>;

/** The parent's own usage trigger fired, and this subaccount makes more than half of today's spend. */
export const TopSpenderSignal = z.object({
  kind: z.literal("top-spender"),
  ...envelope,
  /** Today's spend of the account, as a decimal string, in `currency` (ISO 4217), and its share of all in percent. */
  price: z.string(),
  currency: z.string(),
  share: z.string(),
});
export type TopSpenderSignal = z.infer<typeof TopSpenderSignal>;

/** An account spends faster than a rule of the policy allows; found by the sweep, not by Twilio. */
export const SpendRuleSignal = z.object({
  kind: z.literal("spend-rule"),
  ...envelope,
  /** The rule's name in the policy. */
  rule: z.string(),
  usageCategory: z.string(),
  triggerBy: z.enum(["count", "usage", "price"]),
  /** What was used within the last 60 minutes, as a decimal string, and what is usual; null where the rule asks for no usual. */
  thisHour: z.string(),
  usual: z.nullable(z.string()),
  /** In words for a person. */
  why: z.string(),
});
export type SpendRuleSignal = z.infer<typeof SpendRuleSignal>;

export const Signal = z.discriminatedUnion("kind", [
  UsageTriggerSignal,
  NotUnderstoodSignal,
  ErrorRuleSignal,
  TopSpenderSignal,
  SpendRuleSignal,
]);
export type Signal = z.infer<typeof Signal>;

export const Message = z.discriminatedUnion("kind", [Signal, Command, Nudge]);
export type Message = z.infer<typeof Message>;

const NUDGES: ReadonlySet<string> = new Set<Nudge["kind"]>([
  "tampered",
  "found-suspended",
  "drive",
  "remind",
  "guard",
  "raises",
  "drill",
]);

export function isCommand(message: Message): message is Command {
  return "operator" in message;
}

export function isNudge(message: Message): message is Nudge {
  return NUDGES.has(message.kind);
}

export function isSignal(message: Message): message is Signal {
  return !isCommand(message) && !isNudge(message);
}

/**
 * By what a message that was dealt with is remembered. Not by Twilio's IdempotencyToken: it can be guessed, and whoever
 * holds an account's auth token could use up the tokens of its next firings in advance.
 */
export function identityOf(message: Message): string {
  return message.kind === "usage-trigger" ? message.fingerprint : message.id;
}
