import { ChangeMessageVisibilityBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";

/** A message that was not handled, and when it should come back. */
export interface Postponement {
  receiptHandle: string;
  seconds: number;
}

/** Never throws: where SQS refuses, the queue's own visibility time-out decides when the message comes back. */
export type Postpone = (postponements: readonly Postponement[]) => Promise<void>;

/** ChangeMessageVisibilityBatch takes ten messages a request. */
const BATCH = 10;
/** SQS allows 12 hours in all since the message was received; an hour is left for what has passed. */
const LONGEST_S = 11 * 60 * 60;

interface PostponeParts {
  sqs: SQSClient;
  queueUrl: string;
  log: Log;
}

export function sqsPostpone({ sqs, queueUrl, log }: PostponeParts): Postpone {
  return async (postponements) => {
    for (let start = 0; start < postponements.length; start += BATCH) {
      await postponeBatch(postponements.slice(start, start + BATCH));
    }
  };

  async function postponeBatch(batch: readonly Postponement[]): Promise<void> {
    const Entries = batch.map(({ receiptHandle, seconds }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: Math.min(Math.ceil(seconds), LONGEST_S),
    }));
    try {
      const { Failed } = await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
      for (const { Code, Message } of Failed ?? []) log.warn("postpone-failed", { reason: Message ?? Code });
    } catch (error) {
      log.warn("postpone-failed", { reason: messageOf(error), messages: batch.length });
    }
  }
}
