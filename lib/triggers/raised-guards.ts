import { compare, isDecimal, subtract } from "../decimal.ts";
import type { Policy } from "../policy/policy.ts";
import { allowanceOf, guardKey, probationEnd } from "../policy/probation.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { isGuardOf } from "./guards.ts";
import { periodOf } from "./wanted.ts";

interface Ending {
  accountSid: string;
  /** The limit that is no longer raised. */
  limit: string;
  /** What its account's guards count from, by `guardKey`. */
  passed: Readonly<Record<string, string>>;
  /** ISO 8601 UTC; null when it never was. */
  lastReactivatedAt: string | null;
}

/**
 * Pure. What the guards of a reactivated account count from once one of its limits is no longer raised: what the account was
 * allowed to spend under the raise must not fire a guard that allows less again.
 * @param triggers as Twilio lists them: a guard's own present value counts
 * @param policy as it is without raises
 */
export function basesAfterRaise(
  { accountSid, limit: name, passed, lastReactivatedAt }: Ending,
  triggers: readonly UsageTrigger[],
  policy: Policy,
  now: Date,
): Readonly<Record<string, string>> {
  const limit = Object.hasOwn(policy.limits, name) ? policy.limits[name] : undefined;
  if (limit === undefined || lastReactivatedAt === null) return passed;
  const measure = { usageCategory: limit.category, triggerBy: limit.by };
  const base = passed[guardKey(name, measure)];
  const present = triggers.find(
    (one) =>
      isGuardOf(one, name) &&
      one.usageCategory === limit.category &&
      one.triggerBy === limit.by &&
      periodOf(one) === "" &&
      isDecimal(one.currentValue),
  )?.currentValue;
  if (base === undefined || present === undefined) return passed;
  const share = now.getTime() <= probationEnd(lastReactivatedAt, policy) ? policy.probation.share : "1";
  const allowed = allowanceOf(name, limit, accountSid, policy, share);
  return compare(subtract(present, base), allowed) < 0 ? passed : { ...passed, [guardKey(name, measure)]: present };
}
