import type { Incident } from "../incidents/incident.ts";
import type { Anchor } from "../policy/first-moment.ts";
import type { GuardCounts } from "../policy/probation.ts";
import type { Raises } from "../policy/raise.ts";
import type { CurrencyCheck } from "./currency.ts";
import type { Drift } from "./repeated-drift.ts";

/** What the sweep remembers of an account from one time to the next. Times are ISO 8601 UTC. */
export interface AccountMemory {
  /** The sweep that saw it first. */
  firstSeenIn: string;
  /** What it had spent when the last sample was taken, by measure; decimal strings. */
  values: Readonly<Record<string, string>>;
  sampledAt: string | null;
  /** When something was last seen to have been spent. */
  spentAt: string | null;
  /** Values over their limit whose trigger has not fired, by FriendlyName. */
  over: Readonly<Record<string, FirstSight>>;
  /** Null when its triggers were always in order. */
  drift: Drift | null;
  /** Whether a sweep has seen it active: what was suspended before the first one is nobody's news. */
  hasBeenActive: boolean;
  /** The last sweep that found its triggers not in order. */
  repairedIn: string | null;
}

export interface FirstSight {
  /** When the trigger's period began; `once` for one that fires once. */
  period: string;
  at: string;
}

/** What our own store says about an account. */
export interface Known extends GuardCounts {
  /** Undefined for an account that was never swept. */
  memory: AccountMemory | undefined;
  /** Its limits that somebody raised for a while. */
  raises: Raises;
  /** What the sweep kept of an account whose limit had fired before we watched; null for all others. */
  before: Anchor | null;
  /** The first sweep that found it suspended without an incident; null where none did, or it was active since. */
  foundSuspendedIn: string | null;
  /** Public URLs of other Tollbreakers on the account that people were told of. */
  othersTold: readonly string[];
  /** Whether an incident holds the account, also one that is over a moment ago. */
  isClaimed: boolean;
  open: OpenIncident | undefined;
  /** The GMT day on which people were last told that it could not be armed; null once it was armed. */
  refusalToldOn: string | null;
  /** Null when nobody has asked; it is asked only where the policy names a currency. */
  currency: CurrencyCheck | null;
}

/** What our own store answers about an account. */
export type Recalled = (
  | { kind: "known"; known: Known }
  /** An item of it is not as this version knows it. The incident is there where it could be read all the same. */
  | { kind: "unreadable"; why: string; open: OpenIncident | undefined }
) & {
  /** Incidents that are over, and of which people may still have to be told: the oldest of them. */
  untold: readonly Incident[];
};

export interface OpenIncident {
  incident: Incident;
  /** Whether the account's live calls still have to be ended. */
  callsDue: boolean;
}

export const NOTHING_KNOWN: Known = {
  memory: undefined,
  lastReactivatedAt: null,
  passed: {},
  interims: {},
  raises: {},
  before: null,
  foundSuspendedIn: null,
  othersTold: [],
  isClaimed: false,
  open: undefined,
  refusalToldOn: null,
  currency: null,
};

/** Whether the account should not be able to spend: it was suspended, and nobody has brought it back yet. */
export function isContained({ open }: Known): boolean {
  return open?.incident.state === "suspended" || open?.incident.state === "reactivating";
}
