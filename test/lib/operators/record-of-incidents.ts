import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { UsageTriggerSignal } from "../../../lib/inbox/messages.ts";
import { BY_ACCOUNT, BY_STATE } from "../../../lib/incidents/keys.ts";
import { incidentIdFor, openIncident, suspended } from "../../../lib/incidents/record.ts";
import { incidentStore } from "../../../lib/incidents/store.ts";

/** A real DynamoDB engine on loopback, and incidents in it that the responder's own code wrote. */
export interface RecordOfIncidents {
  tableName: string;
  /** What a process needs in its environment to read this table. */
  environment: Record<string, string>;
  /** Opens an incident and, unless told otherwise, records its suspension. Resolves to its id. */
  add(incident: AddedIncident): Promise<string>;
  close(): Promise<void>;
}

interface AddedIncident {
  at: string;
  accountSid?: string;
  friendlyName?: string | null;
  state?: "open" | "suspended";
  reason?: string;
}

export const ACCOUNT = `AC${"a1".repeat(16)}`;
export const OTHER_ACCOUNT = `AC${"b2".repeat(16)}`;

type Dynalite = (options: { createTableMs: number }) => Server;
const dynalite: Dynalite = createRequire(import.meta.url)("dynalite");

/** Sets the AWS variables of this process, so that code under test finds the table as it would on AWS. */
export async function recordOfIncidents(): Promise<RecordOfIncidents> {
  const server = dynalite({ createTableMs: 0 }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const environment = environmentFor(server);
  Object.assign(process.env, environment);
  const client = DynamoDBDocumentClient.from(new DynamoDBClient());
  const tableName = `incidents-${randomUUID()}`;
  await client.send(new CreateTableCommand(tableNamed(tableName)));
  const store = incidentStore(client, tableName);

  async function add({ at, state = "suspended", reason = "spend is over its limit", ...account }: AddedIncident) {
    const signal = signalAt(at, account.accountSid ?? ACCOUNT);
    const id = incidentIdFor(signal);
    const opened = await store.save(
      openIncident(id, { signal, rule: "sms-spend", isNamed: true, reason: "a usage trigger fired" }, new Date(at)),
    );
    const friendlyName = account.friendlyName === undefined ? "Acme Messaging" : account.friendlyName;
    const now = new Date(Date.parse(at) + 1_500);
    if (state === "suspended") await store.save(suspended(opened, { by: "tollbreaker", friendlyName, reason, now }));
    return id;
  }

  async function close() {
    client.destroy();
    server.close();
    await once(server, "close");
  }

  return { tableName, environment, add, close };
}

function environmentFor(server: Server): Record<string, string> {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${address.port}`,
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
  };
}

function tableNamed(TableName: string) {
  const key = (name: string, KeyType: "HASH" | "RANGE") => ({ AttributeName: name, KeyType });
  const index = (IndexName: string, hash: string) => ({
    IndexName,
    KeySchema: [key(hash, "HASH"), key("id", "RANGE")],
    Projection: { ProjectionType: "ALL" as const },
  });
  return {
    TableName,
    BillingMode: "PAY_PER_REQUEST" as const,
    AttributeDefinitions: ["pk", "sk", "id", "state", "accountSid"].map((AttributeName) => ({
      AttributeName,
      AttributeType: "S" as const,
    })),
    KeySchema: [key("pk", "HASH"), key("sk", "RANGE")],
    GlobalSecondaryIndexes: [index(BY_STATE, "state"), index(BY_ACCOUNT, "accountSid")],
  };
}

function signalAt(receivedAt: string, accountSid: string): UsageTriggerSignal {
  return {
    kind: "usage-trigger",
    id: `UT${accountSid.slice(2)}:${receivedAt}`,
    accountSid,
    receivedAt,
    usageTriggerSid: `UT${"c3".repeat(16)}`,
    firedAt: new Date(Date.parse(receivedAt) - 2_000).toISOString(),
    dateFired: new Date(Date.parse(receivedAt) - 2_000).toUTCString(),
    recurring: "daily",
    usageCategory: "sms",
    triggerBy: "price",
    triggerValue: "1000.000000",
    currentValue: "1300.500000",
    usageRecordUri: `/2010-04-01/Accounts/${accountSid}/Usage/Records?Category=sms`,
    idempotencyToken: receivedAt,
    limit: "sms-spend",
    probation: false,
    found: "webhook",
    fingerprint: `${accountSid}:${receivedAt}`,
  };
}
