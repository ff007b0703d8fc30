import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Policy } from "../../lib/policy/policy.ts";
import { ahead, MINUTE, POLICY, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { apiOf } from "../local/twilio/api.ts";
import { reactivate } from "../support/commands.ts";
import { policyOf } from "../support/policies.ts";
import { firing } from "../support/signals.ts";

// An account that a person brought back, and whose auth token somebody else still holds: what its guards are worth then.

const HOUR = 60 * MINUTE;
const DONE = { kind: "done" };

let rig: SweepRig;
let account: string;

/** A day and a month with time left. */
const THE_FIFTH_AT_NOON = new Date("2026-11-05T12:00:00Z");
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: THE_FIFTH_AT_NOON, shouldAdvanceTime: true });
  rig = await startSweepRig();
  account = rig.simulator.subaccounts()[0]?.accountSid ?? "";
});
afterEach(async () => {
  await rig.close();
  vi.useRealTimers();
});

const triggersPath = () => `/2010-04-01/Accounts/${account}/Usage/Triggers`;
const spend = (price: number) => rig.simulator.addUsage(account, { category: "sms", price });
const status = () => rig.simulator.account(account).status;
const named = async (name: string) =>
  (await rig.triggersOf(account)).filter(({ friendlyName }) => friendlyName === `tollbreaker: ${name}`);
const valuesOf = async (name: string) => (await named(name)).map(({ triggerValue }) => Number(triggerValue));

async function remove(name: string): Promise<void> {
  for (const { sid } of await named(name)) await apiOf(rig.simulator).delete(`${triggersPath()}/${sid}.json`);
}

async function forge(name: string, triggerValue: string): Promise<void> {
  await remove(name);
  const watched = { UsageCategory: "totalprice", TriggerBy: "price", TriggerValue: triggerValue };
  const form = { FriendlyName: `tollbreaker: ${name}`, CallbackUrl: "https://elsewhere.example.com/", ...watched };
  await apiOf(rig.simulator).post(`${triggersPath()}.json`, form);
}

/** Swept, and what it found dealt with: nobody answers at the callbacks' address here. */
async function sweepAt(milliseconds: number, policy: Policy): Promise<void> {
  await rig.sweep({ policy, clock: ahead(milliseconds) });
  for (const message of await rig.inboxOf(account)) expect(await rig.deliver(message, { policy })).toEqual(DONE);
}

/** Tripped for 150, and brought back. */
async function broughtBack(policy: Policy, limit: string): Promise<void> {
  await rig.sweep({ policy });
  spend(150);
  await rig.simulator.evaluateTriggers();
  const [trigger] = await named(limit);
  if (trigger === undefined) throw new Error(`there is no ${limit}`);
  const { sid: usageTriggerSid, recurring, triggerValue } = trigger;
  const numbers = { usageTriggerSid, recurring, triggerValue, limit, currentValue: "150" };
  expect(await rig.deliver(firing(account, numbers), { policy })).toEqual(DONE);
  expect(status()).toBe("suspended");
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  // What fires within the second of a reactivation is new; these firings are not.
  vi.setSystemTime(Date.now() + MINUTE);
  expect(await rig.deliver(reactivate(recorded.incident), { policy })).toEqual(DONE);
  expect(status()).toBe("active");
}

test("a guard that is forged to never fire is replaced by the one that was", async () => {
  await broughtBack(POLICY, "daily-spend");
  expect(await valuesOf("daily-spend probation")).toEqual([175]);
  await forge("daily-spend probation", "999999999");
  spend(20);
  await sweepAt(5 * MINUTE, POLICY);
  expect(await valuesOf("daily-spend probation")).toEqual([175]);
  expect(status()).toBe("active");
  // A little above the present value, each time anew.
  await forge("daily-spend probation", "190");
  spend(10);
  await sweepAt(10 * MINUTE, POLICY);
  expect(status()).toBe("suspended");
});

test("a limit's trigger that is removed after the reactivation is made anew, and does not trip on what was spent before", async () => {
  await broughtBack(POLICY, "daily-spend");
  await remove("daily-spend");
  spend(5);
  await sweepAt(5 * MINUTE, POLICY);
  expect(await valuesOf("daily-spend")).toEqual([100]);
  await rig.simulator.evaluateTriggers();
  await sweepAt(10 * MINUTE, POLICY);
  expect(status()).toBe("active");
  await remove("daily-spend");
  await remove("daily-spend probation");
  spend(30);
  await sweepAt(15 * MINUTE, POLICY);
  expect(status()).toBe("suspended");
});

test("by the month: after the probation it trips at the whole limit on top, and not before", async () => {
  const policy = policyOf(`
limits: { monthly: { category: totalprice, by: price, every: month, at: 100, then: suspend } }
brake: { suspensions: 1000, within: 10m }
`);
  await broughtBack(policy, "monthly");
  vi.setSystemTime(Date.now() + 25 * HOUR);
  // A quarter of the limit would have tripped it a day before.
  spend(60);
  await rig.simulator.evaluateTriggers();
  await rig.notices();
  await sweepAt(5 * MINUTE, policy);
  expect(await valuesOf("monthly interim")).toEqual([250]);
  expect((await rig.notices()).map(({ kind }) => kind)).toEqual([]);
  expect(status()).toBe("active");
  await sweepAt(90 * MINUTE, policy);
  expect(await named("monthly probation")).toEqual([]);
  spend(41);
  await rig.simulator.evaluateTriggers();
  await sweepAt(100 * MINUTE, policy);
  expect(status()).toBe("suspended");
});
