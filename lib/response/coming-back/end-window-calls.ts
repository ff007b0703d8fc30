import { undone } from "../../incidents/coming-back.ts";
import { endCallsBegunBy } from "../end-calls.ts";
import { reactivationOf, type Step } from "./journey.ts";

/** By then its auth token is another one, or it is suspended again. */
const WINDOW_MS = 30_000;

/**
 * Another look at its live calls, where its token was to be changed or its calls were to be ended: whoever had the token
 * when it became active could begin some, and a changed token ends none. Those that begin later are its customer's.
 */
export const endWindowCalls: Step = async (journey, record) => {
  const { cleanup, activatedAt } = reactivationOf(record);
  if (activatedAt === null || !(cleanup.includes("auth-token") || cleanup.includes("live-calls"))) {
    return { kind: "on", record };
  }
  const { responder, twilio, accountSid, until, lockedOutAt } = journey;
  const { store, clock } = responder;
  const end = Math.min(lockedOutAt ?? clock.now().getTime(), Date.parse(activatedAt) + WINDOW_MS);
  const { ended, why } = await endCallsBegunBy(twilio, accountSid, end, until);
  if (why !== undefined) {
    return { kind: "failed", record, why: `calls that began while it was becoming active could not be ended: ${why}` };
  }
  if (ended === 0) return { kind: "on", record };
  const said = `${ended === 1 ? "1 call that began" : `${ended} calls that began`} while it was becoming active`;
  const what = {
    what: "window-calls-ended",
    why: `${said} ${ended === 1 ? "was" : "were"} ended`,
    count: ended,
  } as const;
  const now = clock.now();
  return { kind: "on", record: await store.change(record, (known) => undone(known, what, now)) };
};
