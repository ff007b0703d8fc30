import { createHash } from "node:crypto";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import * as z from "zod/mini";
import { TollbreakerError } from "../errors.ts";
import { identityOf, Message } from "./messages.ts";

/** Where everything goes that could change an account or an incident. */
export interface Inbox {
  /**
   * Resolves once the message is durably stored. Messages of one account are handed out in order, one at a time.
   * Sending the same message twice within five minutes stores it once; what makes it the same is `identityOf`.
   * Rejects once `options.signal` is aborted, without a further attempt: whether it was stored by then is not known.
   */
  put(message: Message, options?: PutOptions): Promise<void>;
}

interface PutOptions {
  /**
   * What the message stands for: of those of one account that stand for the same, the inbox stores one in five minutes.
   * `identityOf` the message when left out.
   */
  standsFor?: string;
  signal?: AbortSignal | undefined;
}

/** The inbox as the responder has it: what it could not finish comes back. */
export interface ReturnInbox extends Inbox {
  /** Stores a message once more, behind what waits for its account. @param returned as it was received */
  putBack(returned: Returned): Promise<void>;
}

interface Returned {
  /** Unique for this return, and the same however often it is attempted. */
  id: string;
  /** The message group: the AccountSid, as far as anybody can tell. */
  group: string;
  body: string;
  /** How often it was tried so far; 1 or more. */
  tries: number;
  /** When we suspended the account without being able to write it down, ISO 8601 UTC; null where we did not. */
  containedAt: string | null;
}

/** Under these names a message attribute tells what happened to the message before. */
export const TRIES_ATTRIBUTE = "tries";
export const CONTAINED_ATTRIBUTE = "contained-at";

export function sqsInbox(client: SQSClient, queueUrl: string): ReturnInbox {
  return {
    async put(message, { standsFor = identityOf(message), signal } = {}) {
      const sending = new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: asciiJson(message),
        MessageGroupId: message.accountSid,
        MessageDeduplicationId: deduplicationId(standsFor, message.accountSid),
      });
      await client.send(sending, signal && { abortSignal: signal });
    },
    async putBack({ id, group, body, tries, containedAt }) {
      const text = (StringValue: string) => ({ DataType: "String", StringValue });
      const sending = new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: body,
        MessageGroupId: group,
        MessageDeduplicationId: deduplicationId(`returned:${id}`, group),
        MessageAttributes: {
          [TRIES_ATTRIBUTE]: text(String(tries)),
          ...(containedAt !== null && { [CONTAINED_ATTRIBUTE]: text(containedAt) }),
        },
      });
      await client.send(sending);
    },
  };
}

// Unique in the whole queue: whether it deduplicates within each group only is a setting of the queue, and local
// emulators do not have it. Not by IdempotencyToken: a forged firing would keep the genuine one out of the queue.
function deduplicationId(standsFor: string, accountSid: string): string {
  const unique = `${standsFor}@${accountSid}`;
  return unique.length <= 128 ? unique : createHash("sha256").update(unique).digest("hex");
}

// SQS refuses a message with U+FFFE or U+FFFF in it, and a signed webhook may hold any character: in JSON each can be
// written as ASCII. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** @throws TollbreakerError `inbox-message-invalid` when `body` was not put there by this version of the code. */
export function readMessage(body: string): Message {
  const result = z.safeParse(Message, parseJson(body));
  if (result.success) return result.data;
  throw new TollbreakerError("inbox-message-invalid", "A message in the inbox cannot be read.", {
    expected: "a signal, a command or a nudge as lib/inbox defines them",
    got: result.error.issues.map((issue) => `${issue.path.join(".") || "message"}: ${issue.message}`).join("; "),
    fix: "it goes to the dead-letter queue; look at it there, and redrive it after deploying code that knows it",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
