import type { Stretch } from "./stretches.ts";

/** One of the hours up to a moment, the latest of them first. */
export interface Hour {
  amount: number;
  /** Milliseconds of it for which it is known well enough when something was spent. */
  known: number;
}

export const HOUR = 60 * 60_000;
/** A longer stretch does not tell in which of its hours something was spent: it says nothing about what is usual. */
const LONGEST = 2 * HOUR;

/**
 * The `count` hours up to `end`. What was spent in a stretch is shared out evenly: then no hour gets more than was
 * truly spent within some hour of the stretch, so that a gap in the readings never makes a peak.
 */
export function hoursUpTo(end: number, count: number, stretches: readonly Stretch[]): Hour[] {
  const hours = Array.from({ length: count }, (): Hour => ({ amount: 0, known: 0 }));
  for (const stretch of stretches) shareOut(stretch, end, hours);
  return hours;
}

function shareOut({ from, to, amount }: Stretch, end: number, hours: readonly Hour[]): void {
  const length = to - from;
  // The latest hour that the stretch reaches into, and then back in time.
  for (let index = Math.max(0, Math.floor((end - to) / HOUR)); end - index * HOUR > from; index++) {
    const hour = hours[index];
    if (hour === undefined) return;
    const overlap = Math.min(to, end - index * HOUR) - Math.max(from, end - (index + 1) * HOUR);
    if (overlap <= 0) continue;
    hour.amount += (amount * overlap) / length;
    if (length <= LONGEST) hour.known += overlap;
  }
}
