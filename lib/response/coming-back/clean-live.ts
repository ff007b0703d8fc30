import type { IncidentRecord } from "../../incidents/change.ts";
import { endWindowCalls } from "./end-window-calls.ts";
import { guardAnew } from "./guard-anew.ts";
import { type Journey, mayGoOn, type Progress, reactivationOf, type Step } from "./journey.ts";
import { narrowCountries } from "./narrow-countries.ts";
import { deleteNewKeys } from "./new-keys.ts";
import { rotateAuthToken } from "./rotate-auth-token.ts";
import { proveUnrouted, unrouteAnew } from "./unroute-anew.ts";

/**
 * The token first: whoever has the old one could undo the rest. Then what was done with it while it worked, because a
 * changed token locks out no API key, ends no call and brings back no usage trigger.
 */
const STEPS: readonly Step[] = [deleteNewKeys, guardAnew, unrouteAnew, endWindowCalls, narrowCountries];

/** What was done in the last moment of the old token, lists may have shown too late. */
const LAST_STEPS: readonly Step[] = [deleteNewKeys, endWindowCalls, proveUnrouted];
const LISTED_AFTER_MS = 5000;
/** Of the time that is left then, for the last look itself. */
const LAST_LOOK_SHARE = 0.5;

/**
 * What only the account's own credentials can do, and they answer 401 until it is active; and another look at what has
 * to be as it was while it was suspended. A failure here suspends the account again.
 */
export const cleanLive: Step = async (journey, record) => {
  const rotated = await rotateAuthToken(journey, record);
  const locked = { ...journey, lockedOutAt: journey.responder.clock.now().getTime() };
  const cleaned = await inTurn(STEPS, locked, rotated);
  if (cleaned.kind !== "on") return cleaned;
  await pauseForLists(locked, cleaned.record);
  return inTime(locked, await inTurn(LAST_STEPS, locked, cleaned));
};

/** A last look that the time did not suffice for is no reason to take the account back: the next delivery looks. */
function inTime(journey: Journey, last: Progress): Progress {
  const { clock, deadline } = journey.until;
  const isLate = clock.now().getTime() >= deadline;
  return last.kind === "failed" && isLate && mayGoOn(journey) ? { ...last, kind: "later" } : last;
}

async function inTurn(steps: readonly Step[], journey: Journey, start: Progress): Promise<Progress> {
  let progress = start;
  for (const step of steps) {
    if (progress.kind !== "on") break;
    progress = await step(journey, progress.record);
  }
  return progress;
}

/** Only where the token is another one now: whoever has one that works can do it all again. */
async function pauseForLists({ until }: Journey, record: IncidentRecord): Promise<void> {
  if (!reactivationOf(record).cleanup.includes("auth-token")) return;
  const left = until.deadline - until.clock.now().getTime();
  await until.clock.sleep(Math.max(0, Math.min(LISTED_AFTER_MS, left * LAST_LOOK_SHARE)));
}
