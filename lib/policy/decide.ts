import type { Signal } from "../inbox/messages.ts";
import type { AlertedBecause, IncidentState } from "../incidents/incident.ts";

/** What to do about a signal, and why, in words that go into the incident's history. */
export type Verdict =
  | { kind: "suspend"; reason: string }
  /** Tell people, and touch nothing. */
  | { kind: "alert"; reason: string; about: "alerted" | "not-understood"; because: AlertedBecause | null }
  /** It belongs to a story that is being told already: write it down there. */
  | { kind: "join"; reason: string };

export interface Circumstances {
  /** The state of the account's open incident; null when it has none. */
  state: IncidentState | null;
  /** ISO 8601 UTC; null when the account was never reactivated. */
  lastReactivatedAt: string | null;
  parentSid: string;
  mode: "enforce" | "observe";
}

/** Pure and total: the same signal in the same circumstances always gets the same verdict. The order is the policy. */
export function decide(signal: Signal, { state, lastReactivatedAt, parentSid, mode }: Circumstances): Verdict {
  if (isContained(state)) return { kind: "join", reason: "the account is already contained" };
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

/** One alert per incident: where people know already, a further signal joins. */
function tell(
  state: IncidentState | null,
  about: "alerted" | "not-understood",
  because: AlertedBecause | null,
  reason: string,
): Verdict {
  return state === null || state === "open" ? { kind: "alert", about, because, reason } : { kind: "join", reason };
}

/** Twilio can deliver late and again. A firing without a readable time counts as new: better once too often. */
function isOldNews(signal: Extract<Signal, { kind: "usage-trigger" }>, lastReactivatedAt: string | null): boolean {
  if (lastReactivatedAt === null) return false;
  return Date.parse(signal.firedAt ?? signal.receivedAt) < Date.parse(lastReactivatedAt);
}

function summary({ usageCategory, triggerBy, currentValue, triggerValue }: Extract<Signal, { kind: "usage-trigger" }>) {
  return `${usageCategory} by ${triggerBy} reached ${currentValue}, over its limit of ${triggerValue}`;
}
