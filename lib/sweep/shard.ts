import * as z from "zod/mini";
import { TollbreakerError } from "../errors.ts";

/** A part of the accounts, as one worker sweeps it. */
const SweptAccount = z.object({
  accountSid: z.string().check(z.regex(/^AC[0-9a-fA-F]{32}$/)),
  /** When it was listed; it may be another one by now. */
  status: z.enum(["active", "suspended", "closed"]),
  friendlyName: z.string(),
  /** Its open incident is watched, nothing else: the parent, and what is closed for good. */
  watchOnly: z.optional(z.boolean()),
});
export type SweptAccount = z.infer<typeof SweptAccount>;

const Shard = z.object({
  sweepId: z.string(),
  /** From 0. */
  number: z.int().check(z.nonnegative()),
  /** ISO 8601 UTC. */
  listedAt: z.iso.datetime(),
  /** When this deployment began to watch, ISO 8601 UTC. */
  firstMoment: z._default(z.iso.datetime(), "1970-01-01T00:00:00.000Z"),
  /** Whether no sweep was ever finished before this one. */
  isFirst: z._default(z.boolean(), false),
  accounts: z.array(SweptAccount),
});
export type Shard = z.infer<typeof Shard>;

/**
 * What a worker remembers of 50 accounts is one BatchGetItem of two items each, which takes 100 at the most; and if it
 * dies, no more than these come again.
 */
export const SHARD_SIZE = 50;

export function cutIntoShards(sweep: Omit<Shard, "number" | "accounts">, accounts: readonly SweptAccount[]): Shard[] {
  return Array.from({ length: Math.ceil(accounts.length / SHARD_SIZE) }, (_, number) => ({
    ...sweep,
    number,
    accounts: accounts.slice(number * SHARD_SIZE, (number + 1) * SHARD_SIZE),
  }));
}

/** @throws TollbreakerError `sweep-shard-invalid` */
export function readShard(body: string): Shard {
  const result = z.safeParse(Shard, parseJson(body));
  if (result.success) return result.data;
  throw new TollbreakerError("sweep-shard-invalid", "A shard of the sweep cannot be read.", {
    expected: "a shard as lib/sweep/shard.ts defines it",
    got: result.error.issues.map((issue) => `${issue.path.join(".") || "shard"}: ${issue.message}`).join("; "),
    fix: "nothing, if a new version was just deployed: the next sweep makes new ones",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
