import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod/mini";
import { type System, startSystem } from "../../local/system.ts";
import type { TwilioSimulator } from "../../local/twilio/simulator.ts";
import type { AccountSummary } from "../../local/twilio/summary.ts";
import { type SlackSink, startSlackSink } from "../lib/alerts/slack-sink.ts";
import { firing, signedPost, WEBHOOK_PATH } from "../support/signed-webhook.ts";
import { accountPath, apiOf } from "./twilio/api.ts";

// A limit's name travels in the address that Twilio calls: from a trigger of the simulated Twilio, over real HTTP, to
// what the policy says of that limit.

const POLICY = `
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
unlisted: suspend
brake: { suspensions: 1000, within: 10m }
`;

let directory: string;
let slack: SlackSink;
let system: System;
let simulator: TwilioSimulator;
let account: AccountSummary;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-limits-"));
  slack = await startSlackSink();
  const policyFile = join(directory, "policy.yml");
  await writeFile(policyFile, POLICY);
  system = await startSystem({
    // The test runner has a MODE of its own.
    environment: {
      MODE: "",
      POLICY_FILE: policyFile,
      LOG_FILE: join(directory, "log.jsonl"),
      SLACK_WEBHOOK_URL: slack.url,
    },
    dataDir: directory,
    port: 0,
    simulator: { subaccounts: 1, evaluateEveryMs: 0, trafficEveryMs: 0, ordinaryTraffic: false },
    print: () => {},
  });
  if (system.simulator === undefined) throw new Error("the system has no simulated Twilio");
  simulator = system.simulator;
});
afterAll(async () => {
  await system.close();
  await slack.close();
  await rm(directory, { recursive: true });
});
beforeEach(() => {
  account = simulator.addSubaccount();
});

const IncidentList = z.object({
  incidents: z.array(z.object({ state: z.string(), rule: z.string(), signals: z.number(), because: z.any() })),
});

async function incidentsOf({ accountSid }: AccountSummary) {
  const headers = { authorization: `Bearer ${system.operatorToken}` };
  const response = await fetch(`${system.url}/api/incidents?account=${accountSid}`, { headers });
  expect(response.status).toBe(200);
  return z.parse(IncidentList, await response.json()).incidents;
}

const statusOf = ({ accountSid }: AccountSummary) => simulator.account(accountSid).status;
const eventually = (holds: () => unknown) => vi.waitFor(holds, { timeout: 20_000, interval: 50 });

/** A trigger as somebody makes it through Twilio's API, with this query in its callback's address. */
async function triggerCalling(query: string, form: Record<string, string>): Promise<string> {
  const { body, status } = await apiOf(simulator).post(accountPath(account.accountSid, "/Usage/Triggers"), {
    ...form,
    CallbackUrl: system.publicUrl + WEBHOOK_PATH + query,
  });
  expect(status).toBe(201);
  return body.sid;
}

describe("a trigger of the simulated Twilio", () => {
  test("of an armed subaccount warns by one limit and suspends by the next", async () => {
    const [armed] = simulator.subaccounts();
    if (armed === undefined) throw new Error("there is no armed subaccount");
    simulator.setSpend(armed.accountSid, { price: 85 });
    await simulator.evaluateTriggers();
    await eventually(async () =>
      expect(await incidentsOf(armed)).toMatchObject([{ state: "alerted", because: "rule", rule: "daily-warning" }]),
    );
    expect(statusOf(armed)).toBe("active");

    simulator.setSpend(armed.accountSid, { price: 120 });
    await simulator.evaluateTriggers();
    await eventually(async () =>
      expect(await incidentsOf(armed)).toMatchObject([{ state: "suspended", rule: "daily-spend", signals: 2 }]),
    );
    expect(statusOf(armed)).toBe("suspended");
    const queries = simulator.deliveries().map(({ url }) => new URL(url).search);
    expect(queries).toEqual(["?limit=daily-warning", "?limit=daily-spend"]);
  });

  // By its fields it is of no limit, and would suspend.
  const OTHER = { UsageCategory: "sms", TriggerBy: "count", Recurring: "daily", TriggerValue: "3" };

  test.each([
    ["?limit=daily-warning", "alerted", "daily-warning"],
    ["?limit=daily-spend", "suspended", "daily-spend"],
    ["?a=1&limit=daily-warning&b=%26limit%3Ddaily-spend", "alerted", "daily-warning"],
    ["?limit=daily%2Dwarning", "alerted", "daily-warning"],
    ["?limit=gone", "suspended", "sms by count, daily, at 3"],
    ["?limit=__proto__", "suspended", "sms by count, daily, at 3"],
    ["", "suspended", "sms by count, daily, at 3"],
  ])("whose callback's address ends with %j: %s by the rule %s", async (query, state, rule) => {
    const trigger = await triggerCalling(query, OTHER);
    simulator.addUsage(account.accountSid, { category: "sms", count: 5 });
    await simulator.fireTrigger(account.accountSid, trigger);
    expect(simulator.deliveries().at(-1)).toMatchObject({ outcome: { kind: "answered", status: 204 } });
    await eventually(async () => expect(await incidentsOf(account)).toMatchObject([{ state, rule }]));
    expect(statusOf(account)).toBe(state === "suspended" ? "suspended" : "active");
  });
});

test.each([
  ["another limit", "?limit=daily-spend"],
  ["no limit", ""],
  ["one limit more", "?limit=daily-warning&limit=daily-spend"],
])("what was signed for one limit does not pass for %s", async (_, query) => {
  const { accountSid, authToken } = account;
  const url = system.publicUrl + WEBHOOK_PATH;
  const signed = signedPost({ authToken, url: `${url}?limit=daily-warning`, form: firing(accountSid) });
  expect((await fetch(system.url + WEBHOOK_PATH + query, signed)).status).toBe(403);
  expect(await incidentsOf(account)).toEqual([]);
  expect((await fetch(`${system.url + WEBHOOK_PATH}?limit=daily-warning`, signed)).status).toBe(204);
});
