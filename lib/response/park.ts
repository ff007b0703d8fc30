import { messageOf } from "../errors.ts";
import type { Parked } from "../inbox/follow-up.ts";
import { MOST_TRIES, type Responder } from "./responder.ts";
import { STOP, type Urgency } from "./urgency.ts";

export type Parking = Omit<Parked, "kind"> & { urgency: Urgency };

const FIRST_WAIT_S = 1;
/** Money may be running out. */
const LONGEST_WAIT_S = 30;
const LONGEST_WAIT_OF_OTHERS_S = 900;

/**
 * Takes a message out of the inbox that could not be finished: it comes back later, and those behind it need not wait for
 * it. After many tries it is put aside for a person; what it was about is seen to by the sweep as long as its incident is open.
 * @returns false where that failed, too: SQS then hands it out again.
 */
export async function park(responder: Responder, { urgency, ...parking }: Parking): Promise<boolean> {
  const { followUps, log } = responder;
  const { group, tries, why } = parking;
  const parked: Parked = { kind: "parked", ...parking, why: why.slice(0, MOST_CHARACTERS) };
  try {
    if (tries >= MOST_TRIES) {
      await followUps.giveUp(parked);
      log.error("message-given-up", { group, tries, why });
      log.count("MessagesGivenUp", 1);
    } else {
      await followUps.put(parked, waitBefore(tries, urgency));
      log.warn("message-parked", { group, tries, why });
      log.count("MessagesParked", 1);
    }
    return true;
  } catch (error) {
    log.error("message-not-parked", { group, tries, reason: messageOf(error) });
    return false;
  }
}

const MOST_CHARACTERS = 2000;

/** Seconds: 1, 2, 4, ... */
function waitBefore(tries: number, urgency: Urgency): number {
  const longest = urgency === STOP.never ? LONGEST_WAIT_OF_OTHERS_S : LONGEST_WAIT_S;
  return Math.min(longest, FIRST_WAIT_S * 2 ** Math.max(0, tries - 1));
}
