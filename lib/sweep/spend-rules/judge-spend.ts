import { approximate, plainDecimal } from "../../decimal.ts";
import type { Rate, SpendRule, Spike } from "../../policy/policy.ts";
import { HOUR, type Hour, hoursUpTo } from "./hours.ts";
import { type Reading, readSamples, type SpendSample } from "./sample.ts";
import { type Stretch, stretchesOf } from "./stretches.ts";
import { usualHour } from "./usual-hour.ts";

/** What a rule says about an account now. Amounts are decimal strings, with six decimals at most. */
export type Judgement =
  /** Too little is known. */
  | { kind: "silent"; why: string }
  | { kind: "quiet"; thisHour: string; usual: string | null }
  | {
      kind: "tripped";
      /** What was spent in the 60 minutes up to the last sample. */
      thisHour: string;
      /** What the account usually spends in an hour; null for a rate, which does not ask. */
      usual: string | null;
      /** How many times that is, with one decimal; null for a rate, or when nothing is usual. */
      times: number | null;
      /** In words, for alerts and the history. */
      why: string;
    };

/** Older, and it says nothing about now: the sweep comes every few minutes. */
const STALE = 30 * 60_000;

/**
 * Whether an account spends too fast. Pure: the same samples at the same time get the same judgement, in any order.
 *
 * @param samples of one limit of the account with the rule's category and `by`: an hour's for a rate, `over` and an
 *   hour's for a spike. They may be irregular, with gaps, and end before `now`
 */
export function judgeSpend(rule: SpendRule, samples: readonly SpendSample[], now: Date): Judgement {
  const readings = readSamples(samples, now);
  const last = readings.at(-1);
  if (last === undefined || readings.length < 2) return silent("fewer than two samples: nothing to compare");
  const age = now.getTime() - last.at;
  if (age > STALE) return silent(`the last sample is ${Math.floor(age / 60_000)} minutes old`);
  return rule.kind === "rate"
    ? judgeRate(rule, last, stretchesOf(readings))
    : judgeSpike(rule, last, stretchesOf(readings));
}

function silent(why: string): Judgement {
  return { kind: "silent", why };
}

function judgeRate({ at, category, by }: Rate, last: Reading, stretches: readonly Stretch[]): Judgement {
  const thisHour = amountOf(hoursUpTo(last.at, 1, stretches)[0]);
  if (thisHour < approximate(at)) return { kind: "quiet", thisHour: plainDecimal(thisHour), usual: null };
  const why = `${category} by ${by}: ${plainDecimal(thisHour)} within 60 minutes, its limit is ${at}`;
  return { kind: "tripped", thisHour: plainDecimal(thisHour), usual: null, times: null, why };
}

function judgeSpike(rule: Spike, last: Reading, stretches: readonly Stretch[]): Judgement {
  const [current, ...before] = hoursUpTo(last.at, 1 + Math.floor(rule.over / HOUR), stretches);
  const usual = usualHour(before);
  if (usual.kind === "unknown") {
    return silent(`${usual.seen} of the ${usual.needed} hours have been seen that it takes to tell what is usual`);
  }
  const [thisHour, usually] = [amountOf(current), rounded(usual.amount)];
  const amounts = { thisHour: plainDecimal(thisHour), usual: plainDecimal(usually) };
  if (thisHour < approximate(rule.atLeast) || thisHour < rule.times * usually) return { kind: "quiet", ...amounts };
  const times = usually === 0 ? null : Math.round((thisHour / usually) * 10) / 10;
  return { kind: "tripped", ...amounts, times, why: whySpike(rule, amounts, times) };
}

function whySpike({ category, by }: Spike, amounts: { thisHour: string; usual: string }, times: number | null): string {
  const much = times === null ? "where nothing is usual" : `${times} times what is usual (${amounts.usual})`;
  return `${category} by ${by}: ${amounts.thisHour} within 60 minutes, ${much}`;
}

function amountOf(hour: Hour | undefined): number {
  return rounded(hour?.amount ?? 0);
}

function rounded(amount: number): number {
  return Math.round(amount * 1e6) / 1e6;
}
