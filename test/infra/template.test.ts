import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import {
  DebuggerEnv,
  NotifyEnv,
  OperatorApiEnv,
  RespondEnv,
  readConfig,
  SlackEnv,
  SweepEnv,
  SweepShardEnv,
  UsageTriggerEnv,
} from "../../lib/config.ts";
import { BY_ACCOUNT, BY_STATE } from "../../lib/incidents/keys.ts";
import { COMMAND_PATHS } from "../../lib/operators/command-routes.ts";
import { DRILL_PATH } from "../../lib/operators/drill-route.ts";
import { READING_PATHS } from "../../lib/operators/reading-routes.ts";
import { actionsCalledBy } from "./aws-calls.ts";
import { dashboardBody } from "./dashboard-body.ts";
import { environmentOf } from "./deployed.ts";
import { ALARMS, METRICS } from "./expected-alarms.ts";
import { PERMISSIONS } from "./expected-permissions.ts";
import { counts } from "./filter-pattern.ts";
import { type Bundle, httpEvent, inFreshProcess } from "./fresh-process.ts";
import { type Packaged, packageStack, type Resource, SECRETS_OF_THE_SHELL } from "./packaged.ts";
import { referencesIn, waitingInCircles } from "./references.ts";
import { actionsOf, allStatements, roleIdOf, roleOf, statementsOn } from "./statements.ts";
import { unzip } from "./unzip.ts";

const FUNCTIONS = [
  {
    id: "UsageTriggerLambdaFunction",
    zip: "usageTrigger.zip",
    entry: "handlers/usage-trigger",
    schema: UsageTriggerEnv,
  },
  { id: "DebuggerLambdaFunction", zip: "debugger.zip", entry: "handlers/debugger", schema: DebuggerEnv },
  { id: "RespondLambdaFunction", zip: "respond.zip", entry: "handlers/respond", schema: RespondEnv },
  { id: "SweepLambdaFunction", zip: "sweep.zip", entry: "handlers/sweep", schema: SweepEnv },
  { id: "SweepShardLambdaFunction", zip: "sweepShard.zip", entry: "handlers/sweep-shard", schema: SweepShardEnv },
  { id: "NotifyLambdaFunction", zip: "notify.zip", entry: "handlers/notify", schema: NotifyEnv },
  { id: "OperatorApiLambdaFunction", zip: "operatorApi.zip", entry: "handlers/operator-api", schema: OperatorApiEnv },
  { id: "SlackLambdaFunction", zip: "slack.zip", entry: "handlers/slack", schema: SlackEnv },
] as const;

const arn = (resource: string) => ({ "Fn::GetAtt": [resource, "Arn"] });

let packaged: Packaged;
beforeAll(async () => {
  packaged = await packageStack("alertsEmail=duty@example.com");
}, 60_000);
afterAll(() => packaged.remove());

function resource(id: string): Resource {
  const found = packaged.template.Resources[id];
  if (found === undefined) throw new Error(`the template has no resource ${id}`);
  return found;
}

function ofType(type: string): [string, Resource][] {
  return Object.entries(packaged.template.Resources).filter(([, { Type }]) => Type === type);
}

describe("the template", () => {
  test("refers only to what it has", () => {
    const { resources, conditions } = referencesIn(packaged.template);
    const own = resources.filter((name) => !name.startsWith("AWS::"));
    expect(own.length).toBeGreaterThan(50);
    expect(own.filter((name) => packaged.template.Resources[name] === undefined)).toEqual([]);
    expect(conditions.filter((name) => packaged.template.Conditions[name] === undefined)).toEqual([]);
  });

  test("has no resources that wait for each other", () => {
    expect(waitingInCircles(packaged.template.Resources)).toEqual([]);
  });

  test("has these functions and no other", () => {
    expect(ofType("AWS::Lambda::Function").map(([id]) => id)).toEqual(FUNCTIONS.map(({ id }) => id));
  });

  test("holds no secret of the shell it was packaged in, and no package does", async () => {
    const canaries = Object.values(SECRETS_OF_THE_SHELL);
    for (const name of await readdir(packaged.directory)) {
      const file = await readFile(join(packaged.directory, name));
      const contents = name.endsWith(".zip") ? [...unzip(file).values()] : [file];
      for (const content of contents)
        expect(
          canaries.filter((canary) => content.includes(canary)),
          name,
        ).toEqual([]);
    }
  });

  test("takes the mode, the public URL, Slack's channel and workspace and the rest from parameters", async () => {
    const slack = ["slackChannel=C012ABCDEF", "slackTeam=T012ABCDEF", "dailySummary=on", "responders=10"];
    const other = await packageStack("mode=enforce", "publicUrl=https://tollbreaker.example.com", ...slack);
    const { deployed, written } = environmentOf(other.template, "RespondLambdaFunction");
    const of = (id: string) => environmentOf(other.template, id).deployed;
    await other.remove();
    expect(deployed["MODE"]).toBe("enforce");
    expect(other.template.Resources["RespondEventSourceMappingSQSInbox"]?.Properties["ScalingConfig"]).toEqual({
      MaximumConcurrency: 10,
    });
    for (const id of ["SweepShardLambdaFunction", "OperatorApiLambdaFunction", "SlackLambdaFunction"])
      expect(of(id)["MODE"], id).toBe("enforce");
    expect(of("NotifyLambdaFunction")["SLACK_CHANNEL"]).toBe("C012ABCDEF");
    expect(of("SlackLambdaFunction")["SLACK_TEAM_ID"]).toBe("T012ABCDEF");
    expect(of("SweepShardLambdaFunction")["DAILY_SUMMARY"]).toBe("on");
    expect(environmentOf(packaged.template, "SweepShardLambdaFunction").deployed["DAILY_SUMMARY"]).toBe("off");
    expect(written["PUBLIC_URL"]).toMatchObject({ "Fn::If": ["HasPublicUrl", "https://tollbreaker.example.com", {}] });
    const unlessEmpty = (value: string) => ({ "Fn::Not": [{ "Fn::Equals": [value, ""] }] });
    expect(other.template.Conditions).toEqual({
      HasPublicUrl: unlessEmpty("https://tollbreaker.example.com"),
      HasAlertsEmail: unlessEmpty(""),
    });
    expect(packaged.template.Conditions).toEqual({
      HasPublicUrl: unlessEmpty(""),
      HasAlertsEmail: unlessEmpty("duty@example.com"),
    });
  }, 60_000);
});

describe.each(FUNCTIONS)("the function $id", ({ id, zip, entry, schema }) => {
  test("runs on Node 24 on arm64 and logs JSON into a group that forgets", () => {
    const { Properties } = resource(id);
    expect(Properties).toMatchObject({ Runtime: "nodejs24.x", Architectures: ["arm64"], Handler: `${entry}.handler` });
    expect(Properties["LoggingConfig"]).toEqual({ LogFormat: "JSON" });
    const logGroup = resource(id.replace("LambdaFunction", "LogGroup")).Properties;
    expect(logGroup).toEqual({ LogGroupName: `/aws/lambda/${Properties["FunctionName"]}`, RetentionInDays: 90 });
  });

  test("reserves no concurrency, which a new AWS account would refuse", () => {
    expect(resource(id).Properties).not.toHaveProperty("ReservedConcurrentExecutions");
  });

  test("finds every variable its configuration needs, and no other", () => {
    const { written, deployed } = environmentOf(packaged.template, id);
    const known = [...Object.keys(schema.shape), "METRICS_NAMESPACE"];
    expect(written["METRICS_NAMESPACE"]).toEqual(METRICS);
    const required = Object.entries(schema.shape).flatMap(([name, value]) =>
      z.safeParse(value, undefined).success ? [] : [name],
    );
    const secrets = known.filter((name) => known.includes(`${name}_PARAMETER`));
    expect(Object.keys(written)).toEqual(expect.arrayContaining(required));
    expect(Object.keys(written)).toEqual(expect.arrayContaining(secrets.map((name) => `${name}_PARAMETER`)));
    expect(Object.keys(written).filter((name) => secrets.includes(name) || !known.includes(name))).toEqual([]);
    expect(() => readConfig(schema, deployed)).not.toThrow();
  });

  test("has a role of its own, with exactly the permissions listed", () => {
    const roleId = roleIdOf(packaged.template, id);
    const { statements, trust, managed } = roleOf(packaged.template, roleId);
    expect(statements).toEqual(PERMISSIONS[id]);
    expect(managed).toEqual([]);
    expect(trust).toEqual([
      { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
    ]);
    expect(FUNCTIONS.filter((other) => roleIdOf(packaged.template, other.id) === roleId)).toHaveLength(1);
  });

  test("may make the AWS calls that its code makes, and no other", async () => {
    const { statements } = roleOf(packaged.template, roleIdOf(packaged.template, id));
    const granted = statements.flatMap(actionsOf).filter((action) => !action.startsWith("logs:"));
    // Lambda itself reads the queues with the function's role.
    const byLambda = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
    expect([...new Set(granted)].filter((action) => !byLambda.includes(action)).sort()).toEqual(
      await actionsCalledBy(`${entry}.ts`),
    );
  });

  test("is one file that starts in a fresh Node 24 with nothing else in reach", async () => {
    const bundle = await bundleOf({ id, zip, entry });
    expect([...bundle.files.keys()]).toEqual([`${entry}.mjs`]);
    const started = await inFreshProcess(bundle, "({ node: process.version, handler: typeof module.handler })");
    expect(started).toEqual({ node: expect.stringMatching(/^v24\./), handler: "function" });
  });
});

function functionOf(entry: string) {
  const found = FUNCTIONS.find((one) => one.entry === entry);
  if (found === undefined) throw new Error(`the template has no ${entry}`);
  return found;
}

describe("a packaged function", () => {
  test("usage-trigger refuses a callback without a signature", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const event = httpEvent("POST", "/webhooks/usage-trigger", form, `AccountSid=AC${"1".repeat(32)}`);
    const answer = await inFreshProcess(
      await bundleOf(functionOf("handlers/usage-trigger")),
      `module.handler(${event}, {})`,
    );
    expect(answer).toMatchObject({ statusCode: 403, body: "" });
  });

  test("respond takes an empty batch", async () => {
    const bundle = await bundleOf(functionOf("handlers/respond"));
    const answer = await inFreshProcess(
      bundle,
      "module.handler({ Records: [] }, { getRemainingTimeInMillis: () => 25000 })",
    );
    expect(answer).toEqual({ batchItemFailures: [] });
  });

  test("sweep-shard takes an empty batch", async () => {
    const bundle = await bundleOf(functionOf("handlers/sweep-shard"));
    const batch = "module.handler({ Records: [] }, { getRemainingTimeInMillis: () => 60000 })";
    expect(await inFreshProcess(bundle, batch)).toEqual({ batchItemFailures: [] });
  });

  test("slack refuses a request without a signature", async () => {
    const bundle = await bundleOf(functionOf("handlers/slack"));
    // As where Slack is not set up: no parameter with a secret.
    const environment = { ...bundle.environment, SLACK_SIGNING_SECRET_PARAMETER: "" };
    const event = httpEvent(
      "POST",
      "/slack/actions",
      { "content-type": "application/x-www-form-urlencoded" },
      "payload={}",
    );
    const answer = await inFreshProcess({ ...bundle, environment }, `module.handler(${event}, {})`);
    expect(answer).toMatchObject({ statusCode: 403 });
  });

  test("operator-api says that it is alive", async () => {
    const bundle = await bundleOf(functionOf("handlers/operator-api"));
    const answer = await inFreshProcess(bundle, `module.handler(${httpEvent("GET", "/health")}, {})`);
    expect(answer).toMatchObject({ statusCode: 200, body: '{"status":"ok"}' });
  });
});

async function bundleOf({ id, zip, entry }: { id: string; zip: string; entry: string }): Promise<Bundle> {
  const files = unzip(await readFile(join(packaged.directory, zip)));
  return { files, entry: `${entry}.mjs`, environment: environmentOf(packaged.template, id).deployed };
}

describe("permissions", () => {
  const WAYS_IN = ["handlers/operator-api", "handlers/slack"] as const;

  test.each(WAYS_IN)("%s holds no credentials of Twilio's, and no code that talks to it", async (entry) => {
    const wayIn = functionOf(entry);
    const { written } = environmentOf(packaged.template, wayIn.id);
    expect(Object.keys(written).filter((name) => name.startsWith("TWILIO"))).toEqual(["TWILIO_ACCOUNT_SID"]);
    const { statements } = roleOf(packaged.template, roleIdOf(packaged.template, wayIn.id));
    expect(JSON.stringify(statements)).not.toContain("auth-token");
    const [code] = (await bundleOf(wayIn)).files.values();
    // In the path of every account, call and key of Twilio's API.
    expect(code?.includes("2010-04-01")).toBe(false);
  });

  test("no role is left over", () => {
    const used = FUNCTIONS.map(({ id }) => roleIdOf(packaged.template, id));
    expect(ofType("AWS::IAM::Role").map(([id]) => id)).toEqual(used);
    expect(ofType("AWS::IAM::ManagedPolicy")).toEqual([]);
    expect(ofType("AWS::IAM::Policy")).toEqual([]);
  });

  test("nothing is allowed with a wildcard, on any resource or for any action", () => {
    const allowed = allStatements(packaged.template).filter(({ Effect }) => Effect === "Allow");
    expect(allowed.length).toBeGreaterThan(20);
    const wild = allowed.filter(({ Action, Resource, Principal }) =>
      /\*/.test(JSON.stringify([Action, Resource, Principal])),
    );
    expect(wild).toEqual([]);
    expect(allowed.filter((statement) => "NotAction" in statement || "NotResource" in statement)).toEqual([]);
  });

  test("only API Gateway may invoke the functions that have routes, and only for our API", () => {
    const permissions = permissionsOn(...FUNCTIONS.map(({ id }) => id).filter((id) => id !== "SweepLambdaFunction"));
    expect(permissions.map(({ FunctionName }) => FunctionName)).toEqual([
      arn("UsageTriggerLambdaFunction"),
      arn("DebuggerLambdaFunction"),
      arn("OperatorApiLambdaFunction"),
      arn("SlackLambdaFunction"),
    ]);
    for (const permission of permissions) {
      expect(permission["Principal"]).toBe("apigateway.amazonaws.com");
      expect(referencesIn(permission["SourceArn"]).resources).toContain("HttpApi");
    }
  });

  test("only its own schedule may invoke the sweep", () => {
    expect(permissionsOn("SweepLambdaFunction")).toEqual([
      {
        FunctionName: arn("SweepLambdaFunction"),
        Action: "lambda:InvokeFunction",
        Principal: "events.amazonaws.com",
        SourceArn: arn("SweepEventsRuleSchedule1"),
      },
    ]);
  });
});

describe("the schedule", () => {
  test("begins a sweep every five minutes, and none twice", () => {
    expect(ofType("AWS::Events::Rule").map(([, { Properties }]) => Properties)).toEqual([
      {
        Name: "tollbreaker-test-sweep",
        ScheduleExpression: "rate(5 minutes)",
        State: "ENABLED",
        Targets: [{ Arn: arn("SweepLambdaFunction"), Id: "sweepSchedule" }],
      },
    ]);
    expect(resource("SweepLambdaEvConf").Properties).toMatchObject({
      FunctionName: { Ref: "SweepLambdaFunction" },
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 240,
    });
  });
});

function permissionsOn(...functionIds: readonly string[]) {
  const arns = functionIds.map((id) => JSON.stringify(arn(id)));
  const permissions = ofType("AWS::Lambda::Permission").map(([, { Properties }]) => Properties);
  return permissions.filter(({ FunctionName }) => arns.includes(JSON.stringify(FunctionName)));
}

const TLS_ONLY = {
  Sid: "TlsOnly",
  Effect: "Deny",
  Principal: "*",
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};
const FROM_OUR_TOPIC = {
  Sid: "FromOurTopic",
  Effect: "Allow",
  Principal: { Service: "sns.amazonaws.com" },
  Action: "sqs:SendMessage",
  Condition: { ArnEquals: { "aws:SourceArn": { Ref: "Alerts" } } },
};
const FOURTEEN_DAYS_S = 14 * 24 * 3600;

describe("the queues", () => {
  test("the inbox is FIFO in high-throughput mode, with a FIFO queue for its dead letters", () => {
    expect(resource("Inbox").Properties).toEqual({
      QueueName: "tollbreaker-test-inbox.fifo",
      FifoQueue: true,
      DeduplicationScope: "messageGroup",
      FifoThroughputLimit: "perMessageGroupId",
      SqsManagedSseEnabled: true,
      VisibilityTimeout: 30,
      MessageRetentionPeriod: FOURTEEN_DAYS_S,
      RedrivePolicy: { deadLetterTargetArn: arn("InboxDeadLetters"), maxReceiveCount: 150 },
    });
    expect(resource("InboxDeadLetters").Properties).toMatchObject({ FifoQueue: true });
  });

  test.each([
    { queue: "FollowUpQueue", name: "follow-up", deadLetters: "FollowUpDeadLetters", receives: 50 },
    { queue: "NotifyQueue", name: "notify", deadLetters: "NotifyDeadLetters", receives: 40 },
  ])("$queue is no FIFO queue, and gives up after $receives receives", ({ queue, name, deadLetters, receives }) => {
    expect(resource(queue).Properties).toMatchObject({
      QueueName: `tollbreaker-test-${name}`,
      MessageRetentionPeriod: FOURTEEN_DAYS_S,
      RedrivePolicy: { deadLetterTargetArn: arn(deadLetters), maxReceiveCount: receives },
    });
    expect(resource(deadLetters).Properties["QueueName"]).toBe(`tollbreaker-test-${name}-dead-letters`);
    expect(resource(queue).Properties).not.toHaveProperty("FifoQueue");
    expect(resource(deadLetters).Properties).not.toHaveProperty("FifoQueue");
  });

  test.each(["Inbox", "FollowUpQueue", "NotifyQueue"])(
    "%s loses nothing when Lambda is throttled for an hour",
    (id) => {
      // What Lambda could not hand over comes back after the visibility time-out, with its receive counted.
      expect(receivesOf(id) * seconds(id, "VisibilityTimeout")).toBeGreaterThan(3600);
    },
  );

  test.each([
    { id: "FollowUpQueue", firstPause: 1, hours: 4 },
    { id: "NotifyQueue", firstPause: 5, hours: 3 },
  ])("$id outlasts $hours hours of failing besides", ({ id, firstPause, hours }) => {
    const left = receivesOf(id) - 3600 / seconds(id, "VisibilityTimeout");
    // Doubled each time, up to a quarter of an hour; none comes after the last try.
    const pauses = Array.from({ length: left - 1 }, (_, tries) => Math.min(firstPause * 2 ** tries, 900));
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(hours * 3600);
  });

  test("the responder can tell its queues apart by the last part of their ARNs", () => {
    const { deployed } = environmentOf(packaged.template, "RespondLambdaFunction");
    for (const [id, name] of Object.entries({
      Inbox: "INBOX_QUEUE_URL",
      FollowUpQueue: "FOLLOW_UP_QUEUE_URL",
      FollowUpDeadLetters: "FOLLOW_UP_DEAD_LETTERS_URL",
    }))
      expect(deployed[name]?.split("/").at(-1), name).toBe(resource(id).Properties["QueueName"]);
  });

  test("a shard of the sweep is given up soon: the next sweep has another of the same accounts", () => {
    expect(resource("SweepQueue").Properties).toEqual({
      QueueName: "tollbreaker-test-sweep",
      SqsManagedSseEnabled: true,
      VisibilityTimeout: 75,
      MessageRetentionPeriod: 3600,
      RedrivePolicy: { deadLetterTargetArn: arn("SweepDeadLetters"), maxReceiveCount: 3 },
    });
    expect(resource("SweepDeadLetters").Properties).not.toHaveProperty("FifoQueue");
  });

  const QUEUES = ["Inbox", "FollowUpQueue", "NotifyQueue", "SweepQueue"];
  const DEAD_LETTERS = ["InboxDeadLetters", "FollowUpDeadLetters", "NotifyDeadLetters", "SweepDeadLetters"];

  test("are these and no other", () => {
    expect(
      ofType("AWS::SQS::Queue")
        .map(([id]) => id)
        .sort(),
    ).toEqual([...QUEUES, ...DEAD_LETTERS].sort());
  });

  test.each([...QUEUES, ...DEAD_LETTERS])("%s is encrypted, kept and TLS only", (id) => {
    expect(resource(id).Properties).toMatchObject({
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: id === "SweepQueue" ? 3600 : FOURTEEN_DAYS_S,
    });
    const policy = resource(`${id}Policy`);
    expect(policy.Properties["Queues"]).toEqual([{ Ref: id }]);
    const tlsOnly = { ...TLS_ONLY, Action: "sqs:*", Resource: arn(id) };
    const fromOurTopic = { ...FROM_OUR_TOPIC, Resource: arn(id) };
    expect(statementsOn(policy)).toEqual(id.startsWith("Notify") ? [fromOurTopic, tlsOnly] : [tlsOnly]);
  });

  test.each([
    { queue: "Inbox", reader: "RespondLambdaFunction", atOnce: 10 },
    { queue: "FollowUpQueue", reader: "RespondLambdaFunction", atOnce: 10 },
    { queue: "NotifyQueue", reader: "NotifyLambdaFunction", atOnce: 10 },
    { queue: "SweepQueue", reader: "SweepShardLambdaFunction", atOnce: 1 },
  ])("$queue is read by $reader, which reports each message by itself", ({ queue, reader, atOnce }) => {
    expect(
      mappings().filter(({ EventSourceArn }) => JSON.stringify(EventSourceArn) === JSON.stringify(arn(queue))),
    ).toEqual([
      {
        EventSourceArn: arn(queue),
        FunctionName: arn(reader),
        Enabled: true,
        BatchSize: atOnce,
        FunctionResponseTypes: ["ReportBatchItemFailures"],
        ScalingConfig: { MaximumConcurrency: 2 },
      },
    ]);
    // Sooner, and a second reader would take what the first still works on.
    expect(seconds(queue, "VisibilityTimeout")).toBeGreaterThan(seconds(reader, "Timeout"));
  });

  test.each([
    { queue: "FollowUpQueue", reader: "RespondLambdaFunction" },
    { queue: "NotifyQueue", reader: "NotifyLambdaFunction" },
  ])("$queue waits six times as long as $reader may take, as AWS advises", ({ queue, reader }) => {
    expect(seconds(queue, "VisibilityTimeout")).toBe(6 * seconds(reader, "Timeout"));
  });

  // Shorter than advised, for the reason that the template states.
  test("a responder that died is replaced within 30 seconds", () => {
    expect(seconds("Inbox", "VisibilityTimeout")).toBeLessThanOrEqual(30);
  });

  test("all tries of a shard fit into the five minutes of its sweep", () => {
    expect(receivesOf("SweepQueue") * seconds("SweepQueue", "VisibilityTimeout")).toBeLessThan(300);
  });

  test("their readers and the sweep's start leave room in an AWS account that may run 10 functions at once", () => {
    const Scaling = z.object({ ScalingConfig: z.object({ MaximumConcurrency: z.number() }) });
    const readers = mappings().map((mapping) => z.parse(Scaling, mapping).ScalingConfig.MaximumConcurrency);
    expect(readers).toHaveLength(4);
    expect(readers.reduce((sum, most) => sum + most, 1)).toBeLessThan(10);
  });

  function mappings() {
    return ofType("AWS::Lambda::EventSourceMapping").map(([, { Properties }]) => Properties);
  }

  function seconds(id: string, property: string): number {
    return z.parse(z.number(), resource(id).Properties[property]);
  }

  function receivesOf(id: string): number {
    return z.parse(z.object({ maxReceiveCount: z.number() }), resource(id).Properties["RedrivePolicy"]).maxReceiveCount;
  }
});

describe("the alerts", () => {
  test("CloudWatch can publish to the topic: it has no key that would keep its alarms out", () => {
    expect(resource("Alerts").Properties).not.toHaveProperty("KmsMasterKeyId");
    const [alarms, tlsOnly, ...others] = statementsOn(resource("AlertsPolicy"));
    expect(alarms).toMatchObject({
      Effect: "Allow",
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Action: "sns:Publish",
      Resource: { Ref: "Alerts" },
      Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
    });
    expect(JSON.stringify(alarms)).toContain(":alarm:tollbreaker-test-*");
    expect(tlsOnly).toEqual({ ...TLS_ONLY, Action: "sns:Publish", Resource: { Ref: "Alerts" } });
    expect(others).toEqual([]);
  });

  test("go to the notify queue as they are, and to its dead letters when it takes none", () => {
    expect(resource("AlertsToNotifyQueue").Properties).toEqual({
      TopicArn: { Ref: "Alerts" },
      Protocol: "sqs",
      Endpoint: arn("NotifyQueue"),
      RawMessageDelivery: true,
      RedrivePolicy: { deadLetterTargetArn: arn("NotifyDeadLetters") },
    });
  });

  test("go to the e-mail address that was given", () => {
    const email = { TopicArn: { Ref: "Alerts" }, Protocol: "email", Endpoint: "duty@example.com" };
    expect(resource("AlertsToEmail")).toMatchObject({ Condition: "HasAlertsEmail", Properties: email });
  });
});

describe("the table", () => {
  test("has its keys, its two indexes and its TTL, and outlives the stack", () => {
    const key = (hash: string, range: string) => [
      { AttributeName: hash, KeyType: "HASH" },
      { AttributeName: range, KeyType: "RANGE" },
    ];
    const index = (IndexName: string, hash: string) => ({
      IndexName,
      KeySchema: key(hash, "id"),
      Projection: { ProjectionType: "ALL" },
    });
    const texts = ["pk", "sk", "state", "accountSid", "id"].map((AttributeName) => ({
      AttributeName,
      AttributeType: "S",
    }));
    expect(resource("Incidents")).toEqual({
      Type: "AWS::DynamoDB::Table",
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: {
        BillingMode: "PAY_PER_REQUEST",
        SSESpecification: { SSEEnabled: true, SSEType: "KMS" },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        TimeToLiveSpecification: { Enabled: true, AttributeName: "expiresAt" },
        AttributeDefinitions: texts,
        KeySchema: key("pk", "sk"),
        GlobalSecondaryIndexes: [index(BY_STATE, "state"), index(BY_ACCOUNT, "accountSid")],
      },
    });
  });
});

describe("the HTTP API", () => {
  test("has these routes and no other", () => {
    expect(ofType("AWS::ApiGatewayV2::Route").map(([, { Properties }]) => Properties["RouteKey"])).toEqual([
      "POST /webhooks/usage-trigger",
      "POST /webhooks/debugger",
      "POST /webhooks/event-streams",
      "GET /api/incidents",
      "GET /api/incidents/{id}",
      "POST /api/incidents/{id}/reactivate",
      "POST /api/incidents/{id}/dismiss",
      "POST /api/incidents/{id}/check",
      "POST /api/incidents/{id}/restore-numbers",
      "POST /api/incidents/reactivate",
      "POST /api/incidents/dismiss",
      "POST /api/subaccounts/{sid}/suspend",
      "POST /api/subaccounts/{sid}/limits/{limit}/raise",
      "POST /api/subaccounts/{sid}/limits/{limit}/end-raise",
      "GET /api/raises",
      "POST /api/subaccounts/{sid}/adopt",
      "GET /api/brake",
      "POST /api/brake/release",
      "GET /api/operators",
      "GET /api/drills/{id}",
      "GET /health",
      "POST /slack/actions",
    ]);
  });

  test("has a route for each address of the operator API and for Slack's, so that none works locally alone", () => {
    const routes = ofType("AWS::ApiGatewayV2::Route").map(([, { Properties }]) => String(Properties["RouteKey"]));
    const shape = (route: string) => route.replace(/\{\w+\}|:\w+/g, "*");
    const reading = [...READING_PATHS, DRILL_PATH].map((path) => `GET ${path}`);
    const addresses = [...reading, ...[...COMMAND_PATHS, "/slack/actions"].map((path) => `POST ${path}`)];
    expect(routes.map(shape)).toEqual(expect.arrayContaining(addresses.map(shape)));
  });

  test("limits requests", () => {
    const { Properties, DependsOn } = resource("HttpApiStage");
    expect(Properties["DefaultRouteSettings"]).toEqual({ ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 });
    expect(Properties["RouteSettings"]).toEqual({
      "POST /webhooks/usage-trigger": { ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 1250 },
      "POST /webhooks/debugger": { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 500 },
      "POST /webhooks/event-streams": { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 500 },
      "POST /slack/actions": { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 20 },
    });
    // CloudFormation must make these routes first.
    const first = ofType("AWS::ApiGatewayV2::Route").filter(([id]) => JSON.stringify(DependsOn).includes(`"${id}"`));
    expect(first.map(([, route]) => route.Properties["RouteKey"])).toEqual(
      Object.keys(Object(Properties["RouteSettings"])),
    );
  });

  test("lets three firings of each of 10,000 accounts in within half a minute, in any region", () => {
    const { RouteSettings } = resource("HttpApiStage").Properties;
    const Limits = z.object({ ThrottlingRateLimit: z.number(), ThrottlingBurstLimit: z.number() });
    const limits = z.parse(z.record(z.string(), Limits), RouteSettings)["POST /webhooks/usage-trigger"];
    const { ThrottlingRateLimit: rate = 0, ThrottlingBurstLimit: burst = 0 } = limits ?? {};
    expect(burst + 29 * rate).toBeGreaterThanOrEqual(30_000);
    // What an AWS account may have in the smaller ones.
    expect(rate).toBeLessThanOrEqual(2500);
    expect(burst).toBeLessThanOrEqual(1250);
  });

  test("answers before Twilio gives up after 15 seconds", () => {
    expect(resource("UsageTriggerLambdaFunction").Properties["Timeout"]).toBeLessThan(15);
  });

  test("keeps no addresses of its callers in its log, and not for ever", () => {
    expect(JSON.stringify(resource("HttpApiStage").Properties["AccessLogSettings"])).not.toMatch(
      /sourceIp|authorizer|header/,
    );
    expect(resource("HttpApiLogGroup").Properties).toMatchObject({ RetentionInDays: 90 });
  });
});

describe("what is counted from the API's access log", () => {
  test.each([
    { route: "POST /webhooks/usage-trigger", status: "429", counted: ["WebhooksThrottled"] },
    { route: "POST /webhooks/debugger", status: "429", counted: ["WebhooksThrottled"] },
    { route: "POST /webhooks/event-streams", status: "429", counted: ["WebhooksThrottled"] },
    // Refused before its route was known.
    { route: "-", status: "429", counted: ["WebhooksThrottled"] },
    { route: "GET /api/incidents", status: "429", counted: [] },
    { route: "POST /slack/actions", status: "429", counted: [] },
    { route: "POST /webhooks/usage-trigger", status: "403", counted: [] },
    { route: "POST /webhooks/usage-trigger", status: "204", counted: [] },
    // For anybody who sends a known AccountSid while Twilio is slow.
    { route: "POST /webhooks/usage-trigger", status: "503", counted: [] },
    { route: "GET /api/incidents/{id}", status: "500", counted: ["OperatorRequestsFailed"] },
    { route: "POST /api/brake/release", status: "503", counted: ["OperatorRequestsFailed"] },
    { route: "POST /slack/actions", status: "502", counted: ["OperatorRequestsFailed"] },
    { route: "GET /api/incidents", status: "200", counted: [] },
    { route: "GET /api/incidents", status: "401", counted: [] },
  ])("a $status of $route: $counted", ({ route, status, counted }) => {
    const Counting = z.object({
      LogGroupName: z.object({ Ref: z.literal("HttpApiLogGroup") }),
      FilterPattern: z.string(),
      MetricTransformations: z.tuple([
        z.object({
          MetricNamespace: z.object({ Ref: z.literal(METRICS.Ref) }),
          MetricName: z.string(),
          MetricValue: z.literal("1"),
          Unit: z.literal("Count"),
        }),
      ]),
    });
    const filters = ofType("AWS::Logs::MetricFilter").map(([, { Properties }]) => z.parse(Counting, Properties));
    expect(filters).toHaveLength(2);
    const line = logged({ "$context.routeKey": route, "$context.status": status });
    const counting = filters.filter(({ FilterPattern }) => counts(FilterPattern, line));
    expect(counting.map(({ MetricTransformations: [{ MetricName }] }) => MetricName)).toEqual(counted);
  });

  /** A line as API Gateway writes it: `-` for what it does not know. */
  function logged(context: Readonly<Record<string, string>>): string {
    const Settings = z.object({ DestinationArn: z.unknown(), Format: z.string() });
    const settings = z.parse(Settings, resource("HttpApiStage").Properties["AccessLogSettings"]);
    expect(settings.DestinationArn).toEqual(arn("HttpApiLogGroup"));
    return settings.Format.replace(/\$context[\w.]+/g, (variable) => context[variable] ?? "-");
  }
});

describe("the alarms", () => {
  test("are these and no other", () => {
    expect(
      ofType("AWS::CloudWatch::Alarm")
        .map(([id]) => id)
        .sort(),
    ).toEqual(Object.keys(ALARMS).sort());
  });

  test.each(Object.entries(ALARMS))("%s watches what it should, and tells the topic", (id, watched) => {
    expect(resource(id).Properties).toEqual({
      ...watched,
      AlarmActions: [{ Ref: "Alerts" }],
      // The topic's policy lets in the alarms of this prefix.
      AlarmName: expect.stringMatching(/^tollbreaker-test-/),
      AlarmDescription: expect.any(String),
    });
  });

  test.each(Object.keys(ALARMS))("%s says what to do, in a chapter that the runbook has", async (id) => {
    const text = z.parse(z.string(), resource(id).Properties["AlarmDescription"]);
    // CloudWatch's limit.
    expect(text.length).toBeLessThanOrEqual(1024);
    const runbook = await readFile(join(import.meta.dirname, "../../docs/runbook.md"), "utf8");
    const chapters = [...text.matchAll(/"([A-Z][\w ]+)"/g)].map(([, name]) => name);
    expect(text).toMatch(/docs\/runbook\.md, "/);
    for (const chapter of chapters) expect(runbook).toContain(`\n## ${chapter}\n`);
    // The Console's button may be the one that closes an account for good.
    expect(text).not.toMatch(/Suspend\b[^.:]*\bin the Twilio Console/i);
  });

  test("watch each queue that takes dead letters", () => {
    const targets = [...ofType("AWS::SQS::Queue"), ...ofType("AWS::SNS::Subscription")].flatMap(
      ([, { Properties }]) => referencesIn(Properties["RedrivePolicy"]).resources,
    );
    const watching = ofType("AWS::CloudWatch::Alarm").filter(([, { Properties }]) =>
      JSON.stringify(Properties).includes("ApproximateNumberOfMessagesVisible"),
    );
    const watched = (one: "MetricName" | "Metrics") =>
      watching.flatMap(([, { Properties }]) =>
        one in Properties ? referencesIn([Properties["Dimensions"], Properties["Metrics"]]).resources : [],
      );
    expect(watched("MetricName").sort()).toEqual([...new Set(targets)].sort());
    expect(watched("Metrics").sort()).toEqual([...new Set(targets)].sort());
  });

  test("sound again for each further dead letter, not for the first one and not when some are taken away", () => {
    const Metrics = z.object({ Metrics: z.array(z.object({ Expression: z.optional(z.string()) })) });
    const { Metrics: queries } = z.parse(Metrics, resource("InboxMoreDeadLettersAlarm").Properties);
    const expression = queries.flatMap(({ Expression }) => Expression ?? []).join();
    const minutes = [0, 1, 1, 2, 2, 5, 4, 0, 3];
    expect(minutes.slice(1).map((waiting, index) => further(expression, waiting, minutes[index] ?? 0))).toEqual([
      0, 0, 1, 0, 3, -1, -4, 0,
    ]);
  });

  /** The value of `IF(DIFF(waiting) < waiting, ..., ...)` in one minute; throws for anything else. */
  function further(expression: string, waiting: number, before: number): number {
    const [, left, right, then, otherwise] = /^IF\((\S+) < (\S+), (\S+), (\S+)\)$/.exec(expression) ?? [];
    const value = (term = "") => z.parse(z.number(), { waiting, "DIFF(waiting)": waiting - before, 0: 0 }[term]);
    return value(left) < value(right) ? value(then) : value(otherwise);
  }
});

describe("the dashboard", () => {
  test("is the one of infra/dashboard.cjs", () => {
    expect(resource("Dashboard").Properties).toEqual({
      DashboardName: "tollbreaker-test",
      DashboardBody: { "Fn::Sub": dashboardBody() },
    });
  });

  test("shows every alarm, every queue of dead letters, and the errors and throttles of every function", () => {
    const { resources } = referencesIn({ "Fn::Sub": dashboardBody() });
    expect(resources).toEqual(expect.arrayContaining(ofType("AWS::CloudWatch::Alarm").map(([id]) => id)));
    for (const { id } of FUNCTIONS) expect(resources.filter((name) => name === id)).toHaveLength(2);
    const queues = ofType("AWS::SQS::Queue").map(([id]) => id);
    expect(resources).toEqual(expect.arrayContaining(queues.filter((id) => id.endsWith("DeadLetters"))));
  });
});
