import { DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { IMPATIENT } from "../../../lib/aws.ts";
import { type Inbox, readMessage, sqsInbox } from "../../../lib/inbox/inbox.ts";
import type { Signal } from "../../../lib/inbox/messages.ts";
import { parseForm } from "../../../lib/twilio/signature.ts";
import { readFiring } from "../../../lib/webhooks/usage-trigger-firing.ts";
import { encoded, firing } from "../../support/signed-webhook.ts";
import { PUBLIC_URL, type Surroundings, startSurroundings } from "../../support/webhook-server.ts";

let surroundings: Surroundings;
let client: SQSClient;
let inbox: Inbox;
let queueUrl: string;

beforeAll(async () => {
  surroundings = await startSurroundings();
  const { INBOX_QUEUE_URL, AWS_ENDPOINT_URL_SQS, AWS_REGION } = surroundings.environment;
  queueUrl = INBOX_QUEUE_URL;
  client = new SQSClient({
    ...IMPATIENT,
    endpoint: AWS_ENDPOINT_URL_SQS,
    region: AWS_REGION,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  inbox = sqsInbox(client, queueUrl);
});
afterAll(async () => {
  client.destroy();
  await surroundings.close();
});

let accounts = 0;
const newAccount = () => `AC${String(++accounts).padStart(32, "0")}`;

function signal(accountSid: string, changes: Parameters<typeof firing>[1] = {}): Signal {
  return readFiring({ accountSid, form: parseForm(encoded(firing(accountSid, changes))), url: PUBLIC_URL }, new Date());
}

test("what was put comes out the same, in the order of its account", async () => {
  const account = newAccount();
  const put = ["1", "2", "3"].map((IdempotencyToken) => signal(account, { IdempotencyToken }));
  for (const one of put) await inbox.put(one);
  const received = [await takeOne(), await takeOne(), await takeOne()];
  expect(received.map(({ Body = "" }) => readMessage(Body))).toEqual(put);
  expect(received.map(({ Attributes }) => Attributes?.MessageGroupId)).toEqual([account, account, account]);
});

test("the same message twice is stored once; the same ID of another account is another message", async () => {
  const [first, second] = [newAccount(), newAccount()];
  for (const account of [first, first, second]) await inbox.put(signal(account, { IdempotencyToken: "idem-1" }));
  expect(surroundings.stored(first)).toHaveLength(1);
  expect(surroundings.stored(second)).toHaveLength(1);
});

test.each(["idem", "x".repeat(128), "x".repeat(94), `${"AC"}FIRES`])(
  "tokens that differ stay different: %s",
  async (token) => {
    const account = newAccount();
    const tokens = [token, `${token.slice(0, -1)}!`, `${account}-${token}`.slice(0, 128), `${token}@${account}`];
    for (const IdempotencyToken of tokens) await inbox.put(signal(account, { IdempotencyToken }));
    expect(surroundings.stored(account)).toHaveLength(4);
  },
);

test("a forged firing with a guessed IdempotencyToken does not keep the genuine one out", async () => {
  const account = newAccount();
  const IdempotencyToken = `${account}-FIRES-UTc142bed7b38c4f8186ef41a309814fd2-2012-10-04`;
  const genuine = signal(account, { IdempotencyToken });
  await inbox.put(signal(account, { IdempotencyToken, DateFired: "Thu, 01 Jan 2026 00:00:00 +0000" }));
  for (const _ of ["first", "Twilio's retry"]) await inbox.put(genuine);
  expect(surroundings.stored(account)).toMatchObject([{ firedAt: "2026-01-01T00:00:00.000Z" }, genuine]);
});

test("every character that a form can hold is stored, and comes out as it was", async () => {
  const account = newAccount();
  const all = Array.from({ length: 0x10000 }, (_, code) => code).filter((code) => code < 0xd800 || code > 0xdfff);
  const chunks = Array.from({ length: 64 }, (_, chunk) => all.slice(chunk * 1000, (chunk + 1) * 1000));
  for (const chunk of chunks) {
    await inbox.put(signal(account, { UsageRecordUri: `x${String.fromCodePoint(...chunk)}🚨` }));
  }
  const signals = surroundings.stored(account);
  expect(signals.map((one) => one.kind === "usage-trigger" && one.usageRecordUri.slice(1, -2))).toEqual(
    chunks.map((chunk) => String.fromCodePoint(...chunk)),
  );
});

test.each([
  ["no JSON", "{", "message"],
  ["nothing", "", "message"],
  ["no object", "5", "message"],
  ["another kind", '{"kind":"other"}', "kind"],
  ["a foreign account", JSON.stringify({ ...signal(newAccount()), accountSid: "AC1" }), "accountSid"],
  ["an ID too long", JSON.stringify({ ...signal(newAccount()), id: "x".repeat(129) }), "id"],
  ["a time that is none", JSON.stringify({ ...signal(newAccount()), receivedAt: "noon" }), "receivedAt"],
])("a message with %s is refused, and says where and what to do", (_, body, where) => {
  expect(() => readMessage(body)).toThrow(
    expect.objectContaining({
      code: "inbox-message-invalid",
      got: expect.stringContaining(where),
      fix: expect.stringContaining("dead-letter queue"),
    }),
  );
});

async function takeOne(): Promise<Message> {
  const receive = { QueueUrl: queueUrl, MaxNumberOfMessages: 1, MessageSystemAttributeNames: ["All" as const] };
  const { Messages: [message = {}] = [] } = await client.send(new ReceiveMessageCommand(receive));
  await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }));
  return message;
}
