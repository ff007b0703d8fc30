import { withoutTrailingZeros } from "../decimal.ts";
import type { Signal, UsageTriggerSignal } from "../inbox/messages.ts";
import type { AlertedBecause, IncidentState } from "../incidents/incident.ts";

/** What to do about a signal, and why, in words that go into the incident's history. */
export type Verdict =
  | { kind: "suspend"; reason: string }
  /** It should be contained already, and yet it fired: make sure that it still is. */
  | { kind: "hold"; reason: string }
  /** Tell people, and touch nothing. */
  | { kind: "alert"; reason: string; about: "alerted" | "not-understood"; because: AlertedBecause | null }
  /** It belongs to a story that is being told already: write it down there. */
  | { kind: "join"; reason: string };

export interface Circumstances {
  /** The state of the account's open incident; null when it has none. */
  state: IncidentState | null;
  /** When that incident's account was suspended, ISO 8601 UTC; null when it was not. */
  suspendedAt: string | null;
  /** ISO 8601 UTC; null when the account was never reactivated. */
  lastReactivatedAt: string | null;
  parentSid: string;
  mode: "enforce" | "observe";
}

/** Pure and total: the same signal in the same circumstances always gets the same verdict. The order is the policy. */
export function decide(signal: Signal, circumstances: Circumstances): Verdict {
  const { state, lastReactivatedAt, parentSid, mode } = circumstances;
  if (isContained(state)) return whileContained(signal, circumstances);
  if (signal.kind === "not-understood")
    return tell(state, "not-understood", null, `signed, but not understood: ${signal.problem}`);
  if (signal.accountSid === parentSid) {
    return tell(state, "alerted", "parent-account", "the parent account cannot be suspended: a person is needed");
  }
  if (isOldNews(signal, lastReactivatedAt)) {
    return { kind: "join", reason: `fired before the account was reactivated at ${lastReactivatedAt}` };
  }
  if (mode === "observe") {
    return tell(state, "alerted", "observe-mode", `MODE=observe: would have suspended, ${summary(signal)}`);
  }
  return { kind: "suspend", reason: summary(signal) };
}

function isContained(state: IncidentState | null): boolean {
  return state === "suspended" || state === "reactivating";
}

/**
 * Somebody may have set the account active by hand, past us: then what fires after the suspension is new spend, and an
 * incident that says `suspended` is no proof. What fired before it is only late.
 */
function whileContained(signal: Signal, { state, suspendedAt, parentSid, mode }: Circumstances): Verdict {
  const isEnforced = mode === "enforce" && signal.accountSid !== parentSid;
  const isNew = signal.kind === "usage-trigger" && suspendedAt !== null && timeOf(signal) > Date.parse(suspendedAt);
  return isEnforced && isNew && state === "suspended"
    ? { kind: "hold", reason: `fired after the account was suspended: ${summary(signal)}` }
    : { kind: "join", reason: "the account is already contained" };
}

/** One alert per incident: where people know already, a further signal joins. */
function tell(
  state: IncidentState | null,
  about: "alerted" | "not-understood",
  because: AlertedBecause | null,
  reason: string,
): Verdict {
  return state === null || state === "open" ? { kind: "alert", about, because, reason } : { kind: "join", reason };
}

/**
 * Twilio can deliver late and again. DateFired has whole seconds: what fired within the second of the reactivation may
 * have fired after it, and counts as new. Better once too often.
 */
function isOldNews(signal: UsageTriggerSignal, lastReactivatedAt: string | null): boolean {
  return lastReactivatedAt !== null && timeOf(signal) < wholeSecond(Date.parse(lastReactivatedAt));
}

/** Milliseconds since the epoch; a firing without a readable time counts as fired when it came. */
function timeOf({ firedAt, receivedAt }: UsageTriggerSignal): number {
  return Date.parse(firedAt ?? receivedAt);
}

function wholeSecond(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}

function summary({ usageCategory, triggerBy, currentValue, triggerValue }: UsageTriggerSignal): string {
  const [reached, limit] = [currentValue, triggerValue].map(withoutTrailingZeros);
  return `${usageCategory} by ${triggerBy} reached ${reached}, its limit is ${limit}`;
}
