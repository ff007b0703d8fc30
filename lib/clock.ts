import { setTimeout as sleep } from "node:timers/promises";

/** Time as a dependency, so that tests own it. */
export interface Clock {
  now(): Date;
  /** Resolves after `milliseconds`; rejects at once when `signal` is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal && { signal }),
};
