import * as z from "zod/mini";
import { plainDecimal } from "../decimal.ts";
import type { Answer, TwilioClient } from "./client.ts";
import { accountPath } from "./paths.ts";

const amount = z.union([z.string(), z.number()]);

/** https://www.twilio.com/docs/usage/api/usage-record; amounts come as JSON numbers or strings, depending on the age of the API. */
const UsagePage = z.object({
  usage_records: z.array(
    z.object({
      category: z.string(),
      count: z.nullish(amount),
      usage: z.nullish(amount),
      price: z.nullish(amount),
      price_unit: z.nullish(z.string()),
    }),
  ),
});

/** Today's (GMT) usage of one category; amounts are decimal strings, null where Twilio gives none. */
export interface UsageToday {
  count: string | null;
  usage: string | null;
  price: string | null;
  /** ISO 4217, upper case; what the price is in. */
  currency: string | null;
}

/**
 * Today's (GMT) usage of one category of one account; undefined when Twilio lists nothing for it.
 * The numbers lag behind reality by minutes, sometimes more; Twilio promises no bound.
 */
export async function readUsageToday(
  twilio: TwilioClient,
  accountSid: string,
  category: string,
  timeoutMs: number,
): Promise<Answer<UsageToday | undefined>> {
  const query = new URLSearchParams({ Category: category });
  const path = `${accountPath(accountSid, "Usage", "Records", "Today")}?${query}`;
  const answer = await twilio.send({ path, answer: UsagePage, timeoutMs });
  if (answer.kind === "failed") return answer;
  const record = answer.body.usage_records.find((candidate) => candidate.category === category);
  if (record === undefined) return { kind: "ok", body: undefined };
  const { count, usage, price, price_unit } = record;
  const currency = price_unit?.toUpperCase() ?? null;
  return { kind: "ok", body: { count: text(count), usage: text(usage), price: text(price), currency } };
}

export interface SpendToday {
  currency: string;
  /** Decimal string. */
  price: string;
}

/** As `readUsageToday`, for who only wants the money. */
export async function readSpendToday(
  twilio: TwilioClient,
  accountSid: string,
  category: string,
  timeoutMs: number,
): Promise<Answer<SpendToday | undefined>> {
  const answer = await readUsageToday(twilio, accountSid, category, timeoutMs);
  if (answer.kind === "failed") return answer;
  const { price = null, currency = null } = answer.body ?? {};
  return { kind: "ok", body: price === null || currency === null ? undefined : { currency, price } };
}

// A JSON number such as 1e-7 is a decimal like any other, and `String` would not write it as one.
function text(value: string | number | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : plainDecimal(value);
}
