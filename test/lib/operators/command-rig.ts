import { createHash, randomBytes } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient, paginateScan } from "@aws-sdk/lib-dynamodb";
import { startFauxqs } from "fauxqs";
import type { Clock } from "../../../lib/clock.ts";
import { drillStore } from "../../../lib/drills/drill-store.ts";
import { readMessage, sqsInbox } from "../../../lib/inbox/inbox.ts";
import { isCommand, type Message } from "../../../lib/inbox/messages.ts";
import { dynamoBrakeReader } from "../../../lib/incidents/brake-reader.ts";
import { brakeStore } from "../../../lib/incidents/brake-store.ts";
import { dynamoIncidentReader } from "../../../lib/incidents/dynamo-reader.ts";
import { raiseReader } from "../../../lib/incidents/raise-store.ts";
import { incidentStore } from "../../../lib/incidents/store.ts";
import { jsonLog } from "../../../lib/log.ts";
import { type OperatorApiParts, operatorApi } from "../../../lib/operators/operator-api.ts";
import { operatorsFrom } from "../../../lib/operators/operators.ts";
import { watchInTable } from "../../../lib/operators/watch.ts";
import { LOCAL_CREDENTIALS } from "../../../local/aws.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import { policyOf } from "../../support/policies.ts";
import { recordOfIncidents } from "./record-of-incidents.ts";

export const PARENT = `AC${"0".repeat(32)}`;
export const EXEMPT = `AC${"e".repeat(32)}`;
export const NOW = new Date("2026-11-21T03:04:05.123Z");
export const PUBLIC_URL = "https://tollbreaker.example.com";

export const ENFORCE = policyOf(`
mode: enforce
limits: {}
unlisted: suspend
brake: { suspensions: 5, within: 10m }
exempt:
  - { account: ${EXEMPT}, why: emergency line }
`);

const QUEUE = "tollbreaker-inbox.fifo";
const TOKENS = { operator: "token-of-olga", viewer: "token-of-victor" };
const OPERATORS = JSON.stringify([
  { name: "olga", sha256: hashOf(TOKENS.operator), role: "operator" },
  { name: "victor", sha256: hashOf(TOKENS.viewer), role: "viewer", expires: "2030-01-01T00:00:00Z" },
]);

export type CommandRig = Awaited<ReturnType<typeof commandRig>>;

/** The operator API as it is deployed, between a real DynamoDB engine and a real queue, both on loopback. */
export async function commandRig() {
  const record = await recordOfIncidents();
  Object.assign(process.env, LOCAL_CREDENTIALS);
  const messaging = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
  const attributes = {
    FifoQueue: "true",
    DeduplicationScope: "messageGroup",
    FifoThroughputLimit: "perMessageGroupId",
  };
  messaging.createQueue(QUEUE, { attributes });
  const sqs = await startFaultProxy(`http://127.0.0.1:${messaging.port}`);
  const queue = new SQSClient({ endpoint: sqs.url, maxAttempts: 1 });
  const table = DynamoDBDocumentClient.from(new DynamoDBClient());
  const clock = settableClock();
  const lines: string[] = [];
  const log = jsonLog((line) => lines.push(line));
  const parts: OperatorApiParts = {
    incidents: dynamoIncidentReader(record.tableName),
    brake: dynamoBrakeReader(record.tableName),
    drills: drillStore(table, record.tableName),
    raises: raiseReader(table, record.tableName),
    inbox: sqsInbox(queue, `${sqs.url}/000000000000/${QUEUE}`),
    policy: ENFORCE,
    parentSid: PARENT,
    publicUrl: PUBLIC_URL,
    operators: operatorsFrom(async () => OPERATORS),
    watch: watchInTable(record.tableName, clock, log),
    clock,
    log,
  };

  /** Everything that the table holds but who came to the door. */
  async function incidentsAndAccounts(): Promise<string> {
    const items: Record<string, unknown>[] = [];
    for await (const { Items = [] } of paginateScan({ client: table }, { TableName: record.tableName }))
      items.push(...Items);
    const own = items.filter(({ pk }) => !/^(OPERATOR|ATTEMPTS)#/.test(String(pk)));
    return JSON.stringify(own.sort((one, other) => keyOf(one).localeCompare(keyOf(other))));
  }

  return {
    ...{ parts, clock, sqs, incidentsAndAccounts },
    store: incidentStore(table, record.tableName),
    brake: brakeStore(table, record.tableName, clock),
    /** What is in the inbox, oldest first. */
    inbox(): Message[] {
      const ready = messaging.inspectQueue(QUEUE)?.messages.ready ?? [];
      return ready.map(({ body }) => readMessage(body));
    },
    /** Also forgets what it would recognise as a duplicate. */
    emptyInbox() {
      messaging.deleteQueue(QUEUE);
      messaging.createQueue(QUEUE, { attributes });
    },
    /** What was logged since this was last asked, as objects. */
    logged: (): Record<string, unknown>[] => lines.splice(0).map((line) => JSON.parse(line)),
    async close() {
      queue.destroy();
      table.destroy();
      await sqs.close();
      await messaging.stop();
      await record.close();
    },
  };
}

export interface Sent {
  /** Sent as JSON; a text as it is; left out: no body at all. */
  body?: unknown;
  headers?: Record<string, string>;
  as?: keyof typeof TOKENS;
  parts?: Partial<OperatorApiParts>;
}

export async function post(rig: CommandRig, path: string, sent: Sent = {}) {
  return send(rig, "POST", path, sent);
}

export async function get(rig: CommandRig, path: string, sent: Sent = {}) {
  return send(rig, "GET", path, sent);
}

async function send(rig: CommandRig, method: string, path: string, { body, headers, as = "operator", parts }: Sent) {
  const app = operatorApi({ ...rig.parts, ...parts });
  const isText = typeof body === "string" || body instanceof Uint8Array;
  const response = await app.request(path, {
    method,
    headers: {
      Authorization: `Bearer ${TOKENS[as]}`,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: text === "" ? undefined : JSON.parse(text) };
}

/** The commands in the inbox, oldest first. */
export function commandsIn(rig: CommandRig) {
  return rig.inbox().filter(isCommand);
}

/** An account that no other test knows. */
export function newAccount(): string {
  return `AC${randomBytes(16).toString("hex")}`;
}

function settableClock(): Clock & { set(now: Date): void } {
  let now = NOW;
  return {
    now: () => now,
    set: (to) => {
      now = to;
    },
    sleep: async () => {},
  };
}

function keyOf({ pk, sk }: Record<string, unknown>): string {
  return `${pk} ${sk}`;
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
