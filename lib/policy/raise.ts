import { compare, isDecimal, multiply, sum } from "../decimal.ts";
import type { Road } from "../inbox/commands.ts";
import { measureOfLimit, RECURRING } from "./measure.ts";
import { isEarly, LATE_MS, periodStart } from "./period.ts";
import type { Limit, Policy, SpendRule } from "./policy.ts";
import { periodEnd } from "./probation.ts";
import { ownValueFor } from "./rule-for.ts";

/**
 * A limit of one account that an operator raised for a while, without a deployment. Times are ISO 8601 UTC, amounts
 * decimal strings.
 */
export interface Raise {
  /** The command that asked for it. */
  command: string;
  accountSid: string;
  /** The limit's name in the policy. */
  limit: string;
  /** What it was in that moment. */
  from: string;
  to: string;
  until: string;
  operator: string;
  road: Road;
  reason: string;
  /** When it was asked for. */
  at: string;
  /** Null while it is in force, and after `until` as long as nobody has ended it. */
  ended: RaiseEnd | null;
  /** What people have not been told yet. */
  due: "raised" | "ended" | null;
}

export interface RaiseEnd {
  at: string;
  /** Who took it back early; null where its time was over. */
  operator: string | null;
  reason: string | null;
  /** What had been used of the limit in its period; null where nobody could tell. */
  spent: string | null;
  /** Where that is not below the policy's value: what the limit is for the rest of its period. */
  rest: { to: string; until: string } | null;
}

/** Of one account, by limit. */
export type Raises = Readonly<Record<string, Raise>>;

const HOUR_MS = 3600_000;

/** What the policy says of a limit that may be raised, by its name. */
export type Raisable =
  | { kind: "limit"; limit: Limit; value: string }
  | { kind: "rate"; value: string }
  | { kind: "refused"; why: string };

/** Pure. Whether a limit can be raised for a while, and what it is for this account without a raise. */
export function raisableLimit(name: string, accountSid: string, policy: Policy): Raisable {
  const limit = own(policy.limits, name);
  const rule = own(policy.rates, name);
  if (limit !== undefined && limit.every === "once") {
    return {
      kind: "refused",
      why: "it is counted once and for ever (every: once), so what is spent under a raise would never be over",
    };
  }
  if (limit !== undefined) return { kind: "limit", limit, value: ownValueFor(accountSid, name, limit, policy) };
  if (rule?.kind === "rate") return { kind: "rate", value: ownValueFor(accountSid, name, rule, policy) };
  return {
    kind: "refused",
    why:
      rule === undefined
        ? "the policy has no limit of this name"
        : "it is a spike, which compares an account with itself",
  };
}

/** The names of all that can be raised. */
export function raisableNames(policy: Policy): string[] {
  const isWatchedAnew = ([, rule]: [string, Limit | SpendRule]) =>
    !("kind" in rule) ? rule.every !== "once" : rule.kind === "rate";
  return [...Object.entries(policy.limits), ...Object.entries(policy.rates)]
    .filter(isWatchedAnew)
    .map(([name]) => name);
}

/** The most that a limit of this value may be raised to. */
export function ceilingOf(value: string, { raise }: Policy): string {
  return multiply(value, String(raise.times));
}

/**
 * Pure. The policy as it holds for one account now, its raised limits included. Whatever of a raise cannot be, or cannot be
 * any more, is left out, so that the policy's own value counts: it never lowers a limit, and never passes the ceiling that
 * the policy has by now.
 * @param lateMs for so long after its end a raise counts that nobody has ended yet: only where triggers are arranged, so
 * that a trigger of the policy's value is not made before it is known what was spent under the raise
 */
export function raisedPolicy(policy: Policy, accountSid: string, raises: Raises, now: Date, lateMs = 0): Policy {
  // It is so already.
  if (policy.rests?.[accountSid] !== undefined) return policy;
  const parts = Object.values(raises).map((raise) => partOf(raise, accountSid, policy, now.getTime() - lateMs));
  const raised = Object.fromEntries(parts.flatMap((part) => (part?.kind === "raised" ? [part.entry] : [])));
  const rests = Object.fromEntries(parts.flatMap((part) => (part?.kind === "rest" ? [part.entry] : [])));
  if (Object.keys(raised).length + Object.keys(rests).length === 0) return policy;
  const before = Object.hasOwn(policy.accounts, accountSid) ? policy.accounts[accountSid] : {};
  return {
    ...policy,
    accounts: { ...policy.accounts, [accountSid]: { ...before, ...raised } },
    rests: { [accountSid]: rests },
  };
}

interface Part {
  kind: "raised" | "rest";
  entry: [name: string, value: string];
}

function partOf(raise: Raise, accountSid: string, policy: Policy, time: number): Part | undefined {
  const { limit: name, to, ended } = raise;
  const raisable = raise.accountSid === accountSid ? raisableLimit(name, accountSid, policy) : undefined;
  if (raisable === undefined || raisable.kind === "refused") return undefined;
  const { value } = raisable;
  const raised = (at: string): Part => ({ kind: "raised", entry: [name, at] });
  const left = (at: string): Part => ({ kind: "rest", entry: [name, at] });
  const bounded = (wanted: string) => least(wanted, ceilingOf(value, policy));
  const part = ended === null ? raised(bounded(to)) : ended.rest && left(bounded(ended.rest.to));
  const isOver = time >= endOf(raise, policy);
  return part === null || isOver || compare(part.entry[1], value) <= 0 ? undefined : part;
}

/** Until when a raise, or what is left of it, counts, in milliseconds since the epoch. */
function endOf({ at, until, ended }: Raise, policy: Policy): number {
  if (ended !== null) return ended.rest === null ? 0 : Date.parse(ended.rest.until);
  return Math.min(Date.parse(until), Date.parse(at) + policy.raise.for);
}

/**
 * Pure. How a raise ends: an account that has used more by then than the policy allows it would be suspended for what it
 * was allowed to spend. So for the rest of the period its limit is what it has used and the policy's value on top, and never
 * more than it was raised to. From the next period on it is the policy's.
 * @param spent of the limit in its period; null where nobody could tell: then the policy's value counts
 */
export function restOf(raise: Raise, spent: string | null, policy: Policy, now: Date): RaiseEnd["rest"] {
  const raisable = raisableLimit(raise.limit, raise.accountSid, policy);
  if (raisable.kind !== "limit" || spent === null || !isDecimal(spent)) return null;
  const { limit, value } = raisable;
  if (compare(spent, value) < 0) return null;
  // What is shown may be the value of the period before: that must not count for the whole of this one.
  const until = earlyUntil(limit, now) ?? periodEnd(limit.every, now);
  return { to: least(sum([spent, value]), raise.to), until: new Date(until).toISOString() };
}

/** Until when what is shown of the limit may be the value of the period before, in milliseconds since the epoch; undefined where it is not. */
function earlyUntil({ every }: Limit, now: Date): number | undefined {
  const start = periodStart(RECURRING[every], now);
  return start !== null && isEarly(RECURRING[every], now) ? start.getTime() + LATE_MS : undefined;
}

/** By which what was spent of the limit is found (`valuesOf`); undefined for what no usage trigger shows. */
export function measureOfRaise({ limit: name, accountSid }: Raise, policy: Policy): string | undefined {
  const raisable = raisableLimit(name, accountSid, policy);
  return raisable.kind === "limit" ? measureOfLimit(raisable.limit) : undefined;
}

/** What is to be done about a raise. `end`: its time is over. `tell`: people are not told yet. `forget`: nothing of it is left. */
export type RaiseStage = "end" | "tell" | "forget";

/** Pure. Undefined where nothing is. */
export function stageOf(raise: Raise, policy: Policy, now: Date): RaiseStage | undefined {
  const time = now.getTime();
  if (raise.ended === null && time >= endOf(raise, policy) && !isEarlyFor(raise, policy, now)) return "end";
  if (raise.due !== null) return "tell";
  return raise.ended !== null && time >= leftUntil(raise.ended) ? "forget" : undefined;
}

function isEarlyFor({ limit: name, accountSid }: Raise, policy: Policy, now: Date): boolean {
  const raisable = raisableLimit(name, accountSid, policy);
  return raisable.kind === "limit" && earlyUntil(raisable.limit, now) !== undefined;
}

/**
 * What was spent within the hour before its end is no news to a rate. And a trigger of the policy's value that is made at
 * the beginning of a period may be shown the value of the one before, and fire for it.
 */
function leftUntil({ at, rest }: RaiseEnd): number {
  return Math.max(Date.parse(at) + HOUR_MS, rest === null ? 0 : Date.parse(rest.until) + LATE_MS);
}

/**
 * Pure. From when on what an account spends counts for a rate by the policy's own value again, ISO 8601 UTC; undefined where
 * no raise of it has ended within the hour.
 */
export function countedSince(raises: Raises, name: string, policy: Policy, now: Date): string | undefined {
  const raise = own(raises, name);
  if (raise === undefined) return undefined;
  const at = raise.ended?.at ?? new Date(endOf(raise, policy)).toISOString();
  const age = now.getTime() - Date.parse(at);
  return age >= 0 && age < HOUR_MS ? at : undefined;
}

function least(one: string, other: string): string {
  return compare(one, other) <= 0 ? one : other;
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
