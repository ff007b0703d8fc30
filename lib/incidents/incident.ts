import type { Road } from "../inbox/commands.ts";
import type { Check, CheckId, Checklist, CleanupId } from "./checklist.ts";

/**
 * The record of one containment: from the signal that opened it to the operator who closed it.
 * Times are ISO 8601 in UTC, lags are whole milliseconds, amounts are exact decimal strings.
 */
export interface Incident {
  /** Sortable by time: `20261121T030405123-1f3a9c2e`. */
  id: string;
  accountSid: string;
  friendlyName: string | null;
  state: IncidentState;
  /** The name of what tripped: a limit of the policy, or a description of the trigger where no limit has a name. */
  rule: string;
  /** Why this state, in words for a person. */
  reason: string;
  /** What fired, with its numbers; null where the signal had none that could be read. */
  trip: Trip | null;
  openedAt: string;
  updatedAt: string;
  firedAt: string | null;
  receivedAt: string;
  suspendedAt: string | null;
  reactivatedAt: string | null;
  lags: Lags;
  containment: Containment | null;
  /** Why Twilio did not do what was asked; null unless the state is `failed`. */
  failure: Failure | null;
  evidence: Evidence | null;
  /**
   * Why the account is only alerted, not suspended. Null in every other state, and for what was not understood; but
   * `brake` in `suspended` when somebody set the account active by hand and the brake kept it from being suspended anew.
   */
  because: AlertedBecause | null;
  /** The errors that tripped an error rule; null for anything else. */
  errors: ErrorEvidence | null;
  /** Who spent most today; only where the parent's own usage trigger fired. */
  ranking: SpendRanking | null;
  /** A guard's firing opened it; null for any other. */
  recurrence: Recurrence | null;
  /** How many signals this incident holds: the one that opened it and those that joined. */
  signals: number;
  /** What people were told of it: one for each change of state. */
  alerts: AlertDelivery[];
  /** What must be in order before the account goes live again; null until it was contained and read. */
  checklist: Checklist | null;
  /** Who asked for the account's suspension; null where Tollbreaker decided by itself. */
  suspension: Wish | null;
  /** The latest reactivation that was asked for; null when none was. */
  reactivation: Reactivation | null;
  /** Who dismissed it; null unless the state is `dismissed`. */
  dismissal: Wish | null;
}

/** The account had tripped before, and was brought back or left running under a guard: it goes on overspending. */
export interface Recurrence {
  /** The limit that the guard stands for. */
  limit: string;
  /** The incident with which it began, and the one before this: their ids. */
  first: string;
  previous: string;
  /** 2 for the one after the first. */
  nth: number;
}

/** Who asked for something, when and why. */
export interface Wish {
  /** The request's id: each line of the history that it caused carries it as `command`. */
  command: string;
  operator: string;
  road: Road;
  reason: string;
  /** When it was accepted. */
  at: string;
  /** The request that asked for this and others, and how many they are; left out where it asked for this alone. */
  batch?: { id: string; of: number } | undefined;
}

export interface Reactivation extends Wish {
  acknowledge: readonly CheckId[];
  cleanup: readonly CleanupId[];
  countries: readonly string[];
  /** The check-list that was answered. */
  seen: readonly Check[];
  /** What was cleaned so far. */
  cleaned: readonly CleanupId[];
  /** The usage triggers that guard it while it is on probation, and until when. Empty and null until it is armed. */
  guards: readonly string[];
  probationUntil: string | null;
  /** When Twilio said that the account is active again. */
  activatedAt: string | null;
  /** How long it was suspended, in milliseconds; null until it is active. */
  suspendedFor: number | null;
  /** Why it did not come back; null while it is under way, and when it did. */
  failure: string | null;
}

export interface AlertDelivery {
  id: string;
  about: AlertSubject;
  /** The rule it is about: the same rule is told once in its day, however often it trips. */
  rule: string;
  /** Why the account was not suspended; only for `alerted`. */
  because: AlertedBecause | null;
  /** What could not be read; only for `not-understood`. */
  problem: string | null;
  /** What else there is to say, in words for a person; for `tampered`, `reminder`, `calls-ended`, and what watches a dismissed account. */
  note: string | null;
  /** Whether the rule is the policy's own. Whoever signs for an account can make up others, and those share a quota. */
  isNamed: boolean;
  /** Whether people were told by it that calls are live, or may be, and by none since that they are ended. */
  saidCallsLive: boolean;
  /** When the change happened that it tells of. */
  at: string;
  /** When SNS took it; null while it is still due. */
  publishedAt: string | null;
}

export const ALERT_SUBJECTS = [
  "suspended",
  "alerted",
  "failed",
  "not-understood",
  "reactivated",
  /** A reactivation was refused or failed: the account is suspended. */
  "not-reactivated",
  "dismissed",
  /** An account that we suspended is active, and nobody reactivated it here. */
  "tampered",
  /** It waits for a person. */
  "reminder",
  /** An earlier alert said that calls were live, or might be: they are ended. */
  "calls-ended",
] as const;
export type AlertSubject = (typeof ALERT_SUBJECTS)[number];

/** Why an account whose trigger fired was not suspended: it decides how urgent the alert is and what to do next. */
export const ALERTED_BECAUSE = [
  /** The rule says `then: alert`. */
  "rule",
  "observe-mode",
  "exempt",
  "parent-account",
  /** The rule asks Usage Records first, and they did not agree, or could not be read. */
  "unconfirmed",
  /** Too many accounts were suspended in a short time: it waits for a person. */
  "brake",
] as const;
export type AlertedBecause = (typeof ALERTED_BECAUSE)[number];

export const INCIDENT_STATES = [
  "open",
  "suspended",
  "alerted",
  "failed",
  "reactivating",
  "reactivated",
  "dismissed",
] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

export interface Trip {
  usageTriggerSid: string;
  usageCategory: string;
  triggerBy: string;
  recurring: string;
  triggerValue: string;
  currentValue: string;
  /** CurrentValue minus TriggerValue; empty where one of them is no number. */
  overshoot: string;
  /** The overshoot as a share of TriggerValue, in percent with one decimal; null when TriggerValue is zero, or no number. */
  overshootPercent: string | null;
}

interface Lags {
  firedToReceived: number | null;
  receivedToSuspended: number | null;
  firedToSuspended: number | null;
}

export interface Containment {
  /** How the account came to be suspended: by us, or it already was when we looked. */
  by: "tollbreaker" | "already-suspended" | "suspended-by-twilio" | "closed";
  callsEnded: number;
  /** Calls that were still live when last looked at; null when they could not be listed. */
  callsLeft: number | null;
}

export interface Failure {
  /** Twilio's error code (https://www.twilio.com/docs/api/errors), or null when Twilio gave none. */
  twilioCode: number | null;
  message: string;
  /** Whether the responder goes on trying by itself. */
  retrying: boolean;
}

/** What the account's Usage Records said right after containment. */
export interface Evidence {
  /** ISO 4217, upper case. Usage triggers carry no currency; Usage Records do. */
  currency: string;
  /** Today's (GMT) price of the category that tripped, and of everything. */
  categoryPriceToday: string | null;
  totalPriceToday: string | null;
  readAt: string;
}

/** What a rule on errors counted. */
export interface ErrorEvidence {
  count: number;
  /** The window, in milliseconds. */
  within: number;
  firstAt: string;
  lastAt: string;
  /** The first few, redacted. `code`: https://www.twilio.com/docs/api/errors */
  samples: readonly { sid: string; code: number; at: string; note: string }[];
}

/** Today's (GMT) spend by subaccount. */
export interface SpendRanking {
  /** ISO 4217, upper case; what all amounts are in. */
  currency: string;
  /** Decimal string: of all subaccounts that were read. */
  total: string;
  /** The first ten, highest first. */
  spenders: readonly Spender[];
  /** How many subaccounts could not be read, or count in another currency. */
  unread: number;
  readAt: string;
}

export interface Spender {
  accountSid: string;
  friendlyName: string;
  price: string;
  /** Of the total, in percent with one decimal; null when nothing was spent. */
  share: string | null;
}

/** One line of an incident's append-only history. */
export interface TimelineEntry {
  at: string;
  /** What happened, as a stable name: `opened`, `suspended`, `calls-ended`, `signal-joined`, ... */
  what: string;
  /** Who did it: `twilio`, `tollbreaker`, or an operator's name. */
  who: string;
  /** Why or how, in words for a person. */
  why: string;
  /** Numbers and identifiers that belong to it. */
  detail: Readonly<Record<string, string | number | boolean | null>>;
}
