import type { SQSRecord } from "aws-lambda";
import { CONTAINED_ATTRIBUTE, TRIES_ATTRIBUTE } from "../../lib/inbox/inbox.ts";
import type { Message } from "../../lib/inbox/messages.ts";

/** A message as Lambda hands it to the responder. */
export function recordOf(message: Message, options: Partial<RecordOptions> = {}): SQSRecord {
  return recordWith(JSON.stringify(message), { group: message.accountSid, messageId: message.id, ...options });
}

export function recordWith(body: string, { group, attempt = 1, messageId, containedAt }: RecordOptions): SQSRecord {
  const text = (stringValue: string) => ({ dataType: "String", stringValue });
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
    messageAttributes: {
      ...(attempt > 1 && { [TRIES_ATTRIBUTE]: text(String(attempt - 1)) }),
      ...(containedAt !== undefined && { [CONTAINED_ATTRIBUTE]: text(containedAt) }),
    },
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "",
    awsRegion: "us-east-1",
  };
}

export interface RecordOptions {
  group: string;
  messageId: string;
  /** Which try it is, from 1, by the message's own count and by SQS's. */
  attempt?: number;
  /** When an earlier try suspended the account without writing it down, ISO 8601 UTC. */
  containedAt?: string | undefined;
}
