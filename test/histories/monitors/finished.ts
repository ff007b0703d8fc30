import { recordsIn } from "../core.ts";
import { isEnforced, nameOf } from "./about.ts";
import type { MakeMonitor } from "./monitor.ts";

/** Longer than this, and a message may be put aside for a person: it was tried again and again, in vain. */
const LONG_MS = 4 * 60_000;

/**
 * Invariants 2, 4 and 7: in the end nothing is left in a queue, every story has come to a state that waits for a person or
 * for nobody, and a containment that failed was tried until it worked.
 */
export const finished: MakeMonitor = (world, violated) => {
  const { queues, table, time, twilio } = world;
  let longestOutage = 0;
  const outSince = new Map<string, number>();
  return {
    watch(seen) {
      if (seen.what !== "outage") return;
      if (seen.isOn) return void outSince.set(seen.of, outSince.get(seen.of) ?? time.now());
      longestOutage = Math.max(longestOutage, time.now() - (outSince.get(seen.of) ?? time.now()));
      outSince.delete(seen.of);
    },
    atTheEnd() {
      for (const queue of [queues.inbox, queues.followUp])
        for (const { body, receives } of queue.messages())
          violated("stuck-queue", `${queue.name}, received ${receives} times: ${body.slice(0, 200)}`);
      if (longestOutage < LONG_MS)
        for (const queue of [queues.inboxDeadLetters, queues.followUpDeadLetters])
          for (const { body } of queue.messages()) violated("given-up", `${queue.name}: ${body.slice(0, 200)}`);
      for (const { incident } of recordsIn(table)) {
        const { state, failure, accountSid } = incident;
        const name = nameOf(world, accountSid);
        if (state === "open" || state === "reactivating") violated("unfinished", `${name} is ${state}`);
        const canBe = twilio.known(accountSid).status === "active" && isEnforced(world.policy(), accountSid);
        if (state === "failed" && canBe) violated("containment-ended", `${name} is failed: ${failure?.message}`);
      }
    },
  };
};
