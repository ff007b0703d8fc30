import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTwilioSimulator, type TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { accountPath, apiOf, quietSimulator, subaccount } from "./api.ts";
import { webhook } from "./webhook.ts";

let simulator: TwilioSimulator;
let sid: string;
beforeEach(async () => {
  simulator = await quietSimulator();
  sid = subaccount(simulator).accountSid;
});
afterEach(() => simulator.close());

const today = async (category: string) =>
  (await apiOf(simulator).get(`/2010-04-01/Accounts/${sid}/Usage/Records/Today.json?Category=${category}`)).body
    .usage_records[0];

describe("an SMS pumping attack", () => {
  it("sends 13,000 messages to one number block within minutes, and is seen in usage and messages", async () => {
    simulator.startAttack(sid, { kind: "sms-pumping", blockedShare: 0 });
    for (let second = 0; second < 301; second += 1) simulator.advance(1_000);
    expect(simulator.attacks()).toMatchObject([
      { accepted: 13_000, refused: 0, blocked: 0, running: false, pricePerHour: 46_800 },
    ]);
    expect(await today("sms-outbound")).toMatchObject({ count: "13000", usage: "13000", price: 3_900 });
    expect(await today("totalprice")).toMatchObject({ price: 3_900 });
    const { body } = await apiOf(simulator).get(`${accountPath(sid, "/Messages")}?PageSize=1000`);
    expect(body.messages).toHaveLength(500);
    for (const { to, price } of body.messages) {
      expect(to).toMatch(/^\+99899394\d{4}$/);
      expect(price).toBe("-0.30000");
    }
  });

  it("leaves the other accounts alone", () => {
    simulator.startAttack(sid, { kind: "sms-pumping" });
    simulator.advance(30_000);
    expect(simulator.subaccounts().map(({ spentToday }) => spentToday)).toEqual([390, 0, 0]);
  });

  it("goes on after a suspension, and has everything refused", async () => {
    simulator.startAttack(sid, { kind: "sms-pumping", messages: 1_000, minutes: 1, price: 0.5, blockedShare: 0 });
    simulator.advance(30_000);
    await apiOf(simulator).post(accountPath(sid), { Status: "suspended" });
    simulator.advance(40_000);
    expect(simulator.attacks()).toMatchObject([{ accepted: 500, refused: 500, running: false }]);
    expect(simulator.account(sid)).toMatchObject({ spentToday: 250, refused: { messages: 500 } });
  });

  it("has a part of it blocked by Twilio, free of charge, once it is going: each is an error with its message", async () => {
    simulator.startAttack(sid, { kind: "sms-pumping", messages: 1_000, minutes: 1, price: 0.5 });
    simulator.advance(6_001);
    expect(simulator.errors()).toEqual([]);
    simulator.advance(60_000);
    expect(simulator.attacks()).toMatchObject([{ accepted: 910, refused: 0, blocked: 90, running: false }]);
    expect(simulator.account(sid).spentToday).toBe(455);
    expect(await today("sms-outbound")).toMatchObject({ count: "910" });
    expect(new Set(simulator.errors().map(({ code }) => code))).toEqual(new Set([30450, 30453]));
    const { body } = await apiOf(simulator).get(`${accountPath(sid, "/Messages")}?PageSize=1000`);
    const blocked = body.messages.filter((one: { error_code: number | null }) => one.error_code !== null);
    expect(blocked.length).toBeGreaterThan(40);
    const resources = simulator.errors().map(({ resourceSid }) => resourceSid);
    for (const message of blocked) {
      expect(message).toMatchObject({ status: "undelivered", price: "0.00000" });
      expect(resources).toContain(message.sid);
    }
  });

  it("of a suspended account leaves the noise of a suspension in the debugger, not a line for each attempt", () => {
    simulator.setStatus(sid, "suspended");
    simulator.startAttack(sid, { kind: "sms-pumping", messages: 1_000, minutes: 1 });
    simulator.advance(60_001);
    expect(simulator.attacks()).toMatchObject([{ refused: 1_000, blocked: 0 }]);
    expect(simulator.errors().map(({ code }) => code)).toEqual(Array.from({ length: 50 }, () => 30002));
  });

  it("runs faster by its time factor, and ends when it is stopped", () => {
    simulator.startAttack(sid, { kind: "sms-pumping", messages: 6_000, minutes: 10, timeFactor: 60, blockedShare: 0 });
    simulator.advance(1_000);
    expect(simulator.attacks()).toMatchObject([{ accepted: 600 }]);
    simulator.stopAttack(sid);
    simulator.advance(1_000);
    expect(simulator.attacks()).toMatchObject([{ accepted: 600, running: false }]);
  });
});

describe("a toll fraud", () => {
  const dial = () => {
    simulator.startAttack(sid, { kind: "toll-fraud", calls: 200, pricePerMinute: 1.5 });
    for (let second = 0; second < 20; second += 1) simulator.advance(1_000);
  };

  it("keeps hundreds of calls in progress and charges every minute as it starts", async () => {
    dial();
    const { body } = await apiOf(simulator).get(`${accountPath(sid, "/Calls")}?Status=in-progress&PageSize=1000`);
    expect(body.calls).toHaveLength(200);
    expect(await today("calls")).toMatchObject({ count: "200", usage: "200", price: 300 });
    for (let minute = 0; minute < 3; minute += 1) simulator.advance(60_000);
    expect(await today("totalprice")).toMatchObject({ price: 1_200 });
  });

  it("costs money on a suspended account until its calls are ended, and no new ones are accepted", async () => {
    dial();
    await apiOf(simulator).post(accountPath(sid), { Status: "suspended" });
    simulator.advance(60_000);
    expect(simulator.account(sid)).toMatchObject({ liveCalls: 200, spentToday: 600 });
    const { body } = await apiOf(simulator).get(`${accountPath(sid, "/Calls")}?Status=in-progress&PageSize=1000`);
    for (const call of body.calls) {
      await apiOf(simulator).post(accountPath(sid, `/Calls/${call.sid}`), { Status: "completed" });
    }
    simulator.advance(600_000);
    expect(simulator.account(sid)).toMatchObject({ liveCalls: 0, spentToday: 600 });
    expect(simulator.account(sid).refused.calls).toBeGreaterThan(0);
    expect(new Set(simulator.errors().map(({ code }) => code))).toEqual(new Set([20005]));
  });

  it("has its calls replaced as long as the account is active", async () => {
    dial();
    const { body } = await apiOf(simulator).get(`${accountPath(sid, "/Calls")}?PageSize=10`);
    for (const call of body.calls) {
      await apiOf(simulator).post(accountPath(sid, `/Calls/${call.sid}`), { Status: "completed" });
    }
    simulator.advance(1_000);
    expect(simulator.account(sid).liveCalls).toBe(200);
  });

  it("ends a call after four hours at the latest", () => {
    simulator.startAttack(sid, { kind: "toll-fraud", calls: 1, pricePerMinute: 1, callsPerSecond: 1_000 });
    simulator.advance(1_000);
    simulator.stopAttack(sid);
    simulator.advance(5 * 3_600_000);
    expect(simulator.account(sid)).toMatchObject({ liveCalls: 0, spentToday: 241 });
  });
});

describe("a SIP probing", () => {
  it("raises errors by the dozen per second on one account, and costs nothing", () => {
    simulator.startAttack(sid, { kind: "sip-probing", minutes: 1 });
    simulator.advance(1_000);
    expect(simulator.attacks()).toMatchObject([{ blocked: 36, accepted: 0, pricePerHour: 0, running: true }]);
    for (let second = 0; second < 60; second += 1) simulator.advance(1_000);
    expect(simulator.attacks()).toMatchObject([{ blocked: 2_160, running: false }]);
    const errors = simulator.errors();
    expect(errors).toHaveLength(2_160);
    expect(new Set(errors.map(({ sid }) => sid)).size).toBe(2_160);
    expect(new Set(errors.map(({ code, accountSid }) => `${accountSid} ${code}`))).toEqual(
      new Set([`${sid} 32201`, `${sid} 32202`]),
    );
    expect(simulator.account(sid)).toMatchObject({ spentToday: 0, liveCalls: 0, status: "active" });
  });

  it("goes on whether the account is suspended or not: a stranger does not care", () => {
    simulator.setStatus(sid, "suspended");
    simulator.startAttack(sid, { kind: "sip-probing", perSecond: 10, timeFactor: 2 });
    simulator.advance(1_000);
    expect(simulator.attacks()).toMatchObject([{ blocked: 20, refused: 0 }]);
  });
});

describe("a runaway loop", () => {
  it("sends thousands of texts a minute between two of the customer's own numbers, each received as well", async () => {
    simulator.startAttack(sid, { kind: "runaway-loop" });
    simulator.advance(60_000);
    expect(simulator.attacks()).toMatchObject([{ accepted: 9_000, running: true, pricePerHour: 8_316 }]);
    expect(await today("sms-outbound")).toMatchObject({ count: "9000", price: 71.1 });
    expect(await today("sms-inbound")).toMatchObject({ count: "9000", price: 67.5 });
    expect(await today("sms")).toMatchObject({ count: "18000" });
    expect(await today("totalprice")).toMatchObject({ price: 138.6 });
    const { body } = await apiOf(simulator).get(`${accountPath(sid, "/Messages")}?PageSize=1000`);
    const numbers = new Set(body.messages.map(({ to }: { to: string }) => to));
    expect(numbers).toEqual(new Set(["+14155550100", "+14155550101"]));
  });

  it("reaches a trigger by count and one by price in the same evaluation", async () => {
    const hook = await webhook();
    const CallbackUrl = hook.url;
    const daily = { CallbackUrl, Recurring: "daily" };
    const api = apiOf(simulator);
    const path = accountPath(sid, "/Usage/Triggers");
    await api.post(path, { ...daily, UsageCategory: "sms-outbound", TriggerBy: "count", TriggerValue: "20000" });
    await api.post(path, { ...daily, UsageCategory: "totalprice", TriggerBy: "price", TriggerValue: "100" });
    simulator.startAttack(sid, { kind: "runaway-loop" });
    simulator.advance(180_000);
    await simulator.evaluateTriggers();
    await hook.close();
    const fired = hook.received.map(({ body }) => new URLSearchParams(body).get("UsageCategory"));
    expect(fired.sort()).toEqual(["sms-outbound", "totalprice"]);
  });

  it("of calls makes short ones, charged as a minute each", async () => {
    simulator.startAttack(sid, { kind: "runaway-loop", by: "calls", perMinute: 60, price: 0.01 });
    for (let second = 0; second < 60; second += 1) simulator.advance(1_000);
    expect(simulator.attacks()).toMatchObject([{ accepted: 60, pricePerHour: 36 }]);
    expect(Number((await today("calls")).count)).toBeGreaterThanOrEqual(54);
    expect(simulator.account(sid).liveCalls).toBeLessThan(15);
  });
});

describe("a billing glitch", () => {
  it("multiplies today's figures of every active subaccount, so that all triggers are due at once", async () => {
    const hook = await webhook();
    const [first, second, third] = simulator.subaccounts().map(({ accountSid }) => accountSid);
    for (const accountSid of [first, second, third]) {
      await apiOf(simulator).post(accountPath(String(accountSid), "/Usage/Triggers"), {
        CallbackUrl: hook.url,
        UsageCategory: "totalprice",
        TriggerBy: "price",
        TriggerValue: "100",
        Recurring: "daily",
      });
    }
    simulator.addUsage(String(first), { category: "sms-outbound", count: 3, usage: 3, price: 9 });
    simulator.setStatus(String(third), "suspended");
    await simulator.evaluateTriggers();
    expect(hook.received).toHaveLength(0);
    expect(simulator.startBillingGlitch()).toMatchObject({ kind: "billing-glitch", accounts: 2, factor: 100 });
    expect(simulator.subaccounts().map(({ spentToday }) => spentToday)).toEqual([900, 500, 0]);
    expect(await today("sms-outbound")).toMatchObject({ count: "300", price: 900 });
    await simulator.evaluateTriggers();
    await hook.close();
    const fired = hook.received.map(({ body }) => new URLSearchParams(body).get("AccountSid"));
    expect(fired.sort()).toEqual([first, second].sort());
  });
});

it("ordinary traffic leaves a harmless error now and then, a customer's own server among them", async () => {
  const busy = await quietSimulator({ ordinaryTraffic: { errorsPerMinute: 1 } });
  for (let minute = 0; minute < 30; minute += 1) busy.advance(60_000);
  const errors = busy.errors();
  await busy.close();
  expect(errors.length).toBeGreaterThan(80);
  expect(new Set(errors.map(({ code }) => code))).toEqual(new Set([11200, 30003]));
  const request = { url: expect.stringContaining(".example.com/") };
  for (const { code, webhook } of errors) if (code === 11200) expect(webhook).toMatchObject({ request });
});

it("ordinary traffic reaches every subaccount, cheaply, and its calls end by themselves", async () => {
  const busy = await quietSimulator({ ordinaryTraffic: { messagesPerMinute: 2, callsPerMinute: 0.5 } });
  for (let minute = 0; minute < 60; minute += 1) busy.advance(60_000);
  const spent = busy.subaccounts().map(({ spentToday }) => spentToday);
  const live = busy.subaccounts().map(({ liveCalls }) => liveCalls);
  await busy.close();
  for (const one of spent) expect(one).toBeGreaterThan(0.5);
  for (const one of spent) expect(one).toBeLessThan(10);
  for (const one of live) expect(one).toBeLessThan(20);
});

it("an attack in real time fires the trigger that it reaches, and no other account's", async () => {
  const hook = await webhook();
  const live = await startTwilioSimulator({ evaluateEveryMs: 50, trafficEveryMs: 20, seed: "live", subaccounts: 3 });
  for (const { accountSid } of live.subaccounts()) {
    await apiOf(live).post(accountPath(accountSid, "/Usage/Triggers"), {
      CallbackUrl: hook.url,
      UsageCategory: "totalprice",
      TriggerBy: "price",
      TriggerValue: "+50",
      Recurring: "daily",
    });
  }
  live.startAttack(subaccount(live).accountSid, { kind: "sms-pumping", timeFactor: 100 });
  await expect.poll(() => hook.received.length, { timeout: 5_000 }).toBe(1);
  await live.close();
  await hook.close();
  const form = new URLSearchParams(hook.received[0]?.body);
  expect(form.get("AccountSid")).toBe(subaccount(live).accountSid);
  expect(Number(form.get("CurrentValue"))).toBeGreaterThanOrEqual(50);
});
