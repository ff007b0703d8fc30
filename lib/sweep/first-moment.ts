import { DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Run, RunStore } from "./run-store.ts";

/** A table that is restored from a backup is a new one. */
export interface TableAge {
  /** When the table was made; undefined where DynamoDB does not say. */
  madeAt(): Promise<Date | undefined>;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html */
export function tableAge(client: DynamoDBClient, tableName: string): TableAge {
  return {
    async madeAt() {
      const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
      return Table?.CreationDateTime;
    },
  };
}

interface Parts {
  runs: Pick<RunStore, "firstMoment" | "moveFirstMoment">;
  /** Left out where there are no backups, as locally. */
  table?: TableAge | undefined;
  log: Log;
}

/**
 * When this table began to watch, ISO 8601 UTC: its first sweep's beginning, kept once. Of a table that lost this record alone,
 * the end of the last sweep that it remembers: what that one saw was dealt with. A table that is younger than the last sweep
 * it remembers was restored: what happened since that sweep is not in it, so it begins anew, from when it was made.
 */
export async function beginningOf(parts: Parts, { startedAt, lastFinishedAt }: Run): Promise<string> {
  const { runs } = parts;
  const kept = await runs.firstMoment(lastFinishedAt ?? startedAt);
  if (lastFinishedAt === null) return kept;
  const madeAt = await readAge(parts);
  const isRestored = madeAt !== undefined && madeAt > lastFinishedAt && madeAt > kept;
  return isRestored ? runs.moveFirstMoment(madeAt) : kept;
}

/** Nothing waits for it: not known, all is judged as ever. */
async function readAge({ table, log }: Parts): Promise<string | undefined> {
  if (table === undefined) return undefined;
  try {
    const madeAt = await table.madeAt();
    return madeAt?.toISOString();
  } catch (error) {
    log.warn("table-age-not-read", { reason: messageOf(error) });
    return undefined;
  }
}
