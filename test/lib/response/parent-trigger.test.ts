import { SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../../lib/clock.ts";
import { sqsInbox } from "../../../lib/inbox/inbox.ts";
import type { Message } from "../../../lib/inbox/messages.ts";
import type { Responder } from "../../../lib/response/responder.ts";
import type { SubaccountSeed } from "../../../local/twilio/world.ts";
import { type SeenRequest, startFaultProxy } from "../../support/fault-proxy.ts";
import { within } from "../../support/lived-time.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

// The parent's own usage trigger fires: it can't be suspended, so people must see at once who spends the money.

const ALERT = policyOf("brake: { suspensions: 2, within: 10m }");
const SUSPEND_TOP = policyOf("{ parent: suspend-top, brake: { suspensions: 2, within: 10m } }");

let rig: Rig;
let parent: string;

// All tests fire the same account's trigger: each has a world of its own.
beforeEach(async () => {
  rig = await startRig();
  parent = rig.simulator.parent().accountSid;
});
afterEach(() => rig.close());

function spending(price: number | string, seed: SubaccountSeed = {}): string {
  const { accountSid } = rig.simulator.addSubaccount(seed);
  rig.simulator.addUsage(accountSid, { category: "sms", price: Number(price) });
  return accountSid;
}

interface Delivering extends Partial<Responder> {
  milliseconds?: number;
}

const deliver = (signal: Message, changes: Delivering = {}) => rig.deliver(signal, { policy: ALERT, ...changes });
const DONE = { kind: "done" };
const fire = (changes: Delivering = {}) => deliver(firing(parent, { triggerValue: "50" }), changes);

async function incidentOf(account: string) {
  const [recorded, ...others] = await rig.incidentsOf(account);
  expect(others).toEqual([]);
  return recorded?.incident;
}

const isUsage = ({ path }: SeenRequest) => path.includes("/Usage/Records/Today");
const isUsageOf = (account: string) => (request: SeenRequest) => isUsage(request) && request.path.includes(account);
const statusOf = (account: string) => rig.simulator.account(account).status;

describe("the alert", () => {
  test("ranks today's spend: the ten that spent most, in their order, with exact sums", async () => {
    const prices = ["7.1", "0.1", "30.0005", "0.2", "12", "3", "7.2", "1", "2", "4", "5", "6", "0.05", "21.349999"];
    const spent = prices.map((price, nth) => ({
      accountSid: spending(price, { friendlyName: `Customer ${nth}` }),
      friendlyName: `Customer ${nth}`,
      price,
    }));
    expect(await fire()).toEqual(DONE);

    const incident = await incidentOf(parent);
    expect(incident).toMatchObject({ state: "alerted", because: "parent-account", friendlyName: "Acme Messaging" });
    const sorted = spent.toSorted((a, b) => Number(b.price) - Number(a.price));
    expect(incident?.ranking).toMatchObject({
      ...{ currency: "USD", total: "99.000499", unread: 0 },
      spenders: sorted.slice(0, 10).map(({ price, ...who }) => ({ ...who, price })),
    });
    const shares = incident?.ranking?.spenders.map(({ share }) => share);
    expect(shares?.slice(0, 3)).toEqual(["30.3", "21.6", "12.1"]);

    const [alert, ...others] = await rig.alertsOf(parent);
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ about: "alerted", severity: "critical" });
    for (const culprit of ["Customer 2 30.0005 USD (30.3 %)", "Customer 13 21.349999 USD (21.6 %)"]) {
      expect(alert?.text).toContain(culprit);
    }
    expect(alert?.text).toContain("in all 99.000499 USD today");
    expect(rig.suspensionRequests(parent)).toBe(0);
    for (const { accountSid } of spent) expect(rig.suspensionRequests(accountSid)).toBe(0);
    expect(await rig.inboxOf(sorted[0]?.accountSid ?? "")).toEqual([]);
  });

  test("names a culprit that is suspended by now; one that is closed is not asked for", async () => {
    const [culprit, gone] = [spending(900), spending(5)];
    rig.simulator.setStatus(culprit, "suspended");
    rig.simulator.setStatus(gone, "closed");
    await fire();
    expect((await incidentOf(parent))?.ranking).toMatchObject({
      ...{ total: "900", unread: 0 },
      spenders: [{ accountSid: culprit, price: "900", share: "100.0" }, {}, {}, {}],
    });
    expect(rig.twilio.requests().some(isUsageOf(gone))).toBe(false);
  });

  test("says how many could not be read: Twilio answers 429 and 500 for some", async () => {
    const [limited, broken, read] = [spending(500), spending(400), spending(3)];
    rig.simulator.addFault({ effect: { kind: "status", status: 429 }, path: "/Usage/Records", accountSid: limited });
    rig.simulator.addFault({ effect: { kind: "status", status: 500 }, path: "/Usage/Records", accountSid: broken });
    expect(await within(7500, fire({ policy: SUSPEND_TOP, milliseconds: 7500 }))).toEqual(DONE);
    const ranking = (await incidentOf(parent))?.ranking;
    expect(ranking).toMatchObject({ unread: 2, total: "3", spenders: [{ accountSid: read }, {}, {}, {}] });
    const [alert] = await rig.alertsOf(parent);
    expect(alert?.text).toContain("2 accounts could not be read");
    // It makes all of what is known, and that is not all there is.
    expect(await rig.inboxOf(read)).toEqual([]);
  });

  test("waits for nobody: one account fails once, and is read at the second try", async () => {
    const account = spending(42);
    rig.twilio.fail({ on: isUsageOf(account), times: 1, do: "answer", status: 503, body: "{}" });
    await fire();
    expect((await incidentOf(parent))?.ranking).toMatchObject({ total: "42", unread: 0 });
  });

  test.each([
    ["never answers", { do: "hang" }],
    ["answers after ten seconds", { do: "delay", milliseconds: 10_000 }],
  ] as const)("goes out in time where Twilio %s", async (_, fault) => {
    for (let nth = 0; nth < 30; nth++) spending(nth);
    const isOfSubaccount = (request: SeenRequest) => isUsage(request) && !request.path.includes(parent);
    rig.twilio.fail({ on: isOfSubaccount, ...fault });
    expect(await within(5000, fire({ milliseconds: 5000 }))).toEqual(DONE);
    expect((await incidentOf(parent))?.ranking).toMatchObject({ currency: "", total: "0", unread: 33, spenders: [] });
    expect(await rig.alertsOf(parent)).toMatchObject([{ severity: "critical" }]);
  });

  test("goes out without a ranking where the accounts cannot be listed", async () => {
    spending(900);
    rig.twilio.fail({ on: ({ path }) => path.includes("/Accounts.json"), do: "answer", status: 500, body: "{}" });
    expect(await fire({ policy: SUSPEND_TOP, milliseconds: 1500 })).toEqual(DONE);
    expect(await incidentOf(parent)).toMatchObject({ state: "alerted", ranking: null });
    expect(await rig.alertsOf(parent)).toMatchObject([{ severity: "critical" }]);
  });

  test("does not compare currencies: what is in another than most is unread", async () => {
    const euros = spending(900, { currency: "EUR" });
    const dollars = spending(3);
    await fire({ policy: SUSPEND_TOP });
    const ranking = (await incidentOf(parent))?.ranking;
    expect(ranking).toMatchObject({
      currency: "USD",
      total: "3",
      unread: 1,
      spenders: [{ accountSid: dollars }, {}, {}, {}],
    });
    for (const account of [euros, dollars]) expect(await rig.inboxOf(account)).toEqual([]);
  });

  test("of a parent none of whose accounts spent anything says so", async () => {
    await fire({ policy: SUSPEND_TOP });
    expect((await incidentOf(parent))?.ranking).toMatchObject({ total: "0", unread: 0 });
    expect((await rig.alertsOf(parent))[0]?.text).toContain("in all 0 USD today");
  });

  test("is given once a day, however often it fires; Twilio is asked for the ranking once", async () => {
    const account = spending(10);
    for (let times = 0; times < 4; times++) await fire({ policy: SUSPEND_TOP });
    expect(await rig.alertsOf(parent)).toHaveLength(1);
    expect(rig.twilio.requests().filter(isUsageOf(account))).toHaveLength(1);
    expect(await incidentOf(parent)).toMatchObject({ signals: 4 });
  });
});

test("300 subaccounts are read with at most ten requests at the same time", async () => {
  for (let nth = 0; nth < 297; nth++) rig.simulator.addSubaccount();
  const top = spending(12);
  const counted = { now: 0, most: 0 };
  rig.twilio.fail({
    on: isUsage,
    do: "call",
    hook: async () => {
      counted.now += 1;
      counted.most = Math.max(counted.most, counted.now);
      // Long enough for as many as may to come together.
      await systemClock.sleep(60);
      counted.now -= 1;
    },
  });
  expect(await within(15_000, fire())).toEqual(DONE);
  // One more is the parent's own evidence.
  expect(counted.most).toBeLessThanOrEqual(11);
  expect(counted.most).toBeGreaterThan(5);
  expect(rig.twilio.requests().filter(isUsage)).toHaveLength(302);
  expect((await incidentOf(parent))?.ranking).toMatchObject({
    unread: 0,
    total: "12",
    spenders: { 0: { accountSid: top } },
  });
});

describe("suspend-top", () => {
  test("suspends the one that makes more than half, by a signal of its own", async () => {
    const [top, other] = [spending("60.02", { friendlyName: "Runaway" }), spending("59.98")];
    expect(await fire({ policy: SUSPEND_TOP })).toEqual(DONE);
    const [signal, ...others] = await rig.inboxOf(top);
    expect(others).toEqual([]);
    // 50.02 %, which rounds to 50.0.
    expect(signal).toMatchObject({ kind: "top-spender", price: "60.02", currency: "USD", share: "50.0" });
    if (signal === undefined) throw new Error("no signal came");

    for (const _ of ["once", "and again"]) await deliver(signal, { policy: SUSPEND_TOP });
    expect(statusOf(top)).toBe("suspended");
    expect([statusOf(other), statusOf(parent)]).toEqual(["active", "active"]);
    expect(await incidentOf(top)).toMatchObject({
      ...{ state: "suspended", rule: "parent: suspend-top", signals: 1, trip: null },
      reason: "it makes 50.0 % of today's spend (60.02 USD), and the parent's own trigger fired",
    });
    expect(await rig.alertsOf(top)).toMatchObject([{ about: "suspended", severity: "critical" }]);
  });

  test("is off unless it is written, also when a signal is there already", async () => {
    const top = spending(99);
    await fire({ policy: SUSPEND_TOP });
    const [signal] = await rig.inboxOf(top);
    if (signal === undefined) throw new Error("no signal came");
    await deliver(signal, { policy: ALERT });
    expect(statusOf(top)).toBe("active");
    expect(await incidentOf(top)).toMatchObject({ state: "alerted", because: "rule" });
  });

  test("leaves all alone where nobody makes more than half", async () => {
    const all = [spending("30.01"), spending("30.01"), spending(0)];
    await fire({ policy: SUSPEND_TOP });
    for (const account of all) expect(await rig.inboxOf(account)).toEqual([]);
  });

  test("counts what was spent by an account that is suspended by now", async () => {
    const [culprit, innocent] = [spending(900), spending(9)];
    rig.simulator.setStatus(culprit, "suspended");
    await fire({ policy: SUSPEND_TOP });
    expect(await rig.inboxOf(innocent)).toEqual([]);
    const [signal] = await rig.inboxOf(culprit);
    if (signal === undefined) throw new Error("no signal came");
    await deliver(signal, { policy: SUSPEND_TOP });
    expect(await incidentOf(culprit)).toMatchObject({ containment: { by: "already-suspended" } });
  });

  test("counts what the parent itself spent, and needs to know it", async () => {
    const innocent = spending(9);
    rig.simulator.addUsage(parent, { category: "sms", price: 500 });
    await fire({ policy: SUSPEND_TOP });
    expect(await rig.inboxOf(innocent)).toEqual([]);
  });

  test("needs to know what the parent's Usage Records say", async () => {
    const top = spending(99);
    rig.twilio.fail({ on: isUsageOf(parent), do: "answer", status: 500, body: "{}" });
    await fire({ policy: SUSPEND_TOP });
    expect(await rig.inboxOf(top)).toEqual([]);
    expect((await incidentOf(parent))?.ranking).toMatchObject({ total: "99" });
  });

  test.each([
    ["exempt", { exempt: [{ account: "", why: "emergency line", until: null }] }, "exempt"],
    ["in observe mode", { mode: "observe" }, "observe-mode"],
  ] as const)("does not suspend an account that is %s", async (_, changes, because) => {
    const top = spending(99);
    const exempt = "exempt" in changes ? changes.exempt.map((one) => ({ ...one, account: top })) : [];
    const policy = { ...SUSPEND_TOP, ...changes, exempt };
    await fire({ policy });
    const [signal] = await rig.inboxOf(top);
    if (signal === undefined) throw new Error("no signal came");
    await deliver(signal, { policy });
    expect(statusOf(top)).toBe("active");
    expect(await incidentOf(top)).toMatchObject({ state: "alerted", because });
  });

  test("does not suspend an account while the brake holds", async () => {
    const top = spending(99);
    for (const used of [spending(1), spending(1)]) await deliver(firing(used));
    await fire({ policy: SUSPEND_TOP });
    const [signal] = await rig.inboxOf(top);
    if (signal === undefined) throw new Error("no signal came");
    await deliver(signal, { policy: SUSPEND_TOP });
    expect(statusOf(top)).toBe("active");
    expect(await incidentOf(top)).toMatchObject({ state: "alerted", because: "brake" });
  });

  test("does not hold up the alert where the inbox is down, and is asked for again", async () => {
    const top = spending(99);
    const proxy = await startFaultProxy(rig.aws.messagingUrl);
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    const sqs = new SQSClient({ endpoint: proxy.url, region: "us-east-1", credentials, maxAttempts: 1 });
    const inbox = sqsInbox(sqs, rig.aws.inboxUrl.replace(rig.aws.messagingUrl, proxy.url));
    const signal = firing(parent);
    try {
      proxy.fail({ do: "cut" });
      const outcome = await deliver(signal, { policy: SUSPEND_TOP, inbox });
      expect(outcome).toMatchObject({ kind: "again", why: expect.stringContaining("top spender") });
      expect((await rig.alertsOf(parent))[0]?.text).toContain("99 USD (100.0 %)");
      proxy.clear();
      const tooLate: Clock = { ...systemClock, now: () => new Date(Date.now() + 16 * 60_000) };
      expect(await deliver(signal, { policy: SUSPEND_TOP, inbox })).toEqual(DONE);
      expect(await rig.inboxOf(top)).toHaveLength(1);
      // What was spent then says nothing about now.
      const asked = proxy.requests().length;
      expect(await deliver(firing(parent), { policy: SUSPEND_TOP, inbox, clock: tooLate })).toEqual(DONE);
      expect(proxy.requests()).toHaveLength(asked);
      expect(await rig.alertsOf(parent)).toHaveLength(1);
    } finally {
      sqs.destroy();
      await proxy.close();
    }
  });
});
