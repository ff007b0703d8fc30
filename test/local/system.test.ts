import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import pLimit from "p-limit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod/mini";
import { STOP_SLOT_MS } from "../../lib/policy/stands-for.ts";
import { parseForm } from "../../lib/twilio/signature.ts";
import { readFiring } from "../../lib/webhooks/usage-trigger-firing.ts";
import { type System, startSystem } from "../../local/system.ts";
import type { TwilioSimulator } from "../../local/twilio/simulator.ts";
import type { AccountSummary } from "../../local/twilio/summary.ts";
import { type SlackSink, startSlackSink } from "../lib/alerts/slack-sink.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { encoded, firing, signedPost, WEBHOOK_PATH } from "../support/signed-webhook.ts";

// The whole product on one machine: Twilio's webhook goes in, and a suspended account, an incident and Slack come out.

/** A ladder, and a brake that is out of the way. */
const POLICY = `
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
brake: { suspensions: 1000, within: 10m }
`;

let directory: string;
let slack: SlackSink;
let sns: FaultProxy;
let system: System;
let simulator: TwilioSimulator;
let account: AccountSummary;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-system-"));
  slack = await startSlackSink();
  const POLICY_FILE = join(directory, "policy.yml");
  await writeFile(POLICY_FILE, POLICY);
  system = await startSystem({
    // The test runner has a MODE of its own.
    environment: { MODE: "", LOG_FILE: join(directory, "log.jsonl"), SLACK_WEBHOOK_URL: slack.url, POLICY_FILE },
    dataDir: directory,
    port: 0,
    simulator: { evaluateEveryMs: 0, trafficEveryMs: 0, ordinaryTraffic: false },
    via: async (service, url) => {
      if (service !== "sns") return url;
      sns = await startFaultProxy(url);
      return sns.url;
    },
    print: () => {},
  });
  if (system.simulator === undefined) throw new Error("the system has no simulated Twilio");
  simulator = system.simulator;
});
afterAll(async () => {
  await system.close();
  await sns.close();
  await slack.close();
  await rm(directory, { recursive: true });
});
beforeEach(() => {
  account = simulator.addSubaccount();
});
afterEach(() => {
  sns.clear();
  slack.answers.length = 0;
});

const IncidentList = z.object({
  incidents: z.array(z.object({ id: z.string(), state: z.string(), signals: z.number(), rule: z.string() })),
});

async function incidentsOf({ accountSid }: AccountSummary) {
  const response = await fetch(`${system.url}/api/incidents?account=${accountSid}`, {
    headers: { authorization: `Bearer ${system.operatorToken}` },
  });
  expect(response.status).toBe(200);
  return z.parse(IncidentList, await response.json()).incidents;
}

const fire = (changes: Parameters<typeof firing>[1] = {}, { accountSid, authToken } = account) =>
  fetch(
    system.url + WEBHOOK_PATH,
    signedPost({ authToken, url: system.publicUrl + WEBHOOK_PATH, form: firing(accountSid, { ...now(), ...changes }) }),
  );
/** What fired long ago is not believed. */
const now = () => ({ DateFired: new Date().toUTCString() });
const statusOf = ({ accountSid }: AccountSummary) => simulator.account(accountSid).status;
const slackOf = ({ accountSid }: AccountSummary) =>
  slack.received.filter((message) => JSON.stringify(message).includes(accountSid));
const suspensionsOf = ({ accountSid }: AccountSummary) =>
  simulator.requests().filter(({ path, form }) => path.endsWith(`/${accountSid}.json`) && form["Status"]).length;
const eventually = (holds: () => unknown) => vi.waitFor(holds, { timeout: 20_000, interval: 50 });

test("overspending warns first, then suspends: recorded as one incident, and Slack hears of both", async () => {
  const [armed, ...others] = simulator.subaccounts();
  if (armed === undefined) throw new Error("there is no subaccount");
  simulator.setSpend(armed.accountSid, { category: "sms", price: 84.1 });
  simulator.addCalls(armed.accountSid, { calls: 3 });
  await simulator.evaluateTriggers();
  await eventually(() => expect(slackOf(armed)).toHaveLength(1));
  expect(simulator.account(armed.accountSid)).toMatchObject({ status: "active", liveCalls: 3 });
  expect(await incidentsOf(armed)).toMatchObject([{ state: "alerted", signals: 1, rule: "daily-warning" }]);
  expect(JSON.stringify(slackOf(armed))).toContain("84.10 USD, 105.1 % of its limit of 80 USD");

  simulator.setSpend(armed.accountSid, { category: "sms", price: 137.5 });
  await simulator.evaluateTriggers();
  await eventually(() => expect(slackOf(armed)).toHaveLength(2));
  expect(simulator.account(armed.accountSid)).toMatchObject({ status: "suspended", liveCalls: 0 });
  expect(await incidentsOf(armed)).toMatchObject([{ state: "suspended", signals: 2, rule: "daily-spend" }]);
  expect(JSON.stringify(slackOf(armed))).toContain("137.50 USD, 137.5 % of its limit of 100 USD");
  for (const other of others) expect(statusOf(other)).toBe("active");
});

test("the same firing 1,000 times at once, and again when SQS has forgotten it, is one of everything", async () => {
  const token = `${account.accountSid}-FIRES-today`;
  const fired = now();
  // A hundred at the same time: a loaded machine resets more connections than that.
  const answers = await pLimit(100).map(Array.from({ length: 1000 }), () =>
    fire({ ...fired, IdempotencyToken: token }),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
  await eventually(() => expect(slackOf(account)).toHaveLength(1));

  // Ten minutes later: past the five minutes in which SQS drops repeats.
  const form = parseForm(encoded(firing(account.accountSid, { ...fired, IdempotencyToken: token })));
  const again = readFiring({ ...account, form, url: system.publicUrl + WEBHOOK_PATH }, new Date());
  const sqs = new SQSClient({ endpoint: system.aws.messagingUrl });
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: system.aws.inboxUrl,
      MessageBody: JSON.stringify(again),
      MessageGroupId: account.accountSid,
      MessageDeduplicationId: "ten minutes later",
    }),
  );
  sqs.destroy();
  // A firing behind it in the same group is handled after it; in the same second it would stand for the ones before.
  await sleep(STOP_SLOT_MS);
  await fire();
  await eventually(async () => expect(await incidentsOf(account)).toMatchObject([{ signals: 2, state: "suspended" }]));
  expect(suspensionsOf(account)).toBe(1);
  expect(slackOf(account)).toHaveLength(1);
});

describe("what fails behind the suspension does not hold it up", () => {
  test("Slack is down: the message arrives when it is back", async () => {
    slack.answers.push({ status: 503 }, { status: 429, retryAfter: "1" });
    expect((await fire()).status).toBe(204);
    await eventually(async () => expect(await incidentsOf(account)).toMatchObject([{ state: "suspended" }]));
    expect(statusOf(account)).toBe("suspended");
    await eventually(() => expect(slackOf(account)).toHaveLength(3));
  });

  test("SNS is down: other accounts go on", async () => {
    const another = simulator.addSubaccount();
    sns.fail({ on: ({ body }) => body.includes(account.accountSid), do: "answer", status: 500, body: "" });
    await Promise.all([fire(), fire({}, another)]);
    await eventually(() => expect(slackOf(another)).toHaveLength(1));
    await eventually(() => expect(statusOf(account)).toBe("suspended"));
    expect(await incidentsOf(account)).toMatchObject([{ state: "suspended" }]);
    expect(slackOf(account)).toEqual([]);
  });
});

test("five accounts at once are five stories, each told once", async () => {
  const accounts = Array.from({ length: 5 }, () => simulator.addSubaccount());
  await Promise.all(accounts.flatMap((one) => [fire({}, one), fire({ UsageCategory: "sms" }, one)]));
  for (const one of accounts) {
    await eventually(async () => expect(await incidentsOf(one)).toMatchObject([{ state: "suspended" }]));
    await eventually(() => expect(slackOf(one)).toHaveLength(1));
    expect(suspensionsOf(one)).toBe(1);
  }
});
