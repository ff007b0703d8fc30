import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { drillKey } from "../incidents/keys.ts";

/** What a rehearsal passes on its way, in this order. */
export const STATIONS = ["received", "handled", "account-read", "alert-published", "slack-told"] as const;
export type Station = (typeof STATIONS)[number];

export interface Passed {
  station: Station;
  /** ISO 8601 UTC. */
  at: string;
  /** What was seen there, in words for a person. */
  said: string;
  isGood: boolean;
}

/** Where each station of a rehearsal writes down that it was passed. Kept for a week. */
export interface DrillStore {
  pass(drillId: string, passed: Passed): Promise<void>;
  /** In the order of the stations; empty for a drill that nobody saw. */
  read(drillId: string): Promise<Passed[]>;
}

const KEPT_SECONDS = 7 * 24 * 3600;
const PassedItem = z.object({ at: z.string(), said: z.string(), isGood: z.boolean() });

export function drillStore(client: DynamoDBDocumentClient, tableName: string): DrillStore {
  return {
    async pass(drillId, { station, at, said, isGood }) {
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: drillKey(drillId),
          UpdateExpression: "SET #station = :passed, expiresAt = :expiresAt",
          ExpressionAttributeNames: { "#station": station },
          ExpressionAttributeValues: {
            ":passed": { at, said, isGood },
            ":expiresAt": Math.floor(Date.parse(at) / 1000) + KEPT_SECONDS,
          },
        }),
      );
    },
    async read(drillId) {
      const key = drillKey(drillId);
      const { Item } = await client.send(new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }));
      return STATIONS.flatMap((station) => {
        const passed = z.safeParse(PassedItem, Item?.[station]);
        return passed.success ? [{ station, ...passed.data }] : [];
      });
    },
  };
}
