import { compare, isDecimal, multiply, roundUp, sum } from "../decimal.ts";
import type { UsageTriggerSignal } from "../inbox/messages.ts";
import type { Limit, Policy } from "./policy.ts";
import { ownValueFor } from "./rule-for.ts";

/** When an account that was reactivated then (ISO 8601 UTC) is no longer on probation, in milliseconds since the epoch. */
export function probationEnd(lastReactivatedAt: string, { probation }: Policy): number {
  return Date.parse(lastReactivatedAt) + probation.for;
}

/**
 * Until when a limit has a guard, in milliseconds since the epoch. "A UsageTrigger will fire once (at most) during its
 * recurring interval": one that tripped before the reactivation watches again only when its next period begins, and one
 * that fires once never, so its guard stays for good (Infinity).
 * https://www.twilio.com/docs/usage/api/usage-trigger
 */
export function guardEnd({ every }: Pick<Limit, "every">, lastReactivatedAt: string, policy: Policy): number {
  return Math.max(probationEnd(lastReactivatedAt, policy), periodEnd(every, new Date(lastReactivatedAt)));
}

/** When the period ends that `time` lies in, in milliseconds since the epoch. "Recurring times are in GMT." */
export function periodEnd(every: Limit["every"], time: Date): number {
  const [year, month, day] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()];
  switch (every) {
    case "day":
      return Date.UTC(year, month, day + 1);
    case "month":
      return Date.UTC(year, month + 1);
    case "year":
      return Date.UTC(year + 1, 0);
    case "once":
      return Number.POSITIVE_INFINITY;
  }
}

/** By which is kept what a limit's guard counts from: its TriggerValue less what the limit allows on top. */
export function guardKey(limit: string, of: { usageCategory: string; triggerBy: string }): string {
  return `guard of ${limit}: ${of.usageCategory} ${of.triggerBy}`;
}

/** What a limit allows an account beyond what it had used when it came back: `share` of the limit, a decimal string. */
export function allowanceOf(name: string, limit: Limit, accountSid: string, policy: Policy, share: string): string {
  // Things are counted in whole ones; money and minutes have six decimals at Twilio.
  return roundUp(multiply(ownValueFor(accountSid, name, limit, policy), share), limit.by === "count" ? 0 : 6);
}

/**
 * The limit whose guard this is by its numbers, as the reactivation made it; undefined where they are no guard's. Whoever
 * holds the account's auth token can write another limit into a guard's address; the numbers are Twilio's.
 * @param bases what guards count from, by `guardKey`
 */
export function guardedLimit(
  { accountSid, usageCategory, triggerBy, triggerValue, recurring }: UsageTriggerSignal,
  bases: Readonly<Record<string, string>>,
  policy: Policy,
): string | undefined {
  const isOnce = recurring === "" || recurring === "alltime";
  if (!isOnce || !isDecimal(triggerValue)) return undefined;
  const guarded = Object.entries(policy.limits).find(([name, limit]) => {
    const base = bases[guardKey(name, { usageCategory, triggerBy })];
    const isWatched = limit.then === "suspend" && limit.category === usageCategory && limit.by === triggerBy;
    if (base === undefined || !isWatched) return false;
    const values = [policy.probation.share, "1"].map((share) =>
      sum([base, allowanceOf(name, limit, accountSid, policy, share)]),
    );
    return values.some((value) => compare(value, triggerValue) === 0);
  });
  return guarded?.[0];
}
