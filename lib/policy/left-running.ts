import { compare, isDecimal, withoutTrailingZeros } from "../decimal.ts";
import type { AlertedBecause, Incident } from "../incidents/incident.ts";
import { exemptionOf } from "./exemption.ts";
import { measureOf, measureOfLimit } from "./measure.ts";
import type { Policy } from "./policy.ts";
import { effectOf, valueFor } from "./rule-for.ts";

/**
 * Pure. Why the policy, as it is by now, leaves the account of an incident running that is to be suspended after all;
 * undefined where it does not. Whoever takes up what was decided before asks this first: the same questions as `decide`,
 * in its order.
 */
export function whyLeftRunning(
  { accountSid, rule, trip }: Pick<Incident, "accountSid" | "rule" | "trip">,
  policy: Policy,
  { parentSid, now }: { parentSid: string; now: Date },
): { because: AlertedBecause; reason: string } | undefined {
  if (accountSid === parentSid) return { because: "parent-account", reason: "the parent account cannot be suspended" };
  const allowed = allowedBy(rule, accountSid, trip, policy);
  if (allowed !== undefined) return { because: "rule", reason: `the policy allows this account ${allowed} by now` };
  if (effectOf(rule, policy) === "alert")
    return { because: "rule", reason: `the policy only alerts of ${rule} by now` };
  const exemption = exemptionOf(accountSid, policy, now);
  if (exemption !== undefined) return { because: "exempt", reason: `the policy exempts the account: ${exemption}` };
  if (policy.mode === "observe") return { because: "observe-mode", reason: "in observe mode nothing is suspended" };
  return undefined;
}

/** The account's limit, where it was raised above what tripped. A guard counts otherwise, and is of another measure. */
function allowedBy(rule: string, accountSid: string, trip: Incident["trip"], policy: Policy): string | undefined {
  const limit = Object.hasOwn(policy.limits, rule) ? policy.limits[rule] : undefined;
  if (limit === undefined || trip === null || !isDecimal(trip.currentValue)) return undefined;
  if (measureOf(trip) !== measureOfLimit(limit)) return undefined;
  const at = valueFor(accountSid, rule, limit, policy);
  return limit.every !== "once" && compare(trip.currentValue, at) < 0 ? withoutTrailingZeros(at) : undefined;
}
