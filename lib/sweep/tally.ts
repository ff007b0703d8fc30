import * as z from "zod/mini";
import type { CurrencyCheck } from "./currency.ts";
import type { SweptAccount } from "./shard.ts";

/** What a sweep, or a part of it, has seen and done, in numbers of accounts unless said otherwise. */
export const Counts = z.object({
  accounts: z.number(),
  /** Not read, or not finished: they come again with the next sweep. */
  unread: z.number(),
  /** Those that carry every trigger of the policy. */
  armed: z.number(),
  /** Armed, active, without an open incident, and nothing found. */
  quiet: z.number(),
  suspended: z.number(),
  /** With an open incident. */
  open: z.number(),
  /** Never seen before. */
  arrived: z.number(),
  /** Seen before, with triggers missing or changed, and repaired. */
  drifted: z.number(),
  /** Whose triggers could not be brought in order. */
  refused: z.number(),
  /** Of those, the ones that people have not been told of today. */
  newlyRefused: z._default(z.number(), 0),
  /** Whose triggers somebody removes or changes again and again, and people should hear of it now. */
  repeated: z._default(z.number(), 0),
  /** Found to be billed in another currency than the policy's. */
  otherCurrency: z._default(z.number(), 0),
  /** With triggers of another Tollbreaker's, and people should hear of it now. */
  otherTollbreaker: z._default(z.number(), 0),
  /** Over a limit already when we began to watch. */
  overBefore: z._default(z.number(), 0),
  /** Suspended already when we began to watch, without an incident. */
  suspendedBefore: z._default(z.number(), 0),
  /** Usage triggers. */
  created: z.number(),
  /** Of those, on accounts that were never seen before. */
  createdAnew: z._default(z.number(), 0),
  updated: z.number(),
  removed: z.number(),
  /** Messages put into the inbox. */
  lost: z.number(),
  over: z.number(),
  spend: z.number(),
  tampered: z.number(),
  foundSuspended: z._default(z.number(), 0),
  driven: z.number(),
  reminded: z.number(),
});
export type Counts = z.infer<typeof Counts>;

/** What people are told by name. */
export const Names = z.object({
  arrived: z.array(z.string()),
  drifted: z.array(z.string()),
  /** Those of `newlyRefused`. */
  refused: z.array(z.string()),
  repeated: z._default(z.array(z.string()), []),
  otherCurrency: z._default(z.array(z.string()), []),
  otherTollbreaker: z._default(z.array(z.string()), []),
  overBefore: z._default(z.array(z.string()), []),
  suspendedBefore: z._default(z.array(z.string()), []),
});
export type Names = z.infer<typeof Names>;

/** More names tell a reader nothing more. */
export const MOST_NAMES = 20;

export interface Tally {
  counts: Partial<Counts>;
  names: Names;
  /** The AccountSids of `newlyRefused`. */
  refusedSids: readonly string[];
  /** What accounts were found to be billed in. */
  currencies: readonly { accountSid: string; check: CurrencyCheck }[];
}

export const NO_COUNTS: Counts = {
  ...{
    accounts: 0,
    unread: 0,
    armed: 0,
    quiet: 0,
    suspended: 0,
    open: 0,
    arrived: 0,
    drifted: 0,
    refused: 0,
    newlyRefused: 0,
    repeated: 0,
    otherCurrency: 0,
    otherTollbreaker: 0,
    overBefore: 0,
    suspendedBefore: 0,
  },
  ...{
    created: 0,
    createdAnew: 0,
    updated: 0,
    removed: 0,
    lost: 0,
    over: 0,
    spend: 0,
    tampered: 0,
    foundSuspended: 0,
    driven: 0,
    reminded: 0,
  },
};
export const COUNT_NAMES = z.keyof(Counts).options;
export const NO_NAMES: Names = {
  ...{
    arrived: [],
    drifted: [],
    refused: [],
    repeated: [],
    otherCurrency: [],
    otherTollbreaker: [],
    overBefore: [],
    suspendedBefore: [],
  },
};
export const NAME_KINDS = z.keyof(Names).options;

/** Of which nobody is told by name. */
export function countsOnly(counts: Partial<Counts>): Tally {
  return { counts, names: NO_NAMES, refusedSids: [], currencies: [] };
}

export function sumOf(tallies: readonly Tally[]): Tally & { counts: Counts } {
  const counts = { ...NO_COUNTS };
  for (const tally of tallies) for (const name of COUNT_NAMES) counts[name] += tally.counts[name] ?? 0;
  const names = { ...NO_NAMES };
  for (const kind of NAME_KINDS) names[kind] = tallies.flatMap((tally) => tally.names[kind]).slice(0, MOST_NAMES);
  const refusedSids = tallies.flatMap((tally) => tally.refusedSids);
  const currencies = tallies.flatMap((tally) => tally.currencies);
  return { counts, names, refusedSids, currencies };
}

export function nameOf({ accountSid, friendlyName }: Pick<SweptAccount, "accountSid" | "friendlyName">): string {
  return friendlyName === "" ? accountSid : `${friendlyName} (${accountSid})`;
}
