import type { Nudge } from "../inbox/nudges.ts";
import type { Policy } from "../policy/policy.ts";
import { type Raises, stageOf } from "../policy/raise.ts";

/** Pure. Raised limits whose time is over, or of which people are still to be told: the responder looks after all of an account at once. */
export function watchRaises(accountSid: string, raises: Raises, policy: Policy, now: Date): Nudge[] {
  const receivedAt = now.toISOString();
  const [first] = Object.values(raises).flatMap((raise) => {
    const stage = stageOf(raise, policy, now);
    // Asked for once in an hour, should it fail.
    return stage === undefined ? [] : [`raises:${stage}:${raise.command}:${receivedAt.slice(0, 13)}`];
  });
  return first === undefined ? [] : [{ kind: "raises", id: first, accountSid, receivedAt }];
}
