import type { SQSRecord } from "aws-lambda";
import type { Message } from "../../lib/inbox/messages.ts";

/** A message as Lambda hands it to the responder. */
export function recordOf(message: Message, { attempt = 1, messageId = message.id } = {}): SQSRecord {
  return recordWith(JSON.stringify(message), { group: message.accountSid, attempt, messageId });
}

export function recordWith(body: string, { group, attempt = 1, messageId }: RecordOptions): SQSRecord {
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
    messageAttributes: {},
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
