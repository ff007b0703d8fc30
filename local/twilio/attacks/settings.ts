import * as z from "zod/mini";

export const positive = z.number().check(z.positive());
export const share = z.number().check(z.nonnegative(), z.maximum(1));
/** A number without its last four digits. */
export const numberBlock = z.string().check(z.regex(/^\+\d{4,11}$/));
/** How many simulated seconds pass in a real one: with 60, five minutes of attack take five seconds. */
export const timeFactor = z._default(positive, 1);
