import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { TollbreakerError } from "../errors.ts";
import { attemptsKey } from "../incidents/keys.ts";

/** Failed attempts of each source, shared by all functions. */
export interface AttemptsStore {
  /**
   * Adds one, unless there are `most` since `since` already: then nothing is written. Waits at most `patienceMs` for each
   * answer of the table: one that is slow is not yet one that is out.
   */
  add(source: string, attempt: AddedAttempt, patienceMs: number): Promise<Added>;
}

/** Times are milliseconds since the epoch. */
interface AddedAttempt {
  at: number;
  since: number;
  most: number;
}

/** Those since `since`, oldest first; with the one that was added. */
export type Added = { kind: "added" | "full"; times: readonly number[] };

/** Long after they count; what TTL removes late is harmless. */
const KEPT_SECONDS = 600;
const MOST_TRIES = 4;

const AttemptsItem = z.object({ failedAt: z.array(z.number()) });

export function attemptsStore(client: DynamoDBDocumentClient, tableName: string): AttemptsStore {
  const item = (source: string) => ({ TableName: tableName, Key: attemptsKey(source) });
  const within = (patienceMs: number) => ({ abortSignal: AbortSignal.timeout(patienceMs) });

  async function add(source: string, attempt: AddedAttempt, patienceMs: number): Promise<Added> {
    const isRecent = (time: number) => time > attempt.since;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const appended = await append(source, attempt, patienceMs);
      if (appended !== undefined) return { kind: "added", times: appended.filter(isRecent) };
      // The list has as many as it may; those that don't count any more make room.
      const known = await read(source, patienceMs);
      const times = known.filter(isRecent);
      if (times.length >= attempt.most) return { kind: "full", times };
      if (await replace(source, known, [...times, attempt.at], patienceMs))
        return { kind: "added", times: [...times, attempt.at] };
    }
    throw contended();
  }

  /** One step for any number of functions at once. @returns all; undefined where the list is full. */
  async function append(source: string, { at, most }: AddedAttempt, patienceMs: number) {
    const isNew = "attribute_not_exists(failedAt)";
    const hasRoom = "size(failedAt) < :most";
    const appending = new UpdateCommand({
      ...item(source),
      UpdateExpression: "SET failedAt = list_append(if_not_exists(failedAt, :none), :added), expiresAt = :expiresAt",
      ConditionExpression: `${isNew} OR ${hasRoom}`,
      ExpressionAttributeValues: { ":none": [], ":added": [at], ":most": most, ":expiresAt": expiryAfter(at) },
      ReturnValues: "ALL_NEW",
    });
    const answer = await unlessRefused(client.send(appending, within(patienceMs)));
    return answer === undefined ? undefined : z.parse(AttemptsItem, answer.Attributes).failedAt;
  }

  async function read(source: string, patienceMs: number): Promise<number[]> {
    const { Item } = await client.send(new GetCommand({ ...item(source), ConsistentRead: true }), within(patienceMs));
    return Item === undefined ? [] : z.parse(AttemptsItem, Item).failedAt;
  }

  async function replace(source: string, known: readonly number[], next: readonly number[], patienceMs: number) {
    const replacing = new UpdateCommand({
      ...item(source),
      UpdateExpression: "SET failedAt = :next, expiresAt = :expiresAt",
      ConditionExpression: "failedAt = :known",
      ExpressionAttributeValues: { ":next": next, ":known": known, ":expiresAt": expiryAfter(Math.max(...next)) },
    });
    return (await unlessRefused(client.send(replacing, within(patienceMs)))) !== undefined;
  }

  return { add };
}

/** Seconds since the epoch. */
function expiryAfter(at: number): number {
  return Math.ceil(at / 1000) + KEPT_SECONDS;
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

function contended(): TollbreakerError {
  return new TollbreakerError("attempts-contended", "The attempts of one source change too fast to be written.", {
    fix: "nothing: this function counts them by itself",
  });
}
