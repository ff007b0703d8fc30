import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { windowKey } from "../incidents/keys.ts";

/** The errors of one account that one rule counts. */
export interface WindowName {
  accountSid: string;
  rule: string;
}

/** One error within a window; its SID is its key there, so that the same error twice is one. */
const Entry = z.object({
  /** When it reached us first, milliseconds since the epoch. */
  at: z.number(),
  code: z.number(),
  level: z.string(),
  road: z.enum(["debugger", "event-streams"]),
  note: z.string(),
});
export type Entry = z.infer<typeof Entry>;

const Crossing = z.object({
  /** The id of the signal that tells of it. */
  signalId: z.string(),
  at: z.number(),
  /** Whether that signal is in the inbox. */
  told: z.boolean(),
});
export type Crossing = z.infer<typeof Crossing>;

/** An error window as stored. */
const ErrorWindow = z.object({ events: z.record(z.string(), Entry), crossing: z.optional(Crossing) });
export type ErrorWindow = z.infer<typeof ErrorWindow>;

interface Addition {
  /** By SID. */
  entries: Readonly<Record<string, Entry>>;
  /** A window that holds so many takes no more. */
  most: number;
  /** Seconds since the epoch. */
  expiresAt: number;
}

/** Each method is one atomic step, and can be repeated. `signal` gives up waiting for it. */
export interface WindowStore {
  /** Adds what the window does not hold yet. @returns all of it; undefined where there is no window, or no room in it. */
  add(name: WindowName, addition: Addition, signal: AbortSignal): Promise<ErrorWindow | undefined>;
  /** Begins a window. @returns it; undefined where there is one already. */
  begin(name: WindowName, addition: Addition, signal: AbortSignal): Promise<ErrorWindow | undefined>;
  read(name: WindowName, signal: AbortSignal): Promise<ErrorWindow | undefined>;
  forget(name: WindowName, sids: readonly string[], signal: AbortSignal): Promise<void>;
  /** Notes a crossing, unless there was one after `since`. @returns whether it is this one. */
  claimCrossing(name: WindowName, crossing: Crossing, since: number, signal: AbortSignal): Promise<boolean>;
  /** Notes that the signal of the crossing is in the inbox. */
  markTold(name: WindowName, signalId: string, signal: AbortSignal): Promise<void>;
}

export function windowStore(client: DynamoDBDocumentClient, tableName: string): WindowStore {
  const item = ({ accountSid, rule }: WindowName) => ({ TableName: tableName, Key: windowKey(accountSid, rule) });

  async function add(name: WindowName, { entries, most, expiresAt }: Addition, abortSignal: AbortSignal) {
    const added = Object.entries(entries).map(([sid, entry], index) => ({ index, sid, entry }));
    const isThere = "attribute_exists(pk)";
    const hasRoom = "size(events) < :most";
    const adding = new UpdateCommand({
      ...item(name),
      UpdateExpression: `SET expiresAt = :expiresAt, ${added.map(({ index }) => ifNew(index)).join(", ")}`,
      ConditionExpression: `${isThere} AND ${hasRoom}`,
      ExpressionAttributeNames: Object.fromEntries(added.map(({ index, sid }) => [`#e${index}`, sid])),
      ExpressionAttributeValues: {
        ":expiresAt": expiresAt,
        ":most": most,
        ...Object.fromEntries(added.map(({ index, entry }) => [`:e${index}`, entry])),
      },
      ReturnValues: "ALL_NEW",
    });
    const answer = await unlessRefused(client.send(adding, { abortSignal }));
    return answer === undefined ? undefined : z.parse(ErrorWindow, answer.Attributes);
  }

  async function begin({ accountSid, rule }: WindowName, { entries, expiresAt }: Addition, abortSignal: AbortSignal) {
    const beginning = new PutCommand({
      TableName: tableName,
      Item: { ...windowKey(accountSid, rule), events: entries, expiresAt },
      ConditionExpression: "attribute_not_exists(pk)",
    });
    const answer = await unlessRefused(client.send(beginning, { abortSignal }));
    return answer === undefined ? undefined : { events: { ...entries } };
  }

  async function read(name: WindowName, abortSignal: AbortSignal) {
    const { Item } = await client.send(new GetCommand({ ...item(name), ConsistentRead: true }), { abortSignal });
    return Item === undefined ? undefined : z.parse(ErrorWindow, Item);
  }

  async function forget(name: WindowName, sids: readonly string[], abortSignal: AbortSignal) {
    const forgetting = new UpdateCommand({
      ...item(name),
      UpdateExpression: `REMOVE ${sids.map((_, index) => `events.#e${index}`).join(", ")}`,
      // A window that expired meanwhile must not come back without its map.
      ConditionExpression: "attribute_exists(events)",
      ExpressionAttributeNames: Object.fromEntries(sids.map((sid, index) => [`#e${index}`, sid])),
    });
    await unlessRefused(client.send(forgetting, { abortSignal }));
  }

  async function claimCrossing(name: WindowName, crossing: Crossing, since: number, abortSignal: AbortSignal) {
    const isThere = "attribute_exists(events)";
    const isFirst = "attribute_not_exists(crossing)";
    const isLongAgo = "crossing.#at <= :since";
    const claiming = new UpdateCommand({
      ...item(name),
      UpdateExpression: "SET crossing = :crossing",
      ConditionExpression: `${isThere} AND (${isFirst} OR ${isLongAgo})`,
      ExpressionAttributeNames: { "#at": "at" },
      ExpressionAttributeValues: { ":crossing": crossing, ":since": since },
    });
    return (await unlessRefused(client.send(claiming, { abortSignal }))) !== undefined;
  }

  async function markTold(name: WindowName, signalId: string, abortSignal: AbortSignal) {
    const marking = new UpdateCommand({
      ...item(name),
      UpdateExpression: "SET crossing.told = :yes",
      ConditionExpression: "crossing.signalId = :signalId",
      ExpressionAttributeValues: { ":yes": true, ":signalId": signalId },
    });
    await unlessRefused(client.send(marking, { abortSignal }));
  }

  return { add, begin, read, forget, claimCrossing, markTold };
}

/** The same error again keeps the time of its first arrival: deduplication and counting are one step. */
function ifNew(index: number): string {
  return `events.#e${index} = if_not_exists(events.#e${index}, :e${index})`;
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
