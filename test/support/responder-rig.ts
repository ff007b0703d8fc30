import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";
import type { Alert } from "../../lib/alerts/alert.ts";
import { snsPublisher } from "../../lib/alerts/publish.ts";
import { IMPATIENT } from "../../lib/aws.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { drillStore } from "../../lib/drills/drill-store.ts";
import { readMessage, sqsInbox } from "../../lib/inbox/inbox.ts";
import { isCommand, isNudge, type Message } from "../../lib/inbox/messages.ts";
import { brakeStore } from "../../lib/incidents/brake-store.ts";
import { dynamoIncidentReader } from "../../lib/incidents/dynamo-reader.ts";
import type { Incident, TimelineEntry } from "../../lib/incidents/incident.ts";
import { type IncidentStore, incidentStore } from "../../lib/incidents/store.ts";
import { jsonLog } from "../../lib/log.ts";
import type { Brake } from "../../lib/policy/policy.ts";
import { carryOut } from "../../lib/response/carry-out.ts";
import { heed } from "../../lib/response/heed.ts";
import { type BrakeKeeper, brakeKeeper } from "../../lib/response/keep-brake.ts";
import { type Outcome, respond } from "../../lib/response/respond.ts";
import type { Responder } from "../../lib/response/responder.ts";
import { twilioClient } from "../../lib/twilio/client.ts";
import { markOf } from "../../lib/twilio/token-mark.ts";
import { listUsageTriggers, type UsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import { LOCAL_CREDENTIALS, type LocalAws, startLocalAws } from "../../local/aws.ts";
import type { TwilioSimulator } from "../../local/twilio/simulator.ts";
import { quietSimulator } from "../local/twilio/api.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { SUSPEND_ALL } from "./policies.ts";

/** The responder's real parts on loopback, each behind a proxy that can fail. Tests keep apart by using an account each. */
export interface Rig {
  aws: LocalAws;
  simulator: TwilioSimulator;
  /** Before Twilio, DynamoDB and SNS. */
  twilio: FaultProxy;
  dynamo: FaultProxy;
  sns: FaultProxy;
  /** The responder's store, behind its proxy. */
  store: IncidentStore;
  /** The table, past the proxy. */
  table: DynamoDBDocumentClient;
  /** What was logged, as JSON lines. */
  logged: string[];
  responder(changes?: Partial<Responder>): Responder;
  /** Hands out a message: the way it ended, or what was thrown, after which it would be delivered again. */
  deliver(message: Message, changes?: Delivering): Promise<Delivered>;
  /** A worker's keeper of `brake`, on the one state that all of them share. */
  brakeOf(brake: Brake, clock?: Clock): BrakeKeeper;
  /** What waits in the inbox for one account, in order. */
  inboxOf(accountSid: string): Promise<Message[]>;
  /** Of one account, oldest first. */
  incidentsOf(accountSid: string): Promise<Recorded[]>;
  /** What arrived in the queue behind the topic for one account, in order. */
  alertsOf(accountSid: string): Promise<Alert[]>;
  /** The alerts of the brake that name the account, whosever they are. */
  alertsNaming(accountSid: string): Promise<Alert[]>;
  /** The account's usage triggers, as Twilio lists them. */
  triggersOf(accountSid: string): Promise<UsageTrigger[]>;
  /** All that is in the table, as text. */
  tableText(): Promise<string>;
  /** How many suspensions of the account Twilio was asked for. */
  suspensionRequests(accountSid: string): number;
  /** Everything works again. */
  mend(): void;
  close(): Promise<void>;
}

interface Delivering extends Partial<Responder> {
  attempt?: number;
  /** How long the delivery may go on; as on Lambda when left out. */
  milliseconds?: number;
}
type Delivered = Outcome | { kind: "threw"; error: unknown };
export interface Recorded {
  incident: Incident;
  timeline: TimelineEntry[];
}

export const PUBLIC_URL = "https://tollbreaker.example.com";
const CREDENTIALS = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

export async function startRig(): Promise<Rig> {
  const dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-test-"));
  const aws = await startLocalAws({ dataDir });
  const simulator = await quietSimulator();
  const [twilio, dynamo, sns] = await Promise.all(
    [simulator.url, aws.dynamoUrl, aws.messagingUrl].map(startFaultProxy),
  );
  if (twilio === undefined || dynamo === undefined || sns === undefined) throw new Error("a proxy is missing");
  // The reader makes its client from the environment, as on Lambda.
  Object.assign(process.env, LOCAL_CREDENTIALS, { AWS_ENDPOINT_URL_DYNAMODB: aws.dynamoUrl });

  const document = (endpoint: string) =>
    DynamoDBDocumentClient.from(new DynamoDBClient({ ...IMPATIENT, ...CREDENTIALS, endpoint }));
  const throughProxy = document(dynamo.url);
  const table = document(aws.dynamoUrl);
  const snsClient = new SNSClient({ ...IMPATIENT, ...CREDENTIALS, endpoint: sns.url });
  const sqs = new SQSClient({ ...CREDENTIALS, endpoint: aws.messagingUrl });
  const reader = dynamoIncidentReader(aws.tableName);
  const store = incidentStore(throughProxy, aws.tableName);
  const received: Alert[] = [];
  const inbox: Message[] = [];
  const logged: string[] = [];
  const log = jsonLog((line) => logged.push(line));
  const { accountSid, authToken } = simulator.parent();

  function responder(changes: Partial<Responder> = {}): Responder {
    return {
      twilio: twilioClient({ accountSid, authToken: async () => authToken, apiUrl: twilio?.url }),
      store,
      alerts: snsPublisher({ client: snsClient, topicArn: aws.topicArn }),
      inbox: sqsInbox(sqs, aws.inboxUrl),
      drills: drillStore(throughProxy, aws.tableName),
      policy: SUSPEND_ALL,
      brake: brakeOf((changes.policy ?? SUSPEND_ALL).brake, changes.clock),
      subaccount: (sid, token) => twilioClient({ accountSid: sid, authToken: async () => token, apiUrl: twilio?.url }),
      markOf: async (sid, token) => markOf(token, { key: authToken, accountSid: sid }),
      publicUrl: PUBLIC_URL,
      clock: systemClock,
      log,
      ...changes,
    };
  }

  function brakeOf(brake: Brake, clock = systemClock): BrakeKeeper {
    const own = sqsInbox(sqs, aws.inboxUrl);
    return brakeKeeper({ store: brakeStore(throughProxy, aws.tableName, clock), inbox: own, brake, clock, log });
  }

  async function deliver(message: Message, delivering: Delivering = {}): Promise<Delivered> {
    const { attempt = 1, milliseconds = 23_500, ...changes } = delivering;
    const begunAt = Date.now();
    const turn = { attempt, begunAt, deadline: begunAt + milliseconds };
    try {
      if (isCommand(message)) return await carryOut(responder(changes), { command: message, ...turn });
      if (isNudge(message)) return await heed(responder(changes), { nudge: message, ...turn });
      return await respond(responder(changes), { signal: message, ...turn });
    } catch (error) {
      return { kind: "threw", error };
    }
  }

  async function incidentsOf(account: string): Promise<Recorded[]> {
    const { incidents } = await reader.list({ accountSid: account, limit: 100 });
    const all = await Promise.all(incidents.map(({ id }) => reader.get(id)));
    return all.filter((one) => one !== undefined).reverse();
  }

  async function inboxOf(account: string): Promise<Message[]> {
    const receive = { QueueUrl: aws.inboxUrl, MaxNumberOfMessages: 10 };
    const { Messages: messages = [] } = await sqs.send(new ReceiveMessageCommand(receive));
    if (messages.length === 0) return inbox.filter(({ accountSid: addressee }) => addressee === account);
    for (const { Body = "", ReceiptHandle } of messages) {
      inbox.push(readMessage(Body));
      await sqs.send(new DeleteMessageCommand({ QueueUrl: aws.inboxUrl, ReceiptHandle }));
    }
    return inboxOf(account);
  }

  async function alertsOf(account: string): Promise<Alert[]> {
    for (;;) {
      const receive = new ReceiveMessageCommand({ QueueUrl: aws.notifyUrl, MaxNumberOfMessages: 10 });
      const { Messages: messages = [] } = await sqs.send(receive);
      if (messages.length === 0) return received.filter(({ incident }) => incident.accountSid === account);
      for (const { Body = "", ReceiptHandle } of messages) {
        const alert = alertIn(Body);
        // A notice is about no incident.
        if ("incident" in alert) received.push(alert);
        await sqs.send(new DeleteMessageCommand({ QueueUrl: aws.notifyUrl, ReceiptHandle }));
      }
    }
  }

  async function alertsNaming(account: string): Promise<Alert[]> {
    await alertsOf(account);
    const names = ({ facts }: Alert) => facts.find(({ label }) => label === "Waiting")?.value ?? "";
    return received.filter((alert) => names(alert).includes(account));
  }

  return {
    ...{ aws, simulator, twilio, dynamo, sns, store, table, logged },
    ...{ responder, brakeOf, deliver, incidentsOf, alertsOf, alertsNaming, inboxOf },
    async triggersOf(account) {
      const past = twilioClient({ accountSid, authToken: async () => authToken, apiUrl: simulator.url });
      const list = await listUsageTriggers(past, account, 5000);
      if (list.kind === "failed") throw new Error(list.failure.message);
      return list.body;
    },
    async tableText() {
      const { Items = [] } = await table.send(new ScanCommand({ TableName: aws.tableName }));
      return JSON.stringify(Items);
    },
    suspensionRequests: (account) =>
      simulator
        .requests()
        .filter(({ method, path, form }) => method === "POST" && path.endsWith(`/${account}.json`) && form["Status"])
        .length,
    mend() {
      for (const proxy of [twilio, dynamo, sns]) proxy.clear();
      simulator.clearFaults();
    },
    async close() {
      for (const client of [throughProxy, table, snsClient, sqs]) client.destroy();
      await Promise.all([twilio, dynamo, sns].map((proxy) => proxy.close()));
      await simulator.close();
      await aws.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** The form for machines: the emulator passes on the forms of all protocols together. */
function alertIn(body: string): Alert {
  const forms = JSON.parse(body);
  return JSON.parse(forms.sqs);
}
