import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import { startFauxqs } from "fauxqs";
import { BY_ACCOUNT, BY_STATE } from "../lib/incidents/keys.ts";
import { handOutFifoBatches } from "./fifo-batches.ts";

/** DynamoDB, SQS and SNS on this machine: real sockets, spoken to by the real SDK, kept on disk under `dataDir`. */
export interface LocalAws {
  tableName: string;
  inboxUrl: string;
  notifyUrl: string;
  sweepUrl: string;
  followUpUrl: string;
  followUpDeadLettersUrl: string;
  topicArn: string;
  dynamoUrl: string;
  messagingUrl: string;
  /** How many messages were given up, by queue. */
  deadLetters(): { inbox: number; notify: number; followUp: number };
  /** How many messages wait, or are being handled. */
  depths(): { inbox: number; followUp: number };
  close(): Promise<void>;
}

export interface LocalAwsOptions {
  dataDir: string;
  /** How long a message that is being handled stays hidden: as in serverless.yml when left out. */
  visibilitySeconds?: number;
}

const REGION = "us-east-1";
const TABLE = "tollbreaker";
const TOPIC = "tollbreaker-alerts";
const INBOX = "tollbreaker-inbox.fifo";
const INBOX_DLQ = "tollbreaker-inbox-dead-letters.fifo";
const NOTIFY = "tollbreaker-notify";
const NOTIFY_DLQ = "tollbreaker-notify-dead-letters";
const FOLLOW_UP = "tollbreaker-follow-up";
const FOLLOW_UP_DLQ = "tollbreaker-follow-up-dead-letters";
const SWEEP = "tollbreaker-sweep";
const SWEEP_DLQ = "tollbreaker-sweep-dead-letters";
/** As in serverless.yml: longer than the function's time-out of 60 seconds. */
const SWEEP_VISIBILITY_SECONDS = "75";

/** What the SDK reads from the environment; these emulators accept any credentials. */
export const LOCAL_CREDENTIALS = {
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
};

export async function startLocalAws({ dataDir, visibilitySeconds = 30 }: LocalAwsOptions): Promise<LocalAws> {
  await mkdir(dataDir, { recursive: true });
  const dynamo = await startDynamo(join(dataDir, "dynamodb"));
  await createTable(dynamo.url);
  await handOutFifoBatches();
  const messaging = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false, dataDir: join(dataDir, "sqs") });
  messaging.setup(queuesAndTopic(String(visibilitySeconds)));
  const messagingUrl = `http://127.0.0.1:${messaging.port}`;
  const waiting = (queue: string) => messaging.inspectQueue(queue)?.messages.ready.length ?? 0;

  const depth = (queue: string) => {
    const { ready = [], delayed = [], inflight = [] } = messaging.inspectQueue(queue)?.messages ?? {};
    return ready.length + delayed.length + inflight.length;
  };

  return {
    tableName: TABLE,
    inboxUrl: `${messagingUrl}/000000000000/${INBOX}`,
    notifyUrl: `${messagingUrl}/000000000000/${NOTIFY}`,
    sweepUrl: `${messagingUrl}/000000000000/${SWEEP}`,
    followUpUrl: `${messagingUrl}/000000000000/${FOLLOW_UP}`,
    followUpDeadLettersUrl: `${messagingUrl}/000000000000/${FOLLOW_UP_DLQ}`,
    topicArn: `arn:aws:sns:${REGION}:000000000000:${TOPIC}`,
    dynamoUrl: dynamo.url,
    messagingUrl,
    deadLetters: () => ({
      inbox: waiting(INBOX_DLQ),
      notify: waiting(NOTIFY_DLQ),
      followUp: waiting(FOLLOW_UP_DLQ),
    }),
    depths: () => ({ inbox: depth(INBOX), followUp: depth(FOLLOW_UP) }),
    async close() {
      await messaging.stop();
      await dynamo.close();
    },
  };
}

function queuesAndTopic(visibility: string) {
  const fifo = { FifoQueue: "true", DeduplicationScope: "messageGroup", FifoThroughputLimit: "perMessageGroupId" };
  const givenUpTo = (queue: string, maxReceiveCount: number) =>
    JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:${REGION}:000000000000:${queue}`, maxReceiveCount });
  return {
    region: REGION,
    queues: [
      { name: INBOX_DLQ, attributes: fifo },
      { name: NOTIFY_DLQ },
      { name: SWEEP_DLQ },
      { name: FOLLOW_UP_DLQ },
      { name: INBOX, attributes: { ...fifo, VisibilityTimeout: visibility, RedrivePolicy: givenUpTo(INBOX_DLQ, 10) } },
      {
        name: FOLLOW_UP,
        attributes: { VisibilityTimeout: visibility, RedrivePolicy: givenUpTo(FOLLOW_UP_DLQ, 30) },
      },
      { name: NOTIFY, attributes: { VisibilityTimeout: visibility, RedrivePolicy: givenUpTo(NOTIFY_DLQ, 20) } },
      {
        name: SWEEP,
        attributes: { VisibilityTimeout: SWEEP_VISIBILITY_SECONDS, RedrivePolicy: givenUpTo(SWEEP_DLQ, 3) },
      },
    ],
    topics: [{ name: TOPIC }],
    subscriptions: [{ topic: TOPIC, queue: NOTIFY, attributes: { RawMessageDelivery: "true" } }],
  };
}

async function startDynamo(path: string): Promise<{ url: string; close(): Promise<void> }> {
  const server: Server = dynalite({ path, createTableMs: 0 });
  const unanswered = unansweredBy(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    async close() {
      server.maxConnections = 0;
      server.closeAllConnections();
      // dynalite goes on with what nobody waits for any more, and throws where nobody can catch it once its files are closed.
      while (unanswered().length > 0) await sleep(5);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The responses that a server is still at, also those whose client is gone. */
function unansweredBy(server: Server): () => ServerResponse[] {
  const responses = new Set<ServerResponse>();
  server.prependListener("request", (_: IncomingMessage, response: ServerResponse) => {
    responses.add(response);
    response.once("finish", () => responses.delete(response));
  });
  // A request that broke off is never begun.
  return () => [...responses].filter(({ req, writableEnded }) => req.complete && !writableEnded);
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
  return address.port;
}

async function createTable(endpoint: string): Promise<void> {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials });
  const index = (IndexName: string, hash: string) => ({
    IndexName,
    KeySchema: [
      { AttributeName: hash, KeyType: "HASH" as const },
      { AttributeName: "id", KeyType: "RANGE" as const },
    ],
    Projection: { ProjectionType: "ALL" as const },
  });
  const creation = new CreateTableCommand({
    TableName: TABLE,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: ["pk", "sk", "id", "state", "accountSid"].map((AttributeName) => ({
      AttributeName,
      AttributeType: "S",
    })),
    KeySchema: [
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "sk", KeyType: "RANGE" },
    ],
    GlobalSecondaryIndexes: [index(BY_STATE, "state"), index(BY_ACCOUNT, "accountSid")],
  });
  try {
    await client.send(creation).catch(unlessItIsThere);
    // Its creation goes on for a moment, in which nothing can be read from it.
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.02, maxDelay: 0.1 }, { TableName: TABLE });
  } finally {
    client.destroy();
  }
}

// The table of an earlier run: that is what the data directory is for.
function unlessItIsThere(error: unknown): void {
  if (!(error instanceof ResourceInUseException)) throw error;
}
