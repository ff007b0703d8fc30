import { nameOf } from "./about.ts";
import { disturbances } from "./disturbances.ts";
import type { MakeMonitor } from "./monitor.ts";

/** Of a second, what may stop is taken once for what fired just now, once for what did not, and once where that is doubtful. */
const STOPS_A_SECOND = 3;
/**
 * What only tells is taken once in five minutes, of each kind: old, below its limit, not understood, of no limit, and of each
 * limit that only alerts; and five minutes may begin in between.
 */
const NOTES = 2 * 5;
/** What the sweep asks for, found firings among it, and what was put back. */
const OWN = 6;
/** How long the messages of one account may wait for those before them, in seconds: the batch under way. */
const USUAL_WAIT_S = 2;
/** The same where a function died, or had to wait for Twilio. */
const LONGEST_WAIT_S = 60;

/**
 * Invariant 3, the door: however many webhooks somebody sends who can sign for an account, a handful of its messages wait.
 */
export const queueDepth: MakeMonitor = (world, violated) => {
  const { queues, time, seen: all } = world;
  const parts = ["twilio", "inbox", "store", "follow-up"] as const;
  const slow = disturbances(time, all, () => true);
  let commands = 0;
  return {
    watch(seen) {
      if (seen.what === "accepted") commands += 1;
      if (seen.what !== "webhook") return;
      const { accountSid } = seen.webhook;
      const depth = queues.inbox.messages().filter(({ group }) => group === accountSid).length;
      const waitS = slow.within(2 * LONGEST_WAIT_S * 1000, parts) ? LONGEST_WAIT_S : USUAL_WAIT_S;
      const most = STOPS_A_SECOND * (waitS + 1) + NOTES + OWN + commands;
      if (depth > most)
        violated("deep-queue", `${depth} messages of ${nameOf(world, accountSid)} wait, where ${most} may`);
    },
  };
};
