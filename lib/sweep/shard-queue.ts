import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { TollbreakerError } from "../errors.ts";
import type { Shard } from "./shard.ts";

export interface ShardQueue {
  /** Resolves once all of them are stored. Sending a shard again is harmless. @throws TollbreakerError `sweep-not-queued` */
  put(shards: readonly Shard[]): Promise<void>;
}

/** SQS takes ten messages in a batch. */
const BATCH = 10;

export function sqsShardQueue(client: SQSClient, queueUrl: string): ShardQueue {
  async function putBatch(shards: readonly Shard[]): Promise<void> {
    const Entries = shards.map((shard) => ({ Id: String(shard.number), MessageBody: JSON.stringify(shard) }));
    const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    if (Failed.length > 0) throw notQueued(Failed.map(({ Code, Message }) => `${Code} ${Message ?? ""}`.trim()));
  }

  return {
    async put(shards) {
      for (let from = 0; from < shards.length; from += BATCH) await putBatch(shards.slice(from, from + BATCH));
    },
  };
}

function notQueued(reasons: readonly string[]): TollbreakerError {
  return new TollbreakerError("sweep-not-queued", "SQS did not take all shards of the sweep.", {
    got: [...new Set(reasons)].join("; "),
    fix: "nothing: the next sweep begins anew; if it lasts, look at the queue and at the role's sqs:SendMessage",
  });
}
