import type { UsageTriggerSignal } from "../inbox/messages.ts";
import type { Policy } from "../policy/policy.ts";
import { doesSuspend, maySuspend } from "../policy/stands-for.ts";

/** Whoever holds the account's token can make as many triggers as Twilio allows: what waits must not grow with them. */
export const MOST_AT_ONCE = 10;

/**
 * Pure. Of what was found on one account's list of triggers, what to put into the inbox now. The rest is on the list still,
 * and found by the next look, or by the next sweep.
 */
export function mostUrgent(found: readonly UsageTriggerSignal[], policy: Policy, now: Date): UsageTriggerSignal[] {
  return byUrgency(found, policy, now).slice(0, MOST_AT_ONCE);
}

/** Pure. What suspends by its own rule first, then what may: a warning must not hold up the suspension. */
export function byUrgency(signals: readonly UsageTriggerSignal[], policy: Policy, now: Date): UsageTriggerSignal[] {
  const rank = (signal: UsageTriggerSignal) =>
    doesSuspend(signal, policy, now) ? 0 : maySuspend(signal, policy, now) ? 1 : 2;
  return signals.toSorted((one, other) => rank(one) - rank(other));
}
