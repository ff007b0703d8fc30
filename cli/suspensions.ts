import type { IncidentStory } from "./incident-view.ts";

/** When the account was suspended, and became active past Tollbreaker in between: ISO 8601 UTC, oldest first. */
export interface Suspensions {
  first: string | null;
  again: readonly string[];
  /** When it was seen to be active. */
  foundActive: readonly string[];
}

/** From the history: the incident itself keeps the last one only. */
export function suspensionsOf({ timeline, suspendedAt }: IncidentStory): Suspensions {
  const lines = timeline.filter(isSuspension).map(({ at }) => at);
  const [first = suspendedAt, ...again] = lines;
  const seen = timeline.filter(({ what }) => what === "found-active").map(({ at }) => at);
  // Somebody may have asked for a suspension before the sweep came by: that is when it was seen then.
  const unseen = again.filter((at, index) => !seen.some((one) => one > (lines[index] ?? "") && one <= at));
  return { first, again, foundActive: [...seen, ...unseen].toSorted() };
}

/** A line that only says that it was suspended already has no `by`. */
export function isSuspension({ what, detail }: IncidentStory["timeline"][number]): boolean {
  return what === "suspended" && detail["by"] !== undefined;
}

/**
 * How long it took from the signal, or the request, that the incident shows to the suspension that answered it: the first
 * one since. In milliseconds, null where a time is not known.
 */
export function lagsOf(incident: IncidentStory): IncidentStory["lags"] {
  const { receivedAt, firedAt, lags } = incident;
  const { first, again } = suspensionsOf(incident);
  const answered = again.length === 0 ? undefined : [first, ...again].find((at) => at !== null && at >= receivedAt);
  if (answered === undefined || answered === null) return lags;
  const since = (at: string | null) => (at === null ? null : Date.parse(answered) - Date.parse(at));
  return { ...lags, receivedToSuspended: since(receivedAt), firedToSuspended: since(firedAt) };
}
