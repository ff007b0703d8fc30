import { type DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Clock } from "../clock.ts";
import { unlessRefused } from "../conditional-write.ts";
import { messageOf } from "../errors.ts";
import { operatorKey } from "../incidents/keys.ts";
import type { Log } from "../log.ts";
import type { Operator } from "./operators.ts";

/**
 * Notes that `operator` is let in now: at most once a minute, operator and process. Resolves within half a second and
 * never rejects; a note that can't be written is lost.
 */
export type NoteUse = (operator: Operator) => Promise<void>;

export interface NoteUseOptions {
  client: DynamoDBDocumentClient;
  tableName: string;
  clock: Clock;
  log: Log;
}

const MINUTE_MS = 60_000;
const PATIENCE_MS = 500;

/** Apart from the reading of these notes, which not every function may do. */
export function noteUses({ client, tableName, clock, log }: NoteUseOptions): NoteUse {
  const noted = new Map<string, number>();

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
    await unlessRefused(client.send(noting, { abortSignal: AbortSignal.timeout(PATIENCE_MS) }));
  }

  return async (operator) => {
    const now = clock.now();
    const key = `${markOf(operator)} ${operator.name}`;
    if (now.getTime() - (noted.get(key) ?? 0) < MINUTE_MS) return;
    // Before it is written: while the table is out, one request a minute tries, not each.
    noted.set(key, now.getTime());
    await write(operator, now).catch((error: unknown) => {
      log.warn("operator-use-not-noted", { operator: operator.name, message: messageOf(error) });
    });
  };
}

/** Tells a name's present token from an earlier one, whose use says nothing of this; too little to find a token by. */
export function markOf({ sha256 }: Operator): string {
  return sha256.toString("hex", 0, 4);
}
