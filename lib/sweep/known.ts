import type { Incident } from "../incidents/incident.ts";

/** What the sweep remembers of an account from one time to the next. Times are ISO 8601 UTC. */
export interface AccountMemory {
  /** The sweep that saw it first. */
  firstSeenIn: string;
  /** What it had spent when the last sample was taken, by measure; decimal strings. */
  values: Readonly<Record<string, string>>;
  sampledAt: string | null;
  /** When something was last seen to have been spent. */
  spentAt: string | null;
  /** Values over their limit whose trigger has not fired, by UsageTriggerSid. */
  over: Readonly<Record<string, FirstSight>>;
  /** The last sweep that found its triggers not in order. */
  repairedIn: string | null;
}

export interface FirstSight {
  /** When the trigger's period began; `once` for one that fires once. */
  period: string;
  at: string;
}

/** What our own store says about an account. */
export interface Known {
  /** Undefined for an account that was never swept. */
  memory: AccountMemory | undefined;
  /** ISO 8601 UTC; null when it never was. */
  lastReactivatedAt: string | null;
  open: OpenIncident | undefined;
}

export interface OpenIncident {
  incident: Incident;
  /** Whether the account's live calls still have to be ended. */
  callsDue: boolean;
}

export const NOTHING_KNOWN: Known = { memory: undefined, lastReactivatedAt: null, open: undefined };

/** Whether the account should not be able to spend: it was suspended, and nobody has brought it back yet. */
export function isContained({ open }: Known): boolean {
  return open?.incident.state === "suspended" || open?.incident.state === "reactivating";
}
