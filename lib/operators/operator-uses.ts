import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import type { Clock } from "../clock.ts";
import { messageOf, TollbreakerError } from "../errors.ts";
import { operatorKey } from "../incidents/keys.ts";
import type { Log } from "../log.ts";
import type { Operator } from "./operators.ts";

/** When each operator was last let in. */
export interface OperatorUses {
  /**
   * Notes that `operator` is let in now: at most once a minute, operator and process. Resolves within half a second and
   * never rejects; a note that can't be written is lost.
   */
  note(operator: Operator): Promise<void>;
  /**
   * When each was last let in with the present token, by name; who never was is missing. Exact to a minute.
   * @throws TollbreakerError `operator-uses-unreadable`.
   */
  lastUses(operators: readonly Operator[]): Promise<ReadonlyMap<string, string>>;
}

export interface OperatorUsesOptions {
  client: DynamoDBDocumentClient;
  tableName: string;
  clock: Clock;
  log: Log;
}

const MINUTE_MS = 60_000;
const PATIENCE_MS = 500;
/** What BatchGetItem takes: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const KEYS_AT_ONCE = 100;

const UseItem = z.object({ pk: z.string(), lastUsedAt: z.string(), mark: z.string() });
type UseItem = z.infer<typeof UseItem>;

export function operatorUses({ client, tableName, clock, log }: OperatorUsesOptions): OperatorUses {
  const noted = new Map<string, number>();

  async function note(operator: Operator): Promise<void> {
    const now = clock.now();
    const key = `${markOf(operator)} ${operator.name}`;
    if (now.getTime() - (noted.get(key) ?? 0) < MINUTE_MS) return;
    // Before it is written: while the table is out, one request a minute tries, not each.
    noted.set(key, now.getTime());
    await write(operator, now).catch((error: unknown) => {
      log.warn("operator-use-not-noted", { operator: operator.name, message: messageOf(error) });
    });
  }

  async function write(operator: Operator, now: Date): Promise<void> {
    const isFirst = "attribute_not_exists(lastUsedAt)";
    // Another function may have noted a later one meanwhile.
    const isLater = "lastUsedAt < :at";
    const noting = new UpdateCommand({
      TableName: tableName,
      Key: operatorKey(operator.name),
      UpdateExpression: "SET lastUsedAt = :at, mark = :mark",
      ConditionExpression: `${isFirst} OR ${isLater}`,
      ExpressionAttributeValues: { ":at": now.toISOString(), ":mark": markOf(operator) },
    });
    try {
      await client.send(noting, { abortSignal: AbortSignal.timeout(PATIENCE_MS) });
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async function lastUses(operators: readonly Operator[]): Promise<ReadonlyMap<string, string>> {
    const items = (await Promise.all(inGroups(operators).map(read))).flat();
    const byKey = new Map(items.map((item) => [item.pk, item]));
    const uses = operators.flatMap((operator): [string, string][] => {
      const item = byKey.get(operatorKey(operator.name).pk);
      return item?.mark === markOf(operator) ? [[operator.name, item.lastUsedAt]] : [];
    });
    return new Map(uses);
  }

  async function read(operators: readonly Operator[]): Promise<UseItem[]> {
    try {
      const Keys = operators.map(({ name }) => operatorKey(name));
      const answer = await client.send(new BatchGetCommand({ RequestItems: { [tableName]: { Keys } } }));
      // A throttled batch answers 200 with what it did not read; that must not look like "never used".
      if (answer.UnprocessedKeys?.[tableName] !== undefined) throw unreadable("only a part of what was asked for");
      return z.parse(z.array(UseItem), answer.Responses?.[tableName] ?? []);
    } catch (cause) {
      throw cause instanceof TollbreakerError ? cause : unreadable(messageOf(cause), cause);
    }
  }

  return { note, lastUses };
}

/** Tells a name's present token from an earlier one, whose use says nothing of this; too little to find a token by. */
function markOf({ sha256 }: Operator): string {
  return sha256.toString("hex", 0, 4);
}

function inGroups(operators: readonly Operator[]): Operator[][] {
  const groups: Operator[][] = [];
  for (let start = 0; start < operators.length; start += KEYS_AT_ONCE)
    groups.push(operators.slice(start, start + KEYS_AT_ONCE));
  return groups;
}

function unreadable(got: string, cause?: unknown): TollbreakerError {
  return new TollbreakerError("operator-uses-unreadable", "When operators were last let in could not be read.", {
    got,
    fix: "check TABLE_NAME, the function's permission dynamodb:BatchGetItem on OPERATOR#*, and the state of DynamoDB",
    cause,
  });
}

/** For one process alone: nothing outlives it. */
export function usesOfThisProcess(clock: Clock): OperatorUses {
  const uses = new Map<string, string>();
  return {
    note: async ({ name }) => void uses.set(name, clock.now().toISOString()),
    lastUses: async () => uses,
  };
}
