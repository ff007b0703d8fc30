import type { TimelineEntry, Trip } from "../../incidents/incident.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Found } from "./judge-restoration.ts";

/** What tripped an account beside `rules`, in words: it may be no false alarm. */
export function otherFirings({ incident, timeline }: Found, rules: readonly string[], policy: Policy): string[] {
  const firings = timeline.filter(({ what }) => what === "opened" || what === "signal-joined");
  const measures = [...measuresOf(rules, policy), ...(rules.includes(incident.rule) ? [incident.trip] : [])];
  const others = firings.filter((entry) => !isOf(entry, rules, measures)).map(wordsFor);
  return [...new Set(others)];
}

type Measure = Pick<Trip, "usageCategory" | "triggerBy">;

function measuresOf(rules: readonly string[], { limits }: Policy): Measure[] {
  const own = rules.flatMap((name) => (Object.hasOwn(limits, name) ? [limits[name]] : []));
  return own.flatMap((limit) => (limit === undefined ? [] : [{ usageCategory: limit.category, triggerBy: limit.by }]));
}

/** A line of a usage trigger has its numbers, and no limit's name: what is measured tells whether it is one of these rules. */
function isOf({ detail }: TimelineEntry, rules: readonly string[], measures: readonly (Measure | null)[]): boolean {
  const { rule, usageCategory, triggerBy } = detail;
  if (typeof rule === "string") return rules.includes(rule);
  if (usageCategory === undefined) return true;
  return measures.some((measure) => measure?.usageCategory === usageCategory && measure.triggerBy === triggerBy);
}

function wordsFor({ detail: { rule, usageCategory, triggerBy } }: TimelineEntry): string {
  return typeof rule === "string" ? rule : `${usageCategory} by ${triggerBy}`;
}
