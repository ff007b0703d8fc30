import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../../../lib/clock.ts";
import { systemClock } from "../../../lib/clock.ts";
import type { Signal } from "../../../lib/inbox/messages.ts";
import { MOST_ALERTS } from "../../../lib/incidents/change.ts";
import { accountKey } from "../../../lib/incidents/keys.ts";
import { MOST_MADE_UP_A_DAY } from "../../../lib/incidents/record.ts";
import type { Responder } from "../../../lib/response/responder.ts";
import type { FaultRule, SeenRequest } from "../../support/fault-proxy.ts";
import { within } from "../../support/lived-time.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { errorsCounted, firing } from "../../support/signals.ts";

// What the policy says, done: from a signal to the account at Twilio, its incident, and what people are told.

let rig: Rig;
let account: string;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  account = rig.simulator.addSubaccount().accountSid;
});
afterEach(() => rig.mend());

const BRAKE = "brake: { suspensions: 1000, within: 10m }";
const LADDER = policyOf(`
limits:
  half: { category: totalprice, by: price, every: day, at: 50, then: alert }
  most: { category: totalprice, by: price, every: day, at: 80, then: alert }
  all: { category: totalprice, by: price, every: day, at: 100, then: suspend }
${BRAKE}
`);

interface Delivering extends Partial<Responder> {
  attempt?: number;
  milliseconds?: number;
}

/** Where the test has a clock, it comes by that. */
function deliver(signal: Signal, changes: Delivering = {}) {
  const came = changes.clock === undefined ? signal : cameAt(signal, changes.clock.now().toISOString());
  return rig.deliver(came, { policy: LADDER, ...changes });
}
const cameAt = (signal: Signal, receivedAt: string): Signal =>
  signal.kind === "usage-trigger" ? { ...signal, receivedAt, firedAt: receivedAt } : { ...signal, receivedAt };
const DONE = { kind: "done" };

const at = (time: string): { clock: Clock } => ({ clock: { ...systemClock, now: () => new Date(time) } });
const status = () => rig.simulator.account(account).status;
const alerts = () => rig.alertsOf(account);

async function incident() {
  const [recorded, ...others] = await rig.incidentsOf(account);
  expect(others).toEqual([]);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded.incident;
}

describe("a rule on errors that asks Usage Records first", () => {
  const asking = (confirm: string) =>
    policyOf(`
errors: { fraud: { codes: [30450], count: 5, within: 10m, then: suspend, confirm: ${confirm} } }
${BRAKE}
`);
  const SMS = asking("{ category: sms, by: count, at: 7 }");
  const signal = () => errorsCounted(account, { rule: "fraud", count: 31 });
  const isUsage = ({ path }: SeenRequest) => path.includes("/Usage/Records/Today") && path.includes(account);

  test.each([
    ["{ category: sms, by: count, at: 7 }", "sms by count is 7, the rule asks for 7"],
    ["{ category: sms, by: price, at: 2.5 }", "sms by price is 2.75, the rule asks for 2.5"],
    ["{ category: calls, by: usage, at: 12 }", "calls by usage is 12.5, the rule asks for 12"],
    ["{ category: totalprice, by: price, at: 3 }", "totalprice by price is 3, the rule asks for 3"],
  ])("and they agree, by %s: suspended, and the reason has the numbers", async (confirm, numbers) => {
    rig.simulator.addUsage(account, { category: "sms", count: 7, price: 2.75 });
    rig.simulator.addUsage(account, { category: "calls", count: 1, usage: 12.5, price: 0.25 });
    expect(await deliver(signal(), { policy: asking(confirm) })).toEqual(DONE);
    expect(status()).toBe("suspended");
    const reason = `31 errors within 10 minutes; Usage Records of today: ${numbers}`;
    expect(await incident()).toMatchObject({ state: "suspended", rule: "fraud", reason, errors: { count: 31 } });
    const [alert, ...others] = await alerts();
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ about: "suspended", severity: "critical" });
    expect(alert?.text).toContain(numbers);
  });

  test.each([
    ["{ category: sms, by: count, at: 7 }", "sms by count is 6, the rule asks for 7"],
    ["{ category: totalprice, by: price, at: 2.76 }", "totalprice by price is 2.75, the rule asks for 2.76"],
    // Nothing is listed of what was never used.
    ["{ category: wireless, by: price, at: 0.01 }", "wireless by price is 0, the rule asks for 0.01"],
  ])("and they do not agree, by %s: people are told, nothing is suspended", async (confirm, numbers) => {
    rig.simulator.addUsage(account, { category: "sms", count: 6, price: 2.75 });
    expect(await deliver(signal(), { policy: asking(confirm) })).toEqual(DONE);
    expect(status()).toBe("active");
    expect(rig.suspensionRequests(account)).toBe(0);
    expect(await incident()).toMatchObject({
      ...{ state: "alerted", because: "unconfirmed", rule: "fraud", errors: { count: 31 } },
      reason: expect.stringContaining(numbers),
    });
    expect(await alerts()).toMatchObject([{ about: "alerted", severity: "warning" }]);
  });

  const answering = (body: unknown): FaultRule => ({ do: "answer", status: 200, body: JSON.stringify(body) });
  const record = { category: "sms", count: "lots", usage: null, price: null, price_unit: "usd" };
  test.each<[string, FaultRule, RegExp]>([
    ["429", { do: "answer", status: 429, body: '{"code":20429,"message":"Too many requests"}' }, /20429 \(HTTP 429\)/],
    ["500", { do: "answer", status: 500, body: "{}" }, /HTTP 500/],
    ["401", { do: "answer", status: 401, body: '{"code":20003,"message":"Authenticate"}' }, /20003 \(HTTP 401\)/],
    ["nothing", { do: "hang" }, /no answer in time|the time was over/],
    ["a cut connection", { do: "cut" }, /could not be read/],
    ["a page of somebody else's", { do: "answer", status: 200, body: "<html>" }, /could not be understood/],
    ["a record without the number", answering({ usage_records: [{ ...record, count: null }] }), /show no count of sms/],
    ["a record with another number", answering({ usage_records: [record] }), /show no count of sms/],
  ])("and Twilio answers with %s: people are told in time, nothing is suspended", async (_, fault, why) => {
    rig.simulator.addUsage(account, { category: "sms", count: 5000 });
    rig.twilio.fail({ on: isUsage, ...fault });
    expect(await within(4000, deliver(signal(), { policy: SMS, milliseconds: 4000 }))).toEqual(DONE);
    expect(status()).toBe("active");
    expect(rig.suspensionRequests(account)).toBe(0);
    expect(await incident()).toMatchObject({ state: "alerted", because: "unconfirmed" });
    // On a busy machine the last of its tries may be the one that the deadline cut.
    expect((await incident()).reason).toMatch(new RegExp(`${why.source}|no answer in time|the time was over`));
    expect(await alerts()).toMatchObject([{ about: "alerted", severity: "warning" }]);
  });

  test("and Twilio answers 429 once: it is asked again, and the account is suspended", async () => {
    rig.simulator.addUsage(account, { category: "sms", count: 7 });
    rig.simulator.addFault({ effect: { kind: "status", status: 429 }, path: "/Usage/Records/Today", times: 1 });
    await deliver(signal(), { policy: SMS });
    expect(status()).toBe("suspended");
  });

  test("and they agree only the next time: suspended then, and people are told of both", async () => {
    await deliver(signal(), { policy: SMS });
    rig.simulator.addUsage(account, { category: "sms", count: 7 });
    await deliver(signal(), { policy: SMS });
    expect(await incident()).toMatchObject({ state: "suspended", because: null, signals: 2 });
    expect((await alerts()).map(({ about }) => about)).toEqual(["alerted", "suspended"]);
  });

  test("and they agree, with calls on the line: these end, too", async () => {
    rig.simulator.addUsage(account, { category: "sms", count: 7 });
    rig.simulator.addCalls(account, { calls: 3 });
    await deliver(signal(), { policy: SMS });
    expect(rig.simulator.account(account)).toMatchObject({ status: "suspended", liveCalls: 0 });
  });

  test("of a rule that the policy no longer has: people are told", async () => {
    rig.simulator.addUsage(account, { category: "sms", count: 5000 });
    await deliver(errorsCounted(account, { rule: "of-yesterday" }), { policy: SMS });
    expect(status()).toBe("active");
    expect(await incident()).toMatchObject({ state: "alerted", because: "rule", rule: "of-yesterday" });
    expect(await alerts()).toMatchObject([{ about: "alerted", severity: "warning" }]);
  });
});

describe("an exempt account", () => {
  const exempt = (until: string) =>
    policyOf(`
limits: { all: { category: totalprice, by: price, every: day, at: 100, then: suspend } }
exempt: [ { account: ${account}, why: the city's emergency line${until} } ]
${BRAKE}
`);

  test("is told of to the end of its last day, GMT, and suspended the moment after", async () => {
    const policy = exempt(", until: 2031-05-05");
    const [last, after] = ["2031-05-05T23:59:59.999Z", "2031-05-06T00:00:00.000Z"];
    await deliver(firing(account, { receivedAt: last }), { policy, ...at(last) });
    expect(status()).toBe("active");
    expect(await incident()).toMatchObject({
      ...{ state: "alerted", because: "exempt", rule: "all" },
      reason: "totalprice by price reached 130.25, its limit is 100; exempt: the city's emergency line",
    });
    const [alert] = await alerts();
    expect(alert).toMatchObject({ about: "alerted", severity: "critical" });
    expect(alert?.text).toContain("the city's emergency line");

    await deliver(firing(account, { receivedAt: after }), { policy, ...at(after) });
    expect(status()).toBe("suspended");
    expect(await incident()).toMatchObject({ state: "suspended", because: null, signals: 2 });
    expect((await alerts()).map(({ about }) => about)).toEqual(["alerted", "suspended"]);
  });

  test("without an end is never suspended, and told of once a day", async () => {
    const policy = exempt("");
    for (const day of ["2031-05-05", "2031-05-06", "2099-12-31"]) {
      for (const hour of ["00", "12", "23"]) {
        const receivedAt = `${day}T${hour}:30:00.000Z`;
        await deliver(firing(account, { receivedAt }), { policy, ...at(receivedAt) });
      }
    }
    expect(rig.suspensionRequests(account)).toBe(0);
    expect((await alerts()).map(({ at: time }) => time.slice(0, 10))).toEqual([
      "2031-05-05",
      "2031-05-06",
      "2099-12-31",
    ]);
  });
});

test("in observe mode nothing is suspended; back in enforce mode the next firing suspends", async () => {
  await deliver(firing(account), { policy: { ...LADDER, mode: "observe" } });
  expect(rig.suspensionRequests(account)).toBe(0);
  expect(await incident()).toMatchObject({ state: "alerted", because: "observe-mode", rule: "all" });
  await deliver(firing(account));
  expect(await incident()).toMatchObject({ state: "suspended", because: null });
  expect((await alerts()).map(({ severity }) => severity)).toEqual(["warning", "critical"]);
});

test("what could not be suspended, and comes again in observe mode, is dealt with: nothing is asked any more", async () => {
  const signal = firing(account);
  rig.twilio.fail({ do: "cut" });
  expect(await deliver(signal, { milliseconds: 1000 })).toMatchObject({ kind: "again" });
  rig.mend();
  expect(await deliver(signal, { attempt: 2, policy: { ...LADDER, mode: "observe" } })).toEqual(DONE);
  expect(status()).toBe("active");
});

describe("an account with a limit of its own", () => {
  const own = () => ({ ...LADDER, accounts: { [account]: { all: "5000" } } });

  test.each(["all", null])("is left alone below it, without an incident (limit %s)", async (limit) => {
    const signal = firing(account, { limit, currentValue: "4999.999999" });
    expect(await deliver(signal, { policy: own() })).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await rig.incidentsOf(account)).toEqual([]);
    expect(await alerts()).toEqual([]);
    expect((await rig.store.recall(account, signal.fingerprint)).seen).toBe(true);
  });

  test("is suspended at it", async () => {
    await deliver(firing(account, { triggerValue: "5000.000000", currentValue: "5000" }), { policy: own() });
    expect(status()).toBe("suspended");
    expect(await incident()).toMatchObject({ rule: "all", trip: { overshoot: "0" } });
  });

  test("is warned like any other", async () => {
    await deliver(firing(account, { triggerValue: "80", currentValue: "95" }), { policy: own() });
    expect(await incident()).toMatchObject({ state: "alerted", because: "rule", rule: "most" });
  });
});

describe("a ladder of limits", () => {
  const step = (limit: string | null, triggerValue: string, currentValue: string, receivedAt?: string) =>
    firing(account, { limit, triggerValue, currentValue, ...(receivedAt !== undefined && { receivedAt }) });

  test.each(["by name", "by their fields"])(
    "warns twice and then suspends, each time with its own numbers: %s",
    async (by) => {
      const limit = (name: string) => (by === "by name" ? name : null);
      await deliver(step(limit("half"), "50.000000", "51.5"));
      await deliver(step(limit("most"), "80.000000", "82"));
      expect(await incident()).toMatchObject({ state: "alerted", because: "rule", rule: "most" });
      expect(rig.suspensionRequests(account)).toBe(0);
      await deliver(step(limit("all"), "100.000000", "140"));

      expect(await incident()).toMatchObject({
        ...{ state: "suspended", because: null, rule: "all", signals: 3 },
        trip: { triggerValue: "100.000000", currentValue: "140", overshoot: "40", overshootPercent: "40.0" },
        reason: "totalprice by price reached 140, its limit is 100",
      });
      const told = await alerts();
      expect(told.map(({ about, severity }) => [about, severity])).toEqual([
        ["alerted", "warning"],
        ["alerted", "warning"],
        ["suspended", "critical"],
      ]);
      const numbers = [
        ["half", "51.50", "103 %", "50"],
        ["most", "82", "102.5 %", "80"],
        ["all", "140", "140 %", "100"],
      ];
      for (const [index, [rule, reached, share, limitValue]] of numbers.entries()) {
        const facts = Object.fromEntries(told[index]?.facts.map(({ label, value }) => [label, value]) ?? []);
        expect(facts["Rule"]).toBe(rule);
        expect(facts["Reached"]).toMatch(new RegExp(`^${reached}( USD)?, ${share} of its limit of ${limitValue}\\b`));
      }
    },
  );

  test("warns again the next day (GMT), and not twice a day", async () => {
    const times = ["2031-05-05T00:00:00.000Z", "2031-05-05T23:59:59.999Z", "2031-05-06T00:00:00.000Z"];
    for (const time of times) await deliver(step("half", "50", "60", time), at(time));
    expect((await alerts()).map(({ at: time }) => time)).toEqual([times[0], times[2]]);
    expect(await incident()).toMatchObject({ signals: 3 });
  });

  test("says everything in a suspension where all of it comes at once", async () => {
    for (const signal of [step("all", "100", "900"), step("half", "50", "900"), step("most", "80", "900")]) {
      await deliver(signal);
    }
    expect((await alerts()).map(({ about }) => about)).toEqual(["suspended"]);
    expect(await incident()).toMatchObject({ rule: "all", signals: 3 });
  });

  test("a warning that SNS did not take does not hold up the suspension", async () => {
    rig.sns.fail({ do: "cut" });
    expect(await deliver(step("half", "50", "60"))).toMatchObject({ kind: "again" });
    await deliver(step("all", "100", "120"));
    expect(status()).toBe("suspended");
  });
});

describe("somebody who can sign for the account", () => {
  test("and makes up 200 firings of one limit causes one alert", async () => {
    for (let nth = 0; nth < 200; nth++) {
      const forged = firing(account, {
        ...{ limit: "half", triggerValue: "50" },
        ...{ idempotencyToken: `token-${nth}`, currentValue: `${50 + nth}` },
      });
      expect(await deliver(forged)).toEqual(DONE);
    }
    expect(await incident()).toMatchObject({ state: "alerted", signals: 200 });
    expect(await alerts()).toHaveLength(1);
  });

  test("and makes up limits cannot make a flood of alerts, nor an incident that nothing can hold", async () => {
    const policy = { ...LADDER, unlisted: "alert" } as const;
    const days = ["2031-05-05", "2031-05-06", "2031-05-07"];
    for (const day of days) {
      for (let nth = 0; nth < MOST_MADE_UP_A_DAY + 5; nth++) {
        const receivedAt = `${day}T12:00:00.000Z`;
        await deliver(firing(account, { triggerValue: `${1000 + nth}.5`, receivedAt }), { policy, ...at(receivedAt) });
      }
    }
    expect(await alerts()).toHaveLength(days.length * MOST_MADE_UP_A_DAY);
    expect((await incident()).alerts.length).toBe(MOST_ALERTS);

    const receivedAt = `${days[2]}T13:00:00.000Z`;
    await deliver(firing(account, { limit: "all", receivedAt }), { policy, ...at(receivedAt) });
    expect(status()).toBe("suspended");
    expect((await alerts()).at(-1)).toMatchObject({ about: "suspended" });
  });

  test("cannot use up the IdempotencyToken of the next firing with old news", async () => {
    const lastReactivatedAt = new Date(Date.now() - 10_000).toISOString();
    const Item = { ...accountKey(account), lastReactivatedAt };
    await rig.table.send(new PutCommand({ TableName: rig.aws.tableName, Item }));
    const token = { id: `${account}-FIRES-today`, idempotencyToken: `${account}-FIRES-today` };
    expect(await deliver(firing(account, { ...token, firedAt: "2026-01-01T00:00:00.000Z" }))).toEqual(DONE);
    expect(await rig.incidentsOf(account)).toEqual([]);

    const genuine = firing(account, { ...token, firedAt: new Date().toISOString() });
    await deliver(genuine);
    expect(status()).toBe("suspended");
    expect(await incident()).toMatchObject({ state: "suspended", firedAt: genuine.firedAt });
  });

  test("nor keep people from being told of it", async () => {
    const token = { id: "the-token", idempotencyToken: "the-token" };
    const policy = { ...LADDER, mode: "observe" } as const;
    await deliver(firing(account, { ...token, limit: "half", currentValue: "50" }), { policy });
    await deliver(firing(account, token), { policy });
    expect(await incident()).toMatchObject({ because: "observe-mode", rule: "all", signals: 2 });
    expect(await alerts()).toHaveLength(2);
  });
});
