import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { IMPATIENT } from "../aws.ts";
import type { BrakeState } from "../policy/brake.ts";
import { brakeOf } from "./brake-store.ts";
import { brakeKey } from "./keys.ts";

/** The brake as it is now, suspensions included that do not count any more. Rejects when it can't be read. */
export type BrakeReader = () => Promise<BrakeState>;

/** Reads the brake from the table; needs no right to write. */
export function dynamoBrakeReader(tableName: string): BrakeReader {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT));
  return async () => {
    const reading = new GetCommand({ TableName: tableName, Key: brakeKey, ConsistentRead: true });
    const answer = await client.send(reading);
    return brakeOf(answer.Item).state;
  };
}
