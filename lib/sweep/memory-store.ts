import { BatchGetCommand, type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { unlessRefused } from "../conditional-write.ts";
import { TollbreakerError } from "../errors.ts";
import { BeforeUs } from "../incidents/first-moment-item.ts";
import type { Incident } from "../incidents/incident.ts";
import { HeadItem, InterimCountsItem, recordOf } from "../incidents/items.ts";
import { accountKey, firedKey, headKey, sweepKey } from "../incidents/keys.ts";
import { raisesIn } from "../incidents/raise-store.ts";
import { alertsDue } from "../incidents/record.ts";
import { isOver } from "../incidents/transitions.ts";
import { type Anchor, anchoredAt } from "../policy/first-moment.ts";
import { type Until, waitToRetry } from "../twilio/backoff.ts";
import type { CurrencyCheck } from "./currency.ts";
import type { AccountMemory, OpenIncident, Recalled } from "./known.ts";

/** What the sweep knows and remembers of accounts. It writes its own items alone. */
export interface MemoryStore {
  /**
   * Of at most 50 accounts: two round trips, the second for those with an open incident, or one that is over but not told.
   * @param reading `consistent` for what is known in this very moment; what is changing may be missing otherwise.
   */
  recall(accountSids: readonly string[], until: Until, reading?: "consistent"): Promise<Map<string, Recalled>>;
  /** When each of these firings (`firingOf`) was last dealt with, ISO 8601 UTC; without those that never were. */
  firedAt(accountSid: string, firings: readonly string[], until: Until): Promise<Map<string, string>>;
  remember(accountSid: string, memory: Omit<AccountMemory, "repairedIn">): Promise<void>;
  /**
   * The right to change the account's usage triggers until `until`; nobody else has it meanwhile.
   * @returns false when somebody has it.
   */
  claimRepair(accountSid: string, sweepId: string, span: { now: Date; until: Date }): Promise<boolean>;
  /** Keeps the GMT day on which people are told that the account could not be armed; null forgets it. */
  noteRefusal(accountSid: string, toldOn: string | null): Promise<void>;
  /** Keeps what the account is billed in. */
  noteCurrency(accountSid: string, check: CurrencyCheck): Promise<void>;
  /** Keeps that its limit had fired before we watched, and what it had used by then. */
  noteBefore(accountSid: string, before: Anchor): Promise<void>;
  /** Keeps which sweep found it suspended without an incident; null forgets it. */
  noteFoundSuspended(accountSid: string, sweepId: string | null): Promise<void>;
  /** Keeps of which other Tollbreakers on it people were told. */
  noteOthersTold(accountSid: string, urls: readonly string[]): Promise<void>;
  /** Gives it back. */
  endRepair(accountSid: string, sweepId: string): Promise<void>;
}

const FirstSight = z.object({ period: z.string(), at: z.string() });
const Told = z.object({ at: z.string(), sweepId: z.string(), names: z.array(z.string()) });
const Drift = z.object({ at: z.record(z.string(), z.string()), told: z.nullable(Told) });
const Currency = z.object({ is: z.nullable(z.string()), against: z.string(), at: z.string() });
const MemoryItem = z.object({
  firstSeenIn: z.optional(z.string()),
  values: z._default(z.record(z.string(), z.string()), {}),
  sampledAt: z._default(z.nullable(z.string()), null),
  spentAt: z._default(z.nullable(z.string()), null),
  over: z._default(z.record(z.string(), FirstSight), {}),
  drift: z._default(z.nullable(Drift), null),
  hasBeenActive: z._default(z.boolean(), false),
  repairedIn: z._default(z.nullable(z.string()), null),
  refusalToldOn: z._default(z.nullable(z.string()), null),
  currency: z._default(z.nullable(Currency), null),
  before: z._default(z.nullable(BeforeUs), null),
  foundSuspendedIn: z._default(z.nullable(z.string()), null),
  othersTold: z._default(z.array(z.string()), []),
});
const AccountItem = z.object({
  openIncidentId: z.optional(z.string()),
  lastReactivatedAt: z.optional(z.string()),
  passed: z._default(z.record(z.string(), z.string()), {}),
  raises: z.optional(z.unknown()),
  interims: InterimCountsItem,
  untold: z._default(z.set(z.string()), new Set<string>()),
});
const FiredItem = z.object({ sk: z.string(), firedAt: z.string() });

type Key = { pk: string; sk: string };
type Item = Record<string, unknown>;
/** BatchGetItem takes no more. */
const MOST_KEYS = 100;

export function memoryStore(client: DynamoDBDocumentClient, tableName: string): MemoryStore {
  async function recall(accountSids: readonly string[], until: Until, reading?: "consistent") {
    const keys = [...accountSids.map(sweepKey), ...accountSids.map(accountKey)];
    const items = byPartition(await getAll(keys, until, reading));
    const readings = accountSids.map((accountSid) => readingOf(accountSid, items));
    const ids = readings.flatMap(({ account }) => [...claimedIn(account.data), ...untoldIn(account.data)]);
    const heads = byPartition(await getAll([...new Set(ids)].map(headKey), until, reading));
    return new Map(readings.map((found) => [found.accountSid, recalled(found, heads)]));
  }

  async function firedAt(accountSid: string, firings: readonly string[], until: Until) {
    const items = await getAll(
      firings.map((firing) => firedKey(accountSid, firing)),
      until,
    );
    return new Map(items.map((item) => z.parse(FiredItem, item)).map((fired) => [fired.sk, fired.firedAt]));
  }

  async function getAll(keys: readonly Key[], until: Until, reading?: "consistent"): Promise<Item[]> {
    const items: Item[] = [];
    for (let from = 0; from < keys.length; from += MOST_KEYS) {
      items.push(...(await getBatch(keys.slice(from, from + MOST_KEYS), until, reading)));
    }
    return items;
  }

  /** A throttled batch answers 200 with what it did not read: that must not look like "not there". */
  async function getBatch(keys: readonly Key[], until: Until, reading?: "consistent"): Promise<Item[]> {
    const items: Item[] = [];
    let left: Item[] = [...keys];
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt > 0 && !(await waitToRetry(until, attempt))) throw throttled();
      const asked = { Keys: left, ConsistentRead: reading === "consistent" };
      const answer = await client.send(new BatchGetCommand({ RequestItems: { [tableName]: asked } }));
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

  /** @param value null removes it. */
  async function note(accountSid: string, name: string, value: unknown): Promise<void> {
    const noting =
      value === null
        ? { UpdateExpression: "REMOVE #name" }
        : { UpdateExpression: "SET #name = :value", ExpressionAttributeValues: { ":value": value } };
    const names = { ExpressionAttributeNames: { "#name": name } };
    await client.send(new UpdateCommand({ TableName: tableName, Key: sweepKey(accountSid), ...names, ...noting }));
  }

  const noteRefusal = (accountSid: string, toldOn: string | null) => note(accountSid, "refusalToldOn", toldOn);
  const noteCurrency = (accountSid: string, check: CurrencyCheck) => note(accountSid, "currency", check);
  const noteBefore = (accountSid: string, before: Anchor) => note(accountSid, "before", before);
  const noteFoundSuspended = (accountSid: string, sweepId: string | null) =>
    note(accountSid, "foundSuspendedIn", sweepId);
  const noteOthersTold = (accountSid: string, urls: readonly string[]) => note(accountSid, "othersTold", urls);

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

  return {
    recall,
    firedAt,
    remember,
    claimRepair,
    noteRefusal,
    noteCurrency,
    noteBefore,
    noteFoundSuspended,
    noteOthersTold,
    endRepair,
  };
}

function byPartition(items: readonly Item[]): Map<unknown, Item> {
  return new Map(items.map((item) => [item["pk"], item]));
}

type Reading = ReturnType<typeof readingOf>;

/** Each account by itself: an item that cannot be read must not be the reason why others are not swept. */
function readingOf(accountSid: string, items: ReadonlyMap<unknown, Item>) {
  const memory = z.safeParse(z.optional(MemoryItem), items.get(sweepKey(accountSid).pk));
  const account = z.safeParse(z.optional(AccountItem), items.get(accountKey(accountSid).pk));
  return { accountSid, memory, account };
}

type AccountItem = z.output<typeof AccountItem>;

function claimedIn(account: AccountItem | undefined): string[] {
  return account?.openIncidentId === undefined ? [] : [account.openIncidentId];
}

/** So that an account is little to read, whatever was closed; the later ones come when the first are told. */
const MOST_UNTOLD = 5;

/** Ids sort by time. */
function untoldIn(account: AccountItem | undefined): string[] {
  return [...(account?.untold ?? [])].sort().slice(0, MOST_UNTOLD);
}

/** What is over and still claimed is no longer watched as open: people may not have been told of it, either. */
function untoldOf(account: AccountItem | undefined, heads: ReadonlyMap<unknown, Item>): Incident[] {
  const found = (id: string) => {
    const head = z.safeParse(HeadItem, heads.get(headKey(id).pk));
    return head.success ? [recordOf(head.data)] : [];
  };
  const leftOver = claimedIn(account)
    .flatMap(found)
    .filter((record) => isOver(record.incident.state) && alertsDue(record).length > 0);
  return [...leftOver, ...untoldIn(account).flatMap(found)].map(({ incident }) => incident);
}

function recalled({ memory, account }: Reading, heads: ReadonlyMap<unknown, Item>): Recalled {
  const openId = account.data?.openIncidentId;
  const head = z.safeParse(z.optional(HeadItem), openId === undefined ? undefined : heads.get(headKey(openId).pk));
  const open = head.data === undefined ? undefined : openIncidentOf(head.data);
  const why = [...whyNot("memory", memory), ...whyNot("account", account), ...whyNot("incident", head)].join("; ");
  const untold = untoldOf(account.data, heads);
  if (why !== "") return { kind: "unreadable", why, open, untold };
  const { lastReactivatedAt = null, passed = {}, interims = {} } = account.data ?? {};
  const {
    refusalToldOn = null,
    currency = null,
    before = null,
    foundSuspendedIn = null,
    othersTold = [],
  } = memory.data ?? {};
  const counts = { ...anchoredAt({ lastReactivatedAt, passed }, before), interims };
  const ours = { ...counts, raises: raisesIn(account.data), isClaimed: openId !== undefined, open };
  const noted = { refusalToldOn, currency, before, foundSuspendedIn, othersTold };
  return { kind: "known", known: { memory: memoryOf(memory.data), ...ours, ...noted }, untold };
}

function whyNot(what: string, { error }: z.core.util.SafeParseResult<unknown>): string[] {
  return error?.issues.map(({ path, message }) => `${[what, ...path].join(".")}: ${message}`) ?? [];
}

/** One that is over and still claimed is the responder's to tidy up. */
function openIncidentOf(head: z.output<typeof HeadItem>): OpenIncident | undefined {
  const { incident, callsDue } = recordOf(head);
  return isOver(incident.state) ? undefined : { incident, callsDue };
}

/** An item that only a repair has written is of an account that was never swept to the end. */
function memoryOf(item: z.output<typeof MemoryItem> | undefined): AccountMemory | undefined {
  if (item?.firstSeenIn === undefined) return undefined;
  const { firstSeenIn, hasBeenActive, values, sampledAt, spentAt, over, drift, repairedIn } = item;
  return { firstSeenIn, hasBeenActive, values, sampledAt, spentAt, over, drift, repairedIn };
}

function throttled(): TollbreakerError {
  return new TollbreakerError("store-throttled", "DynamoDB did not read all that was asked for.", {
    fix: "nothing: the message is delivered again; if it lasts, look at the table's throttling metrics",
  });
}
