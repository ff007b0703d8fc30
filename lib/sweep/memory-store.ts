import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { TollbreakerError } from "../errors.ts";
import { HeadItem, recordOf } from "../incidents/items.ts";
import { accountKey, firedKey, headKey, sweepKey } from "../incidents/keys.ts";
import { isOver } from "../incidents/transitions.ts";
import { type Until, waitToRetry } from "../twilio/backoff.ts";
import type { AccountMemory, Known, OpenIncident } from "./known.ts";

/** What the sweep knows and remembers of accounts. It writes its own items alone. */
export interface MemoryStore {
  /** Of at most 50 accounts: two round trips, the second for those with an open incident. */
  recall(accountSids: readonly string[], until: Until): Promise<Map<string, Known>>;
  /** When each of these firings (`firingOf`) was last dealt with, ISO 8601 UTC; without those that never were. */
  firedAt(accountSid: string, firings: readonly string[], until: Until): Promise<Map<string, string>>;
  remember(accountSid: string, memory: Omit<AccountMemory, "repairedIn">): Promise<void>;
  /**
   * The right to change the account's usage triggers until `until`; nobody else has it meanwhile.
   * @returns false when somebody has it.
   */
  claimRepair(accountSid: string, sweepId: string, span: { now: Date; until: Date }): Promise<boolean>;
  /** Gives it back. */
  endRepair(accountSid: string, sweepId: string): Promise<void>;
}

const FirstSight = z.object({ period: z.string(), at: z.string() });
const MemoryItem = z.object({
  pk: z.string(),
  firstSeenIn: z.optional(z.string()),
  values: z._default(z.record(z.string(), z.string()), {}),
  sampledAt: z._default(z.nullable(z.string()), null),
  spentAt: z._default(z.nullable(z.string()), null),
  over: z._default(z.record(z.string(), FirstSight), {}),
  repairedIn: z._default(z.nullable(z.string()), null),
});
const AccountItem = z.object({
  pk: z.string(),
  openIncidentId: z.optional(z.string()),
  lastReactivatedAt: z.optional(z.string()),
});
const FiredItem = z.object({ sk: z.string(), firedAt: z.string() });

type Key = { pk: string; sk: string };
type Item = Record<string, unknown>;
/** BatchGetItem takes no more. */
const MOST_KEYS = 100;

export function memoryStore(client: DynamoDBDocumentClient, tableName: string): MemoryStore {
  async function recall(accountSids: readonly string[], until: Until): Promise<Map<string, Known>> {
    const items = await getAll([...accountSids.map(sweepKey), ...accountSids.map(accountKey)], until);
    const memories = byKey(items, MemoryItem, accountSids.map(sweepKey));
    const accounts = byKey(items, AccountItem, accountSids.map(accountKey));
    const openIds = [...accounts.values()].flatMap(({ openIncidentId }) => openIncidentId ?? []);
    const open = await openIncidents(openIds, until);
    return new Map(
      accountSids.map((sid) => {
        const account = accounts.get(accountKey(sid).pk);
        const memory = memoryOf(memories.get(sweepKey(sid).pk));
        const lastReactivatedAt = account?.lastReactivatedAt ?? null;
        return [sid, { memory, lastReactivatedAt, open: open.get(account?.openIncidentId ?? "") }];
      }),
    );
  }

  async function openIncidents(ids: readonly string[], until: Until): Promise<Map<string, OpenIncident>> {
    const records = (await getAll(ids.map(headKey), until)).map((item) => recordOf(z.parse(HeadItem, item)));
    // One that is over and still claimed is the responder's to tidy up.
    const open = records.filter(({ incident }) => !isOver(incident.state));
    return new Map(open.map(({ incident, callsDue }) => [incident.id, { incident, callsDue }]));
  }

  async function firedAt(accountSid: string, firings: readonly string[], until: Until) {
    const items = await getAll(
      firings.map((firing) => firedKey(accountSid, firing)),
      until,
    );
    return new Map(items.map((item) => z.parse(FiredItem, item)).map((fired) => [fired.sk, fired.firedAt]));
  }

  async function getAll(keys: readonly Key[], until: Until): Promise<Item[]> {
    const items: Item[] = [];
    for (let from = 0; from < keys.length; from += MOST_KEYS) {
      items.push(...(await getBatch(keys.slice(from, from + MOST_KEYS), until)));
    }
    return items;
  }

  /** A throttled batch answers 200 with what it did not read: that must not look like "not there". */
  async function getBatch(keys: readonly Key[], until: Until): Promise<Item[]> {
    const items: Item[] = [];
    let left: Item[] = [...keys];
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt > 0 && !(await waitToRetry(until, attempt))) throw throttled();
      const answer = await client.send(new BatchGetCommand({ RequestItems: { [tableName]: { Keys: left } } }));
      items.push(...(answer.Responses?.[tableName] ?? []));
      left = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
    return items;
  }

  async function remember(accountSid: string, memory: Omit<AccountMemory, "repairedIn">): Promise<void> {
    // Not the whole item: what a repair keeps there is not known here.
    const names = Object.entries(memory);
    await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: sweepKey(accountSid),
        UpdateExpression: `SET ${names.map(([name]) => `#${name} = :${name}`).join(", ")}`,
        ExpressionAttributeNames: Object.fromEntries(names.map(([name]) => [`#${name}`, name])),
        ExpressionAttributeValues: Object.fromEntries(names.map(([name, value]) => [`:${name}`, value])),
      }),
    );
  }

  async function claimRepair(accountSid: string, sweepId: string, { now, until }: { now: Date; until: Date }) {
    const isFree = "attribute_not_exists(repairUntil)";
    const isLeft = "repairUntil < :now";
    const claiming = new UpdateCommand({
      TableName: tableName,
      Key: sweepKey(accountSid),
      UpdateExpression: "SET repairUntil = :until, repairedIn = :sweepId",
      ConditionExpression: `${isFree} OR ${isLeft}`,
      ExpressionAttributeValues: {
        ":now": now.toISOString(),
        ":until": until.toISOString(),
        ":sweepId": sweepId,
      },
    });
    return unlessRefused(client.send(claiming));
  }

  async function endRepair(accountSid: string, sweepId: string): Promise<void> {
    const ending = new UpdateCommand({
      TableName: tableName,
      Key: sweepKey(accountSid),
      UpdateExpression: "REMOVE repairUntil",
      ConditionExpression: "repairedIn = :sweepId",
      ExpressionAttributeValues: { ":sweepId": sweepId },
    });
    await unlessRefused(client.send(ending));
  }

  return { recall, firedAt, remember, claimRepair, endRepair };
}

function byKey<T extends z.core.$ZodType<{ pk: string }>>(items: readonly Item[], schema: T, keys: readonly Key[]) {
  const wanted = new Set<unknown>(keys.map(({ pk }) => pk));
  const found = items.filter(({ pk }) => wanted.has(pk)).map((item) => z.parse(schema, item));
  return new Map(found.map((item) => [item.pk, item]));
}

/** An item that only a repair has written is of an account that was never swept to the end. */
function memoryOf(item: z.output<typeof MemoryItem> | undefined): AccountMemory | undefined {
  if (item?.firstSeenIn === undefined) return undefined;
  const { pk: _, firstSeenIn, ...rest } = item;
  return { ...rest, firstSeenIn };
}

/** @returns whether the condition of the write held. */
async function unlessRefused(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

function throttled(): TollbreakerError {
  return new TollbreakerError("store-throttled", "DynamoDB did not read all that was asked for.", {
    fix: "nothing: the message is delivered again; if it lasts, look at the table's throttling metrics",
  });
}
