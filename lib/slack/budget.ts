import type { Clock } from "../clock.ts";
import { type InTime, inTime } from "../in-time.ts";

/** Slack wants its answer within three seconds; some of them pass on the way, and in a cold start. */
const WHOLE_MS = 2300;
/** Beyond this, one of our own reads won't answer either. */
const ONE_MS = 1500;

/** The time that is left to answer one request. */
export interface Budget {
  /**
   * Starts `work`, unless no time is left, and waits for it as long as there is. Its signal is aborted once it is late:
   * Lambda freezes us after the answer, and what was not given up would go on with the next request.
   * @param reserve milliseconds that have to be left afterwards.
   */
  spend<T>(work: (signal: AbortSignal) => Promise<T>, reserve?: number): Promise<InTime<T>>;
}

export function budgetFrom(clock: Clock): Budget {
  const end = clock.now().getTime() + WHOLE_MS;
  return {
    async spend(work, reserve = 0) {
      const left = Math.min(ONE_MS, end - reserve - clock.now().getTime());
      if (left <= 0) return { kind: "late" };
      const giveUp = new AbortController();
      const spent = await inTime(work(giveUp.signal), left);
      if (spent.kind === "late") giveUp.abort();
      return spent;
    },
  };
}
