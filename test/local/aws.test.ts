import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  type SendMessageCommandInput,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LocalAws, startLocalAws } from "../../local/aws.ts";

let dataDir: string;
let aws: LocalAws;
let clients: { destroy(): void }[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-aws-"));
  aws = await startLocalAws({ dataDir });
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await aws.close();
  await rm(dataDir, { recursive: true });
});

const CREDENTIALS = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
const kept = <T extends { destroy(): void }>(client: T): T => {
  clients.push(client);
  return client;
};
const sqs = () => kept(new SQSClient({ ...CREDENTIALS, endpoint: aws.messagingUrl }));
const sns = () => kept(new SNSClient({ ...CREDENTIALS, endpoint: aws.messagingUrl }));
const dynamo = () => kept(new DynamoDBClient({ ...CREDENTIALS, endpoint: aws.dynamoUrl }));
const restart = async () => {
  await aws.close();
  aws = await startLocalAws({ dataDir });
};
const send = (id: string, MessageGroupId = "an-account") =>
  sqs().send(
    new SendMessageCommand({
      QueueUrl: aws.inboxUrl,
      MessageBody: id,
      MessageGroupId,
      MessageDeduplicationId: id,
    }),
  );
const sendAll = async (...ids: string[]) => {
  for (const id of ids) await send(id);
};
const receiveMessages = async (QueueUrl: string, how: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> => {
  const receiving = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...how });
  const { Messages = [] } = await sqs().send(receiving);
  return Messages;
};
const receive = async (QueueUrl: string, how: Partial<ReceiveMessageCommandInput> = {}) =>
  (await receiveMessages(QueueUrl, how)).map(({ Body }) => Body);
const remove = ({ ReceiptHandle }: Message, QueueUrl = aws.inboxUrl) =>
  sqs().send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
const hideFor = (VisibilityTimeout: number, { ReceiptHandle }: Message, QueueUrl = aws.inboxUrl) =>
  sqs().send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
/** Long enough for what is hidden for a second, on any machine: it ends as soon as something is there. */
const PATIENTLY = { WaitTimeSeconds: 10 };

test("the table has the keys and the indexes that the code uses", async () => {
  const { Table } = await dynamo().send(new DescribeTableCommand({ TableName: aws.tableName }));
  expect(Table?.KeySchema?.map(({ AttributeName }) => AttributeName)).toEqual(["pk", "sk"]);
  const indexes = Table?.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) => [
    IndexName,
    KeySchema?.map(({ AttributeName }) => AttributeName),
    Projection?.ProjectionType,
  ]);
  expect(indexes?.toSorted()).toEqual([
    ["by-account", ["accountSid", "id"], "ALL"],
    ["by-state", ["state", "id"], "ALL"],
  ]);
});

describe("the inbox", () => {
  test("stores a message once, however often it is sent", async () => {
    for (let times = 0; times < 3; times++) await send("the-same");
    expect(await receive(aws.inboxUrl)).toEqual(["the-same"]);
  });

  test("hands out an account's messages in order, and none while an earlier one is being handled", async () => {
    await send("first");
    expect(await receive(aws.inboxUrl)).toEqual(["first"]);
    await send("second");
    expect(await receive(aws.inboxUrl)).toEqual([]);
  });

  test("hands out up to ten messages of an account in one batch, in order, and counts a receive for each", async () => {
    const ids = Array.from({ length: 12 }, (_, n) => `message-${n}`);
    await sendAll(...ids);
    const batch = await receiveMessages(aws.inboxUrl, { MessageSystemAttributeNames: ["All"] });
    expect(batch.map(({ Body }) => Body)).toEqual(ids.slice(0, 10));
    expect(new Set(batch.map(({ Attributes }) => Attributes?.ApproximateReceiveCount))).toEqual(new Set(["1"]));
  });

  test("hands out no more than was asked for", async () => {
    await sendAll("first", "second", "third");
    expect(await receive(aws.inboxUrl, { MaxNumberOfMessages: 2 })).toEqual(["first", "second"]);
  });

  test("fills a batch with one account's messages before another's", async () => {
    for (const id of ["1", "2", "3"]) for (const group of ["a", "b"]) await send(`${group}${id}`, group);
    expect(await receive(aws.inboxUrl)).toEqual(["a1", "a2", "a3", "b1", "b2", "b3"]);
  });

  test("holds an account back until its whole batch was deleted, and no other account", async () => {
    await sendAll("first", "second");
    const [first, second] = await receiveMessages(aws.inboxUrl);
    await send("third");
    await send("other", "another-account");
    expect(await receive(aws.inboxUrl)).toEqual(["other"]);
    await remove(first ?? {});
    expect(await receive(aws.inboxUrl)).toEqual([]);
    await remove(second ?? {});
    expect(await receive(aws.inboxUrl)).toEqual(["third"]);
  });

  test("hands out again what was not deleted, in its order, before what came later", async () => {
    await sendAll("first", "second", "third");
    const [, second] = await receiveMessages(aws.inboxUrl, { VisibilityTimeout: 1 });
    await send("fourth");
    await remove(second ?? {});
    const again = await receiveMessages(aws.inboxUrl, { ...PATIENTLY, MessageSystemAttributeNames: ["All"] });
    expect(again.map(({ Body, Attributes }) => [Body, Attributes?.ApproximateReceiveCount])).toEqual([
      ["first", "2"],
      ["third", "2"],
      ["fourth", "1"],
    ]);
  });

  test("hands out in their order messages that are given back in any", async () => {
    await sendAll("first", "second", "third");
    const [first, second, third] = await receiveMessages(aws.inboxUrl);
    await send("fourth");
    for (const one of [second, third]) await hideFor(0, one ?? {});
    expect(await receive(aws.inboxUrl)).toEqual([]);
    await hideFor(0, first ?? {});
    expect(await receive(aws.inboxUrl)).toEqual(["first", "second", "third", "fourth"]);
  });

  test("hands out each message once a batch, even where it is not hidden at all", async () => {
    await sendAll("first");
    expect(await receive(aws.inboxUrl, { VisibilityTimeout: 0 })).toEqual(["first"]);
    expect(await receive(aws.inboxUrl)).toEqual(["first"]);
  });

  test("hides a message for as long as the template says, and gives it up after ten tries", async () => {
    const command = new GetQueueAttributesCommand({ QueueUrl: aws.inboxUrl, AttributeNames: ["All"] });
    const { Attributes = {} } = await sqs().send(command);
    expect(Attributes).toMatchObject({ VisibilityTimeout: "30", FifoQueue: "true" });
    expect(JSON.parse(Attributes["RedrivePolicy"] ?? "{}")).toMatchObject({ maxReceiveCount: 10 });
    expect(aws.deadLetters()).toEqual({ inbox: 0, followUp: 0, notify: 0 });
  });
});

describe("the follow-up queue", () => {
  const put = (MessageBody: string, how: Partial<SendMessageCommandInput> = {}) =>
    sqs().send(new SendMessageCommand({ QueueUrl: aws.followUpUrl, MessageBody, ...how }));

  test("is an ordinary queue that gives a message up after thirty tries", async () => {
    const command = new GetQueueAttributesCommand({ QueueUrl: aws.followUpUrl, AttributeNames: ["All"] });
    const { Attributes = {} } = await sqs().send(command);
    expect(Attributes["FifoQueue"]).toBeUndefined();
    expect(JSON.parse(Attributes["RedrivePolicy"] ?? "{}")).toEqual({
      deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${aws.followUpDeadLettersUrl.split("/").at(-1)}`,
      maxReceiveCount: 30,
    });
  });

  test("counts what was given up", async () => {
    await sqs().send(new SendMessageCommand({ QueueUrl: aws.followUpDeadLettersUrl, MessageBody: "given up" }));
    expect(aws.deadLetters()).toEqual({ inbox: 0, followUp: 1, notify: 0 });
  });

  test("keeps a message back for as long as it is to be delayed, and no other", async () => {
    await put("later", { DelaySeconds: 1 });
    await put("now");
    expect(await receive(aws.followUpUrl)).toEqual(["now"]);
    expect(await receive(aws.followUpUrl, PATIENTLY)).toEqual(["later"]);
  });

  test("hands a message out again when its handler asked for it", async () => {
    await put("again");
    const [message] = await receiveMessages(aws.followUpUrl);
    await hideFor(1, message ?? {}, aws.followUpUrl);
    expect(await receive(aws.followUpUrl)).toEqual([]);
    expect(await receive(aws.followUpUrl, PATIENTLY)).toEqual(["again"]);
  });

  test("hands a message out again at once when its handler gave it back", async () => {
    await put("given back");
    const [message] = await receiveMessages(aws.followUpUrl);
    await hideFor(0, message ?? {}, aws.followUpUrl);
    await restart();
    expect(await receive(aws.followUpUrl)).toEqual(["given back"]);
  });

  test("keeps a message's attributes", async () => {
    await put("parked", { MessageAttributes: { tries: { DataType: "Number", StringValue: "3" } } });
    const [message] = await receiveMessages(aws.followUpUrl, { MessageAttributeNames: ["All"] });
    expect(message?.MessageAttributes).toEqual({ tries: { DataType: "Number", StringValue: "3" } });
  });
});

test("what is published reaches the queue of the notifier", async () => {
  await sns().send(new PublishCommand({ TopicArn: aws.topicArn, Message: "an alert" }));
  expect(await receive(aws.notifyUrl)).toEqual(["an alert"]);
});

describe("after a restart", () => {
  test("the table still holds what was written", async () => {
    const table = () => DynamoDBDocumentClient.from(dynamo());
    await table().send(new PutCommand({ TableName: aws.tableName, Item: { pk: "a", sk: "b", note: "kept" } }));
    await restart();
    const { Item } = await table().send(new GetCommand({ TableName: aws.tableName, Key: { pk: "a", sk: "b" } }));
    expect(Item).toMatchObject({ note: "kept" });
  });

  test("the inbox still holds what nobody handled", async () => {
    await send("waiting");
    await restart();
    expect(await receive(aws.inboxUrl)).toEqual(["waiting"]);
  });

  test("the inbox still hands out in order what was handed out before", async () => {
    await sendAll("first", "second");
    await receive(aws.inboxUrl, { VisibilityTimeout: 1 });
    await send("third");
    await restart();
    expect(await receive(aws.inboxUrl, PATIENTLY)).toEqual(["first", "second", "third"]);
  });
});

test("closed while clients still write, nothing breaks, and what was answered is kept", async () => {
  const client = DynamoDBDocumentClient.from(dynamo());
  const put = (pk: string) => client.send(new PutCommand({ TableName: aws.tableName, Item: { pk, sk: "ITEM" } }));
  const writes = Array.from({ length: 200 }, (_, nth) => put(`ITEM#${nth}`).then(() => `ITEM#${nth}`));
  const writing = Promise.allSettled(writes);
  // The others are under way.
  await Promise.race(writes);
  await restart();

  const again = DynamoDBDocumentClient.from(dynamo());
  for (const result of await writing) {
    if (result.status === "rejected") continue;
    const Key = { pk: result.value, sk: "ITEM" };
    expect((await again.send(new GetCommand({ TableName: aws.tableName, Key }))).Item).toEqual(Key);
  }
});
