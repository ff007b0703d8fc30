import {
  DeleteMessageCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent, SQSMessageAttribute, SQSRecord } from "aws-lambda";

/** What stands between SQS and a Lambda function: polls, invokes, and deletes what was handled. */
export interface PumpOptions {
  sqs: SQSClient;
  queueUrl: string;
  handler(event: SQSEvent, context: { getRemainingTimeInMillis(): number }): Promise<SQSBatchResponse>;
  /** The function's time-out in serverless.yml, in milliseconds. */
  timeoutMs: number;
  /** How many invocations may run side by side, so that one slow account does not hold up the others. */
  workers: number;
  /** Each message's body passes through it before it reaches the function. */
  unwrap?: (body: string) => string;
}

export interface Pump {
  /** Resolves when what is being handled is finished. */
  stop(): Promise<void>;
}

export function startPump(options: PumpOptions): Pump {
  const stopping = new AbortController();
  const workers = Array.from({ length: options.workers }, () => work(options, stopping.signal));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(workers);
    },
  };
}

async function work(options: PumpOptions, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    const messages = await receive(options, stopping);
    if (messages.length > 0) await invoke(options, messages);
  }
}

async function receive({ sqs, queueUrl }: PumpOptions, stopping: AbortSignal): Promise<Message[]> {
  try {
    const polling = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 1,
      MessageSystemAttributeNames: ["All"],
      MessageAttributeNames: ["All"],
    });
    const answer = await sqs.send(polling, { abortSignal: stopping });
    return answer.Messages ?? [];
  } catch {
    // Lambda's poller goes on polling whatever happens; so does this one, once a moment.
    if (!stopping.aborted) await new Promise((resolve) => setTimeout(resolve, 200));
    return [];
  }
}

async function invoke(options: PumpOptions, messages: readonly Message[]): Promise<void> {
  const { handler, timeoutMs, unwrap = (body) => body } = options;
  const deadline = Date.now() + timeoutMs;
  const arn = arnOf(options.queueUrl);
  const Records = messages.map((message) => recordOf(message, { unwrap, arn }));
  const context = { getRemainingTimeInMillis: () => deadline - Date.now() };
  // A function that throws handled nothing: its messages come back after the visibility time-out.
  const result = await handler({ Records }, context).catch(() => undefined);
  if (result === undefined) return;
  const failed = new Set(result.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  const done = Records.filter(({ messageId }) => !failed.has(messageId));
  await Promise.all(done.map((record) => remove(options, record)));
}

async function remove({ sqs, queueUrl }: PumpOptions, { receiptHandle }: SQSRecord): Promise<void> {
  // What can't be deleted comes again, as on AWS: handlers must live with that.
  await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle })).catch(() => undefined);
}

/** A queue's ARN ends with its account and its name, as its URL does. */
function arnOf(queueUrl: string): string {
  const [account, name] = new URL(queueUrl).pathname.split("/").slice(-2);
  return `arn:aws:sqs:us-east-1:${account}:${name}`;
}

interface Handing {
  unwrap: (body: string) => string;
  arn: string;
}

function recordOf(message: Message, { unwrap, arn }: Handing): SQSRecord {
  const attributes = message.Attributes ?? {};
  return {
    messageId: message.MessageId ?? "",
    receiptHandle: message.ReceiptHandle ?? "",
    body: unwrap(message.Body ?? ""),
    attributes: {
      ApproximateReceiveCount: attributes.ApproximateReceiveCount ?? "1",
      SentTimestamp: attributes.SentTimestamp ?? "",
      SenderId: attributes.SenderId ?? "",
      ApproximateFirstReceiveTimestamp: attributes.ApproximateFirstReceiveTimestamp ?? "",
      ...(attributes.MessageGroupId === undefined ? {} : { MessageGroupId: attributes.MessageGroupId }),
    },
    messageAttributes: attributesOf(message),
    md5OfBody: message.MD5OfBody ?? "",
    eventSource: "aws:sqs",
    eventSourceARN: arn,
    awsRegion: "us-east-1",
  };
}

function attributesOf({ MessageAttributes = {} }: Message): SQSRecord["messageAttributes"] {
  return Object.fromEntries(Object.entries(MessageAttributes).map(([name, value]) => [name, attributeOf(value)]));
}

/** In Lambda's own spelling: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
function attributeOf({ StringValue, BinaryValue, DataType = "String" }: MessageAttributeValue): SQSMessageAttribute {
  return {
    ...(StringValue !== undefined && { stringValue: StringValue }),
    ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
    stringListValues: [],
    binaryListValues: [],
    dataType: DataType,
  };
}
