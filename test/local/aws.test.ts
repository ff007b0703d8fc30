import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
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
const send = (id: string, body = id) =>
  sqs().send(
    new SendMessageCommand({
      QueueUrl: aws.inboxUrl,
      MessageBody: body,
      MessageGroupId: "an-account",
      MessageDeduplicationId: id,
    }),
  );
const receive = async (QueueUrl: string) => {
  const { Messages = [] } = await sqs().send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body }) => Body);
};

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

  test("hides a message for as long as the template says, and gives it up after ten tries", async () => {
    const command = new GetQueueAttributesCommand({ QueueUrl: aws.inboxUrl, AttributeNames: ["All"] });
    const { Attributes = {} } = await sqs().send(command);
    expect(Attributes).toMatchObject({ VisibilityTimeout: "30", FifoQueue: "true" });
    expect(JSON.parse(Attributes["RedrivePolicy"] ?? "{}")).toMatchObject({ maxReceiveCount: 10 });
    expect(aws.deadLetters()).toEqual({ inbox: 0, notify: 0, followUp: 0 });
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
});
