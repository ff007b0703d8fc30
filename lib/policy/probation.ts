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

/**
 * What a limit's guard counts from where the account was left running with the limit's own trigger spent: dismissed, no
 * longer exempt, no longer observed, active past us. Like what a reactivation leaves, and it is replaced by one.
 */
export interface InterimCount {
  /** From when on, ISO 8601 UTC; it counts until the limit's period is over. */
  since: string;
  /** Decimal string; null until the guard's value was read back. */
  base: string | null;
}

/** By `guardKey`. */
export type InterimCounts = Readonly<Record<string, InterimCount>>;

/** What is known of how an account's guards count. */
export interface GuardCounts {
  /** ISO 8601 UTC; null when the account was never reactivated. */
  lastReactivatedAt: string | null;
  /** What had been used by then, by measure, and what its guards count from, by `guardKey`: decimal strings. */
  passed: Readonly<Record<string, string>>;
  interims: InterimCounts;
}

/** The interim count of a limit that is in force; undefined where there is none, or a reactivation came after it. */
export function interimOf(
  name: string,
  limit: Limit,
  { lastReactivatedAt, interims }: Pick<GuardCounts, "lastReactivatedAt" | "interims">,
): InterimCount | undefined {
  const interim = interims[guardKey(name, { usageCategory: limit.category, triggerBy: limit.by })];
  if (interim === undefined) return undefined;
  return lastReactivatedAt !== null && interim.since <= lastReactivatedAt ? undefined : interim;
}

/**
 * What the guard of a limit counts from, and which share of the limit it allows; undefined where that is not known.
 * `interim` where it stands for a spent limit without a reactivation.
 */
export function guardCountOf(
  name: string,
  policy: Policy,
  counts: GuardCounts,
  now: Date,
): { base: string; share: string; interim: InterimCount | undefined } | undefined {
  const limit = Object.hasOwn(policy.limits, name) ? policy.limits[name] : undefined;
  if (limit === undefined) return undefined;
  const { lastReactivatedAt, passed } = counts;
  const interim = interimOf(name, limit, counts);
  if (interim !== undefined) return interim.base === null ? undefined : { base: interim.base, share: "1", interim };
  const base = passed[guardKey(name, { usageCategory: limit.category, triggerBy: limit.by })];
  if (lastReactivatedAt === null || base === undefined) return undefined;
  const share = now.getTime() <= probationEnd(lastReactivatedAt, policy) ? policy.probation.share : "1";
  return { base, share, interim };
}

/** What guards count from, by `guardKey`: the later of what the reactivation and what an interim count says. */
export function guardBases({ limits }: Policy, counts: GuardCounts): Record<string, string> {
  const interims = Object.entries(limits).flatMap(([name, limit]) => {
    const base = interimOf(name, limit, counts)?.base ?? null;
    return base === null ? [] : [[guardKey(name, { usageCategory: limit.category, triggerBy: limit.by }), base]];
  });
  return { ...counts.passed, ...Object.fromEntries(interims) };
}

/**
 * When the period ends that `time` lies in, in milliseconds since the epoch; Infinity for what never begins again.
 * "Recurring times are in GMT."
 */
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
  { accountSid, ...signal }: Pick<UsageTriggerSignal, "accountSid" | "recurring" | keyof Valued>,
  bases: Readonly<Record<string, string>>,
  policy: Policy,
): string | undefined {
  const isOnce = signal.recurring === "" || signal.recurring === "alltime";
  if (!isOnce) return undefined;
  return Object.keys(policy.limits).find((name) => hasGuardValue(name, signal, { accountSid, policy, bases }));
}

interface Valued {
  usageCategory: string;
  triggerBy: string;
  triggerValue: string;
}

/** Whether it has the value that a guard of this limit has, by what that counts from. */
export function hasGuardValue(
  name: string,
  { usageCategory, triggerBy, triggerValue }: Valued,
  { accountSid, policy, bases }: { accountSid: string; policy: Policy; bases: Readonly<Record<string, string>> },
): boolean {
  const limit = policy.limits[name];
  const base = bases[guardKey(name, { usageCategory, triggerBy })];
  if (limit === undefined || base === undefined || !isDecimal(triggerValue)) return false;
  const isWatched = limit.then === "suspend" && limit.category === usageCategory && limit.by === triggerBy;
  const values = [policy.probation.share, "1"].map((share) =>
    sum([base, allowanceOf(name, limit, accountSid, policy, share)]),
  );
  return isWatched && values.some((value) => compare(value, triggerValue) === 0);
}
