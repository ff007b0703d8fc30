import * as z from "zod/mini";
import type { Anchor } from "../policy/first-moment.ts";

/** How the first moment lies in the table, and beside what the sweep remembers of an account, what it found from before it. */
const FirstMomentItem = z.object({ firstMoment: z.iso.datetime() });
export const BeforeUs = z.object({ at: z.iso.datetime(), passed: z.record(z.string(), z.string()) });

/** ISO 8601 UTC; null where there is none, or it can't be read. */
export function firstMomentOf(item: unknown): string | null {
  return z.safeParse(FirstMomentItem, item).data?.firstMoment ?? null;
}

/** Null where there is nothing, or it can't be read: then nothing counts as spent before us, which stops sooner. */
export function beforeOf(item: unknown): Anchor | null {
  return z.safeParse(z.object({ before: BeforeUs }), item).data?.before ?? null;
}
