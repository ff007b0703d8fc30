import type { SQSRecord } from "aws-lambda";
import { TRIES_ATTRIBUTE } from "../../lib/inbox/inbox.ts";
import type { Message } from "../../lib/inbox/messages.ts";

/** A message as Lambda hands it to the responder. */
/** @param options.attempt which try it is, from 1: told by the message's own count, and by SQS's */
export function recordOf(message: Message, { attempt = 1, messageId = message.id } = {}): SQSRecord {
  return recordWith(JSON.stringify(message), { group: message.accountSid, attempt, messageId });
}

export function recordWith(body: string, { group, attempt = 1, messageId }: RecordOptions): SQSRecord {
  const tries = { dataType: "String", stringValue: String(attempt - 1) };
  return {
    messageId,
    receiptHandle: `receipt of ${messageId}`,
    body,
    attributes: {
      ApproximateReceiveCount: String(attempt),
      SentTimestamp: "0",
      SenderId: "",
      ApproximateFirstReceiveTimestamp: "0",
      MessageGroupId: group,
    },
    messageAttributes: attempt === 1 ? {} : { [TRIES_ATTRIBUTE]: tries },
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "",
    awsRegion: "us-east-1",
  };
}

export interface RecordOptions {
  group: string;
  attempt?: number;
  messageId: string;
}
