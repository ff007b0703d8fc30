import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { LOCAL_CREDENTIALS } from "../../local/aws.ts";
import { type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { recordWith } from "../support/sqs-record.ts";

// The two handlers as they are deployed: their own wiring, configured by their environment alone.

let rig: SweepRig;

beforeAll(async () => {
  rig = await startSweepRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  const { accountSid, authToken } = rig.simulator.parent();
  const environment = {
    ...LOCAL_CREDENTIALS,
    AWS_ENDPOINT_URL_DYNAMODB: rig.dynamo.url,
    AWS_ENDPOINT_URL_SNS: rig.sns.url,
    AWS_ENDPOINT_URL_SQS: rig.aws.messagingUrl,
    LOG_FILE: "/dev/null",
    POLICY_FILE: "",
    // The test runner has a MODE of its own.
    MODE: "",
    DAILY_SUMMARY: "on",
    PUBLIC_URL: "https://tollbreaker.example.com/",
    TWILIO_API_URL: rig.twilio.url,
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: authToken,
    TABLE_NAME: rig.aws.tableName,
    ALERTS_TOPIC_ARN: rig.aws.topicArn,
    INBOX_QUEUE_URL: rig.aws.inboxUrl,
    SWEEP_QUEUE_URL: rig.aws.sweepUrl,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  vi.resetModules();
});
afterEach(() => {
  vi.unstubAllEnvs();
  rig.mend();
});

const inTime = (milliseconds = 60_000) => ({ getRemainingTimeInMillis: () => milliseconds });

async function begin(milliseconds?: number) {
  const { handler } = await import("../../handlers/sweep.ts");
  return handler({}, inTime(milliseconds));
}

async function sweepShards(milliseconds?: number, bodies?: string[]) {
  const { handler } = await import("../../handlers/sweep-shard.ts");
  const shards = bodies ?? (await rig.shards()).map((shard) => JSON.stringify(shard));
  const Records = shards.map((body, index) => recordWith(body, { group: "", messageId: `shard-${index}` }));
  return { shards, answer: await handler({ Records }, inTime(milliseconds)) };
}

describe("a schedule, a queue and a worker", () => {
  test("sweep every subaccount, and say that they did", async () => {
    expect(await begin()).toMatchObject({ kind: "started", accounts: 3, shards: 1 });
    expect(await begin()).toMatchObject({ kind: "skipped" });
    expect((await sweepShards()).answer).toEqual({ batchItemFailures: [] });
    for (const { accountSid } of rig.simulator.subaccounts()) {
      const addresses = (await rig.triggersOf(accountSid)).map(({ callbackUrl }) => callbackUrl);
      expect(addresses).toHaveLength(3);
      for (const url of addresses)
        expect(url).toMatch(/^https:\/\/tollbreaker\.example\.com\/webhooks\/usage-trigger\?limit=/);
    }
    expect((await rig.notices()).map(({ kind }) => kind)).toEqual(["armed", "daily-summary"]);
    expect(await begin()).toMatchObject({ kind: "started" });
    await sweepShards();
  });

  test("a shard that has no time left comes again, and so does one that failed", async () => {
    await begin();
    const { answer, shards } = await sweepShards(12_000);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "shard-0" }] });
    rig.dynamo.fail({ do: "answer", status: 400, body: '{"__type":"ResourceNotFoundException","message":"gone"}' });
    expect((await sweepShards(undefined, shards)).answer.batchItemFailures).toHaveLength(1);
    rig.mend();
    expect((await sweepShards(undefined, shards)).answer).toEqual({ batchItemFailures: [] });
  });

  test("what is no shard is given back, and does not hold up the others", async () => {
    await begin();
    const shards = (await rig.shards()).map((shard) => JSON.stringify(shard));
    const { answer } = await sweepShards(undefined, ["{}", "no JSON", ...shards]);
    expect(answer.batchItemFailures).toEqual([{ itemIdentifier: "shard-0" }, { itemIdentifier: "shard-1" }]);
    expect(await begin()).toMatchObject({ kind: "started" });
    await sweepShards();
  });
});

test.each([
  ["sweep", "SWEEP_QUEUE_URL"],
  ["sweep", "TABLE_NAME"],
  ["sweep-shard", "PUBLIC_URL"],
  ["sweep-shard", "INBOX_QUEUE_URL"],
])("%s does not start without %s", async (name, variable) => {
  vi.stubEnv(variable, "");
  const starting = name === "sweep" ? import("../../handlers/sweep.ts") : import("../../handlers/sweep-shard.ts");
  await expect(starting).rejects.toMatchObject({ code: "config-invalid" });
});
