import { LATE_MS } from "../../policy/period.ts";
import type { Reading } from "./sample.ts";

/** What was spent from one reading to the next. Times are milliseconds since the epoch. */
export interface Stretch {
  from: number;
  to: number;
  amount: number;
}

export function stretchesOf(readings: readonly Reading[]): Stretch[] {
  return readings.slice(1).flatMap((next, index) => {
    const last = readings[index];
    return last === undefined ? [] : [stretch(last, next)];
  });
}

/** Of two readings, one after the other. Whenever there is a doubt, the smaller amount. */
function stretch(last: Reading, next: Reading): Stretch {
  const grown = { from: last.at, to: next.at, amount: Math.max(0, next.value - last.value) };
  const isEarly = next.at - next.since <= LATE_MS;
  // A correction by Twilio makes a value fall a little, in the middle of a period: nothing was spent. Soon after the
  // period began, it is the old period's value that goes at last.
  if (next.since === last.since) return next.value < last.value && isEarly ? { ...grown, amount: next.value } : grown;
  // The old period's value, still there: had it begun again from zero, it would hardly be as high so soon.
  if (next.value >= last.value && isEarly) return grown;
  return { from: Math.max(last.at, periodOf(next, last)), to: next.at, amount: next.value };
}

/** What was spent from the last reading to the end of its period is not known: of a short time it is left out. */
function periodOf(next: Reading, last: Reading): number {
  return next.since - last.at > LATE_MS ? next.since : last.at;
}
