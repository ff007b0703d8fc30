import { HOUR, type Hour } from "./hours.ts";

/** What an account usually spends in an hour, or how much is still to be seen before that can be told. */
export type UsualHour = { kind: "known"; amount: number } | { kind: "unknown"; seen: number; needed: number };

/** From a quarter of the time on, a median says what is usual; and a day has to be seen with its night. */
const LEAST_SHARE = 0.25;
const LEAST_HOURS = 24;
/** So much of an hour has to be known for it to count. */
const MOSTLY = 0.75 * HOUR;

/** Fewer active hours than one in so many are exceptions, perhaps an earlier attack: not what is usual. */
const SELDOM = 20;

/**
 * What is usual of an active hour, or at this time of the day: whichever is more. Most accounts sleep for more than half
 * of the day: by the median of all hours every morning would be a spike. docs/performance.md has the figures.
 *
 * @param before the hours before this one, the latest first
 */
export function usualHour(before: readonly Hour[]): UsualHour {
  const needed = Math.max(LEAST_HOURS, Math.ceil(before.length * LEAST_SHARE));
  const known = before.filter(isKnown);
  if (known.length < needed) return { kind: "unknown", seen: known.length, needed };
  return { kind: "known", amount: Math.max(activeHour(known), atThisTimeOfDay(before)) };
}

function isKnown({ known }: Hour): boolean {
  return known >= MOSTLY;
}

function activeHour(known: readonly Hour[]): number {
  const active = known.filter(({ amount }) => amount > 0);
  return active.length * SELDOM >= known.length ? median(active.map(({ amount }) => amount)) : 0;
}

/** Of each earlier day the busiest of three hours: nobody opens to the minute. */
function atThisTimeOfDay(before: readonly Hour[]): number {
  const days = Array.from({ length: Math.floor(before.length / 24) }, (_, day) => 24 * (day + 1));
  // The first of `before` began one hour before this one.
  const around = days.map((ago) => before.slice(ago - 2, ago + 1).filter(isKnown));
  return median(
    around.filter((hours) => hours.length > 0).map((hours) => Math.max(...hours.map(({ amount }) => amount))),
  );
}

/** Of nothing: 0. */
function median(amounts: readonly number[]): number {
  const sorted = [...amounts].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 0 ? ((sorted[middle - 1] ?? 0) + upper) / 2 : upper;
}
