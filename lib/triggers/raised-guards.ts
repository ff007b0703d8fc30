import { compare, isDecimal, subtract } from "../decimal.ts";
import type { Policy } from "../policy/policy.ts";
import { allowanceOf, type GuardCounts, guardCountOf, guardKey } from "../policy/probation.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { isGuardOf } from "./guards.ts";
import { periodOf } from "./wanted.ts";

interface Ending {
  accountSid: string;
  /** The limit that is no longer raised. */
  limit: string;
  /** What its account's guards count from. */
  counts: GuardCounts;
}

/**
 * Pure. What the guards of an account count from once one of its limits is no longer raised: what the account was allowed to
 * spend under the raise must not fire a guard that allows less again. The very same `counts` where nothing changes.
 * @param triggers as Twilio lists them: a guard's own present value counts
 * @param policy as it is without raises
 */
export function countsAfterRaise(
  { accountSid, limit: name, counts }: Ending,
  triggers: readonly UsageTrigger[],
  policy: Policy,
  now: Date,
): GuardCounts {
  const limit = Object.hasOwn(policy.limits, name) ? policy.limits[name] : undefined;
  if (limit === undefined) return counts;
  const count = guardCountOf(name, policy, counts, now);
  const present = triggers.find(
    (one) =>
      isGuardOf(one, name) &&
      one.usageCategory === limit.category &&
      one.triggerBy === limit.by &&
      periodOf(one) === "" &&
      isDecimal(one.currentValue),
  )?.currentValue;
  if (count === undefined || present === undefined) return counts;
  const allowed = allowanceOf(name, limit, accountSid, policy, count.share);
  if (compare(subtract(present, count.base), allowed) < 0) return counts;
  const { passed, interims } = counts;
  const key = guardKey(name, { usageCategory: limit.category, triggerBy: limit.by });
  const { interim } = count;
  return interim === undefined
    ? { ...counts, passed: { ...passed, [key]: present } }
    : { ...counts, interims: { ...interims, [key]: { ...interim, base: present } } };
}
