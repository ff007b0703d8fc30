import type { Rate, Spike } from "../lib/policy/policy.ts";
import { judgeSpend } from "../lib/sweep/spend-rules/judge-spend.ts";
import type { SpendSample } from "../lib/sweep/spend-rules/sample.ts";
import type { Effort } from "./effort.ts";
import { median } from "./median.ts";
import { type Row, row } from "./row.ts";
import { chanceFrom, type History, makeHistories, STEPS_A_DAY, STEPS_AN_HOUR } from "./spend-histories.ts";

/** Money that an attacker spends in an hour, on top of what is ordinary. */
const ATTACKS = [30, 100, 1000];
/** Days from which the limits are chosen, as docs/policy.md advises; then comes what is measured. */
const DAYS_BEFORE = 28;
/** An attack is given up after a day, seen or not. */
const PATIENCE = STEPS_A_DAY;
const MONTH = 30;

const MEASURE = { category: "totalprice", by: "price", then: "suspend" } as const;
/** As in policy.yml. */
const SPIKE: Spike = { kind: "spike", ...MEASURE, times: 8, over: 7 * 24 * 60 * 60_000, atLeast: "20" };

const RULES = ["fixed daily limit", "rate", "spike"] as const;
type RuleName = (typeof RULES)[number];

/** What was spent up to the beginning of each step. */
type Totals = readonly number[];
/** Whether a rule trips at the end of this step. */
type Watch = (totals: Totals, step: number) => boolean;
type Watches = Readonly<Record<RuleName, Watch>>;

/** How early each kind of limit sees an attack, what is lost by then, and how often it cries wolf. */
export function measureSpendRules({ histories: count, days }: Effort): Row[] {
  const histories = makeHistories(count, DAYS_BEFORE + days);
  const watched = withLimits(histories);
  return [...ATTACKS.flatMap((perHour) => attackRows(perHour, watched, days)), ...falseAlarmRows(watched, days)];
}

interface Watched {
  history: History;
  watches: Watches;
}

/** Three times the busiest ordinary day, or hour, of the account in the middle; larger ones have values of their own. */
function withLimits(histories: readonly History[]): Watched[] {
  const busiest = (steps: number) =>
    histories.map(({ spent }) => busiestOf(spent.slice(0, DAYS_BEFORE * STEPS_A_DAY), steps));
  const [days, hours] = [busiest(STEPS_A_DAY), busiest(STEPS_AN_HOUR)];
  const [aDay, anHour] = [3 * median(days), 3 * median(hours)];
  return histories.map((history, index) => {
    const daily = Math.max(aDay, 3 * (days[index] ?? 0));
    const rate: Rate = { kind: "rate", ...MEASURE, at: Math.max(anHour, 3 * (hours[index] ?? 0)).toFixed(6) };
    return { history, watches: watchesFor(daily, rate) };
  });
}

function watchesFor(daily: number, rate: Rate): Watches {
  return {
    "fixed daily limit": (totals, step) => sumOf(totals, dayBegin(step), step) >= daily,
    rate: (totals, step) => trips(rate, totals, step),
    // Below that it can't trip, whatever is usual: nothing to reckon.
    spike: (totals, step) =>
      sumOf(totals, step - STEPS_AN_HOUR + 1, step) >= Number(SPIKE.atLeast) && trips(SPIKE, totals, step),
  };
}

function trips(rule: Rate | Spike, totals: Totals, step: number): boolean {
  return (
    judgeSpend(rule, samplesAt(totals, step, rule.kind === "rate" ? 0 : SPIKE.over), new Date(timeOf(step))).kind ===
    "tripped"
  );
}

/** What the sweep keeps: every reading of two hours, and one of each hour before. */
function samplesAt(totals: Totals, step: number, over: number): SpendSample[] {
  const recent = Array.from({ length: 2 * STEPS_AN_HOUR }, (_, ago) => step - ago);
  const lastHourly = Math.floor((step - 2 * STEPS_AN_HOUR) / STEPS_AN_HOUR) * STEPS_AN_HOUR - 1;
  const hourly = Array.from({ length: over / 3_600_000 }, (_, ago) => lastHourly - ago * STEPS_AN_HOUR);
  return [...recent, ...hourly].filter((each) => each >= 0).map((each) => sampleAt(totals, each));
}

function sampleAt(totals: Totals, step: number): SpendSample {
  return {
    at: new Date(timeOf(step)).toISOString(),
    value: sumOf(totals, dayBegin(step), step).toFixed(6),
    since: new Date(EPOCH + dayBegin(step) * STEP).toISOString(),
  };
}

function attackRows(perHour: number, watched: readonly Watched[], days: number): Row[] {
  const seen = watched.map((each, index) => seenAfter(perHour, each, beginOf(index, days)));
  const of = (rule: RuleName) => seen.map((each) => each[rule]);
  const minutes = (rule: RuleName) => median(of(rule)) * 5;
  const money = (rule: RuleName) => (mean(of(rule)) * perHour) / STEPS_AN_HOUR;
  return (["rate", "spike"] as const).flatMap((rule) => [
    compare(`attack of ${perHour} an hour: seen by ${rule} after`, "minutes", minutes, rule),
    compare(`attack of ${perHour} an hour: lost before ${rule} saw it`, "of money", money, rule),
  ]);
}

function compare(measure: string, unit: Row["unit"], of: (rule: RuleName) => number, rule: RuleName): Row {
  return row({ measure, unit, ours: of(rule), peer: { name: RULES[0], value: of(RULES[0]) } });
}

/** At any time of any measured day, the same in every run. */
function beginOf(index: number, days: number): number {
  return Math.floor((DAYS_BEFORE + chanceFrom(1000 + index)() * (days - 1)) * STEPS_A_DAY);
}

/** Steps from the beginning of the attack until each rule tripped. */
function seenAfter(perHour: number, { history, watches }: Watched, begin: number): Record<RuleName, number> {
  const totals = totalsOf(
    history.spent.map((amount, step) => (step >= begin ? amount + perHour / STEPS_AN_HOUR : amount)),
  );
  const after = (watch: Watch) => {
    for (let steps = 1; steps < PATIENCE; steps++) if (watch(totals, begin + steps - 1)) return steps;
    return PATIENCE;
  };
  return {
    "fixed daily limit": after(watches["fixed daily limit"]),
    rate: after(watches.rate),
    spike: after(watches.spike),
  };
}

function falseAlarmRows(watched: readonly Watched[], days: number): Row[] {
  return RULES.map((rule) => {
    const alarms = watched.map(({ history, watches }) => daysWithAlarm(history, watches[rule], days));
    return row({
      measure: `false alarms of an account: ${rule}`,
      unit: "a month",
      ours: (mean(alarms) / days) * MONTH,
    });
  });
}

/** Of one day there is one alarm, however often the rule would trip on it. */
function daysWithAlarm({ spent }: History, watch: Watch, days: number): number {
  const totals = totalsOf(spent);
  const all = Array.from({ length: days }, (_, day) => (DAYS_BEFORE + day) * STEPS_A_DAY);
  return all.filter((begin) => stepsFrom(begin).some((step) => watch(totals, step))).length;
}

function stepsFrom(begin: number): number[] {
  return Array.from({ length: STEPS_A_DAY }, (_, step) => begin + step);
}

const STEP = 5 * 60_000;
/** A Monday. */
const EPOCH = Date.parse("2026-01-05T00:00:00.000Z");

/** When the step ends, and the sweep reads. */
function timeOf(step: number): number {
  // A little before the full five minutes, so that a day's last reading is one of that day.
  return EPOCH + (step + 1) * STEP - 1000;
}

function dayBegin(step: number): number {
  return Math.floor(step / STEPS_A_DAY) * STEPS_A_DAY;
}

function busiestOf(spent: readonly number[], steps: number): number {
  const totals = totalsOf(spent);
  const begins = Array.from({ length: Math.floor(spent.length / steps) }, (_, index) => index * steps);
  return Math.max(...begins.map((begin) => sumOf(totals, begin, begin + steps - 1)));
}

function totalsOf(spent: readonly number[]): Totals {
  let total = 0;
  return [0, ...spent.map((amount) => (total += amount))];
}

/** From the beginning of one step to the end of another. */
function sumOf(totals: Totals, first: number, last: number): number {
  return (totals[last + 1] ?? 0) - (totals[Math.max(0, first)] ?? 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
