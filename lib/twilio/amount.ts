import * as z from "zod/mini";
import { isDecimal, plainDecimal, plainText } from "../decimal.ts";

/** Amounts come as JSON numbers or as strings, depending on the age of the API; an odd one must not cost the whole answer. */
export const Amount = z.optional(z.unknown());

/** A decimal in plain notation; null where Twilio gave none that can be read. */
export function amountOf(value: unknown): string | null {
  // A JSON number such as 1e-7 is a decimal like any other, and `String` would not write it as one.
  const text = typeof value === "number" && Number.isFinite(value) ? plainDecimal(value) : value;
  return typeof text === "string" && isDecimal(text) ? plainText(text) : null;
}
