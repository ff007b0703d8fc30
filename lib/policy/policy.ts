/**
 * The policy as the rest of the code uses it: checked, with every default filled in. `lib/policy/policy-file.ts` makes
 * it from `policy.yml`, and docs/policy.md explains each key.
 */
export interface Policy {
  /** `observe` records and alerts, and suspends nothing. */
  mode: "enforce" | "observe";
  /** ISO 4217, upper case: what each value that is money is in. Null: not said, so each account's own. */
  currency: string | null;
  /** Those that Twilio watches: by name, in the order of the file. */
  limits: Readonly<Record<string, Limit>>;
  /** Those that the sweep judges by what it has seen an account spend; no name is also one of `limits`. */
  rates: Readonly<Record<string, SpendRule>>;
  errors: Readonly<Record<string, ErrorRule>>;
  /** What a signed usage trigger does that no limit names. */
  unlisted: Then;
  brake: Brake;
  exempt: readonly Exemption[];
  /** Per account and limit, or rate: another value for `at`, as a decimal string. */
  accounts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What a usage trigger of the parent account itself does, beside alerting. */
  parent: "alert" | "suspend-top";
  probation: Probation;
  raise: RaiseCeiling;
  /** What the sweep does about an account that we suspended and that is active again without a reactivation. */
  tampering: Then;
  /**
   * What is left of a raised limit after its end, by account and limit: decimal strings. No file has it; `raisedPolicy`
   * (raise.ts) adds it. It says at which value the limit trips, and not how much its guards allow.
   */
  rests?: Readonly<Record<string, Readonly<Record<string, string>>>>;
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

/** What an account may spend in an hour; TriggerBy and UsageCategory as in a limit. */
export type SpendRule = Rate | Spike;

/** So much within any 60 minutes. */
export interface Rate {
  kind: "rate";
  category: string;
  by: Limit["by"];
  /** Decimal string; money in the account's own currency. */
  at: string;
  then: Then;
}

/** So many times what is usual for the same account. */
export interface Spike {
  kind: "spike";
  category: string;
  by: Limit["by"];
  /** This hour is at least so many times the account's usual hour, */
  times: number;
  /** which is the median of those of so many milliseconds before, */
  over: number;
  /** and at least this, a decimal string: a busy hour of an account that is usually quiet is no spike. */
  atLeast: string;
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

/** An account that was reactivated trips sooner for a while. */
interface Probation {
  /** Decimal string above 0, 1 at most: the share of an ordinary limit that it may spend beyond its present value. */
  share: string;
  /** Milliseconds. */
  for: number;
}

/** How far, and for how long, an operator may raise a limit of one account. */
interface RaiseCeiling {
  /** Times the account's own value; 1 allows no raise. */
  times: number;
  /** Milliseconds. */
  for: number;
}

interface Exemption {
  account: string;
  why: string;
  /** The last day (GMT, YYYY-MM-DD) on which it holds; null: for ever. */
  until: string | null;
}
