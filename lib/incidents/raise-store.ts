import { type DynamoDBDocumentClient, PutCommand, paginateQuery, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { ROADS } from "../inbox/commands.ts";
import type { Raise, Raises } from "../policy/raise.ts";
import { accountKey, raiseKey } from "./keys.ts";

/**
 * Raised limits, twice: those that count lie beside what is read of an account before anything else, so that they cost no
 * round trip; and each has a record of its own, for people, which is kept.
 */
export interface RaiseStore {
  /**
   * What counts for this account from now on: all of it. Repeatable.
   * @param passed what its guards count from by now, by `guardKey`; left out, that stays as it is
   */
  keepRaises(accountSid: string, raises: Raises, passed?: Readonly<Record<string, string>>): Promise<void>;
  /** How a raise went. Repeatable: the later record of the same request takes the place of the earlier one. */
  recordRaise(record: RaiseRecord): Promise<void>;
}

/** A raise, for people. Times are ISO 8601 UTC, amounts decimal strings. */
export interface RaiseRecord extends Omit<Raise, "due"> {
  state: "raised" | "ended" | "refused";
  /** Why it was refused; null where it was not. */
  why: string | null;
}

const End = z.object({
  at: z.iso.datetime(),
  operator: z.nullable(z.string()),
  reason: z.nullable(z.string()),
  spent: z.nullable(z.string()),
  rest: z.nullable(z.object({ to: decimal(), until: z.iso.datetime() })),
});

const shared = {
  command: z.string(),
  accountSid: z.string(),
  limit: z.string(),
  from: z.string(),
  until: z.iso.datetime(),
  operator: z.string(),
  road: z.enum(ROADS),
  reason: z.string(),
  at: z.iso.datetime(),
  ended: z.nullable(End),
};
const RaiseItem = z.object({ ...shared, to: decimal(), due: z.nullable(z.enum(["raised", "ended"])) });
const RecordItem = z.object({
  ...shared,
  to: z.string(),
  state: z.enum(["raised", "ended", "refused"]),
  why: z.nullable(z.string()),
});

function decimal() {
  return z.string().check(z.regex(/^\d{1,15}(\.\d{1,6})?$/));
}

/**
 * Pure. The raised limits in an account's item. One that this version cannot read is left out, and the policy's own value
 * counts: it must not keep a signal from being judged.
 */
export function raisesIn(item: unknown): Raises {
  const found = z.safeParse(z.object({ raises: z.record(z.string(), z.unknown()) }), item);
  if (!found.success) return {};
  return Object.fromEntries(
    Object.entries(found.data.raises).flatMap(([limit, stored]) => {
      const raise = z.safeParse(RaiseItem, stored);
      return raise.success && raise.data.limit === limit ? [[limit, raise.data] as const] : [];
    }),
  );
}

export function raiseStore(client: DynamoDBDocumentClient, TableName: string): RaiseStore {
  return {
    async keepRaises(accountSid, raises, passed) {
      const isMoved = passed !== undefined;
      const keeping = new UpdateCommand({
        TableName,
        Key: accountKey(accountSid),
        UpdateExpression: `SET raises = :raises${isMoved ? ", passed = :passed" : ""}`,
        ExpressionAttributeValues: { ":raises": raises, ...(isMoved && { ":passed": passed }) },
      });
      await client.send(keeping);
    },
    async recordRaise(record) {
      await client.send(
        new PutCommand({
          TableName,
          Item: { ...raiseKey(record.accountSid, `${record.limit}#${record.at}`), ...record },
        }),
      );
    },
  };
}

/** Reads the records; needs no right to write. Rejects when they can't be read. */
export interface RaiseReader {
  /** Of one account, or of all: newest first. */
  list(accountSid?: string): Promise<RaiseRecord[]>;
}

export function raiseReader(client: DynamoDBDocumentClient, TableName: string): RaiseReader {
  return {
    async list(accountSid = "") {
      const { pk } = raiseKey("", "");
      const reading = {
        TableName,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :account)",
        ExpressionAttributeValues: { ":pk": pk, ":account": accountSid === "" ? "AC" : `${accountSid}#` },
        ConsistentRead: true,
      };
      const records: RaiseRecord[] = [];
      for await (const { Items = [] } of paginateQuery({ client }, reading))
        records.push(...Items.map((item) => z.parse(RecordItem, item)));
      return records.sort((one, other) => other.at.localeCompare(one.at));
    },
  };
}
