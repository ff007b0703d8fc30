import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { Hono } from "hono";
import * as z from "zod/mini";
import { type AlertPublisher, snsPublisher } from "../../lib/alerts/publish.ts";
import type { Clock } from "../../lib/clock.ts";
import { drillStore } from "../../lib/drills/drill-store.ts";
import { sqsFollowUps } from "../../lib/inbox/follow-up.ts";
import { sqsInbox } from "../../lib/inbox/inbox.ts";
import { sqsPostpone } from "../../lib/inbox/postpone.ts";
import { brakeOf, brakeStore } from "../../lib/incidents/brake-store.ts";
import type { IncidentRecord } from "../../lib/incidents/change.ts";
import type { TimelineEntry } from "../../lib/incidents/incident.ts";
import type { IncidentReader } from "../../lib/incidents/incident-reader.ts";
import { entryOf, HeadItem, recordOf } from "../../lib/incidents/items.ts";
import { accountKey, brakeKey, headKey, waitingKey } from "../../lib/incidents/keys.ts";
import { incidentStore } from "../../lib/incidents/store.ts";
import { waitingOf } from "../../lib/incidents/waiting-store.ts";
import type { Log } from "../../lib/log.ts";
import { acceptCommand, type CommandParts } from "../../lib/operators/accept-command.ts";
import type { BrakeState, Waiting } from "../../lib/policy/brake.ts";
import type { Policy } from "../../lib/policy/policy.ts";
import { followUpReceiver } from "../../lib/response/follow-up.ts";
import { brakeKeeper } from "../../lib/response/keep-brake.ts";
import { inboxReceiver } from "../../lib/response/receive.ts";
import { RECALL_MS, type Responder } from "../../lib/response/responder.ts";
import { memoryStore } from "../../lib/sweep/memory-store.ts";
import { runStore } from "../../lib/sweep/run-store.ts";
import { sampleStore } from "../../lib/sweep/sample-store.ts";
import { sqsShardQueue } from "../../lib/sweep/shard-queue.ts";
import { startSweep } from "../../lib/sweep/start-sweep.ts";
import { shardWorker } from "../../lib/sweep/sweep-shard.ts";
import { twilioClient } from "../../lib/twilio/client.ts";
import { markOf } from "../../lib/twilio/token-mark.ts";
import { signingTokens } from "../../lib/webhooks/signing-tokens.ts";
import { type UsageTriggerWebhook, usageTriggerWebhook } from "../../lib/webhooks/usage-trigger.ts";
import type { Aws } from "./world/aws.ts";
import type { Item } from "./world/expressions.ts";
import type { Table } from "./world/table.ts";
import { API_URL, PARENT_TOKEN } from "./world/twilio.ts";

/**
 * Where the histories meet the code under test, as handlers/ wires it: all that has to change here when that does.
 */
export const PUBLIC_URL = "https://tollbreaker.test";
export const QUEUES = {
  inbox: "tollbreaker-inbox.fifo",
  inboxDeadLetters: "tollbreaker-inbox-dead-letters.fifo",
  followUp: "tollbreaker-follow-up",
  followUpDeadLetters: "tollbreaker-follow-up-dead-letters",
  sweep: "tollbreaker-sweep",
} as const;
/** As in serverless.yml, in milliseconds. */
export const TIMEOUTS = { respond: 25_000, webhook: 10_000, sweep: 60_000, operators: 10_000 } as const;
const SWEEP_RESERVE_MS = 10_000;
const TABLE = "tollbreaker";
const TOPIC = "arn:aws:sns:us-east-1:000000000000:tollbreaker-alerts";

/** What a container of any of our functions is made of. */
export interface Surrounding {
  aws: Aws;
  clock: Clock;
  log: Log;
  policy: Policy;
  parentSid: string;
}

/** Breaks a part of the code under test, to show that the histories notice. */
export interface Defect {
  responder?: (responder: Responder, around: Surrounding) => Responder;
  fromInbox?: (receive: Receive, around: Surrounding) => Receive;
  door?: (webhook: UsageTriggerWebhook) => UsageTriggerWebhook;
}

export type Receive = (event: SQSEvent, context: { getRemainingTimeInMillis(): number }) => Promise<SQSBatchResponse>;

/** A container of the responder's function, which both queues use. */
export interface RespondContainer {
  fromInbox: Receive;
  fromFollowUps: Receive;
}

export function respondContainer(around: Surrounding, defect: Defect = {}): RespondContainer {
  const { aws, clock, log, policy } = around;
  const followUpUrl = aws.urlOf(QUEUES.followUp);
  const inbox = sqsInbox(aws.sqs, aws.urlOf(QUEUES.inbox));
  const whole: Responder = {
    twilio: parentClient(around),
    subaccount: (accountSid, token) => twilioClient({ accountSid, authToken: async () => token, apiUrl: API_URL }),
    markOf: async (accountSid, token) => markOf(token, { key: PARENT_TOKEN, accountSid }),
    store: incidentStore(aws.dynamo, TABLE),
    recallMs: RECALL_MS,
    alerts: alertsOf(around),
    inbox,
    followUps: sqsFollowUps(aws.sqs, {
      queueUrl: followUpUrl,
      deadLettersUrl: aws.urlOf(QUEUES.followUpDeadLetters),
    }),
    postpone: sqsPostpone({ sqs: aws.sqs, queueUrl: followUpUrl, log }),
    drills: drillStore(aws.dynamo, TABLE),
    policy,
    brake: brakeKeeper({ store: brakeStore(aws.dynamo, TABLE, clock), inbox, brake: policy.brake, clock, log }),
    publicUrl: PUBLIC_URL,
    clock,
    log,
  };
  const responder = defect.responder?.(whole, around) ?? whole;
  const fromInbox = inboxReceiver(responder);
  return {
    fromInbox: defect.fromInbox?.(fromInbox, around) ?? fromInbox,
    fromFollowUps: followUpReceiver(responder),
  };
}

export function webhookContainer(around: Surrounding, defect: Defect = {}): Hono {
  const { aws, clock, log, policy, parentSid } = around;
  const twilio = parentClient(around);
  const whole: UsageTriggerWebhook = {
    publicUrl: PUBLIC_URL,
    tokens: signingTokens({ twilio, parentToken: async () => PARENT_TOKEN, clock, log }),
    parentSid,
    policy,
    inbox: sqsInbox(aws.sqs, aws.urlOf(QUEUES.inbox)),
    clock,
    log,
  };
  return usageTriggerWebhook(defect.door?.(whole) ?? whole);
}

/** @returns starts a sweep, within so many milliseconds. */
export function sweepContainer(around: Surrounding, table: Table): (remainingMs: number) => Promise<unknown> {
  const { aws, clock, log } = around;
  const starter = {
    twilio: parentClient(around),
    runs: runStore(aws.dynamo, TABLE),
    incidents: readerOf(table),
    shards: sqsShardQueue(aws.sqs, aws.urlOf(QUEUES.sweep)),
    alerts: alertsOf(around),
    clock,
    log,
  };
  return (remainingMs) => startSweep(starter, clock.now().getTime() + remainingMs - SWEEP_RESERVE_MS);
}

export function shardContainer(around: Surrounding): Receive {
  const { aws, clock, log, policy } = around;
  return shardWorker({
    twilio: parentClient(around),
    runs: runStore(aws.dynamo, TABLE),
    memory: memoryStore(aws.dynamo, TABLE),
    samples: sampleStore(aws.dynamo, TABLE),
    inbox: sqsInbox(aws.sqs, aws.urlOf(QUEUES.inbox)),
    alerts: alertsOf(around),
    policy,
    publicUrl: PUBLIC_URL,
    dailySummary: false,
    clock,
    log,
  });
}

type Asked = Parameters<typeof acceptCommand>[1];
export type Wished = Asked["wish"];

/** The way in for what an operator wants. */
export function operatorContainer(around: Surrounding, table: Table) {
  const { aws, policy, parentSid, clock, log } = around;
  const parts: CommandParts = {
    incidents: readerOf(table),
    brake: { state: async () => brakeIn(table), waiting: async () => ({ waiting: waitingIn(table), next: null }) },
    inbox: sqsInbox(aws.sqs, aws.urlOf(QUEUES.inbox)),
    ...{ policy, parentSid, clock, log },
  };
  const operator = { name: "alice", sha256: Buffer.alloc(32), role: "operator" as const, expires: null, slack: null };
  return (wish: Wished) => acceptCommand(parts, { operator, road: "api", wish });
}

function parentClient({ parentSid }: Surrounding) {
  return twilioClient({ accountSid: parentSid, authToken: async () => PARENT_TOKEN, apiUrl: API_URL });
}

function alertsOf({ aws }: Surrounding): AlertPublisher {
  return snsPublisher({ client: aws.sns, topicArn: TOPIC });
}

// ── what the table says, for those who watch ──

const records = new WeakMap<Item, IncidentRecord>();

/** The incident that this item is the head of; undefined for any other item. */
export function recordIn(item: Item): IncidentRecord | undefined {
  if (item["sk"] !== headKey("").sk) return undefined;
  const known = records.get(item) ?? recordOf(z.parse(HeadItem, item));
  records.set(item, known);
  return known;
}

/** All incidents, oldest first. */
export function recordsIn(table: Table): IncidentRecord[] {
  const found = [...table.items()].flatMap((item) => recordIn(item) ?? []);
  return found.toSorted((a, b) => (a.incident.id < b.incident.id ? -1 : 1));
}

/** The incident of this id; undefined where there is none. */
export function recordFor(table: Table, incidentId: string): IncidentRecord | undefined {
  const item = table.item(headKey(incidentId));
  return item && recordIn(item);
}

/** The history of one incident, oldest first. */
export function timelineIn(table: Table, incidentId: string): TimelineEntry[] {
  const { pk, sk } = headKey(incidentId);
  const entries = [...table.items()].filter((item) => item["pk"] === pk && item["sk"] !== sk).map(entryOf);
  return entries.toSorted((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
}

export function brakeIn(table: Table): BrakeState {
  return brakeOf(table.item(brakeKey)).state;
}

/** The accounts that wait at the brake. */
export function waitingIn(table: Table): Waiting[] {
  const { pk } = waitingKey("");
  return [...table.items()].filter((item) => item["pk"] === pk && item["incidentId"] !== undefined).map(waitingOf);
}

/** What the next signal of the account must know. */
export function accountIn(table: Table, accountSid: string) {
  const item = table.item(accountKey(accountSid)) ?? {};
  const text = (name: string) => (typeof item[name] === "string" ? item[name] : undefined);
  return {
    openIncidentId: text("openIncidentId"),
    lastReactivatedAt: text("lastReactivatedAt"),
    passed: item["passed"],
  };
}

/** The indexes that the real one reads may lag; who accepts a command goes by them all the same. */
function readerOf(table: Table): IncidentReader {
  return {
    async list({ accountSid, state, limit }) {
      const all = recordsIn(table).map(({ incident }) => incident);
      const wanted = all.filter((one) => (accountSid ?? one.accountSid) === one.accountSid);
      const incidents = wanted.filter((one) => (state ?? one.state) === one.state).toReversed();
      return { incidents: incidents.slice(0, limit), next: null };
    },
    async get(id) {
      const record = recordFor(table, id);
      return record && { incident: record.incident, timeline: timelineIn(table, id) };
    },
    async head(id) {
      return recordFor(table, id)?.incident;
    },
  };
}
