import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { LOCAL_CREDENTIALS } from "../../local/aws.ts";
import { type Rig, startRig } from "../support/responder-rig.ts";
import { firing } from "../support/signals.ts";
import { recordOf } from "../support/sqs-record.ts";

// The handler as it is deployed: its own wiring, configured by its environment alone.

let rig: Rig;
let account: string;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  account = rig.simulator.addSubaccount().accountSid;
  const { accountSid, authToken } = rig.simulator.parent();
  const environment = {
    ...LOCAL_CREDENTIALS,
    AWS_ENDPOINT_URL_DYNAMODB: rig.dynamo.url,
    AWS_ENDPOINT_URL_SNS: rig.sns.url,
    LOG_FILE: "/dev/null",
    // The test runner has a MODE of its own.
    MODE: "",
    PUBLIC_URL: "https://tollbreaker.example.com/",
    TWILIO_API_URL: rig.twilio.url,
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: authToken,
    TABLE_NAME: rig.aws.tableName,
    ALERTS_TOPIC_ARN: rig.aws.topicArn,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rig.mend();
});

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

test("in observe mode suspends nothing", async () => {
  vi.stubEnv("MODE", "observe");
  expect(await invoke(recordOf(firing(account)))).toEqual({ batchItemFailures: [] });
  expect(rig.simulator.account(account).status).toBe("active");
  expect(await rig.alertsOf(account)).toMatchObject([{ about: "alerted" }]);
});

test("without an auth token records why it could not act", async () => {
  vi.stubEnv("TWILIO_AUTH_TOKEN", "");
  expect(await invoke(recordOf(firing(account)))).toEqual({ batchItemFailures: [] });
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
    ["PUBLIC_URL", "tollbreaker.example.com"],
  ])("%s=%s", async (name, value) => {
    vi.stubEnv(name, value);
    await expect(invoke()).rejects.toMatchObject({ code: "config-invalid", expected: expect.stringContaining(name) });
  });
});
