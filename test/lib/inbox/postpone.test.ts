import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { sqsPostpone } from "../../../lib/inbox/postpone.ts";
import { jsonLog } from "../../../lib/log.ts";

let broker: FauxqsServer;
let sqs: SQSClient;
let queueUrl: string;
const lines: string[] = [];

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  broker = await startFauxqs({ port: 0, logger: false });
  broker.createQueue("notify");
  const endpoint = `http://127.0.0.1:${broker.port}`;
  queueUrl = `${endpoint}/000000000000/notify`;
  sqs = new SQSClient({ endpoint, region: "us-east-1", credentials: { accessKeyId: "t", secretAccessKey: "t" } });
});
afterAll(async () => {
  sqs.destroy();
  await broker.stop();
  vi.useRealTimers();
});

const postpone = () => sqsPostpone({ sqs, queueUrl, log: jsonLog((line) => lines.push(line)) });

async function receiveAll(count: number): Promise<string[]> {
  const handles: string[] = [];
  while (handles.length < count) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    handles.push(...Messages.map(({ ReceiptHandle = "" }) => ReceiptHandle));
  }
  return handles;
}

it("puts off more messages than one request takes, and none for longer than SQS allows", async () => {
  for (let count = 0; count < 12; count++) broker.sendMessage("notify", `message ${count}`);
  const handles = await receiveAll(12);
  const seconds = (index: number) => (index === 11 ? 1_000_000 : 100 + index);
  await postpone()(handles.map((receiptHandle, index) => ({ receiptHandle, seconds: seconds(index) })));

  const inflight = broker.inspectQueue("notify")?.messages.inflight ?? [];
  expect(inflight).toHaveLength(12);
  for (const [index, handle] of handles.entries()) {
    const deadline = inflight.find(({ receiptHandle }) => receiptHandle === handle)?.visibilityDeadline ?? 0;
    const wanted = index === 11 ? 11 * 60 * 60 : seconds(index);
    expect((deadline - Date.now()) / 1000).toBe(wanted);
  }
});

it("only warns where SQS refuses one message: the others are put off all the same", async () => {
  broker.sendMessage("notify", "one more");
  const [good = ""] = await receiveAll(1);
  await postpone()([
    { receiptHandle: "no such handle", seconds: 60 },
    { receiptHandle: good, seconds: 500 },
  ]);
  const kept = broker.inspectQueue("notify")?.messages.inflight.find(({ receiptHandle }) => receiptHandle === good);
  expect(((kept?.visibilityDeadline ?? 0) - Date.now()) / 1000).toBe(500);
  expect(lines.filter((line) => line.includes("postpone-failed"))).toHaveLength(1);
});

it("asks nothing of SQS when there is nothing to put off", async () => {
  const nowhere = sqsPostpone({ sqs, queueUrl: "http://127.0.0.1:9/0/none", log: jsonLog((line) => lines.push(line)) });
  const before = lines.length;
  await nowhere([]);
  expect(lines).toHaveLength(before);
});
