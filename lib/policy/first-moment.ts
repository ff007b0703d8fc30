/**
 * A table that is empty (a new deployment, another region, a table that was lost) knows nothing of what was dealt with
 * before: who was suspended, and whom people brought back. So what fired before the table's first moment suspends nobody by
 * itself. Only Twilio's own DateFired makes a firing that old: no account can give itself one.
 */

/** So long after it fired, a webhook may still be on its way, or be tried again. */
export const ON_ITS_WAY_MS = 90_000;
/** Before there is a first moment on record, a webhook is believed while its firing is this young. */
const YOUNG_MS = 10 * 60_000;

/**
 * From when on a firing is news to us, in milliseconds since the epoch; without a first moment on record, the last minutes.
 * DateFired has whole seconds: what fired within the second of the first moment may have fired after it, and is news.
 * @param firstMoment ISO 8601 UTC
 */
export function newsSince(firstMoment: string | null, now: Date): number {
  return firstMoment === null ? now.getTime() - YOUNG_MS : Math.floor(Date.parse(firstMoment) / 1000) * 1000;
}

/**
 * Whether a webhook tells of a firing that is too old for it. What fired in the seconds before the first moment reaches us
 * after it, and is news.
 * @param firstMoment ISO 8601 UTC; null before there is one on record
 */
export function isTooOldToBelieve(firedAt: number, receivedAt: string, firstMoment: string | null): boolean {
  const since = firstMoment === null ? Date.parse(receivedAt) - YOUNG_MS : Date.parse(firstMoment) - ON_ITS_WAY_MS;
  return firedAt < since;
}

/** From when on an account is judged anew, and what it had used by then, by measure and by `guardKey`: decimal strings. */
export interface Anchor {
  /** ISO 8601 UTC. */
  at: string;
  passed: Readonly<Record<string, string>>;
}

export interface Anchored {
  /** ISO 8601 UTC; null when it never was. */
  lastReactivatedAt: string | null;
  passed: Readonly<Record<string, string>>;
}

/**
 * An account whose limit had fired before the first moment counts as one that came back in it: its limit's own trigger will
 * not fire again in its period, so the same guards watch it, and the same spend is old.
 */
export function anchoredAt(reactivated: Anchored, before: Anchor | null): Anchored {
  const { lastReactivatedAt } = reactivated;
  if (before === null || (lastReactivatedAt !== null && lastReactivatedAt >= before.at)) return reactivated;
  return { lastReactivatedAt: before.at, passed: before.passed };
}
