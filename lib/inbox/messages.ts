import * as z from "zod/mini";

/**
 * What travels through the inbox. A signal says that something happened; only the responder acts on it.
 * Times are ISO 8601 in UTC. Amounts are decimal strings exactly as Twilio sent them (`"1000.000000"`).
 */

const time = z.iso.datetime();
const accountSid = z.string().check(z.regex(/^AC[0-9a-fA-F]{32}$/));

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

export const Signal = z.discriminatedUnion("kind", [UsageTriggerSignal, NotUnderstoodSignal]);
export type Signal = z.infer<typeof Signal>;
