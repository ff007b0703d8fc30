import { allTime, type Days, dayOf, thisMonth, thisYear, today } from "./gmt.ts";
import type { Micros } from "./money.ts";
import type { Account, UsageTrigger } from "./state.ts";
import { usageOf } from "./usage.ts";

/** What of an account's usage a trigger watches. */
export type Watch = Pick<UsageTrigger, "usageCategory" | "triggerBy" | "recurring">;

/** The value that Twilio compares with the TriggerValue: the usage of the running period, in millionths. */
export function currentValue(account: Account, { usageCategory, triggerBy, recurring }: Watch, now: Date): Micros {
  const { count, usage, price } = usageOf(account.ledger, usageCategory, watchedDays(recurring, now));
  switch (triggerBy) {
    case "count":
      return count * 1_000_000;
    case "usage":
      return usage;
    case "price":
      return price;
  }
}

/** "A trigger will only fire once during each period. Recurring times are in GMT." */
export function hasFiredInThisPeriod({ dateFired, recurring }: UsageTrigger, now: Date): boolean {
  if (dateFired === null) return false;
  return dayOf(dateFired) >= watchedDays(recurring, now).first;
}

function watchedDays(recurring: UsageTrigger["recurring"], now: Date): Days {
  switch (recurring) {
    case "daily":
      return today(now);
    case "monthly":
      return thisMonth(now);
    case "yearly":
      return thisYear(now);
    case null:
      return allTime(now);
  }
}
