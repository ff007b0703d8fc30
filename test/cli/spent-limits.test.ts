import { afterEach, beforeEach, expect, test } from "vitest";
import * as z from "zod/mini";
import { accountPath, apiOf } from "../local/twilio/api.ts";
import { type Deployment, POLICY, startDeployment } from "./deployment.ts";
import { inProcess } from "./in-process.ts";

// A limit that has fired says nothing more in its period: what `triggers status` and `doctor` say of its account.

let deployment: Deployment;
let account: string;
beforeEach(async () => {
  deployment = await startDeployment(1);
  account = deployment.simulator.subaccounts()[0]?.accountSid ?? "";
  await inProcess(["triggers", "apply"], deployment.environment);
  deployment.simulator.setSpend(account, { price: 120 });
  await deployment.simulator.evaluateTriggers();
});
afterEach(() => deployment.close());

const Limit = z.object({
  limit: z.string(),
  state: z.string(),
  silentUntil: z.nullable(z.string()),
  guard: z.nullable(z.object({ left: z.string() })),
});
const Status = z.object({ accounts: z.array(z.object({ limits: z.array(Limit) })) });
const Report = z.object({ findings: z.array(z.object({ about: z.string(), grade: z.string(), seen: z.string() })) });

async function spendLimit() {
  const { stdout } = await inProcess(["triggers", "status", "--json"], deployment.environment);
  return Status.parse(JSON.parse(stdout)).accounts[0]?.limits.find(({ limit }) => limit === "daily-spend");
}
const shown = async () => (await inProcess(["triggers", "status"], deployment.environment)).stdout;

async function findings() {
  const { stdout, code } = await inProcess(["doctor", "--json"], deployment.environment);
  const all = Report.parse(JSON.parse(stdout)).findings.filter(({ seen }) => seen.includes("daily-spend has fired"));
  return { code, grades: all.map(({ grade }) => grade), seen: all.map(({ seen }) => seen).join() };
}

async function makeGuard(): Promise<void> {
  const watched = { UsageCategory: "totalprice", TriggerBy: "price", TriggerValue: "+100", Recurring: "" };
  const CallbackUrl = `${deployment.url}/webhooks/usage-trigger?limit=daily-spend&probation=0123456789ab#rc=5&rp=4xx,5xx,ct,rt`;
  const form = { FriendlyName: "tollbreaker: daily-spend interim", CallbackUrl, ...watched };
  await apiOf(deployment.simulator).post(accountPath(account, "/Usage/Triggers"), form);
}

test("with nothing in its place it is unguarded: not armed, and doctor says so", async () => {
  expect(await spendLimit()).toMatchObject({ state: "unguarded", guard: null, silentUntil: expect.any(String) });
  expect(await shown()).toContain("nothing guards it");
  expect(await shown()).toContain("0 of 1 account armed");
  expect(await findings()).toMatchObject({ code: 1, grades: ["wrong"] });
});

test("while the policy only observes, that is to be looked at, and no more", async () => {
  await deployment.setPolicy(`mode: observe\n${POLICY}`);
  expect(await findings()).toMatchObject({ code: 0, grades: ["warn"] });
});

test("with a guard: from which value on it watches, and until when the limit is silent", async () => {
  await makeGuard();
  expect(await spendLimit()).toMatchObject({ state: "guarded", guard: { left: "100" } });
  expect(await shown()).toContain("its guard fires after 100 more");
  expect(await shown()).toContain("1 of 1 account armed");
  expect(await findings()).toMatchObject({ code: 0, grades: ["good"] });
});

test("of an account that is suspended nothing has to watch", async () => {
  deployment.simulator.setStatus(account, "suspended");
  expect(await spendLimit()).toMatchObject({ state: "armed", guard: null });
});
