import type { Clock } from "../../lib/clock.ts";
import type { ErrorFeed } from "./error-events.ts";
import type { Micros } from "./money.ts";
import type { Random } from "./random.ts";
import type { Ring } from "./ring.ts";
import type { Ledger } from "./usage.ts";

/** Everything that the simulated Twilio knows. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  /** In the order of their creation; the parent is the first. */
  readonly accounts: Map<string, Account>;
  readonly parentSid: string;
  /** What Twilio's debugger shows, of all accounts. */
  readonly errors: ErrorFeed;
  /** To be called after a change that has to survive a restart: accounts, tokens, statuses, triggers. */
  changed(): void;
}

export const ACCOUNT_STATUSES = ["active", "suspended", "closed"] as const;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

export interface Account {
  readonly sid: string;
  readonly ownerAccountSid: string;
  authToken: string;
  friendlyName: string;
  status: AccountStatus;
  type: "Trial" | "Full";
  /** ISO 4217, lower case as in Twilio's `price_unit`. */
  currency: string;
  readonly dateCreated: Date;
  dateUpdated: Date;
  /** Set through the control API: only Twilio's support could lift this suspension (error 21478). */
  suspendedByTwilio: boolean;
  readonly ledger: Ledger;
  readonly triggers: Map<string, UsageTrigger>;
  readonly calls: Map<string, Call>;
  readonly messages: Ring<Message>;
  /** Null where none is configured. Twilio has only its Console for it, no API. */
  debuggerWebhook: DebuggerWebhook | null;
  readonly sinks: Map<string, Sink>;
  readonly subscriptions: Map<string, Subscription>;
  readonly keys: Map<string, ApiKey>;
  readonly phoneNumbers: Map<string, PhoneNumber>;
  /** While there is one, both tokens authenticate; the primary alone signs. */
  secondaryAuthToken: SecondaryAuthToken | null;
  dialing: DialingPermissions;
  /** What was attempted while the account was not active. */
  readonly refused: { messages: number; calls: number };
}

export const CALL_STATUSES = [
  "queued",
  "ringing",
  "in-progress",
  "completed",
  "busy",
  "failed",
  "no-answer",
  "canceled",
] as const;
export type CallStatus = (typeof CALL_STATUSES)[number];

export interface Call {
  readonly sid: string;
  readonly to: string;
  readonly from: string;
  readonly dateCreated: Date;
  dateUpdated: Date;
  status: CallStatus;
  startTime: Date | null;
  endTime: Date | null;
  readonly pricePerMinute: Micros;
  /** Minutes that were charged for already; every minute is charged as it starts. */
  minutes: number;
  /** How the call goes on by itself; null for a call that stays as it is until somebody ends it. */
  readonly course: CallCourse | null;
}

export interface CallCourse {
  /** How many simulated milliseconds pass for this call in each real one. */
  readonly timeFactor: number;
  /** Simulated milliseconds since it was queued. */
  elapsed: number;
  /** Simulated milliseconds of talk after which it ends; null for one that has to be ended. */
  readonly talks: number | null;
}

export interface Message {
  readonly sid: string;
  readonly to: string;
  readonly from: string;
  readonly dateCreated: Date;
  readonly price: Micros;
  /** Why it was not delivered; null for one that was. */
  readonly errorCode: number | null;
}

export const RECURRING = ["daily", "monthly", "yearly", "alltime"] as const;
export const TRIGGER_BY = ["count", "usage", "price"] as const;
type TriggerBy = (typeof TRIGGER_BY)[number];
export type CallbackMethod = "GET" | "POST";

export interface UsageTrigger {
  readonly sid: string;
  friendlyName: string;
  callbackUrl: string;
  callbackMethod: CallbackMethod;
  readonly usageCategory: string;
  readonly triggerBy: TriggerBy;
  readonly triggerValue: Micros;
  /** Null for a trigger that fires once in its life: what Twilio also calls `alltime`. */
  readonly recurring: "daily" | "monthly" | "yearly" | null;
  readonly dateCreated: Date;
  dateUpdated: Date;
  dateFired: Date | null;
}

export const SIGNERS = ["subaccount", "parent"] as const;
export const PARENT_FORMS = ["present", "empty", "absent"] as const;

/** Who signs for a subaccount, and how its parent is named: real Twilio's answers to both are not documented. */
export interface DebuggerWebhook {
  readonly url: string;
  /** Whose auth token signs an event of a subaccount. */
  readonly signedBy: (typeof SIGNERS)[number];
  /** "only exists if the above account is a subaccount", and yet Twilio's own example sends it empty. */
  readonly parentAccountSid: (typeof PARENT_FORMS)[number];
  /** On the parent account: whether its subaccounts' events come here too. */
  readonly subaccounts: boolean;
}

/** Where Event Streams sends to: https://www.twilio.com/docs/events/event-streams/sink-resource */
export interface Sink {
  readonly sid: string;
  description: string;
  readonly destination: string;
  readonly batchEvents: boolean;
  readonly dateCreated: Date;
  dateUpdated: Date;
}

/** What a sink receives: https://www.twilio.com/docs/events/event-streams/subscription */
export interface Subscription {
  readonly sid: string;
  readonly sinkSid: string;
  description: string;
  readonly types: readonly EventType[];
  /** "Receive events from all children accounts in the parent account subscription." */
  readonly fromSubaccounts: boolean;
  readonly dateCreated: Date;
  dateUpdated: Date;
}

export interface EventType {
  readonly type: string;
  readonly schemaVersion: number;
}

export const KEY_TYPES = ["standard", "main", "restricted"] as const;

/** https://www.twilio.com/docs/iam/api-keys/key-resource-v2010 */
export interface ApiKey {
  readonly sid: string;
  friendlyName: string;
  /** A main key may do what the auth token may, with its own account. */
  readonly type: (typeof KEY_TYPES)[number];
  /** Shown by the API once, in the answer to its creation. */
  readonly secret: string;
  readonly dateCreated: Date;
  dateUpdated: Date;
}

interface SecondaryAuthToken {
  readonly token: string;
  readonly dateCreated: Date;
}

/** https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource */
export interface PhoneNumber {
  readonly sid: string;
  /** E.164. */
  readonly phoneNumber: string;
  friendlyName: string;
  /** Replaced as a whole, never changed in place. */
  routing: NumberRouting;
  readonly dateCreated: Date;
  dateUpdated: Date;
}

export const NUMBER_URLS = [
  "voice_url",
  "voice_fallback_url",
  "status_callback",
  "sms_url",
  "sms_fallback_url",
] as const;
export const NUMBER_METHODS = [
  "voice_method",
  "voice_fallback_method",
  "status_callback_method",
  "sms_method",
  "sms_fallback_method",
] as const;
export const NUMBER_SIDS = ["voice_application_sid", "sms_application_sid", "trunk_sid"] as const;
export type NumberSetting = (typeof NUMBER_URLS | typeof NUMBER_METHODS | typeof NUMBER_SIDS)[number];
/** What a number does with calls and messages, by the names of its resource; empty where nothing is set. */
export type NumberRouting = Readonly<Record<NumberSetting, string>>;

/** https://www.twilio.com/docs/voice/api/dialing-permissions-resources; replaced as a whole, never changed in place. */
export interface DialingPermissions {
  /** "By default, new subaccounts will inherit": of the parent it means nothing. */
  readonly inherits: boolean;
  /** By ISO code; only the countries that the account itself has changed. */
  readonly own: ReadonlyMap<string, CountryPermissions>;
}

export interface CountryPermissions {
  readonly lowRisk: boolean;
  readonly highRiskSpecial: boolean;
  readonly highRiskTollfraud: boolean;
}

export const isLive = (call: Call): boolean =>
  call.status === "queued" || call.status === "ringing" || call.status === "in-progress";

export const liveCalls = (account: Account): Call[] => [...account.calls.values()].filter(isLive);

/** @throws Error when the world has no parent: impossible, as every world is made with one. */
export function parentOf(world: World): Account {
  const parent = world.accounts.get(world.parentSid);
  if (parent === undefined) throw new Error(`The simulated world has no parent account ${world.parentSid}.`);
  return parent;
}

export const subaccountsOf = (world: World): Account[] =>
  [...world.accounts.values()].filter(({ sid }) => sid !== world.parentSid);
