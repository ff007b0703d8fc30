import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";

/** https://www.twilio.com/docs/usage/api/usage-record; prices come as JSON numbers or strings, depending on the age of the API. */
const UsagePage = z.object({
  usage_records: z.array(
    z.object({
      category: z.string(),
      price: z.nullish(z.union([z.string(), z.number()])),
      price_unit: z.nullish(z.string()),
    }),
  ),
});

export interface SpendToday {
  /** ISO 4217, upper case. */
  currency: string;
  /** Decimal string. */
  price: string;
}

/**
 * Today's (GMT) price of one usage category of one account; undefined when Twilio lists nothing for it.
 * The numbers lag behind reality by minutes, sometimes more; Twilio promises no bound.
 */
export async function readSpendToday(
  twilio: TwilioClient,
  accountSid: string,
  category: string,
  timeoutMs: number,
): Promise<Answer<SpendToday | undefined>> {
  const query = new URLSearchParams({ Category: category });
  const path = `/2010-04-01/Accounts/${accountSid}/Usage/Records/Today.json?${query}`;
  const answer = await twilio.send({ path, answer: UsagePage, timeoutMs });
  if (answer.kind === "failed") return answer;
  const record = answer.body.usage_records.find((candidate) => candidate.category === category);
  if (record?.price == null || record.price_unit == null) return { kind: "ok", body: undefined };
  return { kind: "ok", body: { currency: record.price_unit.toUpperCase(), price: String(record.price) } };
}
