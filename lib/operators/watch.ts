import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { IMPATIENT } from "../aws.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { attemptsStore } from "./attempts-store.ts";
import { type FailedAttempts, failedAttempts } from "./failed-attempts.ts";
import { type OperatorUses, operatorUses, usesOfThisProcess } from "./operator-uses.ts";

/** What is kept of those who come to the door. It never decides about a right token. */
export interface Watch {
  attempts: FailedAttempts;
  uses: OperatorUses;
}

/** Kept in the table, for all functions together. */
export function watchInTable(tableName: string, clock: Clock, log: Log): Watch {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT));
  return {
    attempts: failedAttempts({ store: attemptsStore(client, tableName), clock, log }),
    uses: operatorUses({ client, tableName, clock, log }),
  };
}

/** Kept in this process, for as long as it lives. */
export function watchInMemory(clock: Clock, log: Log): Watch {
  return { attempts: failedAttempts({ store: undefined, clock, log }), uses: usesOfThisProcess(clock) };
}
