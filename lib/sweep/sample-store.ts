import { type DynamoDBDocumentClient, PutCommand, paginateQuery } from "@aws-sdk/lib-dynamodb";
import * as z from "zod/mini";
import { hourlySampleKey, sampleKey } from "../incidents/keys.ts";
import type { Sample } from "./spend-sample.ts";

/** What accounts had spent, over time. Kept for 90 days. */
export interface SampleStore {
  put(accountSid: string, sample: Sample): Promise<void>;
  /** Keeps the last sample of an hour a second time, so that a week is read as its 168 hours. Repeatable. */
  putHourly(accountSid: string, sample: Sample): Promise<void>;
  /** Those of the last two hours as they came, and the last of each hour before; in no order. */
  recent(accountSid: string, span: { now: Date; lookBackMs: number }): Promise<Sample[]>;
}

const KEPT_SECONDS = 90 * 24 * 3600;
const HOUR_MS = 3600_000;
const SampleItem = z.object({ at: z.string(), values: z.record(z.string(), z.string()) });

type Key = { pk: string; sk: string };

export function sampleStore(client: DynamoDBDocumentClient, tableName: string): SampleStore {
  async function keep(key: Key, { at, values }: Sample): Promise<void> {
    const expiresAt = Math.floor(Date.parse(at) / 1000) + KEPT_SECONDS;
    await client.send(new PutCommand({ TableName: tableName, Item: { ...key, at, values, expiresAt } }));
  }

  async function between(from: Key, to: Key): Promise<Sample[]> {
    const reading = {
      TableName: tableName,
      KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
      ExpressionAttributeValues: { ":pk": from.pk, ":from": from.sk, ":to": to.sk },
    };
    const samples: Sample[] = [];
    for await (const { Items = [] } of paginateQuery({ client }, reading)) {
      samples.push(...Items.map((item) => z.parse(SampleItem, item)));
    }
    return samples;
  }

  return {
    put: (accountSid, sample) => keep(sampleKey(accountSid, sample.at), sample),
    putHourly: (accountSid, sample) => keep(hourlySampleKey(accountSid, sample.at), sample),
    async recent(accountSid, { now, lookBackMs }) {
      const ago = (milliseconds: number) => new Date(now.getTime() - milliseconds).toISOString();
      const [fine, hourly] = await Promise.all([
        between(sampleKey(accountSid, ago(2 * HOUR_MS)), sampleKey(accountSid, now.toISOString())),
        between(hourlySampleKey(accountSid, ago(lookBackMs)), hourlySampleKey(accountSid, now.toISOString())),
      ]);
      return [...hourly, ...fine];
    },
  };
}
