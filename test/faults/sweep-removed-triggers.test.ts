import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { accountKey } from "../../lib/incidents/keys.ts";
import { basesOf, guardsFor, isGuard } from "../../lib/triggers/guards.ts";
import { createUsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import { ahead, MINUTE, POLICY, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { apiOf } from "../local/twilio/api.ts";
import { policyOf } from "../support/policies.ts";
import { PUBLIC_URL } from "../support/responder-rig.ts";
import { NOON } from "../support/shifted-date.ts";

// Whoever holds the subaccount's auth token works against the sweep: removes its triggers after each, fills the account.

let rig: SweepRig;
let account: string;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON, shouldAdvanceTime: true });
  rig = await startSweepRig();
  account = rig.simulator.subaccounts()[0]?.accountSid ?? "";
});
afterEach(async () => {
  await rig.close();
  vi.useRealTimers();
});

const triggersPath = () => `/2010-04-01/Accounts/${account}/Usage/Triggers`;
const spend = (price: number) => rig.simulator.addUsage(account, { category: "sms", price });
const kindsOf = async () => (await rig.notices()).map(({ kind }) => kind);

async function removeTriggers(which: (friendlyName: string) => boolean = () => true): Promise<void> {
  const api = apiOf(rig.simulator);
  for (const { sid, friendlyName } of await rig.triggersOf(account))
    if (which(friendlyName)) await api.delete(`${triggersPath()}/${sid}.json`);
}

async function deliverAll(policy = POLICY): Promise<void> {
  for (const message of await rig.inboxOf(account))
    expect(await rig.deliver(message, { policy })).toEqual({ kind: "done" });
}

describe("triggers that are removed after each sweep", () => {
  test("do not blind it: the limit is seen to be passed when they are made anew", async () => {
    await rig.sweep();
    await removeTriggers();
    spend(60);
    expect((await rig.sweep({ clock: ahead(5 * MINUTE) })).counts).toMatchObject({ over: 0, created: 3 });
    await removeTriggers();
    spend(60);
    expect((await rig.sweep({ clock: ahead(10 * MINUTE) })).counts).toMatchObject({ over: 2, created: 3 });
    await deliverAll();
    expect(rig.simulator.account(account).status).toBe("suspended");
  });

  test("nor the rates: each creation is a sample", async () => {
    const policy = policyOf(`
limits:
  daily-spend: { category: totalprice, by: price, every: day, at: 1000, then: suspend }
  fast: { category: totalprice, by: price, every: hour, at: 40, then: suspend }
`);
    await rig.sweep({ policy });
    const tripped: number[] = [];
    for (const minutes of [5, 10, 15]) {
      await removeTriggers();
      spend(20);
      tripped.push((await rig.sweep({ policy, clock: ahead(minutes * MINUTE) })).counts.spend);
    }
    expect(tripped).toEqual([0, 1, 1]);
    await deliverAll(policy);
    expect(rig.simulator.account(account).status).toBe("suspended");
  });

  test("people are told by name that somebody removes them, once an hour", async () => {
    await rig.sweep();
    await rig.notices();
    const told: unknown[] = [];
    for (const minutes of [5, 10, 15, 20]) {
      await removeTriggers((name) => name.endsWith("daily-spend"));
      await rig.sweep({ clock: ahead(minutes * MINUTE) });
      const notices = await rig.notices();
      told.push(notices.map(({ kind }) => kind));
      const critical = notices.find(({ kind }) => kind === "drift-repeated");
      if (critical === undefined) continue;
      expect(critical).toMatchObject({
        severity: "critical",
        subject: "Somebody keeps removing triggers of 1 subaccount",
      });
      expect(critical.text).toContain(account);
      expect(critical.text).toContain("tollbreaker: daily-spend");
    }
    const usual = ["drift-repaired"];
    expect(told).toEqual([usual, [...usual, "drift-repeated"], usual, usual]);
    await removeTriggers((name) => name.endsWith("daily-spend"));
    await rig.sweep({ clock: ahead(65 * MINUTE) });
    expect(await kindsOf()).toEqual(usual);
    await removeTriggers((name) => name.endsWith("daily-spend"));
    await rig.sweep({ clock: ahead(71 * MINUTE) });
    expect(await kindsOf()).toEqual([...usual, "drift-repeated"]);
  });

  test("twice within a while is by accident when it is another trigger, or much later", async () => {
    await rig.sweep();
    await rig.notices();
    for (const [minutes, name] of [
      [5, "daily-spend"],
      [10, "sms-burst"],
      [31, "daily-spend"],
    ] as const) {
      await removeTriggers((one) => one.endsWith(name));
      await rig.sweep({ clock: ahead(minutes * MINUTE) });
    }
    expect(await kindsOf()).toEqual(["drift-repaired", "drift-repaired", "drift-repaired"]);
  });
});

test("the guards of an account on probation: what is spent counts from the first ones on", async () => {
  await rig.sweep();
  spend(150);
  const guards = guardsFor(POLICY, account, PUBLIC_URL, "a-command");
  for (const guard of guards) await createUsageTrigger(rig.sweeper().twilio, account, guard, 5000);
  const lastReactivatedAt = new Date().toISOString();
  const passed = { "totalprice price daily": "150", ...basesOf(guards, await rig.triggersOf(account)) };
  await rig.table.send(
    new PutCommand({ TableName: rig.aws.tableName, Item: { ...accountKey(account), lastReactivatedAt, passed } }),
  );
  await rig.sweep({ clock: ahead(MINUTE) });
  // Each time less than a guard allows.
  const over: number[] = [];
  for (const minutes of [6, 11]) {
    await removeTriggers();
    spend(15);
    over.push((await rig.sweep({ clock: ahead(minutes * MINUTE) })).counts.over);
  }
  // The guard, and the limits themselves, by what was used when the account came back.
  expect(over).toEqual([0, 3]);
  expect((await rig.triggersOf(account)).filter(isGuard).length).toBeGreaterThan(0);
  const messages = await rig.inboxOf(account);
  expect(messages).toMatchObject([
    { found: "sweep-over", limit: "daily-spend", probation: false, triggerValue: "100.000000" },
    { found: "sweep-over", limit: "daily-spend", probation: true, triggerValue: "175.000000" },
    { found: "sweep-over", limit: "daily-warning" },
  ]);
  for (const message of messages) await rig.deliver(message, { policy: POLICY });
  expect(rig.simulator.account(account).status).toBe("suspended");
});

describe("an account with as many triggers as Twilio allows", () => {
  async function fill(upTo: number): Promise<void> {
    const api = apiOf(rig.simulator);
    const foreign = { FriendlyName: "mine", UsageCategory: "sms", TriggerValue: "5", CallbackUrl: "https://a.example" };
    const left = upTo - (await rig.triggersOf(account)).length;
    for (let index = 0; index < left; index++) await api.post(`${triggersPath()}.json`, foreign);
  }

  async function moveAway(name: string): Promise<void> {
    const { sid } = (await rig.triggersOf(account)).find(({ friendlyName }) => friendlyName === name) ?? {};
    await apiOf(rig.simulator).post(`${triggersPath()}/${sid}.json`, { CallbackUrl: "https://elsewhere.example.com/" });
  }

  test("its triggers are made to call us again all the same, and people are told of both", async () => {
    await rig.sweep();
    await rig.notices();
    await removeTriggers((name) => name.endsWith("sms-burst"));
    await moveAway("tollbreaker: daily-spend");
    await fill(1000);
    expect((await rig.sweep()).counts).toMatchObject({ refused: 1, armed: 2, unread: 0 });
    const trigger = (await rig.triggersOf(account)).find(({ friendlyName }) => friendlyName.endsWith("daily-spend"));
    expect(trigger?.callbackUrl).toContain(PUBLIC_URL);
    const trouble = (await rig.notices()).find(({ kind }) => kind === "sweep-trouble");
    expect(trouble?.text).toContain("Twilio allows 1000");
    expect(trouble?.text).toContain("1 made to call us again");
  });

  test("where there is room for one, the one that suspends is made", async () => {
    await rig.sweep();
    await removeTriggers();
    await fill(998);
    expect((await rig.sweep()).counts).toMatchObject({ refused: 1 });
    const names = (await rig.triggersOf(account))
      .map(({ friendlyName }) => friendlyName)
      .filter((name) => name !== "mine");
    expect(names).toEqual(["tollbreaker: daily-spend", "tollbreaker: sms-burst"]);
  });
});
