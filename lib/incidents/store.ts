import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { unlessRefused } from "../conditional-write.ts";
import { TollbreakerError } from "../errors.ts";
import { brakeOf, type VersionedBrake } from "./brake-store.ts";
import type { Change, IncidentRecord, KeyedEntry } from "./change.ts";
import { HeadItem, headItem, recordOf } from "./items.ts";
import { accountKey, brakeKey, entryKey, firedKey, headKey, routingKey, seenKey } from "./keys.ts";

/** The responder's memory. Only the responder writes here. Every write can be repeated. */
export interface IncidentStore {
  /** What must be known before acting on a signal: one round trip. */
  recall(accountSid: string, identity: string): Promise<Memory>;
  /**
   * Makes `incidentId` the account's one open incident; one round trip. Claiming it again is fine.
   * @param insteadOf an incident that is over, and yet still claimed: kept as `release` does.
   * @throws TollbreakerError `incident-claim-lost` when the account has another open incident by now.
   */
  claim(accountSid: string, incidentId: string, insteadOf?: string): Promise<void>;
  load(incidentId: string): Promise<IncidentRecord | undefined>;
  /**
   * Writes the history first and the head second, so that a crash in between loses no line.
   * @returns the record as stored, to make the next change from.
   * @throws TollbreakerError `incident-changed` when somebody else wrote the head meanwhile.
   */
  save(change: Change): Promise<IncidentRecord>;
  /**
   * Changes an incident that is stored already, as `save` does. Where somebody else wrote it meanwhile without moving it to
   * another state (what was due was done, an alert was sent), the same change is made of what is there by now: so `make`
   * must go by its argument alone. What changes nothing is not written.
   * @param record as it was stored last
   * @throws TollbreakerError `incident-changed` when somebody else moved it to another state.
   */
  change(record: IncidentRecord, make: (record: IncidentRecord) => Change): Promise<IncidentRecord>;
  /**
   * Keeps what the account's next signals and the sweep must know, while its incident is still open. Repeatable; nothing
   * happens when another one is open by now.
   */
  noteReactivated(accountSid: string, incidentId: string, reactivated: Reactivated): Promise<void>;
  /**
   * The account has no open incident any more. Repeatable; nothing happens when another one is open by now. The incident
   * is kept as one that people are still to be told of, for the sweep, until `noteTold`.
   * @param reactivated what the account's next signals must know; null when it was not reactivated.
   */
  release(accountSid: string, incidentId: string, reactivated: Reactivated | null): Promise<void>;
  /** People were told of all that there was to tell of an incident that is over. Repeatable. */
  noteTold(accountSid: string, incidentId: string): Promise<void>;
  /**
   * Keeps how a phone number was routed, to be given back.
   * @param command who unroutes it: what a redelivery of it finds is not kept instead, what a later one finds is.
   */
  keepRouting(accountSid: string, kept: KeptRouting, command: string): Promise<void>;
  routingsOf(accountSid: string): Promise<KeptRouting[]>;
  markSeen(accountSid: string, identity: string, now: Date): Promise<void>;
  /** That this firing came in and was dealt with: the sweep looks for those that did not. @param firedAt ISO 8601 UTC. */
  noteFired(accountSid: string, firing: string, firedAt: string): Promise<void>;
  /** When each of these firings (`firingOf`) was last dealt with, ISO 8601 UTC; without those that never were. */
  firedAt(accountSid: string, firings: readonly string[]): Promise<Map<string, string>>;
}

interface Reactivated {
  /** ISO 8601 UTC: what fired before it is old news. */
  at: string;
  /** What had been used by then, by measure, and what its guards count from, by `guardKey`: decimal strings. */
  passed: Readonly<Record<string, string>>;
}

/**
 * Not in the incident itself: a webhook's address may hold a password, and hundreds of numbers are more than one item
 * can hold.
 */
interface KeptRouting {
  phoneNumberSid: string;
  /** By the names of the IncomingPhoneNumber resource: https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource */
  routing: Readonly<Record<string, string>>;
}

export interface Memory {
  seen: boolean;
  openIncidentId: string | null;
  lastIncidentId: string | null;
  /** ISO 8601 UTC. */
  lastReactivatedAt: string | null;
  /** What had been used by then, by measure, and what its guards count from, by `guardKey`: decimal strings. */
  passed: Readonly<Record<string, string>>;
  /** The brake, as it was a moment ago. */
  brake: VersionedBrake;
}

/** The sweep reads it, too (lib/sweep/memory-store.ts): no index leads to an incident that is over and has alerts due. */
const KEEP_UNTOLD = "ADD untold :ended";

/** Two lanes write an incident, each a few times. */
const MOST_TRIES = 5;

/** SQS keeps a message for 14 days at the most, dead-letter queue and redrive together can double that. */
const SEEN_FOR_SECONDS = 30 * 24 * 3600;

/** Longer than the longest period in which a trigger fires once and the sweep asks about it. */
const FIRED_FOR_SECONDS = 40 * 24 * 3600;

const FiredItem = z.object({ sk: z.string(), firedAt: z.string() });
const RoutingItem = z.object({ sk: z.string(), routing: z.record(z.string(), z.string()) });

const AccountItem = z.object({
  openIncidentId: z.optional(z.string()),
  lastIncidentId: z.optional(z.string()),
  lastReactivatedAt: z.optional(z.string()),
  passed: z.optional(z.record(z.string(), z.string())),
});

export function incidentStore(client: DynamoDBDocumentClient, tableName: string): IncidentStore {
  async function recall(accountSid: string, identity: string): Promise<Memory> {
    const account = accountKey(accountSid);
    const seen = seenKey(accountSid, identity);
    const items = await getAll([account, seen, brakeKey]);
    const known = z.parse(AccountItem, items.find(({ pk }) => pk === account.pk) ?? {});
    return {
      seen: items.some(({ pk }) => pk === seen.pk),
      openIncidentId: known.openIncidentId ?? null,
      lastIncidentId: known.lastIncidentId ?? null,
      lastReactivatedAt: known.lastReactivatedAt ?? null,
      passed: known.passed ?? {},
      brake: brakeOf(items.find(({ pk }) => pk === brakeKey.pk)),
    };
  }

  async function getAll(keys: { pk: string; sk: string }[]) {
    const answer = await client.send(
      new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } }),
    );
    // A throttled batch answers 200 with what it did not read; that must not look like "never seen".
    if (answer.UnprocessedKeys?.[tableName] !== undefined) throw throttled();
    return answer.Responses?.[tableName] ?? [];
  }

  async function claim(accountSid: string, incidentId: string, insteadOf = incidentId): Promise<void> {
    const noneIsOpen = "attribute_not_exists(openIncidentId)";
    const thisOneIsOpen = "openIncidentId IN (:incidentId, :insteadOf)";
    const isInstead = insteadOf !== incidentId;
    const claiming = new UpdateCommand({
      TableName: tableName,
      Key: accountKey(accountSid),
      UpdateExpression: `SET openIncidentId = :incidentId, lastIncidentId = :incidentId${isInstead ? ` ${KEEP_UNTOLD}` : ""}`,
      ConditionExpression: `${noneIsOpen} OR ${thisOneIsOpen}`,
      ExpressionAttributeValues: {
        ":incidentId": incidentId,
        ":insteadOf": insteadOf,
        ...(isInstead && { ":ended": new Set([insteadOf]) }),
      },
    });
    await sendUnless(claiming, () => claimLost(accountSid));
  }

  async function load(incidentId: string): Promise<IncidentRecord | undefined> {
    const key = headKey(incidentId);
    const answer = await client.send(new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }));
    return answer.Item === undefined ? undefined : recordOf(z.parse(HeadItem, answer.Item));
  }

  async function save({ record, entries }: Change): Promise<IncidentRecord> {
    const { id } = record.incident;
    // One after the other: cut anywhere, what is there is the beginning of the story, and never a middle without it.
    for (const entry of entries) await append(id, entry);
    const stored = { ...record, version: record.version + 1 };
    const isNew = "attribute_not_exists(pk)";
    const isAsWeReadIt = "version = :version";
    const writing = new PutCommand({
      TableName: tableName,
      Item: { ...headKey(id), ...headItem(stored) },
      ConditionExpression: `${isNew} OR ${isAsWeReadIt}`,
      ExpressionAttributeValues: { ":version": record.version },
    });
    await sendUnless(writing, () => changedMeanwhile(id));
    return stored;
  }

  async function change(record: IncidentRecord, make: (record: IncidentRecord) => Change): Promise<IncidentRecord> {
    const { id, state } = record.incident;
    let current = record;
    for (let tries = 0; ; tries++) {
      const made = make(current);
      if (made.record === current && made.entries.length === 0) return current;
      try {
        return await save(made);
      } catch (error) {
        if (!isChangedMeanwhile(error) || tries === MOST_TRIES) throw error;
        const found = await load(id);
        if (found?.incident.state !== state) throw error;
        current = found;
      }
    }
  }

  async function append(incidentId: string, { key, ...line }: KeyedEntry): Promise<void> {
    const adding = new PutCommand({
      TableName: tableName,
      Item: { ...entryKey(incidentId, key), ...line },
      ConditionExpression: "attribute_not_exists(pk)",
    });
    // A step that was written down before keeps its first time.
    await sendUnless(adding, () => undefined);
  }

  async function noteReactivated(accountSid: string, incidentId: string, reactivated: Reactivated): Promise<void> {
    await changeAccount(accountSid, incidentId, reactivated, { then: "", values: {} });
  }

  async function release(accountSid: string, incidentId: string, reactivated: Reactivated | null): Promise<void> {
    const then = `REMOVE openIncidentId ${KEEP_UNTOLD}`;
    await changeAccount(accountSid, incidentId, reactivated, { then, values: { ":ended": new Set([incidentId]) } });
  }

  async function noteTold(accountSid: string, incidentId: string): Promise<void> {
    const noting = new UpdateCommand({
      TableName: tableName,
      Key: accountKey(accountSid),
      UpdateExpression: "DELETE untold :told",
      // Without it, an update would make an account that is not known.
      ConditionExpression: "contains(untold, :incidentId)",
      ExpressionAttributeValues: { ":told": new Set([incidentId]), ":incidentId": incidentId },
    });
    await sendUnless(noting, () => undefined);
  }

  async function changeAccount(
    accountSid: string,
    incidentId: string,
    news: Reactivated | null,
    { then, values }: { then: string; values: Record<string, unknown> },
  ): Promise<void> {
    const keeping = news === null ? "" : "SET lastReactivatedAt = :at, passed = :passed ";
    const changing = new UpdateCommand({
      TableName: tableName,
      Key: accountKey(accountSid),
      UpdateExpression: keeping + then,
      ConditionExpression: "openIncidentId = :incidentId",
      ExpressionAttributeValues: {
        ":incidentId": incidentId,
        ...values,
        ...(news === null ? {} : { ":at": news.at, ":passed": news.passed }),
      },
    });
    await sendUnless(changing, () => undefined);
  }

  async function keepRouting(accountSid: string, { phoneNumberSid, routing }: KeptRouting, command: string) {
    const keeping = new PutCommand({
      TableName: tableName,
      Item: { ...routingKey(accountSid, phoneNumberSid), routing, command },
      ConditionExpression: "attribute_not_exists(pk) OR command <> :command",
      ExpressionAttributeValues: { ":command": command },
    });
    await sendUnless(keeping, () => undefined);
  }

  async function routingsOf(accountSid: string): Promise<KeptRouting[]> {
    const { pk } = routingKey(accountSid, "");
    const reading = {
      TableName: tableName,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": pk },
      ConsistentRead: true,
    };
    const kept: KeptRouting[] = [];
    for await (const { Items = [] } of paginateQuery({ client }, reading)) {
      kept.push(
        ...Items.map((item) => z.parse(RoutingItem, item)).map(({ sk, routing }) => ({ phoneNumberSid: sk, routing })),
      );
    }
    return kept;
  }

  async function markSeen(accountSid: string, identity: string, now: Date): Promise<void> {
    const expiresAt = Math.floor(now.getTime() / 1000) + SEEN_FOR_SECONDS;
    await client.send(new PutCommand({ TableName: tableName, Item: { ...seenKey(accountSid, identity), expiresAt } }));
  }

  /** Sends a conditional write; when its condition does not hold, throws what `otherwise` makes, if anything. */
  async function sendUnless(write: PutCommand | UpdateCommand, otherwise: () => Error | undefined): Promise<void> {
    if (await unlessRefused(write instanceof PutCommand ? client.send(write) : client.send(write))) return;
    const refusal = otherwise();
    if (refusal !== undefined) throw refusal;
  }

  async function noteFired(accountSid: string, firing: string, firedAt: string): Promise<void> {
    const noting = new UpdateCommand({
      TableName: tableName,
      Key: firedKey(accountSid, firing),
      UpdateExpression: "SET firedAt = :firedAt, expiresAt = :expiresAt",
      // A firing that comes late must not make a later one look lost.
      ConditionExpression: "attribute_not_exists(firedAt) OR firedAt < :firedAt",
      ExpressionAttributeValues: {
        ":firedAt": firedAt,
        ":expiresAt": Math.floor(Date.parse(firedAt) / 1000) + FIRED_FOR_SECONDS,
      },
    });
    await sendUnless(noting, () => undefined);
  }

  async function firedAt(accountSid: string, firings: readonly string[]): Promise<Map<string, string>> {
    // BatchGetItem takes a hundred keys; an account has a limit or two that suspend.
    const batches = Array.from({ length: Math.ceil(firings.length / 100) }, (_, n) =>
      firings.slice(n * 100, n * 100 + 100),
    );
    const items = await Promise.all(
      batches.map((batch) => getAll(batch.map((firing) => firedKey(accountSid, firing)))),
    );
    return new Map(
      items
        .flat()
        .map((item) => z.parse(FiredItem, item))
        .map((fired) => [fired.sk, fired.firedAt]),
    );
  }

  return {
    recall,
    claim,
    load,
    save,
    change,
    firedAt,
    noteReactivated,
    release,
    noteTold,
    keepRouting,
    routingsOf,
    markSeen,
    noteFired,
  };
}

function throttled(): TollbreakerError {
  return new TollbreakerError("store-throttled", "DynamoDB did not read all that was asked for.", {
    fix: "nothing: the message is delivered again; if it lasts, look at the table's throttling metrics",
  });
}

function claimLost(accountSid: string): TollbreakerError {
  return new TollbreakerError("incident-claim-lost", `Another incident of ${accountSid} was opened meanwhile.`, {
    fix: "nothing: the message is delivered again and joins that incident",
  });
}

const CHANGED_MEANWHILE = "incident-changed";

/** Whether the incident could not be written because somebody else had moved it to another state. */
export function isChangedMeanwhile(error: unknown): boolean {
  return error instanceof TollbreakerError && error.code === CHANGED_MEANWHILE;
}

function changedMeanwhile(incidentId: string): TollbreakerError {
  return new TollbreakerError(CHANGED_MEANWHILE, `Incident ${incidentId} was changed by somebody else meanwhile.`, {
    fix: "nothing: the message is delivered again and goes on from there",
  });
}
