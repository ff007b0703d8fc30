import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { handOutFifoBatches, mend } from "../../local/fifo-batches.ts";

let broker: FauxqsServer;
let sqs: SQSClient;
let QueueUrl: string;
let queues = 0;

beforeAll(async () => {
  await handOutFifoBatches();
  await handOutFifoBatches();
  broker = await startFauxqs({ port: 0, logger: false });
  const endpoint = `http://127.0.0.1:${broker.port}`;
  sqs = new SQSClient({ endpoint, region: "us-east-1", credentials: { accessKeyId: "t", secretAccessKey: "t" } });
});
afterAll(async () => {
  sqs.destroy();
  await broker.stop();
});
beforeEach(() => {
  const name = `queue-${++queues}.fifo`;
  const deadLetters = `dead-${queues}.fifo`;
  const fifo = { FifoQueue: "true", DeduplicationScope: "messageGroup", FifoThroughputLimit: "perMessageGroupId" };
  broker.createQueue(deadLetters, { attributes: fifo });
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${deadLetters}`,
    maxReceiveCount: 2,
  });
  broker.createQueue(name, { attributes: { ...fifo, VisibilityTimeout: "30", RedrivePolicy } });
  QueueUrl = `http://127.0.0.1:${broker.port}/000000000000/${name}`;
});

async function send(...messages: string[]): Promise<void> {
  for (const MessageBody of messages) {
    const sending = {
      QueueUrl,
      MessageBody,
      MessageGroupId: MessageBody.charAt(0),
      MessageDeduplicationId: MessageBody,
    };
    await sqs.send(new SendMessageCommand(sending));
  }
}

async function receive(most = 10): Promise<Message[]> {
  const asking = { QueueUrl, MaxNumberOfMessages: most, MessageSystemAttributeNames: ["All" as const] };
  return (await sqs.send(new ReceiveMessageCommand(asking))).Messages ?? [];
}
const bodies = (messages: readonly Message[]) => messages.map(({ Body }) => Body);
const receives = (messages: readonly Message[]) =>
  messages.map(({ Attributes }) => Number(Attributes?.ApproximateReceiveCount));
const remove = ({ ReceiptHandle }: Message) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
const giveBack = ({ ReceiptHandle }: Message) =>
  sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));

test("up to ten messages of one group come in one batch, in order, and each is counted as received", async () => {
  await send(...Array.from({ length: 12 }, (_, nth) => `a${String(nth).padStart(2, "0")}`));
  const batch = await receive();
  expect(bodies(batch)).toEqual(["a00", "a01", "a02", "a03", "a04", "a05", "a06", "a07", "a08", "a09"]);
  expect(receives(batch)).toEqual(Array.from({ length: 10 }, () => 1));
});

test("a group waits until all that was handed out of it is gone or visible again; other groups do not", async () => {
  await send("a1", "a2", "a3", "b1");
  const first = await receive(2);
  const [one, other] = first;
  if (one === undefined || other === undefined) throw new Error("two messages were expected");
  await send("a4");
  expect(bodies(await receive()).filter((body) => !bodies(first).includes(body))).not.toContain("a4");
  await remove(one);
  expect(bodies(await receive())).toEqual([]);
});

test("what becomes visible again is in its old place, before what came later", async () => {
  await send("a1", "a2", "a3");
  const batch = await receive();
  await send("a4");
  for (const message of batch) await giveBack(message);
  const again = await receive();
  expect(bodies(again)).toEqual(["a1", "a2", "a3", "a4"]);
  expect(receives(again)).toEqual([2, 2, 2, 1]);
});

test("what was received too often goes to the dead letters, and does not hold up the others", async () => {
  await send("a1");
  for (const _ of [1, 2]) for (const message of await receive()) await giveBack(message);
  await send("a2");
  expect(bodies(await receive())).toEqual(["a2"]);
  expect(broker.inspectQueue(`dead-${queues}.fifo`)?.messages.ready.map(({ body }) => body)).toEqual(["a1"]);
});

class Known {
  attributes = {};
  fifoMessages = new Map();
  fifoLockedGroups = new Map();
  inflightMessages = new Map();
  dequeueFifo() {}
  processTimers() {}
  changeVisibility() {}
}

const changed = (what: object) =>
  class extends Known {
    constructor() {
      super();
      Object.assign(this, what);
    }
  };

test.each<[string, unknown]>([
  ["there is no class SqsQueue", undefined],
  ["SqsQueue has no method dequeueFifo", changed({ dequeueFifo: undefined })],
  ["SqsQueue has no map fifoLockedGroups", changed({ fifoLockedGroups: {} })],
  ["SqsQueue has no attributes", changed({ attributes: undefined })],
])("a fauxqs that has changed inside is refused: %s", (what, queueClass) => {
  expect(() => mend(queueClass)).toThrow(expect.objectContaining({ code: "emulator-changed", got: what }));
});

test("one that is as we know it is mended once", () => {
  class Same extends Known {}
  mend(Same);
  const { dequeueFifo } = Same.prototype;
  expect(dequeueFifo).not.toBe(Known.prototype.dequeueFifo);
  mend(Same);
  expect(Same.prototype.dequeueFifo).toBe(dequeueFifo);
});
