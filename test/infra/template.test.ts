import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { DebuggerEnv, NotifyEnv, OperatorApiEnv, RespondEnv, readConfig, UsageTriggerEnv } from "../../lib/config.ts";
import { BY_ACCOUNT, BY_STATE } from "../../lib/incidents/keys.ts";
import { COMMAND_PATHS } from "../../lib/operators/command-routes.ts";
import { READING_PATHS } from "../../lib/operators/reading-routes.ts";
import { MOST_DELIVERIES } from "../../lib/response/responder.ts";
import { actionsCalledBy } from "./aws-calls.ts";
import { environmentOf } from "./deployed.ts";
import { PERMISSIONS } from "./expected-permissions.ts";
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
  { id: "NotifyLambdaFunction", zip: "notify.zip", entry: "handlers/notify", schema: NotifyEnv },
  { id: "OperatorApiLambdaFunction", zip: "operatorApi.zip", entry: "handlers/operator-api", schema: OperatorApiEnv },
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

test("a responder gives up when SQS does", () => {
  const { RedrivePolicy } = resource("Inbox").Properties;
  expect(RedrivePolicy).toMatchObject({ maxReceiveCount: MOST_DELIVERIES });
});

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

  test("refuses a mode that the responder would refuse", async () => {
    await expect(packageStack("mode=observ")).rejects.toThrow("functions.respond.environment.MODE");
  }, 60_000);

  test("takes the mode, the public URL and the e-mail address from parameters", async () => {
    const other = await packageStack("mode=observe", "publicUrl=https://tollbreaker.example.com");
    const { deployed, written } = environmentOf(other.template, "RespondLambdaFunction");
    await other.remove();
    expect(deployed["MODE"]).toBe("observe");
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
    const known = Object.keys(schema.shape);
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
  test("the operator API holds no credentials of Twilio's, and no code that talks to it", async () => {
    const operatorApi = functionOf("handlers/operator-api");
    const { written } = environmentOf(packaged.template, operatorApi.id);
    expect(Object.keys(written).filter((name) => name.startsWith("TWILIO"))).toEqual(["TWILIO_ACCOUNT_SID"]);
    const { statements } = roleOf(packaged.template, roleIdOf(packaged.template, operatorApi.id));
    expect(JSON.stringify(statements)).not.toContain("auth-token");
    const [code] = (await bundleOf(operatorApi)).files.values();
    // In the path of every account, call and key of Twilio's API.
    expect(code?.includes("2010-04-01")).toBe(false);
  });

  test("the operator API writes nothing of the table but who came to its door", () => {
    const { statements } = roleOf(packaged.template, roleIdOf(packaged.template, "OperatorApiLambdaFunction"));
    const writing = statements.filter((one) =>
      actionsOf(one).some((action) => /dynamodb:(Put|Update|Delete|BatchWrite)/.test(action)),
    );
    expect(writing.map(({ Condition }) => Condition)).toEqual([
      { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["OPERATOR#*", "ATTEMPTS#*"] } },
    ]);
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
    const permissions = ofType("AWS::Lambda::Permission").map(([, { Properties }]) => Properties);
    expect(permissions.map(({ FunctionName }) => FunctionName)).toEqual([
      arn("UsageTriggerLambdaFunction"),
      arn("DebuggerLambdaFunction"),
      arn("OperatorApiLambdaFunction"),
    ]);
    for (const permission of permissions) {
      expect(permission["Principal"]).toBe("apigateway.amazonaws.com");
      expect(referencesIn(permission["SourceArn"]).resources).toContain("HttpApi");
    }
  });
});

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
      RedrivePolicy: { deadLetterTargetArn: arn("InboxDeadLetters"), maxReceiveCount: 10 },
    });
    expect(resource("InboxDeadLetters").Properties).toMatchObject({ FifoQueue: true });
  });

  test("the notify queue gives up late enough to outlast an outage of Slack", () => {
    expect(resource("NotifyQueue").Properties).toMatchObject({
      MessageRetentionPeriod: FOURTEEN_DAYS_S,
      RedrivePolicy: { deadLetterTargetArn: arn("NotifyDeadLetters"), maxReceiveCount: 20 },
    });
    expect(resource("NotifyQueue").Properties).not.toHaveProperty("FifoQueue");
    expect(resource("NotifyDeadLetters").Properties).not.toHaveProperty("FifoQueue");
  });

  test.each(["Inbox", "InboxDeadLetters", "NotifyQueue", "NotifyDeadLetters"])(
    "%s is encrypted, kept and TLS only",
    (id) => {
      expect(resource(id).Properties).toMatchObject({
        SqsManagedSseEnabled: true,
        MessageRetentionPeriod: FOURTEEN_DAYS_S,
      });
      const policy = resource(`${id}Policy`);
      expect(policy.Properties["Queues"]).toEqual([{ Ref: id }]);
      const tlsOnly = { ...TLS_ONLY, Action: "sqs:*", Resource: arn(id) };
      const fromOurTopic = { ...FROM_OUR_TOPIC, Resource: arn(id) };
      expect(statementsOn(policy)).toEqual(id.startsWith("Notify") ? [fromOurTopic, tlsOnly] : [tlsOnly]);
    },
  );

  test.each([
    { queue: "Inbox", reader: "RespondLambdaFunction", atMost: 5 },
    { queue: "NotifyQueue", reader: "NotifyLambdaFunction", atMost: 2 },
  ])("$queue is read by $reader, which reports each message by itself", ({ queue, reader, atMost }) => {
    const mappings = ofType("AWS::Lambda::EventSourceMapping").map(([, { Properties }]) => Properties);
    expect(
      mappings.filter(({ EventSourceArn }) => JSON.stringify(EventSourceArn) === JSON.stringify(arn(queue))),
    ).toEqual([
      {
        EventSourceArn: arn(queue),
        FunctionName: arn(reader),
        Enabled: true,
        BatchSize: 10,
        FunctionResponseTypes: ["ReportBatchItemFailures"],
        ScalingConfig: { MaximumConcurrency: atMost },
      },
    ]);
    // Sooner, and a second reader would take what the first still works on.
    expect(seconds(queue, "VisibilityTimeout")).toBeGreaterThan(seconds(reader, "Timeout"));
  });

  test("a responder that died is replaced within 30 seconds", () => {
    expect(seconds("Inbox", "VisibilityTimeout")).toBeLessThanOrEqual(30);
  });

  function seconds(id: string, property: string): number {
    return z.parse(z.number(), resource(id).Properties[property]);
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
      "POST /api/subaccounts/{sid}/suspend",
      "GET /api/brake",
      "POST /api/brake/release",
      "GET /api/operators",
      "GET /health",
    ]);
  });

  test("has a route for each address of the operator API, so that none works locally alone", () => {
    const routes = ofType("AWS::ApiGatewayV2::Route").map(([, { Properties }]) => String(Properties["RouteKey"]));
    const shape = (route: string) => route.replace(/\{\w+\}|:\w+/g, "*");
    const addresses = [...READING_PATHS.map((path) => `GET ${path}`), ...COMMAND_PATHS.map((path) => `POST ${path}`)];
    expect(routes.map(shape)).toEqual(expect.arrayContaining(addresses.map(shape)));
  });

  test("limits requests, the webhook's far above a thousand subaccounts firing at once", () => {
    const { Properties, DependsOn } = resource("HttpApiStage");
    expect(Properties["DefaultRouteSettings"]).toEqual({ ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 });
    expect(Properties["RouteSettings"]).toEqual({
      "POST /webhooks/usage-trigger": { ThrottlingRateLimit: 200, ThrottlingBurstLimit: 1000 },
      "POST /webhooks/debugger": { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 500 },
      "POST /webhooks/event-streams": { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 500 },
    });
    // CloudFormation must make these routes first.
    const first = ofType("AWS::ApiGatewayV2::Route").filter(([id]) => JSON.stringify(DependsOn).includes(`"${id}"`));
    expect(first.map(([, route]) => route.Properties["RouteKey"])).toEqual(
      Object.keys(Object(Properties["RouteSettings"])),
    );
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

const queueName = (id: string) => [{ Name: "QueueName", Value: { "Fn::GetAtt": [id, "QueueName"] } }];
const functionName = (id: string) => [{ Name: "FunctionName", Value: { Ref: id } }];
const atLeast = (Threshold: number) => ({ Threshold, ComparisonOperator: "GreaterThanOrEqualToThreshold" });
const above = (Threshold: number) => ({ Threshold, ComparisonOperator: "GreaterThanThreshold" });
const deadLetters = { Namespace: "AWS/SQS", MetricName: "ApproximateNumberOfMessagesVisible", Statistic: "Maximum" };
const ofLambda = { Namespace: "AWS/Lambda", Statistic: "Sum", ...atLeast(1) };
const ALARMS = {
  InboxDeadLettersAlarm: { ...deadLetters, ...atLeast(1), Dimensions: queueName("InboxDeadLetters") },
  NotifyDeadLettersAlarm: { ...deadLetters, ...atLeast(1), Dimensions: queueName("NotifyDeadLetters") },
  InboxAgeAlarm: {
    Namespace: "AWS/SQS",
    MetricName: "ApproximateAgeOfOldestMessage",
    Statistic: "Maximum",
    ...above(120),
    Dimensions: queueName("Inbox"),
  },
  RespondErrorsAlarm: { ...ofLambda, MetricName: "Errors", Dimensions: functionName("RespondLambdaFunction") },
  RespondThrottlesAlarm: { ...ofLambda, MetricName: "Throttles", Dimensions: functionName("RespondLambdaFunction") },
  WebhookServerErrorsAlarm: {
    Namespace: "AWS/ApiGateway",
    MetricName: "5xx",
    Statistic: "Sum",
    ...atLeast(1),
    Dimensions: [{ Name: "ApiId", Value: { Ref: "HttpApi" } }],
  },
};

describe("the alarms", () => {
  test("are these and no other", () => {
    expect(ofType("AWS::CloudWatch::Alarm").map(([id]) => id)).toEqual(Object.keys(ALARMS));
  });

  test.each(Object.entries(ALARMS))(
    "%s watches what it should, each minute, and tells the topic what to do",
    (id, watched) => {
      const { Properties } = resource(id);
      expect(Properties).toEqual({
        ...watched,
        Period: 60,
        EvaluationPeriods: 1,
        TreatMissingData: "notBreaching",
        AlarmActions: [{ Ref: "Alerts" }],
        OKActions: [{ Ref: "Alerts" }],
        // The topic's policy lets in the alarms of this prefix.
        AlarmName: expect.stringMatching(/^tollbreaker-test-/),
        AlarmDescription: expect.stringMatching(/(Suspend|[Rr]ead|Find) .*\.$/),
      });
      // CloudWatch's limit.
      expect(String(Properties["AlarmDescription"]).length).toBeLessThanOrEqual(1024);
    },
  );

  test("watch each queue that takes dead letters", () => {
    const targets = [...ofType("AWS::SQS::Queue"), ...ofType("AWS::SNS::Subscription")].flatMap(
      ([, { Properties }]) => referencesIn(Properties["RedrivePolicy"]).resources,
    );
    const watched = ofType("AWS::CloudWatch::Alarm").flatMap(([, { Properties }]) =>
      Properties["MetricName"] === deadLetters.MetricName ? referencesIn(Properties["Dimensions"]).resources : [],
    );
    expect(watched.sort()).toEqual([...new Set(targets)].sort());
  });
});
