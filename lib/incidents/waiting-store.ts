import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { unlessRefused } from "../conditional-write.ts";
import type { Waiting } from "../policy/brake.ts";
import { waitingKey } from "./keys.ts";

/** The accounts that wait at the brake. Only the responder writes here; every write can be repeated. */
export interface WaitingStore {
  /** The account waits. With the same incident as before, it waits since then, and whoever was told of it knows it still. */
  add(held: Pick<Waiting, "accountSid" | "incidentId" | "since" | "heldBy">): Promise<void>;
  /**
   * The account waits no more; nothing happens where it does not wait.
   * @param incidentId only where it waits with this one; with any when left out
   */
  end(accountSid: string, now: Date, incidentId?: string): Promise<void>;
  get(accountSid: string): Promise<Waiting | undefined>;
  /** All that wait, by AccountSid. @param after leaves out those up to this one */
  pages(after?: string): AsyncIterable<readonly Waiting[]>;
  /** It was named in this incident's alert, which was published; nothing happens where it does not wait any more. */
  markNamed(one: Waiting, namedBy: string): Promise<void>;
  /** Takes it upon itself to ask the account again. @returns false where somebody else did, or it has asked meanwhile. */
  markCalled(one: Waiting, now: Date): Promise<boolean>;
}

/** Nothing is deleted but by DynamoDB itself, some time after this. */
const KEPT_SECONDS = 3600;
const PAGE = 500;

const optional = z._default(z.nullable(z.string()), null);
const WaitingItem = z.object({
  sk: z.string(),
  incidentId: z.string(),
  since: z.string(),
  heldBy: z.string(),
  calledAt: optional,
  namedBy: optional,
});

export function waitingStore(client: DynamoDBDocumentClient, tableName: string): WaitingStore {
  function change(accountSid: string, expression: string, condition: string, values: Record<string, unknown>) {
    const write = new UpdateCommand({
      TableName: tableName,
      Key: waitingKey(accountSid),
      UpdateExpression: expression,
      ConditionExpression: condition,
      ExpressionAttributeValues: values,
    });
    return unlessRefused(client.send(write));
  }

  async function add({ accountSid, incidentId, since, heldBy }: Parameters<WaitingStore["add"]>[0]): Promise<void> {
    const isNew = "attribute_not_exists(incidentId)";
    const isAnother = "incidentId <> :incidentId";
    const adding = new PutCommand({
      TableName: tableName,
      Item: { ...waitingKey(accountSid), incidentId, since, heldBy },
      ConditionExpression: `${isNew} OR ${isAnother}`,
      ExpressionAttributeValues: { ":incidentId": incidentId },
    });
    if (await unlessRefused(client.send(adding))) return;
    const values = { ":heldBy": heldBy, ":incidentId": incidentId };
    await change(accountSid, "SET heldBy = :heldBy REMOVE calledAt", "incidentId = :incidentId", values);
  }

  async function end(accountSid: string, now: Date, incidentId?: string): Promise<void> {
    const ending = "SET expiresAt = :expiresAt REMOVE incidentId, since, heldBy, calledAt, namedBy";
    const expiresAt = Math.floor(now.getTime() / 1000) + KEPT_SECONDS;
    const values = { ":expiresAt": expiresAt };
    if (incidentId === undefined) await change(accountSid, ending, "attribute_exists(incidentId)", values);
    else await change(accountSid, ending, "incidentId = :incidentId", { ...values, ":incidentId": incidentId });
  }

  async function get(accountSid: string): Promise<Waiting | undefined> {
    const reading = new GetCommand({ TableName: tableName, Key: waitingKey(accountSid), ConsistentRead: true });
    const { Item: item } = await client.send(reading);
    return item?.["incidentId"] === undefined ? undefined : waitingOf(item);
  }

  async function* pages(after = ""): AsyncGenerator<readonly Waiting[]> {
    let from: string | null = after;
    while (from !== null) {
      const page: WaitingPage = await readWaiting(client, tableName, { after: from, limit: PAGE });
      yield page.waiting;
      from = page.next;
    }
  }

  async function markNamed({ accountSid, incidentId }: Waiting, namedBy: string): Promise<void> {
    const values = { ":namedBy": namedBy, ":incidentId": incidentId };
    await change(accountSid, "SET namedBy = :namedBy", "incidentId = :incidentId", values);
  }

  function markCalled({ accountSid, incidentId, heldBy, calledAt }: Waiting, now: Date): Promise<boolean> {
    const isAsRead = calledAt === null ? "attribute_not_exists(calledAt)" : "calledAt = :calledAt";
    const values = { ":now": now.toISOString(), ":incidentId": incidentId, ":heldBy": heldBy };
    return change(
      accountSid,
      "SET calledAt = :now",
      `incidentId = :incidentId AND heldBy = :heldBy AND ${isAsRead}`,
      calledAt === null ? values : { ...values, ":calledAt": calledAt },
    );
  }

  return { add, end, get, pages, markNamed, markCalled };
}

export interface WaitingPage {
  /** By AccountSid. */
  waiting: readonly Waiting[];
  /** After which account the next page begins; null on the last one. */
  next: string | null;
}

export interface WaitingQuery {
  /** Leaves out those up to this account; empty for none. */
  after: string;
  limit: number;
}

/** One page of those that wait. It may hold fewer than `limit`, even none, and yet not be the last. */
export async function readWaiting(
  client: DynamoDBDocumentClient,
  tableName: string,
  { after, limit }: WaitingQuery,
): Promise<WaitingPage> {
  const reading = new QueryCommand({
    TableName: tableName,
    KeyConditionExpression: "pk = :pk",
    // Those that wait no more lie there until DynamoDB deletes them.
    FilterExpression: "attribute_exists(incidentId)",
    ExpressionAttributeValues: { ":pk": waitingKey("").pk },
    ConsistentRead: true,
    Limit: limit,
    ...(after !== "" && { ExclusiveStartKey: waitingKey(after) }),
  });
  const { Items = [], LastEvaluatedKey: last } = await client.send(reading);
  return { waiting: Items.map(waitingOf), next: last === undefined ? null : z.parse(z.string(), last["sk"]) };
}

/** Of one that waits. @throws where the item is of none */
export function waitingOf(item: unknown): Waiting {
  const { sk: accountSid, ...rest } = z.parse(WaitingItem, item);
  return { accountSid, ...rest };
}
