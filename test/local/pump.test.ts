import { type MessageAttributeValue, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { SQSEvent, SQSRecord } from "aws-lambda";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { inboxReceiver } from "../../lib/response/receive.ts";
import { handOutFifoBatches } from "../../local/fifo-batches.ts";
import { type Pump, type PumpOptions, startPump } from "../../local/pump.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startRig } from "../support/responder-rig.ts";
import { firing } from "../support/signals.ts";

// What Lambda's poller does between SQS and a function, against a real queue that gives a message up after two tries.

let broker: FauxqsServer;
let sqs: SQSClient;
let queueUrl: string;
let inbox: string;
let deadLetters: string;
let queues = 0;
let pump: Pump | undefined;

beforeAll(async () => {
  await handOutFifoBatches();
  broker = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  sqs = new SQSClient({ region: "us-east-1", credentials, endpoint: `http://127.0.0.1:${broker.port}` });
});
afterAll(async () => {
  sqs.destroy();
  await broker.stop();
});
beforeEach(() => {
  const fifo = { FifoQueue: "true", DeduplicationScope: "messageGroup", FifoThroughputLimit: "perMessageGroupId" };
  // A queue of its own for each test: the broker may still hold a poll of the last test's pump.
  inbox = `inbox-${++queues}.fifo`;
  deadLetters = `given-up-${queues}.fifo`;
  const { queueArn } = broker.createQueue(deadLetters, { attributes: fifo });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn, maxReceiveCount: 2 });
  broker.createQueue(inbox, { attributes: { ...fifo, VisibilityTimeout: "1", RedrivePolicy } });
  queueUrl = `http://127.0.0.1:${broker.port}/000000000000/${inbox}`;
});
afterEach(async () => {
  await pump?.stop();
  pump = undefined;
  broker.deleteQueue(inbox);
  broker.deleteQueue(deadLetters);
});

const start = (handler: PumpOptions["handler"], more: Partial<PumpOptions> = {}) => {
  pump = startPump({ sqs, queueUrl, handler, timeoutMs: 25_000, workers: 2, ...more });
};
const send = (body: string, group = "a", MessageAttributes: Record<string, MessageAttributeValue> = {}) =>
  sqs.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: body,
      MessageAttributes,
      MessageGroupId: group,
      MessageDeduplicationId: `${body} ${Math.random()}`,
    }),
  );
const givenUp = () => (broker.inspectQueue(deadLetters)?.messages.ready ?? []).map(({ body }) => body);
const waiting = () => {
  const { ready = [], inflight = [] } = broker.inspectQueue(inbox)?.messages ?? {};
  return ready.length + inflight.length;
};
const eventually = (holds: () => void) => vi.waitFor(holds, { timeout: 15_000, interval: 20 });

describe("a message", () => {
  test("comes as Lambda's record, with the function's time, and is deleted when it was handled", async () => {
    const events: SQSEvent[] = [];
    const times: number[] = [];
    start(async (event, context) => {
      events.push(event);
      times.push(context.getRemainingTimeInMillis());
      return { batchItemFailures: [] };
    });
    await send("hello", "an-account");
    await eventually(() => expect(events).toHaveLength(1));
    expect(events[0]?.Records).toMatchObject([
      {
        body: "hello",
        eventSource: "aws:sqs",
        eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${inbox}`,
        attributes: { ApproximateReceiveCount: "1", MessageGroupId: "an-account" },
      },
    ]);
    expect(times[0]).toBeGreaterThan(20_000);
    expect(times[0]).toBeLessThanOrEqual(25_000);
    await eventually(() => expect(waiting()).toBe(0));
    expect(givenUp()).toEqual([]);
  });

  test("comes with its attributes, by Lambda's names", async () => {
    const records: SQSRecord[] = [];
    start(async ({ Records }) => {
      records.push(...Records);
      return { batchItemFailures: [] };
    });
    const tries = { DataType: "Number", StringValue: "3" };
    const mark = { DataType: "Binary", BinaryValue: Buffer.from("\u0000mark") };
    await send("parked", "a", { tries, mark });
    await eventually(() => expect(records).toHaveLength(1));
    expect(records[0]?.messageAttributes).toEqual({
      tries: { stringValue: "3", dataType: "Number", stringListValues: [], binaryListValues: [] },
      mark: { binaryValue: "AG1hcms=", dataType: "Binary", stringListValues: [], binaryListValues: [] },
    });
  });

  test.each<[string, PumpOptions["handler"]]>([
    ["is reported as failed", async ({ Records }) => ({ batchItemFailures: Records.map(asFailure) })],
    ["makes the function throw", async () => Promise.reject(new Error("a defect"))],
  ])("that %s comes again after its visibility time-out, and is given up in the end", async (_, handler) => {
    const attempts: string[] = [];
    start(async (event, context) => {
      attempts.push(...event.Records.map(({ attributes }) => attributes.ApproximateReceiveCount));
      return handler(event, context);
    });
    await send("poison");
    await eventually(() => expect(givenUp()).toEqual(["poison"]));
    expect(attempts).toEqual(["1", "2"]);
  });

  test("is unwrapped before it is handed over", async () => {
    const bodies: string[] = [];
    start(
      async ({ Records }) => {
        bodies.push(...Records.map(({ body }) => body));
        return { batchItemFailures: [] };
      },
      { unwrap: (body) => body.toUpperCase() },
    );
    await send("hello");
    await eventually(() => expect(bodies).toEqual(["HELLO"]));
  });
});

test("an account's messages come as one batch; what failed of it comes again, in its order", async () => {
  const batches: string[][] = [];
  for (const body of ["first", "second", "third"]) await send(body);
  start(async ({ Records }) => {
    batches.push(Records.map(({ body, attributes }) => `${body} ${attributes.ApproximateReceiveCount}`));
    const failed = batches.length === 1 ? Records.filter(({ body }) => body !== "second") : [];
    return { batchItemFailures: failed.map(asFailure) };
  });
  await eventually(() => expect(batches).toHaveLength(2));
  expect(batches).toEqual([
    ["first 1", "second 1", "third 1"],
    ["first 2", "third 2"],
  ]);
  await eventually(() => expect(waiting()).toBe(0));
});

test("one slow account does not hold up the others; its own messages keep their order", async () => {
  const handled: string[] = [];
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  start(async ({ Records }) => {
    for (const { body } of Records) {
      if (body === "slow-1") await held;
      handled.push(body);
    }
    return { batchItemFailures: [] };
  });
  await send("slow-1", "slow");
  await eventually(() => expect(broker.inspectQueue(inbox)?.messages.inflight).toHaveLength(1));
  await send("slow-2", "slow");
  await send("quick", "quick");
  await eventually(() => expect(handled).toEqual(["quick"]));
  release();
  await eventually(() => expect(handled).toEqual(["quick", "slow-1", "slow-2"]));
});

test("stopping waits for what is being handled", async () => {
  let finished = false;
  let begun = false;
  start(async () => {
    begun = true;
    await new Promise((resolve) => setTimeout(resolve, 100));
    finished = true;
    return { batchItemFailures: [] };
  });
  await send("hello");
  await eventually(() => expect(begun).toBe(true));
  await pump?.stop();
  expect(finished).toBe(true);
  expect(waiting()).toBe(0);
});

test("it goes on polling after the queue was away", async () => {
  const proxy = await startFaultProxy(`http://127.0.0.1:${broker.port}`);
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const through = new SQSClient({ region: "us-east-1", credentials, endpoint: proxy.url, maxAttempts: 1 });
  const bodies: string[] = [];
  await proxy.down();
  start(
    async ({ Records }) => {
      bodies.push(...Records.map(({ body }) => body));
      return { batchItemFailures: [] };
    },
    { sqs: through, queueUrl: queueUrl.replace(/:\d+/, new URL(proxy.url).host.replace(/^[^:]+/, "")) },
  );
  await send("hello");
  await proxy.up();
  await eventually(() => expect(bodies).toEqual(["hello"]));
  await pump?.stop();
  pump = undefined;
  through.destroy();
  await proxy.close();
});

test("a message that is no signal is parked; what is behind it, and other accounts, are suspended", async () => {
  const rig = await startRig();
  try {
    const [one, other] = [rig.simulator.addSubaccount(), rig.simulator.addSubaccount()];
    start(inboxReceiver(rig.responder()));
    await send("no signal", one.accountSid);
    await send(JSON.stringify(firing(one.accountSid)), one.accountSid);
    await send(JSON.stringify(firing(other.accountSid)), other.accountSid);
    await eventually(() => {
      for (const { accountSid } of [one, other]) expect(rig.simulator.account(accountSid).status).toBe("suspended");
    });
    expect(rig.followUps).toMatchObject([{ kind: "parked", body: "no signal", tries: 1 }]);
  } finally {
    await pump?.stop();
    pump = undefined;
    await rig.close();
  }
});

function asFailure({ messageId }: { messageId: string }) {
  return { itemIdentifier: messageId };
}
