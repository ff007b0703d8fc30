import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { brakeKey } from "../../lib/incidents/keys.ts";
import { LOCAL_CREDENTIALS } from "../../local/aws.ts";
import { type Rig, startRig } from "../support/responder-rig.ts";
import { firing } from "../support/signals.ts";
import { recordOf } from "../support/sqs-record.ts";

// The handler as it is deployed: its own wiring, configured by its environment alone.

let rig: Rig;
let directory: string;
let account: string;

beforeAll(async () => {
  rig = await startRig();
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-policy-"));
});
afterAll(async () => {
  await rig.close();
  await rm(directory, { recursive: true });
});
beforeEach(() => {
  account = rig.simulator.addSubaccount().accountSid;
  const { accountSid, authToken } = rig.simulator.parent();
  const environment = {
    ...LOCAL_CREDENTIALS,
    AWS_ENDPOINT_URL_DYNAMODB: rig.dynamo.url,
    AWS_ENDPOINT_URL_SNS: rig.sns.url,
    LOG_FILE: "/dev/null",
    POLICY_FILE: "test/support/suspend-all.yml",
    // The test runner has a MODE of its own.
    MODE: "",
    PUBLIC_URL: "https://tollbreaker.example.com/",
    TWILIO_API_URL: rig.twilio.url,
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: authToken,
    TABLE_NAME: rig.aws.tableName,
    ALERTS_TOPIC_ARN: rig.aws.topicArn,
    INBOX_QUEUE_URL: rig.aws.inboxUrl,
    FOLLOW_UP_QUEUE_URL: rig.aws.followUpUrl,
    FOLLOW_UP_DEAD_LETTERS_URL: rig.aws.followUpDeadLettersUrl,
    AWS_ENDPOINT_URL_SQS: rig.aws.messagingUrl,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rig.mend();
});

async function writePolicy(yaml: string): Promise<void> {
  const file = join(directory, "policy.yml");
  await writeFile(file, yaml);
  vi.stubEnv("POLICY_FILE", file);
}

/** A cold start, and one invocation. */
async function invoke(...Records: ReturnType<typeof recordOf>[]) {
  vi.resetModules();
  const { handler } = await import("../../handlers/respond.ts");
  return handler({ Records }, { getRemainingTimeInMillis: () => 25_000 });
}

test("suspends, records and alerts, with the incident's address", async () => {
  const signal = firing(account);
  expect(await invoke(recordOf(signal))).toEqual({ batchItemFailures: [] });
  expect(rig.simulator.account(account).status).toBe("suspended");
  const [recorded] = await rig.incidentsOf(account);
  expect(recorded?.incident.state).toBe("suspended");
  expect(await rig.alertsOf(account)).toMatchObject([
    { incidentUrl: `https://tollbreaker.example.com/api/incidents/${recorded?.incident.id}` },
  ]);
  // A cold start later, and after SQS has forgotten it.
  expect(await invoke(recordOf(signal))).toEqual({ batchItemFailures: [] });
  expect(rig.suspensionRequests(account)).toBe(1);
});

test.each([
  ["its environment", "observe", "mode: enforce"],
  ["the policy", "", "mode: observe"],
  ["the policy, whatever its environment says", "enforce", "mode: observe"],
])("in observe mode by %s suspends nothing", async (_, mode, policy) => {
  vi.stubEnv("MODE", mode);
  await writePolicy(policy);
  expect(await invoke(recordOf(firing(account)))).toEqual({ batchItemFailures: [] });
  expect(rig.simulator.account(account).status).toBe("active");
  expect(await rig.alertsOf(account)).toMatchObject([{ about: "alerted" }]);
});

test("goes by its policy: the brake, the limits and the exemptions are those of the file", async () => {
  const [first, second, exempt] = [account, ...[1, 2].map(() => rig.simulator.addSubaccount().accountSid)];
  if (first === undefined || second === undefined || exempt === undefined) throw new Error("an account is missing");
  await writePolicy(`
limits:
  half: { category: totalprice, by: price, every: day, at: 50, then: alert }
brake: { suspensions: 1, within: 1d }
exempt: [ { account: ${exempt}, why: emergency line } ]
`);
  // The brake is one for all, and tests before this one have used it.
  await rig.table.send(new DeleteCommand({ TableName: rig.aws.tableName, Key: brakeKey }));
  await invoke(recordOf(firing(first, { limit: "half" })));
  expect(rig.simulator.account(first).status).toBe("active");
  await invoke(recordOf(firing(first)));
  await invoke(recordOf(firing(second)));
  await invoke(recordOf(firing(exempt)));
  expect([first, second, exempt].map((sid) => rig.simulator.account(sid).status)).toEqual([
    "suspended",
    "active",
    "active",
  ]);
  const because = await Promise.all(
    [second, exempt].map(async (sid) => (await rig.incidentsOf(sid))[0]?.incident.because),
  );
  expect(because).toEqual(["brake", "exempt"]);
});

test("without an auth token records why it could not act, and asks for the message again: it may be stored by then", async () => {
  vi.stubEnv("TWILIO_AUTH_TOKEN", "");
  const record = recordOf(firing(account));
  expect(await invoke(record)).toEqual({ batchItemFailures: [{ itemIdentifier: record.messageId }] });
  expect(await rig.incidentsOf(account)).toMatchObject([
    { incident: { state: "failed", failure: { message: expect.stringContaining("auth token is not configured") } } },
  ]);
  expect(await rig.alertsOf(account)).toMatchObject([{ about: "failed", severity: "critical" }]);
});

describe("a configuration that cannot be used stops the start and names the variable", () => {
  test.each([
    ["MODE", "obsrve"],
    ["TWILIO_ACCOUNT_SID", "AC123"],
    ["TABLE_NAME", ""],
    ["ALERTS_TOPIC_ARN", "alerts"],
    ["INBOX_QUEUE_URL", ""],
    ["FOLLOW_UP_QUEUE_URL", ""],
    ["FOLLOW_UP_DEAD_LETTERS_URL", "dead letters"],
    ["PUBLIC_URL", "tollbreaker.example.com"],
  ])("%s=%s", async (name, value) => {
    vi.stubEnv(name, value);
    await expect(invoke()).rejects.toMatchObject({ code: "config-invalid", expected: expect.stringContaining(name) });
  });
});

test("a policy that cannot be used stops the start, and says where it is wrong", async () => {
  await writePolicy("mode: enforce\nunlisted: no\n");
  await expect(invoke()).rejects.toMatchObject({
    code: "policy-invalid",
    message: expect.stringMatching(/policy\.yml:2:11 unlisted: /),
  });
});
