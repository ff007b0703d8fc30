import { isDecimal } from "../decimal.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import type { Limit, Policy } from "./policy.ts";

/** What a limit counts. Limits of one measure (one warns, one suspends) show the same value, whatever they are called. */
type Measured = Pick<UsageTrigger, "usageCategory" | "triggerBy" | "recurring">;

/** `totalprice price daily`; `once` for a trigger that counts for ever. */
export function measureOf({ usageCategory, triggerBy, recurring }: Measured): string {
  return `${usageCategory} ${triggerBy} ${isOnce(recurring) ? "once" : recurring}`;
}

export const RECURRING: Readonly<Record<Limit["every"], UsageTrigger["recurring"]>> = {
  day: "daily",
  month: "monthly",
  year: "yearly",
  once: "",
};

export function measureOfLimit({ category, by, every }: Limit): string {
  return measureOf({ usageCategory: category, triggerBy: by, recurring: RECURRING[every] });
}

/** Pure. The value of each measure of the policy, from any trigger that shows it. */
export function valuesOf(triggers: readonly UsageTrigger[], { limits }: Policy): Record<string, string> {
  const wanted = new Set(Object.values(limits).map(measureOfLimit));
  // Twilio does not say whether a trigger that fires once counts on after that: one that has not fired is asked first.
  const lastWins = triggers.toSorted((one, other) => Number(isSpent(other)) - Number(isSpent(one)));
  const shown = lastWins.filter((trigger) => wanted.has(measureOf(trigger)) && isDecimal(trigger.currentValue));
  return Object.fromEntries(shown.map((trigger) => [measureOf(trigger), trigger.currentValue]));
}

function isSpent({ recurring, dateFired }: UsageTrigger): boolean {
  return isOnce(recurring) && dateFired !== null;
}

// "An empty value or a value of `alltime` reads non-recurring UsageTriggers."
function isOnce(recurring: string): boolean {
  return !["daily", "monthly", "yearly"].includes(recurring);
}
