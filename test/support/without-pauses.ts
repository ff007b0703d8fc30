import { setImmediate as othersBegin } from "node:timers/promises";
import { vi } from "vitest";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { letPass } from "./shifted-date.ts";

/**
 * The system's time, but a mere pause is over at once: `Date` says in this process that it has gone by. What is waited for
 * beside something else, such as an answer, takes its time.
 */
export const withoutPauses: Clock = {
  now: systemClock.now,
  async sleep(milliseconds, signal) {
    // Only who waits for something else, too, can be told to wait no longer.
    if (signal !== undefined) return systemClock.sleep(milliseconds, signal);
    const end = Date.now() + milliseconds;
    // Pauses that begin together go by together.
    await othersBegin();
    const left = Math.max(0, end - Date.now());
    if (vi.isFakeTimers()) vi.setSystemTime(Date.now() + left);
    else letPass(left);
  },
};
