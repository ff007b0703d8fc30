import * as z from "zod/mini";
import { plainDecimal } from "../decimal.ts";

/** Amounts come as JSON numbers or as strings, depending on the age of the API. */
export const Amount = z.nullish(z.union([z.string(), z.number()]));

/** A decimal string; null where Twilio gave none. */
export function amountOf(value: z.infer<typeof Amount>): string | null {
  if (value === null || value === undefined) return null;
  // A JSON number such as 1e-7 is a decimal like any other, and `String` would not write it as one.
  return typeof value === "string" ? value : plainDecimal(value);
}
