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
    simulator.startAttack(sid, { kind: "sms-pumping" });
    for (let second = 0; second < 301; second += 1) simulator.advance(1_000);
    expect(simulator.attacks()).toMatchObject([{ accepted: 13_000, refused: 0, running: false, pricePerHour: 46_800 }]);
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
    simulator.advance(60_000);
    expect(simulator.subaccounts().map(({ spentToday }) => spentToday)).toEqual([780, 0, 0]);
  });

  it("goes on after a suspension, and has everything refused", async () => {
    simulator.startAttack(sid, { kind: "sms-pumping", messages: 1_000, minutes: 1, price: 0.5 });
    simulator.advance(30_000);
    await apiOf(simulator).post(accountPath(sid), { Status: "suspended" });
    simulator.advance(40_000);
    expect(simulator.attacks()).toMatchObject([{ accepted: 500, refused: 500, running: false }]);
    expect(simulator.account(sid)).toMatchObject({ spentToday: 250, refused: { messages: 500 } });
  });

  it("runs faster by its time factor, and ends when it is stopped", () => {
    simulator.startAttack(sid, { kind: "sms-pumping", messages: 6_000, minutes: 10, timeFactor: 60 });
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
