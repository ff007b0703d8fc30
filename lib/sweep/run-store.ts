import { randomBytes } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { firstMomentOf } from "../incidents/first-moment-item.ts";
import { firstMomentKey, runKey } from "../incidents/keys.ts";
import { SHARD_SIZE } from "./shard.ts";
import { COUNT_NAMES, Counts, MOST_NAMES, NAME_KINDS, Names, NO_COUNTS, NO_NAMES, type Tally } from "./tally.ts";

/** One sweep over all subaccounts. Times are ISO 8601 UTC. */
const Run = z.object({
  sweepId: z.string(),
  startedAt: z.string(),
  /** How many shards there are; null while the accounts are listed. */
  shards: z.nullable(z.number()),
  /** The numbers of those that are done. */
  done: z._default(z.set(z.number()), new Set<number>()),
  counts: Counts,
  names: Names,
  /** When a shard was last done; null before the first. */
  progressAt: z._default(z.nullable(z.string()), null),
  /** Where in the list of accounts it begins; more than there are is from the beginning again. */
  from: z._default(z.number(), 0),
  /** Null while it is under way. */
  finishedAt: z.nullable(z.string()),
  /** When a sweep was last finished; null before the first. */
  lastFinishedAt: z.nullable(z.string()),
  /** The GMT day on which people were last told what they are told once a day. */
  summaryOn: z.nullable(z.string()),
  /** The same for accounts that were set aside, and for a list that was incomplete. */
  setAsideToldOn: z._default(z.nullable(z.string()), null),
  incompleteToldOn: z._default(z.nullable(z.string()), null),
});
export type Run = z.infer<typeof Run>;

type Beginning =
  /** @property abandoned the sweep before it, which nobody finished. */
  | { kind: "begun"; run: Run; abandoned: Run | undefined }
  /** Another one is under way. */
  | { kind: "running"; since: string };

/** The one sweep that is under way: it never overlaps with another. */
export interface RunStore {
  begin(now: Date): Promise<Beginning>;
  read(): Promise<Run | undefined>;
  /**
   * When this deployment began to watch, ISO 8601 UTC. Kept once, by whoever comes first; what is kept is never changed.
   * @param otherwise what is kept where there is nothing yet
   */
  firstMoment(otherwise: string): Promise<string>;
  /** Of a table that was restored: a later one takes its place. @returns what is kept then */
  moveFirstMoment(later: string): Promise<string>;
  /** How many shards there are. */
  plan(sweepId: string, shards: number): Promise<void>;
  /**
   * Adds what a shard has seen; only once, however often the shard is handed out.
   * @returns the run as it is then; undefined when another one is under way by now.
   */
  report(sweepId: string, shard: number, tally: Tally, now: Date): Promise<Run | undefined>;
  /** Remembers the GMT days on which people were told. */
  noteTold(sweepId: string, days: Partial<Pick<Run, "setAsideToldOn" | "incompleteToldOn">>): Promise<void>;
  /** @param told the GMT day to be remembered */
  finish(sweepId: string, now: Date, told: Partial<Pick<Run, "summaryOn">>): Promise<void>;
  /** It could not be begun: the next one need not wait for it. */
  release(sweepId: string): Promise<void>;
}

/**
 * Longer without a shard done, and it has died: it is taken over. One that is slow goes on, for to begin anew would be no
 * faster. A shard takes a minute, and comes again after another one. Listing takes seconds.
 */
const LONGEST_REST_MS = 15 * 60_000;
const LONGEST_LISTING_MS = 2 * 60_000;

export function runStore(client: DynamoDBDocumentClient, tableName: string): RunStore {
  const item = { TableName: tableName, Key: runKey };

  async function read(): Promise<Run | undefined> {
    const { Item } = await client.send(new GetCommand({ ...item, ConsistentRead: true }));
    return Item === undefined ? undefined : z.parse(Run, Item);
  }

  async function begin(now: Date): Promise<Beginning> {
    const { Item } = await client.send(new GetCommand({ ...item, ConsistentRead: true }));
    // What another version left behind must not stop all sweeps: it is taken over.
    const previous = z.safeParse(Run, Item).data;
    if (previous !== undefined && isUnderWay(previous, now)) return { kind: "running", since: previous.startedAt };
    const run = nextRun(previous, now);
    const { done: _, ...stored } = run;
    const isFirst = "attribute_not_exists(sweepId)";
    const isAsWeReadIt = "sweepId = :previous";
    const beginning = new PutCommand({
      TableName: tableName,
      Item: { ...runKey, ...stored },
      ConditionExpression: `${isFirst} OR ${isAsWeReadIt}`,
      ExpressionAttributeValues: { ":previous": Item?.["sweepId"] ?? "" },
    });
    // Two starts in the same moment: the other one was faster.
    if ((await unlessRefused(client.send(beginning))) === undefined)
      return { kind: "running", since: now.toISOString() };
    return { kind: "begun", run, abandoned: previous?.finishedAt === null ? previous : undefined };
  }

  async function firstMoment(otherwise: string): Promise<string> {
    const key = { TableName: tableName, Key: firstMomentKey };
    const reading = async () =>
      firstMomentOf((await client.send(new GetCommand({ ...key, ConsistentRead: true }))).Item);
    const kept = await reading();
    if (kept !== null) return kept;
    const isFirst = "attribute_not_exists(firstMoment)";
    const keeping = new UpdateCommand({
      ...key,
      UpdateExpression: "SET firstMoment = :otherwise",
      ConditionExpression: isFirst,
      ExpressionAttributeValues: { ":otherwise": otherwise },
    });
    if ((await unlessRefused(client.send(keeping))) !== undefined) return otherwise;
    return (await reading()) ?? otherwise;
  }

  async function moveFirstMoment(later: string): Promise<string> {
    const isLater = "firstMoment < :later";
    const moving = new UpdateCommand({
      TableName: tableName,
      Key: firstMomentKey,
      UpdateExpression: "SET firstMoment = :later",
      ConditionExpression: isLater,
      ExpressionAttributeValues: { ":later": later },
    });
    return (await unlessRefused(client.send(moving))) === undefined ? firstMoment(later) : later;
  }

  async function plan(sweepId: string, shards: number): Promise<void> {
    await change(sweepId, "SET shards = :shards", { ":shards": shards });
  }

  async function report(sweepId: string, shard: number, tally: Tally, now: Date): Promise<Run | undefined> {
    const once = "(attribute_not_exists(done) OR NOT contains(done, :shard))";
    const counted = COUNT_NAMES.filter((name) => (tally.counts[name] ?? 0) !== 0);
    const values = {
      ":shard": shard,
      ":one": new Set([shard]),
      ":now": now.toISOString(),
      ...Object.fromEntries(counted.map((name) => [`:${name}`, tally.counts[name]])),
    };
    const adding = `SET progressAt = :now ADD ${["done :one", ...counted.map((name) => `counts.#${name} :${name}`)].join(", ")}`;
    // Some of these words are DynamoDB's own.
    const aliases = Object.fromEntries(counted.map((name) => [`#${name}`, name]));
    const changed = await change(sweepId, adding, values, once, aliases);
    if (changed === undefined) return ofSweep(sweepId);
    for (const kind of NAME_KINDS) await addNames(sweepId, kind, tally.names[kind]);
    return changed;
  }

  /** Names are for people: what does not fit any more is left out. */
  async function addNames(sweepId: string, kind: keyof Names, names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const adding = `SET #names.${kind} = list_append(#names.${kind}, :names)`;
    const hasRoom = `size(#names.${kind}) < :most`;
    await change(sweepId, adding, { ":names": names, ":most": MOST_NAMES }, hasRoom, { "#names": "names" });
  }

  async function noteTold(sweepId: string, days: Partial<Pick<Run, "setAsideToldOn" | "incompleteToldOn">>) {
    const { setting, values } = settingOf(days);
    await change(sweepId, `SET ${setting.join(", ")}`, values);
  }

  async function finish(sweepId: string, now: Date, told: Partial<Pick<Run, "summaryOn">>) {
    const { setting, values } = settingOf(told);
    const all = ["finishedAt = :at", "lastFinishedAt = :at", ...setting];
    await change(sweepId, `SET ${all.join(", ")}`, { ":at": now.toISOString(), ...values });
  }

  async function release(sweepId: string): Promise<void> {
    // Its end is no success: `lastFinishedAt` stays.
    await change(sweepId, "SET finishedAt = startedAt", {});
  }

  async function ofSweep(sweepId: string): Promise<Run | undefined> {
    const run = await read();
    return run?.sweepId === sweepId ? run : undefined;
  }

  async function change(
    sweepId: string,
    UpdateExpression: string,
    values: Record<string, unknown>,
    condition?: string,
    names?: Record<string, string>,
  ): Promise<Run | undefined> {
    const isThisOne = "sweepId = :sweepId";
    const changing = new UpdateCommand({
      ...item,
      UpdateExpression,
      ConditionExpression: condition === undefined ? isThisOne : `${isThisOne} AND ${condition}`,
      ExpressionAttributeValues: { ...values, ":sweepId": sweepId },
      ...(names !== undefined && Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
      ReturnValues: "ALL_NEW",
    });
    const answer = await unlessRefused(client.send(changing));
    return answer === undefined ? undefined : z.parse(Run, answer.Attributes);
  }

  return { begin, read, firstMoment, moveFirstMoment, plan, report, noteTold, finish, release };
}

function settingOf(days: Readonly<Record<string, string | null | undefined>>) {
  const given = Object.entries(days).filter(([, day]) => day !== undefined);
  return {
    setting: given.map(([name]) => `${name} = :${name}`),
    values: Object.fromEntries(given.map(([name, day]) => [`:${name}`, day])),
  };
}

function isUnderWay({ finishedAt, startedAt, progressAt, shards }: Run, now: Date): boolean {
  const rest = now.getTime() - Date.parse(progressAt ?? startedAt);
  return finishedAt === null && rest < (shards === null ? LONGEST_LISTING_MS : LONGEST_REST_MS);
}

/**
 * Behind what the one before has done, should it not have come to the end: otherwise nobody would ever come to the tail.
 * By how many shards were done, not by which: one that never succeeds keeps nobody where it is.
 */
function beginningAfter(previous: Run | undefined): number {
  if (previous === undefined || isComplete(previous)) return 0;
  return previous.from + previous.done.size * SHARD_SIZE;
}

function nextRun(previous: Run | undefined, now: Date): Run {
  const startedAt = now.toISOString();
  return {
    sweepId: `${startedAt.replace(/[-:.Z]/g, "")}-${randomBytes(4).toString("hex")}`,
    startedAt,
    shards: null,
    done: new Set(),
    progressAt: null,
    from: beginningAfter(previous),
    counts: NO_COUNTS,
    names: NO_NAMES,
    finishedAt: null,
    lastFinishedAt: previous?.lastFinishedAt ?? null,
    summaryOn: previous?.summaryOn ?? null,
    setAsideToldOn: previous?.setAsideToldOn ?? null,
    incompleteToldOn: previous?.incompleteToldOn ?? null,
  };
}

/** The answer to a conditional write; undefined where its condition did not hold. */
async function unlessRefused<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/** Every shard is done. */
export function isComplete({ shards, done }: Run): boolean {
  return shards !== null && done.size >= shards;
}
