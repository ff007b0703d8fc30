import * as z from "zod";
import type { SpendRule } from "./policy.ts";
import { amount, by, category, duration, expected, measure, then } from "./policy-values.ts";

const LIMIT = expected("a limit", "{ category: totalprice, by: price, every: day, at: 100, then: suspend }");
const limitThen = then.meta({ description: "alert tells people; suspend suspends the account and ends its calls." });
const at = amount("The value at which it trips: money in the account's own currency, or a number of things.");

/** Twilio watches it. */
export const FixedEntry = z
  .strictObject({
    category,
    by,
    // biome-ignore format: one line per key
    every: z
      .enum(["day", "month", "year", "once"], expected("`hour`, `day`, `month`, `year` or `once`", "every: day"))
      .meta({ description: "When the count starts again, in GMT. Twilio fires at most once in each period; `once` only ever once." }),
    at,
    then: limitThen,
  })
  .meta({ description: "A limit that Twilio watches: one usage trigger on every subaccount." });

const hour = z
  .literal("hour", expected("`hour`", "every: hour"))
  .meta({ description: "Within any 60 minutes, as the sweep sees it." });

/** The sweep watches it. */
const HourEntry = z
  .strictObject({ category, by, every: hour, at, then: limitThen })
  .meta({ description: "A limit for any 60 minutes, which the sweep watches." });

const RateEntry = z
  .strictObject({
    category,
    by: z.literal("rate").meta({ description: "Another way to write `every: hour`." }),
    of: measure("of")
      .default("price")
      .meta({ description: "What is compared: price (money, if left out), count, or usage in the category's unit." }),
    every: hour.optional(),
    at,
    then: limitThen,
  })
  .meta({ description: "A limit for any 60 minutes, which the sweep watches." });

const TIMES = expected("a whole number from 2 to 1000", "times: 8");
const SPIKE = expected("the measures of a spike", "spike: { times: 8, over: 7d, at-least: 20 }");

export const SpikeEntry = z
  .strictObject(
    {
      times: z
        .int(TIMES)
        .min(2, TIMES)
        .max(1000, TIMES)
        .meta({ description: "How many times the account's usual hour this hour must be." }),
      over: duration("What is usual is the median of this time before, hour by hour.", {
        from: "2d",
        to: "31d",
        example: "over: 7d",
      }),
      "at-least": amount("What this hour must have reached in any case: money, or a number of things.", "at-least: 20"),
    },
    SPIKE,
  )
  .meta({ description: "This hour against the same account's usual hours. Silent until there is enough history." });

const SpikeLimitEntry = z
  .strictObject({ category, by, spike: SpikeEntry, then: limitThen })
  .meta({ description: "A limit that every account sets itself, and the sweep watches." });

/**
 * One limit. What comes out is a `Limit`, or a `SpendRule` with its `kind`.
 */
export const LimitEntry = z.union(
  [
    FixedEntry,
    HourEntry.transform(({ every: _, ...rate }): SpendRule => ({ kind: "rate", ...rate })),
    RateEntry.transform(({ category, of, at, then }): SpendRule => ({ kind: "rate", category, by: of, at, then })),
    SpikeLimitEntry.transform(
      ({ category, by, spike: { times, over, "at-least": atLeast }, then }): SpendRule => ({
        kind: "spike",
        category,
        by,
        times,
        over,
        atLeast,
        then,
      }),
    ),
  ],
  LIMIT,
);

/** The keys of each kind of limit, in the order of `LimitEntry`. */
const KEYS = [FixedEntry, HourEntry, RateEntry, SpikeLimitEntry].map(({ shape }) => Object.keys(shape));

/**
 * Which kind of limit somebody meant who wrote this, be it right or not: its place in `LimitEntry`, and its keys.
 * Undefined for what has no keys at all.
 */
export function meantLimit(written: unknown): { option: number; keys: readonly string[] } | undefined {
  if (typeof written !== "object" || written === null || Array.isArray(written)) return undefined;
  const option = optionOf(new Map(Object.entries(written)));
  // Whoever wrote no spike may have wanted one, and misspelled it.
  return { option, keys: option === FIXED ? [...(KEYS[option] ?? []), "spike"] : (KEYS[option] ?? []) };
}

const [FIXED, HOUR, RATE, SPIKE_LIMIT] = [0, 1, 2, 3] as const;

function optionOf(written: ReadonlyMap<string, unknown>): number {
  if (written.has("spike")) return SPIKE_LIMIT;
  if (written.get("by") === "rate") return RATE;
  return written.get("every") === "hour" ? HOUR : FIXED;
}
