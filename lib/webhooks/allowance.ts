import type { Clock } from "../clock.ts";

/** So many requests in any sixty seconds, and no more. */
export interface Allowance {
  /** Whether one more may be made now; if so, it counts. */
  take(): boolean;
}

const MINUTE_MS = 60_000;

export function allowance(clock: Clock, perMinute: number): Allowance {
  let taken: number[] = [];
  return {
    take() {
      const now = clock.now().getTime();
      taken = taken.filter((at) => now - at < MINUTE_MS);
      if (taken.length >= perMinute) return false;
      taken.push(now);
      return true;
    },
  };
}
