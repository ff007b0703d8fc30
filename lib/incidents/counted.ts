import type { Incident, Trip } from "./incident.ts";

/** What tripped, as it was counted against the limit when it fired. */
export interface Counted {
  /** Twilio's names: https://www.twilio.com/docs/usage/api/usage-trigger */
  usageCategory: string;
  triggerBy: string;
  /** CurrentValue and TriggerValue, as they came: decimal strings, unless whoever signed for the account made them up. */
  currentValue: string;
  triggerValue: string;
  /** ISO 4217, of money; null where it counts something else, or Usage Records have not told it yet. */
  currency: string | null;
}

/** Null where no usage trigger tripped: a rule on errors, a person. */
export function countedOf({ trip, evidence }: Pick<Incident, "trip" | "evidence">): Counted | null {
  if (trip === null) return null;
  const { usageCategory, triggerBy, currentValue, triggerValue } = trip;
  return {
    ...{ usageCategory, triggerBy, currentValue, triggerValue },
    currency: isMoney(trip) ? (evidence?.currency ?? null) : null,
  };
}

/** Of the category totalprice, usage is the price: https://www.twilio.com/docs/usage/api/usage-record */
export function isMoney({ triggerBy, usageCategory }: Pick<Trip, "triggerBy" | "usageCategory">): boolean {
  return triggerBy === "price" || (usageCategory === "totalprice" && triggerBy === "usage");
}
