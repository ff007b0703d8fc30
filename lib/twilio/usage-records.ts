import * as z from "zod/mini";
import { Amount, amountOf } from "./amount.ts";
import type { Answer, TwilioClient } from "./client.ts";
import { accountPath } from "./paths.ts";

/** https://www.twilio.com/docs/usage/api/usage-record */
const UsagePage = z.object({
  usage_records: z.array(
    z.object({
      category: z.string(),
      count: Amount,
      usage: Amount,
      price: Amount,
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
  const currency = price_unit?.toUpperCase() || null;
  return { kind: "ok", body: { count: amountOf(count), usage: amountOf(usage), price: amountOf(price), currency } };
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
