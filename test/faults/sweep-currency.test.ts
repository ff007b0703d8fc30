import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Sweeper } from "../../lib/sweep/sweeper.ts";
import { ahead, MINUTE, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { apiOf } from "../local/twilio/api.ts";
import { policyOf } from "../support/policies.ts";
import { NOON } from "../support/shifted-date.ts";

// The real parts, each sweep begun by hand, at noon. To Twilio a limit of 100 is 100 yen on an account that is billed in yen.

let rig: SweepRig;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON, shouldAdvanceTime: true });
  rig = await startSweepRig();
});
afterEach(async () => {
  await rig.close();
  vi.useRealTimers();
});

const LIMITS = `
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  sms-burst: { category: sms-outbound, by: count, every: day, at: 20000, then: suspend }
brake: { suspensions: 1000, within: 10m }
`;
const DOLLARS = policyOf(`currency: USD\n${LIMITS}`);
const inDollars = (changes: Partial<Sweeper> = {}) => rig.sweep({ policy: DOLLARS, ...changes });

const ALL = ["daily-spend 100", "daily-warning 80", "sms-burst 20000"];
const carried = async (accountSid: string) =>
  (await rig.triggersOf(accountSid))
    .map(({ friendlyName, triggerValue }) => `${friendlyName.replace("tollbreaker: ", "")} ${Number(triggerValue)}`)
    .sort();
const usageReads = () =>
  rig.simulator.requests().filter(({ method, path }) => method === "GET" && path.includes("/Usage/Records"));
const kyoto = () => rig.simulator.addSubaccount({ currency: "JPY", friendlyName: "Kyoto" }).accountSid;
const toldOfCurrency = async () => (await rig.notices()).filter(({ kind }) => kind === "other-currency");

describe("an account that is billed in another currency than the policy's", () => {
  test("gets no limit on money, and those by count; people are told once", async () => {
    const yen = kyoto();
    const run = await inDollars();
    expect(await carried(yen)).toEqual(["sms-burst 20000"]);
    for (const { accountSid } of rig.simulator.subaccounts()) {
      if (accountSid !== yen) expect(await carried(accountSid)).toEqual(ALL);
    }
    expect(run.counts).toMatchObject({ accounts: 4, armed: 3, arrived: 4, unread: 0, otherCurrency: 1 });
    const told = await toldOfCurrency();
    expect(told).toMatchObject([{ severity: "critical" }]);
    expect(told[0]?.text).toContain(`Kyoto (${yen}): in JPY, and the policy in USD`);
    expect(told[0]?.nextStep).toMatch(/values of its own.*`accounts`.*or correct the policy's `currency`/);

    // Spending 100 yen, every five minutes.
    rig.simulator.setSpend(yen, { price: 150 });
    await rig.simulator.evaluateTriggers();
    for (const minutes of [5, 10]) {
      rig.simulator.resetRequests();
      const { counts } = await inDollars({ clock: ahead(minutes * MINUTE) });
      expect(counts).toMatchObject({ armed: 3, drifted: 0, created: 0, over: 0, otherCurrency: 0 });
      // The list of accounts, and each one's triggers.
      expect(rig.simulator.requests()).toHaveLength(5);
    }
    expect(await toldOfCurrency()).toEqual([]);
    expect(await carried(yen)).toEqual(["sms-burst 20000"]);
  });

  test("gets those that have a value of its own, and is none to be told of when all have", async () => {
    const yen = kyoto();
    const own = (values: string) => ({
      policy: policyOf(`currency: USD\n${LIMITS}accounts:\n  ${yen}: { ${values} }\n`),
    });
    await inDollars(own("daily-spend: 15000"));
    expect(await carried(yen)).toEqual(["daily-spend 15000", "sms-burst 20000"]);
    expect(await toldOfCurrency()).toHaveLength(1);

    const { counts } = await inDollars({ ...own("daily-spend: 15000, daily-warning: 9000"), clock: ahead(5 * MINUTE) });
    expect(await carried(yen)).toEqual(["daily-spend 15000", "daily-warning 9000", "sms-burst 20000"]);
    expect(counts).toMatchObject({ armed: 4, otherCurrency: 0 });

    const paris = rig.simulator.addSubaccount({ currency: "EUR" }).accountSid;
    const all = `currency: USD\n${LIMITS}accounts:\n  ${paris}: { daily-spend: 90, daily-warning: 70 }\n`;
    await inDollars({ policy: policyOf(all), clock: ahead(10 * MINUTE) });
    expect(await carried(paris)).toEqual(["daily-spend 90", "daily-warning 70", "sms-burst 20000"]);
    expect(await toldOfCurrency()).toEqual([]);
  });

  test("that was armed before keeps what it carries, at another value too; people are told", async () => {
    const yen = kyoto();
    await rig.sweep();
    expect(await carried(yen)).toEqual(ALL);
    await rig.notices();
    await inDollars({ clock: ahead(5 * MINUTE) });
    expect(await carried(yen)).toEqual(ALL);
    expect(await toldOfCurrency()).toHaveLength(1);

    const policy = policyOf(`currency: USD\n${LIMITS.replace("at: 100", "at: 120")}`);
    await inDollars({ policy, clock: ahead(10 * MINUTE) });
    expect(await carried(yen)).toEqual(ALL);
    expect(await carried(rig.simulator.subaccounts()[0]?.accountSid ?? "")).toContain("daily-spend 120");
  });

  test("is not judged by money per hour, nor by a spike of it", async () => {
    const yen = kyoto();
    const rates = `limits:
  hourly: { category: totalprice, by: price, every: hour, at: 30, then: suspend }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }\n`;
    const policy = policyOf(`currency: USD\n${rates}accounts:\n  ${yen}: { daily-spend: 15000 }\n`);
    const plain = policyOf(`${rates}accounts:\n  ${yen}: { daily-spend: 15000 }\n`);
    await inDollars({ policy });
    const spending = async (price: number, minutes: number, changes: Partial<Sweeper>) => {
      rig.simulator.setSpend(yen, { price });
      return (await inDollars({ clock: ahead(minutes * MINUTE), ...changes })).counts.spend;
    };
    expect(await spending(10, 5, { policy })).toBe(0);
    expect(await spending(200, 10, { policy })).toBe(0);
    // The same, where the policy names no currency.
    expect(await spending(400, 15, { policy: plain })).toBe(1);
  });
});

describe("asking what an account is billed in", () => {
  test("is one request for each account, once", async () => {
    await inDollars();
    expect(usageReads()).toHaveLength(3);
    rig.simulator.resetRequests();
    await inDollars({ clock: ahead(5 * MINUTE) });
    // The list of accounts, and each one's triggers.
    expect(rig.simulator.requests()).toHaveLength(4);
  });

  test("is not done where the policy names no currency, or limits no money", async () => {
    kyoto();
    const run = await rig.sweep();
    expect(run.counts).toMatchObject({ armed: 4, otherCurrency: 0 });
    const counting = "limits:\n  sms: { category: sms, by: count, every: day, at: 5, then: alert }\n";
    await inDollars({ policy: policyOf(`currency: USD\n${counting}`), clock: ahead(5 * MINUTE) });
    expect(usageReads()).toEqual([]);
  });

  test("again, and told again, when the policy names another one", async () => {
    await inDollars();
    await rig.notices();
    const policy = policyOf(`currency: EUR\n${LIMITS}`);
    expect((await inDollars({ policy, clock: ahead(5 * MINUTE) })).counts).toMatchObject({
      otherCurrency: 3,
      removed: 0,
    });
    expect(await toldOfCurrency()).toHaveLength(1);
    for (const { accountSid } of rig.simulator.subaccounts()) expect(await carried(accountSid)).toEqual(ALL);
  });

  test("a new account that gives no answer is armed by the next sweep; an old one is repaired all the same", async () => {
    await rig.sweep();
    const yen = kyoto();
    const [first = ""] = rig.simulator.subaccounts().map(({ accountSid }) => accountSid);
    const [trigger] = await rig.triggersOf(first);
    await apiOf(rig.simulator).delete(`/2010-04-01/Accounts/${first}/Usage/Triggers/${trigger?.sid}.json`);
    rig.simulator.addFault({ effect: { kind: "status", status: 500 }, path: "/Usage/Records" });
    const failed = await inDollars({ clock: ahead(5 * MINUTE) });
    expect(await carried(yen)).toEqual([]);
    expect(await carried(first)).toEqual(ALL);
    expect(failed.counts).toMatchObject({ accounts: 4, unread: 1, armed: 3, drifted: 1, otherCurrency: 0 });

    rig.simulator.clearFaults();
    const { counts } = await inDollars({ clock: ahead(10 * MINUTE) });
    expect(await carried(yen)).toEqual(["sms-burst 20000"]);
    expect(counts).toMatchObject({ unread: 0, arrived: 1, otherCurrency: 1 });
  });
});
