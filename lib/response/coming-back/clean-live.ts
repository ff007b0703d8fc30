import { guardAnew } from "./guard-anew.ts";
import type { Progress, Step } from "./journey.ts";
import { narrowCountries } from "./narrow-countries.ts";
import { deleteNewKeys } from "./new-keys.ts";
import { rotateAuthToken } from "./rotate-auth-token.ts";

/**
 * The token first: whoever has the old one could undo the rest. Then what was done with it while it worked, because a
 * changed token locks out no API key and brings back no usage trigger.
 */
const STEPS: readonly Step[] = [rotateAuthToken, deleteNewKeys, guardAnew, narrowCountries];

/**
 * What only the account's own credentials can do, and they answer 401 until it is active; and another look at what has
 * to be as it was while it was suspended. A failure here suspends the account again.
 */
export const cleanLive: Step = async (journey, record) => {
  let progress: Progress = { kind: "on", record };
  for (const step of STEPS) {
    if (progress.kind !== "on") break;
    progress = await step(journey, progress.record);
  }
  return progress;
};
