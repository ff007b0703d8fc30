import { type Raises, raisedPolicy } from "../policy/raise.ts";
import { bringInOrder } from "../triggers/apply.ts";
import { planTriggers } from "../triggers/plan.ts";
import { wantedTriggers } from "../triggers/wanted.ts";
import type { Until } from "../twilio/backoff.ts";
import type { Responder } from "./responder.ts";
import { limitedTo } from "./time-limit.ts";

/**
 * Gives one limit of an account the usage trigger of the value that counts now: a trigger's value can't be changed, so the
 * new one is made before the old one goes. An account that carries none of this limit is left to the sweep, which knows
 * why. So is whatever fails here: `decide` goes by the value that counts, whatever the triggers say.
 */
export async function arrangeLimit(
  responder: Responder,
  { accountSid, limit, raises }: { accountSid: string; limit: string; raises: Raises },
  until: Until,
): Promise<void> {
  const { publicUrl, clock, log } = responder;
  const policy = raisedPolicy(responder.policy, accountSid, raises, clock.now());
  const wanted = wantedTriggers(policy, accountSid, publicUrl).filter((one) => one.limit === limit);
  // A rate is the sweep's to watch.
  if (wanted.length === 0) return;
  const names = new Set(wanted.map(({ friendlyName }) => friendlyName));
  const ordered = await bringInOrder(
    limitedTo(responder.twilio, until),
    accountSid,
    (existing) => {
      const carried = existing.filter(({ friendlyName }) => names.has(friendlyName));
      return planTriggers(accountSid, carried, carried.length === 0 ? [] : wanted);
    },
    until,
  );
  if (ordered.kind === "failed") log.warn("limit-not-arranged", { accountSid, limit, reason: ordered.why });
}
