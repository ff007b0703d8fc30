import type { SQSBatchResponse, SQSRecord } from "aws-lambda";

/** @returns whether the record is done with; a record that is not will be delivered again. */
export type HandleRecord = (record: SQSRecord) => Promise<boolean>;

/**
 * Handles a batch of a FIFO queue: accounts side by side, the messages of one account one after the other. After one
 * that failed, the later ones of the same account fail too, untouched, or SQS would hand them out before it.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */
export async function handleFifoBatch(records: readonly SQSRecord[], handle: HandleRecord): Promise<SQSBatchResponse> {
  const accounts = Map.groupBy(records, ({ attributes }) => attributes.MessageGroupId ?? "");
  const left = await Promise.all([...accounts.values()].map((account) => handleInOrder(account, handle)));
  return { batchItemFailures: left.flat().map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

/** @returns the records that are left to be delivered again. */
async function handleInOrder(records: readonly SQSRecord[], handle: HandleRecord): Promise<readonly SQSRecord[]> {
  for (const [index, record] of records.entries()) {
    if (!(await handle(record))) return records.slice(index);
  }
  return [];
}
