import * as z from "zod";
import { withoutTrailingZeros } from "../decimal.ts";
import { ACCOUNT_SID } from "../twilio/sids.ts";
import { LimitEntry } from "./limit-schema.ts";
import { amount, by, category, duration, expected, then } from "./policy-values.ts";

/**
 * The policy file as it is written. The descriptions are what an editor shows. What needs more than one key is in
 * policy-rules.ts.
 */

/** A limit's name travels in the callback's URL and in the trigger's FriendlyName (64 letters at most). */
export const NAME = /^(?=.{1,40}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;

// For editors alone: a record with checked keys would not look at the value of a key that is wrong.
const NAMED = { propertyNames: { pattern: NAME.source } };

const SID = expected("an Account SID: AC and 32 hexadecimal digits", "AC0123456789abcdef0123456789abcdef");
const accountSid = z.string(SID).regex(ACCOUNT_SID, SID);

export const ConfirmEntry = z
  .strictObject(
    {
      category,
      by,
      every: z
        .literal("day", expected("`day`, because today's Usage Records are read", "every: day"))
        .default("day")
        .meta({ description: "Today's Usage Records are read, so it is always day." }),
      at: amount("What today's usage must have reached for the account to be suspended."),
    },
    expected("a confirmation", "confirm: { category: totalprice, by: price, every: day, at: 20 }"),
  )
  .meta({
    description:
      "Before suspending, today's Usage Records of the account must agree. If they do not, or cannot be read: an alert.",
  });

const CODE = expected("one of Twilio's error codes, a whole number from 10000 to 99999", "32201");
const CODES = expected("a list of 1 to 100 of Twilio's error codes", "codes: [30450, 30453, 60410]");
const codes = z.array(z.int(CODE).min(10_000, CODE).max(99_999, CODE), CODES).min(1, CODES).max(100, CODES).meta({
  description: "Twilio's error codes: https://www.twilio.com/docs/api/errors. docs/policy.md tells which say what.",
});

const COUNT = expected("a whole number from 1 to 500", "count: 20");

export const ErrorEntry = z
  .strictObject(
    {
      codes,
      count: z
        .int(COUNT)
        .min(1, COUNT)
        .max(500, COUNT)
        .meta({ description: "How many errors of one account, all codes together, trip the rule. At most 500." }),
      within: duration("The sliding window in which they are counted."),
      then: then.meta({
        description: "alert tells people; suspend also needs `confirm` if a stranger can cause one of the codes.",
      }),
      confirm: ConfirmEntry.optional(),
    },
    expected("an error rule", "{ codes: [32201, 32202], count: 50, within: 5m, then: alert }"),
  )
  .meta({ description: "Errors of the debugger and Event Streams, counted per account." });

const SUSPENSIONS = expected("a whole number from 1 to 1000", "suspensions: 5");

export const BrakeEntry = z
  .strictObject(
    {
      suspensions: z
        .int(SUSPENSIONS)
        .min(1, SUSPENSIONS)
        .max(1000, SUSPENSIONS)
        .default(5)
        .meta({ description: "How many different accounts may be suspended." }),
      within: duration("In which time.").prefault("10m"),
    },
    expected("the brake", "brake: { suspensions: 5, within: 10m }"),
  )
  .meta({
    description: "The stop on mass suspension. Beyond it accounts wait for an operator, and one loud alert names them.",
  });

const SHARE = expected("a share above 0, and 1 at most, in plain digits", "share: 0.25");

// Not zero, however it is written.
const SHARE_DIGITS = /^(?!0\.0+$)(0\.\d{1,6}|1(\.0{1,6})?)$/;

export const ProbationEntry = z
  .strictObject(
    {
      share: z
        .union([z.number().positive(SHARE).max(1, SHARE), z.string().regex(SHARE_DIGITS, SHARE)], SHARE)
        .transform((value) => withoutTrailingZeros(String(value)))
        .prefault("0.25")
        .meta({ description: "The share of each limit that it may spend beyond its present value." }),
      for: duration("For how long.", { from: "1h", to: "31d", example: "for: 24h" }).prefault("24h"),
    },
    expected("the probation", "probation: { share: 0.25, for: 24h }"),
  )
  .meta({ description: "For a while after its reactivation an account trips sooner." });

const RAISE_TIMES = expected("a whole number from 1 (never) to 100", "times: 10");

export const RaiseEntry = z
  .strictObject(
    {
      times: z
        .int(RAISE_TIMES)
        .min(1, RAISE_TIMES)
        .max(100, RAISE_TIMES)
        .default(10)
        .meta({ description: "How many times the account's own value a limit may be raised to; 1: not at all." }),
      for: duration("For how long at most.", { from: "1h", to: "31d", example: "for: 31d" }).prefault("31d"),
    },
    expected("the ceiling of raised limits", "raise: { times: 10, for: 31d }"),
  )
  .meta({
    description: "How far, and for how long, an operator may raise a limit of one account without a deployment.",
  });

const CURRENCY = expected("a currency of ISO 4217, in three capital letters", "currency: USD");
const ISO_4217: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

const currency = z
  .string(CURRENCY)
  .regex(/^[A-Z]{3}$/, CURRENCY)
  // With one that doesn't exist no account would agree.
  .refine((code) => ISO_4217.has(code), CURRENCY)
  .optional()
  .meta({
    description:
      "What each value that is money is in: ISO 4217, three capital letters. An account that is billed in another currency gets only the limits on money that have a value of its own under `accounts`.",
    examples: ["USD", "EUR"],
  });

const WHY = expected("a reason of 1 to 200 letters on one line", "why: emergency line");
const UNTIL = expected("a day of the calendar, YYYY-MM-DD (without an end, leave the key out)", "until: 2027-01-31");

export const ExemptEntry = z
  .strictObject(
    {
      account: accountSid.meta({ description: "The subaccount's SID, as the Twilio Console shows it." }),
      why: z
        .string(WHY)
        .trim()
        .regex(/^[^\r\n\t]{1,200}$/, WHY)
        .meta({ description: "The reason; it is shown in the alerts." }),
      until: z.iso
        .date(UNTIL)
        .optional()
        .meta({
          description: "The last day, in GMT, on which it holds. Left out: for ever.",
          examples: ["2027-01-31"],
        }),
    },
    expected("an exemption", "{ account: AC0123456789abcdef0123456789abcdef, why: emergency line, until: 2027-01-31 }"),
  )
  .meta({ description: "An account that is alerted about and never suspended." });

const EXEMPT = expected("a list", "exempt: [ { account: AC0123456789abcdef0123456789abcdef, why: emergency line } ]");
const OVERRIDES = expected("the limits by name, each with its value", "{ daily-spend: 5000 }");

const ACCOUNTS = expected("accounts by SID", "accounts: { AC0123456789abcdef0123456789abcdef: { daily-spend: 5000 } }");

// A section whose entries are all commented out is empty, not wrong.
export const PolicyEntry = z
  .strictObject(
    {
      mode: z
        .enum(["enforce", "observe"], expected("`enforce` or `observe`", "mode: enforce"))
        .default("enforce")
        .meta({ description: "observe records and alerts, and suspends nothing." }),
      currency,
      limits: z
        .record(z.string(), LimitEntry, expected("limits by name", "limits: { daily-spend: { ... } }"))
        .meta(NAMED)
        .nullish()
        .transform((limits) => limits ?? {})
        .meta({
          description:
            "By name: a usage trigger on every subaccount, or, by the hour or as a spike, a watch kept by the sweep.",
        }),
      errors: z
        .record(z.string(), ErrorEntry, expected("error rules by name", "errors: { sip-probing: { ... } }"))
        .meta(NAMED)
        .nullish()
        .transform((errors) => errors ?? {})
        .meta({ description: "By name: rules on the errors of the debugger and Event Streams." }),
      unlisted: z
        .enum(["alert", "suspend"], expected("`alert` or `suspend`", "unlisted: suspend"))
        .default("suspend")
        .meta({ description: "What a signed usage trigger does that no limit names." }),
      brake: BrakeEntry.prefault({}),
      exempt: z
        .array(ExemptEntry, EXEMPT)
        .nullish()
        .transform((exempt) => exempt ?? [])
        .meta({ description: "Accounts that are alerted about and never suspended." }),
      accounts: z
        .record(
          z.string(),
          z.record(z.string(), amount("The value of this limit for this account."), OVERRIDES),
          ACCOUNTS,
        )
        .meta({ propertyNames: { pattern: ACCOUNT_SID.source } })
        .nullish()
        .transform((accounts) => accounts ?? {})
        .meta({ description: "By SID and limit: other values for single accounts." }),
      parent: z
        .enum(["alert", "suspend-top"], expected("`alert` or `suspend-top`", "parent: alert"))
        .default("alert")
        .meta({
          description:
            "What a usage trigger of the parent account does. suspend-top also suspends the one subaccount that makes more than half of today's spend.",
        }),
      probation: ProbationEntry.prefault({}),
      raise: RaiseEntry.prefault({}),
      tampering: z
        .enum(["alert", "suspend"], expected("`alert` or `suspend`", "tampering: alert"))
        .default("alert")
        .meta({
          description:
            "What happens to an account that Tollbreaker suspended and that is active again without a reactivation: people are told in any case; suspend also suspends it again.",
        }),
    },
    { error: "Expected keys such as `limits:` and `errors:`; docs/policy.md shows a whole policy." },
  )
  .meta({ title: "Tollbreaker policy", description: "docs/policy.md explains each key, with examples." });
