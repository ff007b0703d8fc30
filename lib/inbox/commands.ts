import * as z from "zod/mini";
import { CHECK_ANSWERS, CHECK_IDS, CLEANUP_IDS } from "../incidents/checklist.ts";
import { accountSid, time } from "./fields.ts";

/**
 * What a person asks for. Whoever accepts it has checked who asks and whether it can be; the responder has the last
 * word, on fresh readings. Times are ISO 8601 in UTC.
 */

/** How an operator's wish reached us. */
export const ROADS = ["api", "cli", "slack", "console"] as const;
export type Road = (typeof ROADS)[number];

export const LEAST_REASON = 10;
export const MOST_REASON = 500;

const envelope = {
  /** Unique for this request; its entries in the incident's history carry it as `command`. */
  id: z.string().check(z.regex(/^[!-~]{1,128}$/)),
  accountSid,
  /** When it was accepted. */
  receivedAt: time,
  /** Who asks: an operator's name. */
  operator: z.string().check(z.minLength(1), z.maxLength(100)),
  road: z.enum(ROADS),
  reason: z.string().check(z.minLength(LEAST_REASON), z.maxLength(MOST_REASON)),
};
const incidentId = z.string().check(z.minLength(1), z.maxLength(64));
/** One of several that one request asked for: that request's id, and how many they are. */
const batch = z.exactOptional(z.object({ id: z.string(), of: z.int().check(z.positive()) }));

/** Bring a contained account back, clean and armed. */
export const ReactivateCommand = z.object({
  kind: z.literal("reactivate"),
  ...envelope,
  incidentId,
  acknowledge: z.array(z.enum(CHECK_IDS)),
  cleanup: z.array(z.enum(CLEANUP_IDS)),
  /** The check-list as it was on record when this was accepted: what is acknowledged is what stands there. */
  seen: z.array(z.object({ id: z.enum(CHECK_IDS), answer: z.enum(CHECK_ANSWERS), why: z.string() })),
  /** ISO 3166-1 alpha-2: the only countries that may be called after `voice-countries`; empty without it. */
  countries: z.array(z.string().check(z.regex(/^[A-Z]{2}$/))),
  batch,
});
export type ReactivateCommand = z.infer<typeof ReactivateCommand>;

/** Nothing is to be done about an account that was alerted of, or could not be suspended. */
export const DismissCommand = z.object({ kind: z.literal("dismiss"), ...envelope, incidentId, batch });
export type DismissCommand = z.infer<typeof DismissCommand>;

/** Suspend an account now, whether or not anything tripped: a person decided, so the brake does not hold it. */
export const SuspendCommand = z.object({
  kind: z.literal("suspend"),
  ...envelope,
  /** What the policy says against it, and the operator has read: without it an exempt account is not suspended. */
  acknowledge: z.array(z.enum(["exempt", "observe-mode"])),
});
export type SuspendCommand = z.infer<typeof SuspendCommand>;

/** Give an account that was suspended past us an incident, so that it can be reactivated. Changes nothing at Twilio. */
export const AdoptCommand = z.object({ kind: z.literal("adopt"), ...envelope });
export type AdoptCommand = z.infer<typeof AdoptCommand>;

/** Read the check-list anew. */
export const CheckCommand = z.object({
  kind: z.literal("check"),
  ...envelope,
  reason: z.literal(""),
  incidentId,
});
export type CheckCommand = z.infer<typeof CheckCommand>;

/** Give the numbers back the webhooks that `unroute-numbers` took from them. */
export const RestoreNumbersCommand = z.object({ kind: z.literal("restore-numbers"), ...envelope, incidentId });
export type RestoreNumbersCommand = z.infer<typeof RestoreNumbersCommand>;

/** Let accounts that wait at the brake be suspended, and count anew. `accountSid` is the parent's. */
export const ReleaseBrakeCommand = z.object({
  kind: z.literal("release-brake"),
  ...envelope,
  /** Those of the waiting accounts that are to be suspended, perhaps none; null: all that waited when it was accepted. */
  accounts: z.nullable(z.array(accountSid)),
});
export type ReleaseBrakeCommand = z.infer<typeof ReleaseBrakeCommand>;

const limitName = z.string().check(z.minLength(1), z.maxLength(64));

/** Raise a limit of one account for a while. */
export const RaiseLimitCommand = z.object({
  kind: z.literal("raise-limit"),
  ...envelope,
  limit: limitName,
  /** A decimal string. */
  to: z.string().check(z.regex(/^\d{1,15}(\.\d{1,6})?$/)),
  until: time,
});
export type RaiseLimitCommand = z.infer<typeof RaiseLimitCommand>;

/** The policy's own value counts again, before the raise's time is over. */
export const EndRaiseCommand = z.object({ kind: z.literal("end-raise"), ...envelope, limit: limitName });
export type EndRaiseCommand = z.infer<typeof EndRaiseCommand>;

/** So many incidents are reactivated, or dismissed, by one request at most. */
export const MOST_IN_BATCH = 100;

/** Reactivate or dismiss several incidents, each by a command of its own. `accountSid` is the parent's. */
export const BatchCommand = z.object({
  kind: z.literal("batch"),
  ...envelope,
  action: z.enum(["reactivate", "dismiss"]),
  /** What they tripped by, and since when: whoever accepted it has left out those that are of something else. */
  rules: z.array(z.string()).check(z.minLength(1)),
  since: time,
  ...{ acknowledge: z.array(z.enum(CHECK_IDS)), cleanup: z.array(z.enum(CLEANUP_IDS)), countries: z.array(z.string()) },
  incidents: z
    .array(
      z.object({
        incidentId,
        accountSid,
        /** Of the check-list that was shown; null where none was. */ checklist: z.nullable(z.string()),
      }),
    )
    .check(z.minLength(1), z.maxLength(MOST_IN_BATCH)),
});
export type BatchCommand = z.infer<typeof BatchCommand>;

export const Command = z.discriminatedUnion("kind", [
  ReactivateCommand,
  DismissCommand,
  SuspendCommand,
  AdoptCommand,
  CheckCommand,
  RestoreNumbersCommand,
  ReleaseBrakeCommand,
  RaiseLimitCommand,
  EndRaiseCommand,
  BatchCommand,
]);
export type Command = z.infer<typeof Command>;
