import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { IMPATIENT } from "../aws.ts";
import type { BrakeState, Waiting } from "../policy/brake.ts";
import { brakeOf } from "./brake-store.ts";
import { brakeKey } from "./keys.ts";
import { readWaiting, type WaitingPage, type WaitingQuery } from "./waiting-store.ts";

/** Reads the brake; needs no right to write. Rejects when it can't be read. */
export interface BrakeReader {
  /** As it is now, suspensions included that do not count any more. */
  state(): Promise<BrakeState>;
  /** Who waits, by AccountSid: a full page, unless it is the last one. */
  waiting(query: WaitingQuery): Promise<WaitingPage>;
}

export function dynamoBrakeReader(tableName: string): BrakeReader {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT));

  async function state(): Promise<BrakeState> {
    const reading = new GetCommand({ TableName: tableName, Key: brakeKey, ConsistentRead: true });
    const answer = await client.send(reading);
    return brakeOf(answer.Item).state;
  }

  async function waiting({ after, limit }: WaitingQuery): Promise<WaitingPage> {
    const found: Waiting[] = [];
    let next: string | null = after;
    // Items of those that wait no more leave gaps.
    while (next !== null && found.length < limit) {
      const page: WaitingPage = await readWaiting(client, tableName, { after: next, limit: limit - found.length });
      found.push(...page.waiting);
      next = page.next;
    }
    return { waiting: found, next };
  }

  return { state, waiting };
}

const PAGE = 1000;

/** All that wait, page by page, as far as they are asked for. */
export async function* allWaiting(brake: BrakeReader): AsyncGenerator<readonly Waiting[]> {
  let after: string | null = "";
  while (after !== null) {
    const page: WaitingPage = await brake.waiting({ after, limit: PAGE });
    yield page.waiting;
    after = page.next;
  }
}
