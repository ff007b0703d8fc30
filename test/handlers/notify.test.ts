import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type AlertOccasion, composeAlert } from "../../lib/alerts/compose.ts";
import { examples } from "../lib/alerts/examples.ts";
import { type SlackSink, startSlackSink } from "../lib/alerts/slack-sink.ts";
import { story } from "../lib/slack/app-rig.ts";
import { type EmptyTable, emptyTable } from "../support/empty-table.ts";
import { BOT_TOKEN, CHANNEL, type SlackServer, startSlackServer } from "../support/slack-server.ts";

// The handler as it is deployed: its own wiring, a real queue, a real HTTP server in Slack's place.
let broker: FauxqsServer;
let sqs: SQSClient;
let queueUrl: string;
let slack: SlackSink;

beforeAll(async () => {
  broker = await startFauxqs({ port: 0, logger: false });
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  vi.stubEnv("AWS_ENDPOINT_URL_SQS", `http://127.0.0.1:${broker.port}`);
  sqs = new SQSClient({});
});
afterAll(async () => {
  sqs.destroy();
  vi.unstubAllEnvs();
  await broker.stop();
});

beforeEach(async () => {
  slack = await startSlackSink();
  broker.createQueue("notify", { attributes: { VisibilityTimeout: "180" } });
  // The SDK connects to the host of the queue's URL; the emulator's own URL has a name that needs a resolver.
  queueUrl = `http://127.0.0.1:${broker.port}/000000000000/notify`;
  vi.stubEnv("NOTIFY_QUEUE_URL", queueUrl);
  vi.stubEnv("TABLE_NAME", "no-table-is-needed-for-a-webhook");
  vi.stubEnv("SLACK_WEBHOOK_URL", slack.url);
});
afterEach(async () => {
  broker.deleteQueue("notify");
  await slack.close();
});

/** A cold start. */
async function coldHandler() {
  vi.resetModules();
  const { handler } = await import("../../handlers/notify.ts");
  return (Records: SQSRecord[]) => handler({ Records }, { getRemainingTimeInMillis: () => 30_000 });
}

async function receive(): Promise<SQSRecord[]> {
  const command = new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 });
  const { Messages = [] } = await sqs.send(command);
  return Messages.map(({ MessageId = "", ReceiptHandle = "", Body = "" }) => ({
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: "0",
      SenderId: "",
      ApproximateFirstReceiveTimestamp: "0",
    },
    messageAttributes: {},
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "",
    awsRegion: "us-east-1",
  }));
}

const invisibleSeconds = () =>
  (broker.inspectQueue("notify")?.messages.inflight ?? [])
    .map(({ visibilityDeadline }) => Math.round((visibilityDeadline - Date.now()) / 1000))
    .sort((one, other) => one - other);

function send(count: number): void {
  for (let second = 0; second < count; second++) {
    const alert = composeAlert({ ...examples.suspended, at: `2026-11-21T03:04:0${second}.000Z` });
    broker.sendMessage("notify", JSON.stringify(alert));
  }
}

it("sends the queue's messages to Slack", async () => {
  const handler = await coldHandler();
  send(2);
  expect(await handler(await receive())).toEqual({ batchItemFailures: [] });
  expect(slack.received).toHaveLength(2);
  expect(slack.received[0]?.text).toContain("Acme Europe was suspended");
});

it("lets messages come back only when Slack said, and asks Slack once", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const handler = await coldHandler();
  send(3);
  slack.answers.push({ status: 429, retryAfter: "600" });
  const records = await receive();
  expect(invisibleSeconds()).toEqual([180, 180, 180]);
  const { batchItemFailures } = await handler(records);
  expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(records.map((each) => each.messageId));
  expect(slack.received).toHaveLength(1);
  expect(invisibleSeconds()).toEqual([600, 601, 602]);
});

it("waits for a short Retry-After itself", async () => {
  const handler = await coldHandler();
  send(1);
  slack.answers.push({ status: 429, retryAfter: "1" });
  const started = Date.now();
  expect(await handler(await receive())).toEqual({ batchItemFailures: [] });
  expect(Date.now() - started).toBeGreaterThanOrEqual(950);
  expect(slack.received).toHaveLength(2);
});

it("reports what was not sent even when the queue doesn't answer", async () => {
  send(1);
  const records = await receive();
  vi.stubEnv("NOTIFY_QUEUE_URL", "http://127.0.0.1:9/000000000000/notify");
  const handler = await coldHandler();
  slack.answers.push({ status: 500 });
  expect(await handler(records)).toEqual({ batchItemFailures: [{ itemIdentifier: records[0]?.messageId }] });
});

it("without Slack, succeeds", async () => {
  vi.stubEnv("SLACK_WEBHOOK_URL", "");
  const handler = await coldHandler();
  send(1);
  expect(await handler(await receive())).toEqual({ batchItemFailures: [] });
  expect(slack.received).toEqual([]);
});

it.each(["NOTIFY_QUEUE_URL", "TABLE_NAME"])("does not start without %s", async (name) => {
  vi.stubEnv(name, "");
  await expect(coldHandler()).rejects.toMatchObject({ code: "config-invalid" });
});

it("does not start with a channel's name in the place of its ID", async () => {
  vi.stubEnv("SLACK_CHANNEL", "#alerts");
  await expect(coldHandler()).rejects.toThrow(/SLACK_CHANNEL to be a channel's ID such as C012ABCDEF/);
  vi.stubEnv("SLACK_CHANNEL", "");
});

describe("with a Slack app", () => {
  let table: EmptyTable;
  let app: SlackServer;
  beforeEach(async () => {
    [table, app] = await Promise.all([emptyTable(), startSlackServer()]);
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", table.proxy.url);
    vi.stubEnv("TABLE_NAME", table.tableName);
    vi.stubEnv("SLACK_BOT_TOKEN", BOT_TOKEN);
    vi.stubEnv("SLACK_CHANNEL", CHANNEL);
    vi.stubEnv("SLACK_API_URL", app.apiUrl);
  });
  afterEach(async () => {
    for (const name of ["SLACK_BOT_TOKEN", "SLACK_CHANNEL", "SLACK_API_URL"]) vi.stubEnv(name, "");
    await Promise.all([table.close(), app.close()]);
  });

  function tell(occasion: AlertOccasion): void {
    broker.sendMessage("notify", JSON.stringify(composeAlert(occasion)));
  }

  it("has one message for an incident, whichever function gets its alerts", async () => {
    const { suspended, reactivated } = story();
    tell(suspended);
    const first = await coldHandler();
    expect(await first(await receive())).toEqual({ batchItemFailures: [] });
    tell(reactivated);
    const second = await coldHandler();
    expect(await second(await receive())).toEqual({ batchItemFailures: [] });
    const [message, ...others] = app.inChannel();
    expect(others).toEqual([]);
    expect(message).toMatchObject({ text: expect.stringContaining("was reactivated by alice"), updates: 1 });
    expect(app.messages.map(({ threadTs }) => threadTs)).toEqual([undefined, message?.ts]);
    expect(slack.received).toEqual([]);
  });

  it("in one batch, too", async () => {
    const { alerted, suspended, reactivated } = story();
    for (const occasion of [alerted, suspended, reactivated]) tell(occasion);
    const handler = await coldHandler();
    expect(await handler(await receive())).toEqual({ batchItemFailures: [] });
    expect(app.inChannel()).toMatchObject([{ updates: 2 }]);
    expect(app.messages).toHaveLength(3);
  });

  it("keeps what the app may not post, to be sent when that is mended", async () => {
    vi.stubEnv("SLACK_BOT_TOKEN", "xoxb-revoked");
    tell(story().suspended);
    const records = await receive();
    const handler = await coldHandler();
    expect(await handler(records)).toEqual({ batchItemFailures: [{ itemIdentifier: records[0]?.messageId }] });
    expect(invisibleSeconds()).toEqual([15]);
  });

  it.each(["SLACK_CHANNEL", "SLACK_BOT_TOKEN"])("without %s and a webhook keeps the alerts", async (missing) => {
    for (const name of [missing, "SLACK_WEBHOOK_URL"]) vi.stubEnv(name, "");
    tell(story().suspended);
    const records = await receive();
    const handler = await coldHandler();
    expect(await handler(records)).toEqual({ batchItemFailures: [{ itemIdentifier: records[0]?.messageId }] });
    expect(invisibleSeconds()).toEqual([15]);
  });

  it("without a channel falls back to the webhook", async () => {
    vi.stubEnv("SLACK_CHANNEL", "");
    tell(story().suspended);
    const handler = await coldHandler();
    expect(await handler(await receive())).toEqual({ batchItemFailures: [] });
    expect([app.messages.length, slack.received.length]).toEqual([0, 1]);
  });
});
