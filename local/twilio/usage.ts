import type { Days } from "./gmt.ts";
import type { Micros } from "./money.ts";

/** What an account used of one category. */
export interface Usage {
  /** Messages or calls. */
  count: number;
  /** What is billed: messages or minutes. */
  usage: Micros;
  price: Micros;
}

/** All of an account's usage: by GMT day, then by category. */
export type Ledger = Map<string, Map<string, Usage>>;

/** Twilio's category for the sum of everything. */
export const TOTAL_PRICE = "totalprice";

/**
 * Categories overlap: an SMS from a long code counts as sms, sms-outbound and sms-outbound-longcode.
 * https://www.twilio.com/docs/usage/api/usage-record#usage-categories
 */
export const SMS_CATEGORIES = ["sms", "sms-outbound", "sms-outbound-longcode"] as const;
export const SMS_INBOUND_CATEGORIES = ["sms", "sms-inbound", "sms-inbound-longcode"] as const;
export const CALL_CATEGORIES = ["calls", "calls-outbound"] as const;

/** Adds to each of `categories`, and to the total once. */
export function addUsage(ledger: Ledger, day: string, categories: readonly string[], amount: Usage): void {
  for (const category of categories) addTo(ledger, day, category, amount);
  if (!categories.includes(TOTAL_PRICE)) addToTotal(ledger, day, amount.price);
}

/** Makes every number of that day so many times as large: a mistake of the billing, not of the customer. */
export function multiplyUsage(ledger: Ledger, day: string, factor: number): void {
  for (const used of ledger.get(day)?.values() ?? []) {
    used.count = Math.round(used.count * factor);
    used.usage = Math.round(used.usage * factor);
    used.price = Math.round(used.price * factor);
  }
}

/** What the account used of `category` on these days. */
export function usageOf(ledger: Ledger, category: string, { first, last }: Days): Usage {
  const sum = nothing();
  for (const [day, categories] of ledger) {
    const used = categories.get(category);
    if (used !== undefined && day >= first && day <= last) addInPlace(sum, used);
  }
  return sum;
}

/** Every category with any usage at all. */
export function usedCategories(ledger: Ledger): Set<string> {
  return new Set([...ledger.values()].flatMap((categories) => [...categories.keys()]));
}

// Of totalprice Twilio says that the usage is the price and the count is empty.
function addToTotal(ledger: Ledger, day: string, price: Micros): void {
  addTo(ledger, day, TOTAL_PRICE, { count: 0, usage: price, price });
}

function addTo(ledger: Ledger, day: string, category: string, amount: Usage): void {
  const categories = ledger.get(day) ?? new Map<string, Usage>();
  const used = categories.get(category) ?? nothing();
  addInPlace(used, amount);
  ledger.set(day, categories.set(category, used));
}

function addInPlace(sum: Usage, amount: Usage): void {
  sum.count += amount.count;
  sum.usage += amount.usage;
  sum.price += amount.price;
}

const nothing = (): Usage => ({ count: 0, usage: 0, price: 0 });
