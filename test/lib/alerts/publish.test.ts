import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SNSClient } from "@aws-sdk/client-sns";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod/mini";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import { snsPublisher } from "../../../lib/alerts/publish.ts";
import { examples, incident, SID } from "./examples.ts";

const credentials = { accessKeyId: "test", secretAccessKey: "test" };
let broker: FauxqsServer;
let client: SNSClient;
let topicArn: string;

beforeAll(async () => {
  broker = await startFauxqs({ port: 0, logger: false });
  topicArn = broker.createTopic("alerts").topicArn;
  broker.createQueue("raw");
  broker.createQueue("wrapped");
  broker.subscribe({ topic: "alerts", queue: "raw", attributes: { RawMessageDelivery: "true" } });
  broker.subscribe({ topic: "alerts", queue: "wrapped" });
  client = new SNSClient({ endpoint: `http://127.0.0.1:${broker.port}`, region: "us-east-1", credentials });
});
afterAll(async () => {
  client.destroy();
  await broker.stop();
});

const arrived = (queue: string) => broker.inspectQueue(queue)?.messages.ready ?? [];

it("publishes once, with a form for people and one for machines", async () => {
  const alert = composeAlert(examples.suspended);
  const { messageId } = await snsPublisher({ client, topicArn }).publish(alert);
  expect(messageId).toMatch(/\S/);

  expect(arrived("raw")).toHaveLength(1);
  // The emulator passes on all the forms together; SNS itself picks the subscriber's.
  const forms: Record<string, string> = JSON.parse(arrived("raw")[0]?.body ?? "");
  expect(Object.keys(forms).sort()).toEqual(["default", "email", "http", "https", "lambda", "sqs"]);
  expect([forms["default"], forms["email"]]).toEqual([alert.text, alert.text]);
  for (const protocol of ["sqs", "lambda", "https", "http"]) expect(JSON.parse(forms[protocol] ?? "")).toEqual(alert);

  const envelope: unknown = JSON.parse(arrived("wrapped")[0]?.body ?? "");
  expect(envelope).toMatchObject({
    Subject: `Suspended: Acme Europe ${SID}`,
    MessageAttributes: {
      state: { Type: "String", Value: "suspended" },
      severity: { Type: "String", Value: "critical" },
      account: { Type: "String", Value: SID },
    },
  });
});

it("tells SNS that the message has a form per protocol", async () => {
  const requests: URLSearchParams[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = await Array.fromAsync(request);
    requests.push(new URLSearchParams(Buffer.concat(chunks).toString()));
    response.end("<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const sns = new SNSClient({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials });
  try {
    expect(await snsPublisher({ client: sns, topicArn }).publish(composeAlert(examples.failed))).toEqual({
      messageId: "m-1",
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]?.get("Action")).toBe("Publish");
    expect(requests[0]?.get("MessageStructure")).toBe("json");
    expect(requests[0]?.get("TopicArn")).toBe(topicArn);
  } finally {
    sns.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

it("fits into one message even when every text is long", async () => {
  const long = "﷽".repeat(9000);
  const failure = { twilioCode: null, message: long, retrying: false };
  const alert = composeAlert({
    ...examples.failed,
    incident: incident({ friendlyName: long, rule: long, reason: long, failure }),
  });
  // The emulator enforces SNS's 256 KB.
  await expect(snsPublisher({ client, topicArn }).publish(alert)).resolves.toBeDefined();
});

it("says what to check when the topic is not there", async () => {
  const missing = "arn:aws:sns:us-east-1:000000000000:missing";
  const failure = await snsPublisher({ client, topicArn: missing })
    .publish(composeAlert(examples.suspended))
    .catch((error: unknown) => error);
  expect(z.parse(z.object({ code: z.string(), message: z.string() }), failure)).toEqual({
    code: "alert-not-published",
    message: expect.stringContaining(`expected: the topic ${missing}`.replace("expected", "Expected")),
  });
});
