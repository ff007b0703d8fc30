import * as z from "zod";
import { withoutTrailingZeros } from "../decimal.ts";

/**
 * The kinds of values that a policy is made of. Messages begin with "Expected", and then what came is added to them; or
 * they are whole sentences about it.
 */

export function expected(what: string, example: string): { error: string } {
  return { error: `Expected ${what}, for example \`${example}\`.` };
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: MINUTE, h: 60 * MINUTE, d: DAY };

interface Span {
  from: string;
  to: string;
  example: string;
}

const WINDOW: Span = { from: "1m", to: "1d", example: "within: 10m" };

/** Text such as `10m`; becomes milliseconds. */
export const duration = (description: string, { from, to, example }: Span = WINDOW) => {
  const wrong = expected(`a duration from ${from} to ${to} with its unit: s, m, h or d`, example);
  const [least, most] = [millisecondsOf(from), millisecondsOf(to)];
  return z
    .string(wrong)
    .regex(/^[1-9]\d{0,6}[smhd]$/, wrong)
    .transform(millisecondsOf)
    .refine((milliseconds) => milliseconds >= least && milliseconds <= most, wrong)
    .meta({ description: `${description} From ${from} to ${to}; units s, m, h, d.` });
};

function millisecondsOf(text: string): number {
  return Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? Number.NaN);
}

// Not zero, however it is written.
const DIGITS = /^(?!0+(\.0+)?$)(0|[1-9]\d{0,11})(\.\d{1,6})?$/;

/** A number or text; becomes an exact decimal string. */
export const amount = (description: string, example = "at: 100") => {
  const wrong = expected(
    "a positive number in plain digits (no sign, exponent, unit or separator; up to 12 digits, then up to 6 decimals)",
    example,
  );
  return z
    .union([z.number().positive(wrong).max(999_999_999_999, wrong), z.string().regex(DIGITS, wrong)], wrong)
    .transform((value) => withoutTrailingZeros(String(value)))
    .meta({ description });
};

const CATEGORY = expected("one of Twilio's usage categories: small letters, digits, `-`", "category: totalprice");
export const category = z
  .string(CATEGORY)
  .regex(/^[a-z0-9][a-z0-9_-]{0,99}$/, CATEGORY)
  .meta({
    description:
      "Twilio's UsageCategory: https://www.twilio.com/docs/usage/api/usage-record#usage-categories. totalprice is everything.",
    examples: ["totalprice", "sms-outbound", "calls-outbound", "mms-outbound", "channels-whatsapp"],
  });

export const measure = (key: "by" | "of") =>
  z.enum(["count", "usage", "price"], expected("`count`, `usage` or `price`", `${key}: price`)).meta({
    description:
      "What is compared: price is money in the account's own currency, count is how many, usage is in the category's unit (such as minutes).",
  });
export const by = measure("by");
export const then = z.enum(["alert", "suspend"], expected("`alert` or `suspend`", "then: suspend"));
