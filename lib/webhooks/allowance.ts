import type { Clock } from "../clock.ts";

/** So many requests in a stretch of time, wherever it begins, and no more. */
export interface Allowance {
  /** Whether one more may be made now; if so, it counts. */
  take(): boolean;
  /** The last one that was taken does not count after all. */
  giveBack(): void;
}

export function allowance(clock: Clock, { most, withinMs }: { most: number; withinMs: number }): Allowance {
  let taken: number[] = [];
  return {
    take() {
      const now = clock.now().getTime();
      taken = taken.filter((at) => now - at < withinMs);
      if (taken.length >= most) return false;
      taken.push(now);
      return true;
    },
    giveBack() {
      taken.pop();
    },
  };
}
