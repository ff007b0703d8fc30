import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import * as keys from "../../lib/incidents/keys.ts";
import { messageKey, requestKey } from "../../lib/slack/keys.ts";
import { memoryStore } from "../../lib/sweep/memory-store.ts";
import { runStore } from "../../lib/sweep/run-store.ts";
import { sampleStore } from "../../lib/sweep/sample-store.ts";
import { sweepShard } from "../../lib/sweep/sweep-shard.ts";
import { ahead, MINUTE, POLICY, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { policyOf } from "../support/policies.ts";
import { firing } from "../support/signals.ts";
import { allows } from "./allows.ts";
import { PERMISSIONS } from "./expected-permissions.ts";

const SID = `AC${"0".repeat(32)}`;
/** A partition key of each kind that the table has. */
const KINDS = {
  ACCOUNT: keys.accountKey(SID).pk,
  ATTEMPTS: keys.attemptsKey("192.0.2.1").pk,
  BRAKE: keys.brakeKey.pk,
  "BRAKE-WAITING": keys.waitingKey(SID).pk,
  DRILL: keys.drillKey("drill-0001").pk,
  FIRED: keys.firedKey(SID, "UT1").pk,
  INCIDENT: keys.headKey("01JABC").pk,
  OPERATOR: keys.operatorKey("alice").pk,
  RAISES: keys.raiseKey(SID, "daily-spend#2026-01-01T00:00:00Z").pk,
  ROUTING: keys.routingKey("01JABC", "PN1").pk,
  SAMPLE: keys.sampleKey(SID, "2026-01-01T00:00:00Z").pk,
  SEEN: keys.seenKey(SID, "UT1").pk,
  SLACK: messageKey("01JABC").pk,
  "SLACK-REQUEST": requestKey("v0=abc").pk,
  SWEEP: keys.runKey.pk,
  "SWEEP#": keys.sweepKey(SID).pk,
  WINDOW: keys.windowKey(SID, "rule").pk,
} as const;
type Kind = keyof typeof KINDS;
type FunctionId = keyof typeof PERMISSIONS;

const READING = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"];
const WRITING = ["dynamodb:PutItem", "dynamodb:UpdateItem"];
const NEVER = ["dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:Scan", "dynamodb:PartiQLUpdate"];

function reachableBy(id: FunctionId, actions: readonly string[]): string[] {
  const kinds = Object.entries(KINDS);
  return kinds
    .filter(([, key]) => actions.some((action) => allows(PERMISSIONS[id], action, [key])))
    .map(([kind]) => kind);
}

const ALL = Object.keys(KINDS);

describe("of the table", () => {
  test.each<{ id: FunctionId; writes: readonly Kind[] | "all" }>([
    { id: "UsageTriggerLambdaFunction", writes: [] },
    { id: "DebuggerLambdaFunction", writes: ["WINDOW"] },
    { id: "RespondLambdaFunction", writes: "all" },
    // Neither an incident nor an account: what the sweep finds, it puts into the inbox.
    { id: "SweepLambdaFunction", writes: ["SWEEP"] },
    { id: "SweepShardLambdaFunction", writes: ["SAMPLE", "SWEEP", "SWEEP#"] },
    { id: "NotifyLambdaFunction", writes: ["DRILL", "SLACK"] },
    { id: "OperatorApiLambdaFunction", writes: ["ATTEMPTS", "OPERATOR"] },
    { id: "SlackLambdaFunction", writes: ["OPERATOR", "SLACK-REQUEST"] },
  ])("$id may write $writes, and delete nothing", ({ id, writes }) => {
    expect(reachableBy(id, WRITING)).toEqual(writes === "all" ? ALL : writes);
    expect(reachableBy(id, NEVER)).toEqual([]);
  });

  // The responder reads all of it.
  test.each<{ id: FunctionId; reads: readonly Kind[] }>([
    { id: "UsageTriggerLambdaFunction", reads: [] },
    { id: "DebuggerLambdaFunction", reads: ["WINDOW"] },
    { id: "SweepLambdaFunction", reads: ["SWEEP"] },
    { id: "SweepShardLambdaFunction", reads: ["ACCOUNT", "FIRED", "INCIDENT", "SAMPLE", "SWEEP", "SWEEP#"] },
    { id: "NotifyLambdaFunction", reads: ["SLACK"] },
    // Not how phone numbers were routed: a webhook's address may hold a password.
    {
      id: "OperatorApiLambdaFunction",
      reads: ["ATTEMPTS", "BRAKE", "BRAKE-WAITING", "DRILL", "INCIDENT", "OPERATOR", "RAISES"],
    },
    { id: "SlackLambdaFunction", reads: ["BRAKE", "BRAKE-WAITING", "INCIDENT"] },
  ])("$id may read $reads", ({ id, reads }) => {
    expect(reachableBy(id, READING)).toEqual(reads);
  });

  test("every kind of item is known here", () => {
    const own = Object.values(keys).flatMap((key) => (typeof key === "function" ? [key(SID, "x").pk] : []));
    const prefixes = Object.values(KINDS).map((key) => key.replace(/#.*/, "#"));
    expect(own.length).toBeGreaterThan(10);
    for (const key of own) expect(prefixes).toContain(key.replace(/#.*/, "#"));
  });
});

/** One request to the table: the IAM action it needs, and the partition keys it names. */
interface Asked {
  action: string;
  partitionKeys: string[];
}

const WATCHFUL = policyOf(`
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  fast: { category: totalprice, by: price, every: hour, at: 4000, then: suspend }
`);

describe("what a sweep asks of the table", () => {
  const asked: Record<"SweepLambdaFunction" | "SweepShardLambdaFunction", Asked[]> = {
    SweepLambdaFunction: [],
    SweepShardLambdaFunction: [],
  };
  const FUNCTIONS = ["SweepLambdaFunction", "SweepShardLambdaFunction"] as const;
  let rig: SweepRig;

  beforeAll(async () => {
    rig = await startSweepRig(WATCHFUL);
    // The first one arms the accounts, and the second has a value of each to begin with.
    await sweep(0);
    await sweep(5 * MINUTE);
    const [suspended = "", spending = ""] = rig.simulator.subaccounts().map(({ accountSid }) => accountSid);
    await rig.deliver(firing(suspended), { policy: POLICY });
    rig.simulator.addUsage(spending, { category: "sms", price: 85 });
    await rig.simulator.evaluateTriggers();
    await sweep(10 * MINUTE);
  }, 30_000);
  afterAll(() => rig.close());

  /** As the two functions share it, each with a client that is listened to. */
  async function sweep(milliseconds: number): Promise<void> {
    const { tableName } = rig.aws;
    const clock = ahead(milliseconds);
    const [starter, worker] = FUNCTIONS.map((id) => listening(rig.aws.dynamoUrl, asked[id]));
    if (starter === undefined || worker === undefined) throw new Error("there are two functions");
    const started = await rig.start({ clock, runs: runStore(starter, tableName) });
    expect(started.kind).toBe("started");
    const sweeper = rig.sweeper({
      clock,
      runs: runStore(worker, tableName),
      memory: memoryStore(worker, tableName),
      samples: sampleStore(worker, tableName),
    });
    for (const shard of await rig.shards()) await sweepShard(sweeper, shard, clock.now().getTime() + 50_000);
    starter.destroy();
    worker.destroy();
  }

  test.each(FUNCTIONS)("is allowed to the %s, each request by itself", (id) => {
    expect(asked[id].length).toBeGreaterThan(3);
    const refused = asked[id].filter(({ action, partitionKeys }) => !allows(PERMISSIONS[id], action, partitionKeys));
    expect(refused).toEqual([]);
  });

  test.each(FUNCTIONS)("is all that the %s may ask", (id) => {
    const done = asked[id].flatMap(({ action, partitionKeys }) =>
      partitionKeys.map((key) => `${action} ${kindOf(key)}`),
    );
    const allowed = [...READING, ...WRITING].flatMap((action) =>
      reachableBy(id, [action]).map((kind) => `${action} ${kind}`),
    );
    expect([...new Set(done)].sort()).toEqual(allowed.sort());
  });
});

function kindOf(key: string): string {
  if (key.startsWith("SWEEP#")) return "SWEEP#";
  return key.replace(/#.*/, "");
}

/** A client that also writes down what it is asked. */
function listening(endpoint: string, asked: Asked[]): DynamoDBDocumentClient {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region: "us-east-1", credentials }));
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      (args) => {
        const action = `dynamodb:${commandName.replace(/Command$/, "")}`;
        asked.push({ action, partitionKeys: partitionKeysOf(args.input) });
        return next(args);
      },
    { step: "initialize" },
  );
  return client;
}

const Key = z.object({ pk: z.string() });
const Input = z.union([
  z.object({ Key }),
  z.object({ Item: Key }),
  z.object({ ExpressionAttributeValues: z.object({ ":pk": z.string() }) }),
  z.object({ RequestItems: z.record(z.string(), z.object({ Keys: z.array(Key) })) }),
]);

/** Throws for a request of another form, so that nothing passes unseen. */
function partitionKeysOf(sent: unknown): string[] {
  const input = z.parse(Input, sent);
  if ("Key" in input) return [input.Key.pk];
  if ("Item" in input) return [input.Item.pk];
  if ("RequestItems" in input) return Object.values(input.RequestItems).flatMap(({ Keys }) => Keys.map(({ pk }) => pk));
  return [input.ExpressionAttributeValues[":pk"]];
}
