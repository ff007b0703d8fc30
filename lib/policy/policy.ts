/**
 * The policy as the rest of the code uses it: checked, with every default filled in. `lib/policy/policy-file.ts` makes
 * it from `policy.yml`, and docs/policy.md explains each key.
 */
export interface Policy {
  /** `observe` records and alerts, and suspends nothing. */
  mode: "enforce" | "observe";
  /** By name, in the order of the file. */
  limits: Readonly<Record<string, Limit>>;
  errors: Readonly<Record<string, ErrorRule>>;
  /** What a signed usage trigger does that no limit names. */
  unlisted: Then;
  brake: Brake;
  exempt: readonly Exemption[];
  /** Per account and limit: another value for `at`, as a decimal string. */
  accounts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What a usage trigger of the parent account itself does, beside alerting. */
  parent: "alert" | "suspend-top";
}

export type Then = "alert" | "suspend";

/** One usage trigger on every subaccount. */
export interface Limit {
  /** UsageCategory: https://www.twilio.com/docs/usage/api/usage-trigger */
  category: string;
  by: "count" | "usage" | "price";
  every: "day" | "month" | "year" | "once";
  /** TriggerValue, a decimal string; money in the account's own currency. */
  at: string;
  then: Then;
}

/** Errors of the debugger and Event Streams, counted per account in a sliding window. */
export interface ErrorRule {
  codes: readonly number[];
  count: number;
  /** Milliseconds. */
  within: number;
  then: Then;
  /** Suspend only if the account's Usage Records of today agree; null: no need to ask. */
  confirm: Confirmation | null;
}

export interface Confirmation {
  category: string;
  by: "count" | "usage" | "price";
  every: "day";
  /** Decimal string: the usage of today must have reached it. */
  at: string;
}

/** At most so many accounts are suspended within so many milliseconds. */
export interface Brake {
  suspensions: number;
  within: number;
}

interface Exemption {
  account: string;
  why: string;
  /** The last day (GMT, YYYY-MM-DD) on which it holds; null: for ever. */
  until: string | null;
}
