import { isDecimal, withoutTrailingZeros } from "../decimal.ts";
import { isMoney } from "../incidents/counted.ts";
import type { Trip } from "../incidents/incident.ts";
import { defanged } from "./plain-text.ts";

/** An exact decimal for people: `"1000.500000"` is `1,000.5`. What is no decimal is shown as it came. */
export function decimal(text: string): string {
  if (!isDecimal(text)) return defanged(text, 40) || "an unreadable amount";
  const [whole = "0", fraction] = withoutTrailingZeros(text).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** @param currency ISO 4217; null where it is not known. */
export function money(text: string, currency: string | null): string {
  // 60.5 reads as 60.50 when it is money; more digits than two are kept, because they are what Twilio said.
  const amount = decimal(text).replace(/\.(\d)$/, ".$10");
  return currency === null ? amount : `${amount} ${defanged(currency, 10)}`;
}

type Unit = Pick<Trip, "triggerBy" | "usageCategory">;

/** One of a trip's numbers, in the unit that its trigger counts. */
export function measured(trip: Unit, value: string, currency: string | null): string {
  return isMoney(trip) ? money(value, currency) : `${decimal(value)} ${unitOf(trip)}`;
}

function unitOf(trip: Unit): string {
  if (/^(sms|mms)/.test(trip.usageCategory)) return "messages";
  if (/^calls/.test(trip.usageCategory)) return trip.triggerBy === "count" ? "calls" : "minutes";
  return "units";
}
