import type { Clock } from "../../lib/clock.ts";

/**
 * Time that passes only while everybody waits for it: hours in no time, and in the same order on any machine. For code
 * that waits for nothing but this clock.
 */
export function virtualTime(start = 0): Clock {
  let now = start;
  let isRunning = false;
  const sleepers: { at: number; wake: () => void }[] = [];

  async function run(): Promise<void> {
    isRunning = true;
    for (;;) {
      // Until nothing that was woken has anything left to do.
      await new Promise((resolve) => setImmediate(resolve));
      const next = sleepers.reduce<(typeof sleepers)[number] | undefined>(
        (first, one) => (first === undefined || one.at < first.at ? one : first),
        undefined,
      );
      if (next === undefined) break;
      remove(next);
      now = Math.max(now, next.at);
      next.wake();
    }
    isRunning = false;
  }

  function remove(sleeper: (typeof sleepers)[number]): void {
    const index = sleepers.indexOf(sleeper);
    if (index >= 0) sleepers.splice(index, 1);
  }

  return {
    now: () => new Date(now),
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const sleeper = { at: now + milliseconds, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener("abort", () => {
          remove(sleeper);
          resolve();
        });
        if (!isRunning) void run();
      }),
  };
}
