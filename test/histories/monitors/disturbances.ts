import type { Part, PlannedFault } from "../world/faults.ts";
import type { Observers } from "../world/seen.ts";
import type { Time } from "../world/time.ts";

/** When something went wrong that a monitor makes allowance for. */
export interface Disturbances {
  /** Whether something did within the last so many milliseconds, or one of `parts` is out, or was then. */
  within(milliseconds: number, parts: readonly Part[]): boolean;
}

/** @param counts which faults are allowed for */
export function disturbances(
  time: Time,
  seen: Observers,
  counts: (fault: PlannedFault & { part: Part }) => boolean,
): Disturbances {
  let lastFaultAt = Number.NEGATIVE_INFINITY;
  /** Until when a part was out: infinity while it is. */
  const outUntil = new Map<Part, number>();
  seen.watch((one) => {
    if (one.what === "fault" && counts(one.fault)) lastFaultAt = time.now();
    if (one.what === "run-ended" && one.how === "killed") lastFaultAt = time.now();
    if (one.what === "outage") outUntil.set(one.of, one.isOn ? Number.POSITIVE_INFINITY : time.now());
  });
  return {
    within(milliseconds, parts) {
      const since = time.now() - milliseconds;
      const wasOut = parts.some((part) => (outUntil.get(part) ?? Number.NEGATIVE_INFINITY) >= since);
      return lastFaultAt >= since || wasOut;
    },
  };
}
