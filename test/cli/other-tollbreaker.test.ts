import { afterEach, beforeEach, expect, test } from "vitest";
import { wantedTriggers } from "../../lib/triggers/wanted.ts";
import { accountPath, apiOf } from "../local/twilio/api.ts";
import { policyOf } from "../support/policies.ts";
import { type Deployment, POLICY, startDeployment } from "./deployment.ts";
import { inProcess } from "./in-process.ts";

// What another Tollbreaker has on the accounts, as `triggers` and `doctor` see it.

const OTHER = "https://other.example.com/dev";
let deployment: Deployment;
beforeEach(async () => {
  deployment = await startDeployment();
  for (const one of [...wantedTriggers(policyOf(POLICY), sid(), OTHER), GUARD]) {
    const { friendlyName, callbackUrl, usageCategory, triggerBy, triggerValue, recurring } = one;
    await apiOf(deployment.simulator).post(accountPath(sid(), "/Usage/Triggers"), {
      ...{ FriendlyName: friendlyName, CallbackUrl: callbackUrl, UsageCategory: usageCategory },
      ...{ TriggerBy: triggerBy, TriggerValue: triggerValue, Recurring: recurring },
    });
  }
});
afterEach(() => deployment.close());

const GUARD = {
  friendlyName: "tollbreaker: daily-spend probation",
  callbackUrl: `${OTHER}/webhooks/usage-trigger?limit=daily-spend&probation=0123456789ab`,
  ...{ usageCategory: "totalprice", triggerBy: "price", triggerValue: "+25", recurring: "" },
};
const sid = () => deployment.simulator.subaccounts()[0]?.accountSid ?? "";
const run = (...words: string[]) => inProcess(words, deployment.environment);
async function callers(url: string): Promise<string[]> {
  const { body } = await apiOf(deployment.simulator).get(`${accountPath(sid(), "/Usage/Triggers")}?PageSize=1000`);
  const all: { callback_url: string; friendly_name: string }[] = body.usage_triggers;
  return all.filter(({ callback_url }) => callback_url.startsWith(url)).map(({ friendly_name }) => friendly_name);
}

test("plan and apply leave it alone, make ours beside it, and say where it is", async () => {
  const plan = await run("triggers", "plan");
  expect(plan.stdout).toContain("6 to create, 0 to replace, 0 to update, 0 to remove");
  expect(plan.stderr).toContain(`another Tollbreaker (${OTHER}) has triggers on 1 account. They stay`);
  const applied = await run("triggers", "apply");
  expect(applied.code).toBe(0);
  expect(applied.stderr).toContain(OTHER);
  expect(await callers(OTHER)).toHaveLength(3);
  expect(await callers(deployment.url)).toHaveLength(2);
  expect((await run("triggers", "plan", "--check")).code).toBe(0);
});

test("apply --take-over makes its triggers ours, and makes none twice", async () => {
  expect((await run("triggers", "apply", "--take-over")).code).toBe(0);
  expect((await callers(deployment.url)).sort()).toEqual(["tollbreaker: daily-spend", "tollbreaker: daily-warning"]);
  expect(await callers(OTHER)).toEqual([]);
});

test("status says whose they are, and that ours are missing", async () => {
  const { stdout } = await run("triggers", "status", "--json");
  const account = JSON.parse(stdout).accounts.find((one: { accountSid: string }) => one.accountSid === sid());
  expect(account).toMatchObject({ otherTollbreakers: [OTHER], others: 3, guards: 0, left: 0 });
  expect(account.limits).toMatchObject([{ state: "missing" }, { state: "missing" }]);
  expect((await run("triggers", "status")).stdout).toContain(`another Tollbreaker: ${OTHER}`);
});

test("doctor warns of it", async () => {
  await run("triggers", "apply");
  const { stdout } = await run("doctor", "--json");
  expect(JSON.parse(stdout).findings).toContainEqual(
    expect.objectContaining({
      ...{ about: "usage triggers", grade: "warn" },
      seen: `another Tollbreaker (${OTHER}) has triggers on 1 account`,
    }),
  );
});

test("remove takes ours away, and leaves the other's", async () => {
  await run("triggers", "apply");
  expect((await run("triggers", "remove", "--yes")).code).toBe(0);
  expect(await callers(deployment.url)).toEqual([]);
  expect(await callers(OTHER)).toHaveLength(3);
});
