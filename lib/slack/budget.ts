import type { Clock } from "../clock.ts";
import { type InTime, inTime } from "./in-time.ts";

/** Slack wants its answer within three seconds; some of them pass on the way, and in a cold start. */
const WHOLE_MS = 2300;
/** Beyond this, one of our own reads won't answer either. */
const ONE_MS = 1500;

/** The time that is left to answer one request. */
export interface Budget {
  /** @param reserve milliseconds that have to be left afterwards. */
  spend<T>(work: Promise<T>, reserve?: number): Promise<InTime<T>>;
}

export function budgetFrom(clock: Clock): Budget {
  const end = clock.now().getTime() + WHOLE_MS;
  return {
    spend: (work, reserve = 0) => inTime(work, Math.min(ONE_MS, end - reserve - clock.now().getTime())),
  };
}
