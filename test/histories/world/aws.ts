import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import {
  ChangeMessageVisibilityBatchCommand,
  type MessageAttributeValue,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Faults, Part } from "./faults.ts";
import type { Queue } from "./queue.ts";
import type { Table } from "./table.ts";

/** Clients of the SDK as our code has them, answered from memory: no socket, no time but a history's own. */
export interface Aws {
  dynamo: DynamoDBDocumentClient;
  sqs: SQSClient;
  sns: SNSClient;
  /** By its queue's name. */
  urlOf(queue: string): string;
}

export interface AwsParts {
  faults: Faults;
  table: Table;
  queues: readonly Queue[];
  /** Each message that the topic took: the form for machines. */
  published: (message: string) => void;
}

const CREDENTIALS = { region: "us-east-1", credentials: { accessKeyId: "memory", secretAccessKey: "memory" } };
const urlOf = (queue: string) => `https://sqs.us-east-1.amazonaws.com/000000000000/${queue}`;

export function memoryAws({ faults, table, queues, published }: AwsParts): Aws {
  const queueAt = (url = "") => {
    const queue = queues.find(({ name }) => urlOf(name) === url);
    if (queue === undefined) throw new Error(`there is no queue ${url}`);
    return queue;
  };

  async function toSqs(command: object): Promise<object> {
    if (command instanceof SendMessageCommand) {
      const queue = queueAt(command.input.QueueUrl);
      return faults.pass(partOf(queue), () => {
        faults.running()?.sentTo.add(queue.name);
        return { isNew: queue.send(sentIn(command.input)) };
      });
    }
    if (command instanceof SendMessageBatchCommand) {
      const queue = queueAt(command.input.QueueUrl);
      const all = (command.input.Entries ?? []).map(sentIn);
      return faults.pass(partOf(queue), () => ({ areNew: all.map(queue.send) }));
    }
    if (command instanceof ChangeMessageVisibilityBatchCommand) {
      const queue = queueAt(command.input.QueueUrl);
      const all = command.input.Entries ?? [];
      return faults.pass(partOf(queue), () => {
        for (const { ReceiptHandle = "", VisibilityTimeout = 0 } of all)
          queue.hideFor(ReceiptHandle, VisibilityTimeout * 1000);
        return {};
      });
    }
    throw new Error(`histories do not know ${command.constructor.name}`);
  }

  async function toSns(command: object): Promise<object> {
    if (!(command instanceof PublishCommand)) throw new Error(`histories do not know ${command.constructor.name}`);
    return faults.pass("sns", () => {
      published(acceptedMessage(command));
      return { MessageId: "a message" };
    });
  }

  return {
    dynamo: answeredBy(DynamoDBDocumentClient.from(new DynamoDBClient(CREDENTIALS)), (command) =>
      faults.pass("store", () => table.execute(command)),
    ),
    sqs: answeredBy(new SQSClient(CREDENTIALS), toSqs),
    sns: answeredBy(new SNSClient(CREDENTIALS), toSns),
    urlOf,
  };
}

function answeredBy<C extends object>(client: C, send: (command: object) => Promise<unknown>): C {
  return Object.assign(client, { send });
}

function partOf({ name }: Queue): Part {
  if (name.includes("inbox")) return "inbox";
  return name.includes("sweep") ? "sweep-queue" : "follow-up";
}

type Sending = Pick<
  SendMessageCommandInput,
  "MessageBody" | "MessageGroupId" | "MessageDeduplicationId" | "DelaySeconds" | "MessageAttributes"
>;

function sentIn({ MessageBody, MessageGroupId, MessageDeduplicationId, DelaySeconds = 0, MessageAttributes }: Sending) {
  return {
    body: MessageBody ?? "",
    group: MessageGroupId,
    deduplicationId: MessageDeduplicationId,
    delayMs: DelaySeconds * 1000,
    attributes: textsIn(MessageAttributes),
  };
}

function textsIn(attributes: Record<string, MessageAttributeValue> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, { StringValue = "" }]) => [name, StringValue]));
}

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const MOST_BYTES = 256 * 1024;
const SUBJECT = /^[!-~][ -~]{0,98}$/;

/** @throws as SNS, for what it does not take. */
function acceptedMessage({ input: { Subject = "", Message = "" } }: PublishCommand): string {
  if (Buffer.byteLength(Message) > MOST_BYTES) throw new Error("Invalid parameter: Message too long");
  if (!SUBJECT.test(Subject)) throw new Error("Invalid parameter: Subject");
  const forms: unknown = JSON.parse(Message);
  const forMachines = typeof forms === "object" && forms !== null && "sqs" in forms ? forms.sqs : undefined;
  if (typeof forMachines !== "string") throw new Error("Invalid parameter: Message Structure - no form for machines");
  return forMachines;
}
