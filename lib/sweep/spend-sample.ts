import { compare } from "../decimal.ts";
import { measureOfLimit, RECURRING } from "../policy/measure.ts";
import { periodStart } from "../policy/period.ts";
import type { Limit } from "../policy/policy.ts";
import type { AccountMemory } from "./known.ts";
import type { SpendSample } from "./spend-rules/sample.ts";

/**
 * What an account had spent when it was read: the current value of each measure of the policy, not of each limit, because
 * limits of one measure (one warns, one suspends) show the same value, and a limit may get another measure one day.
 */
export interface Sample {
  /** ISO 8601 UTC. */
  at: string;
  /** Decimal strings by measure. */
  values: Readonly<Record<string, string>>;
}

/** A gap longer than two hours tells the spend rules nothing: an account that rests is looked at this often. */
const REST_MS = 55 * 60_000;

export interface Sampling {
  /** To be kept; undefined when there is nothing new. */
  sample: Sample | undefined;
  /** When something was last seen to have been spent, ISO 8601 UTC; null when nothing ever was. */
  spentAt: string | null;
}

/** Pure. @param isWatched whether the policy has spend rules, which need to know that nothing was spent, too */
export function takeSample(
  values: Readonly<Record<string, string>>,
  memory: AccountMemory | undefined,
  { isWatched, now }: { isWatched: boolean; now: Date },
): Sampling {
  const before = memory?.values ?? {};
  const at = now.toISOString();
  const hasSpent = Object.entries(values).some(([measure, value]) => isSpend(value, before[measure]));
  const rested = memory?.sampledAt == null ? Number.POSITIVE_INFINITY : now.getTime() - Date.parse(memory.sampledAt);
  const isDue = !isSame(values, before) || (isWatched && rested >= REST_MS);
  return {
    sample: isDue && Object.keys(values).length > 0 ? { at, values } : undefined,
    spentAt: hasSpent ? at : (memory?.spentAt ?? null),
  };
}

// The first sight of a value says nothing about when it was spent. A smaller one is of a new period, unless it is zero.
function isSpend(value: string, before: string | undefined): boolean {
  return before !== undefined && value !== before && compare(value, "0") > 0;
}

function isSame(values: Readonly<Record<string, string>>, before: Readonly<Record<string, string>>): boolean {
  const measures = new Set([...Object.keys(values), ...Object.keys(before)]);
  return [...measures].every((measure) => values[measure] === before[measure]);
}

/** One measure of the samples, as the spend rules read them. */
export function spendSamples(samples: readonly Sample[], limit: Limit): SpendSample[] {
  const measure = measureOfLimit(limit);
  return samples.flatMap(({ at, values }) => {
    const value = values[measure];
    const since = periodStart(RECURRING[limit.every], new Date(at))?.toISOString() ?? null;
    return value === undefined ? [] : [{ at, value, since }];
  });
}
