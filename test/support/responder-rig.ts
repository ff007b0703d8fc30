import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { vi } from "vitest";
import type { Alert } from "../../lib/alerts/alert.ts";
import { snsPublisher } from "../../lib/alerts/publish.ts";
import { IMPATIENT } from "../../lib/aws.ts";
import { systemClock } from "../../lib/clock.ts";
import { drillStore } from "../../lib/drills/drill-store.ts";
import { messageOf } from "../../lib/errors.ts";
import type { FollowUp } from "../../lib/inbox/follow-up.ts";
import { readMessage, sqsInbox } from "../../lib/inbox/inbox.ts";
import { isCommand, isNudge, type Message } from "../../lib/inbox/messages.ts";
import { brakeStore } from "../../lib/incidents/brake-store.ts";
import { dynamoIncidentReader } from "../../lib/incidents/dynamo-reader.ts";
import type { Incident, TimelineEntry } from "../../lib/incidents/incident.ts";
import { type IncidentStore, incidentStore } from "../../lib/incidents/store.ts";
import { jsonLog } from "../../lib/log.ts";
import type { Brake } from "../../lib/policy/policy.ts";
import { carryOut } from "../../lib/response/carry-out.ts";
import { ContainedUnrecorded } from "../../lib/response/enforce.ts";
import { finishIncident } from "../../lib/response/follow-up.ts";
import { heed } from "../../lib/response/heed.ts";
import { type BrakeKeeper, brakeKeeper } from "../../lib/response/keep-brake.ts";
import { respond } from "../../lib/response/respond.ts";
import type { Outcome, Responder, Turn } from "../../lib/response/responder.ts";
import { twilioClient } from "../../lib/twilio/client.ts";
import { markOf } from "../../lib/twilio/token-mark.ts";
import { listUsageTriggers, type UsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import { LOCAL_CREDENTIALS, type LocalAws, startLocalAws } from "../../local/aws.ts";
import type { TwilioSimulator } from "../../local/twilio/simulator.ts";
import { quietSimulator } from "../local/twilio/api.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { SUSPEND_ALL } from "./policies.ts";
import { beginAt, NOON } from "./shifted-date.ts";

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
  /**
   * Hands out a message, and then what it left to the follow-up queue, once: the way both ended, or what was thrown, after
   * which the message would be tried again.
   */
  deliver(message: Message, changes?: Delivering): Promise<Delivered>;
  /** What is in the follow-up queue, oldest first. */
  followUps: FollowUp[];
  /** Hands out what is in the follow-up queue about an incident of this account, once. @returns why something is left */
  followUp(accountSid: string, changes?: Partial<Responder>): Promise<string[]>;
  /** A worker's keeper of `brake`, on the one state that all of them share. */
  brakeOf(brake: Brake): BrakeKeeper;
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
  /** Which try of the message it is; the first when left out. */
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

/** @param options the queues' visibility time-out, where a test waits for messages to come back */
export async function startRig(options: { visibilitySeconds?: number } = {}): Promise<Rig> {
  // Where a test has no date of its own, it is noon: no midnight comes between what is counted by the day.
  const putDateBack = vi.isFakeTimers() ? () => {} : beginAt(NOON);
  const dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-test-"));
  const aws = await startLocalAws({ dataDir, ...options });
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
  /** Past the proxy. */
  const past = incidentStore(table, aws.tableName);
  const received: Alert[] = [];
  const inbox: Message[] = [];
  const logged: string[] = [];
  const followUps: FollowUp[] = [];
  /** By message: when an earlier try suspended the account without writing it down. */
  const contained = new Map<string, string>();
  const log = jsonLog((line) => logged.push(line));
  const { accountSid, authToken } = simulator.parent();

  function responder(changes: Partial<Responder> = {}): Responder {
    return {
      twilio: twilioClient({ accountSid, authToken: async () => authToken, apiUrl: twilio?.url }),
      store,
      alerts: snsPublisher({ client: snsClient, topicArn: aws.topicArn }),
      inbox: sqsInbox(sqs, aws.inboxUrl),
      followUps: { put: async (one) => void followUps.push(one), giveUp: async (one) => void followUps.push(one) },
      postpone: async () => {},
      drills: drillStore(throughProxy, aws.tableName),
      policy: SUSPEND_ALL,
      brake: brakeOf((changes.policy ?? SUSPEND_ALL).brake),
      subaccount: (sid, token) => twilioClient({ accountSid: sid, authToken: async () => token, apiUrl: twilio?.url }),
      markOf: async (sid, token) => markOf(token, { key: authToken, accountSid: sid }),
      publicUrl: PUBLIC_URL,
      clock: systemClock,
      log,
      ...changes,
    };
  }

  function brakeOf(brake: Brake): BrakeKeeper {
    return brakeKeeper({ store: brakeStore(throughProxy, aws.tableName, systemClock), brake, clock: systemClock, log });
  }

  async function deliver(message: Message, delivering: Delivering = {}): Promise<Delivered> {
    const { attempt = 1, milliseconds = 23_500, ...changes } = delivering;
    const now = () => (changes.clock ?? systemClock).now().getTime();
    const begunAt = now();
    const containedAt = contained.get(message.id) ?? null;
    // All of it by the follow-up queue: what is done besides at once is the inbox's receiver's to say.
    const besides = { leftMs: 0 };
    if (attempt > 1) await timePasses(message.accountSid);
    const turn = { tries: attempt, begunAt, deadline: begunAt + milliseconds, besides, containedAt };
    const outcome = await tried(message, turn, responder(changes));
    // In a queue of its own: it is handed out whatever became of the message.
    const left = await followUp(message.accountSid, changes, turn.deadline - now());
    return outcome.kind === "done" && left.length > 0 ? { kind: "again", why: left.join("; ") } : outcome;
  }

  async function tried(message: Message, turn: Turn, parts: Responder): Promise<Delivered> {
    try {
      const outcome = await handle(message, turn, parts);
      if (outcome.kind === "again" && outcome.containedAt) contained.set(message.id, outcome.containedAt);
      return outcome;
    } catch (error) {
      if (error instanceof ContainedUnrecorded) contained.set(message.id, error.at.toISOString());
      return { kind: "threw", error };
    }
  }

  async function handle(message: Message, turn: Turn, parts: Responder): Promise<Outcome> {
    if (isCommand(message)) return carryOut(parts, { command: message, ...turn });
    if (isNudge(message)) return heed(parts, { nudge: message, ...turn });
    return respond(parts, { signal: message, ...turn });
  }

  /** Whoever died at an incident of the account had it for some seconds. */
  async function timePasses(account: string): Promise<void> {
    const { openIncidentId } = await past.recall(account, "time passes");
    const record = openIncidentId === null ? undefined : await past.load(openIncidentId);
    if (record?.finishingUntil)
      await past.change(record, (one) => ({ record: { ...one, finishingUntil: null }, entries: [] }));
  }

  async function followUp(account: string, changes: Partial<Responder> = {}, milliseconds = 23_500) {
    const due = followUps.flatMap((one) => (one.kind === "incident" && one.accountSid === account ? [one] : []));
    const parts = responder(changes);
    const reasons: string[] = [];
    for (const one of due) {
      const begunAt = parts.clock.now().getTime();
      const why = await finishIncident(parts, one, { begunAt, deadline: begunAt + milliseconds }).catch(messageOf);
      if (why === undefined) followUps.splice(followUps.indexOf(one), 1);
      else reasons.push(why);
    }
    return reasons;
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
    ...{ followUps, followUp },
    ...{ responder, brakeOf, deliver, incidentsOf, alertsOf, alertsNaming, inboxOf },
    async triggersOf(account) {
      const direct = twilioClient({ accountSid, authToken: async () => authToken, apiUrl: simulator.url });
      const list = await listUsageTriggers(direct, account, 5000);
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
      putDateBack();
    },
  };
}

/** The form for machines: the emulator passes on the forms of all protocols together. */
function alertIn(body: string): Alert {
  const forms = JSON.parse(body);
  return JSON.parse(forms.sqs);
}
