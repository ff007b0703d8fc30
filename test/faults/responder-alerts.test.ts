import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AlertPublisher } from "../../lib/alerts/publish.ts";
import { systemClock } from "../../lib/clock.ts";
import type { IncidentRecord } from "../../lib/incidents/change.ts";
import type { Policy } from "../../lib/policy/policy.ts";
import { publishDue } from "../../lib/response/publish-alerts.ts";
import { policyOf, SUSPEND_ALL } from "../support/policies.ts";
import { type Rig, startRig } from "../support/responder-rig.ts";
import { firing, notUnderstood } from "../support/signals.ts";

// SNS failing, and the signals that people are told of without a suspension.

const OBSERVE: Policy = { ...SUSPEND_ALL, mode: "observe" };

let rig: Rig;
let account: string;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  account = rig.simulator.addSubaccount({ friendlyName: "Northwind" }).accountSid;
});
afterEach(() => rig.mend());

const status = () => rig.simulator.account(account).status;
const toldOf = async () => (await rig.alertsOf(account)).map(({ about }) => about);
const only = async () => {
  const [recorded, ...others] = await rig.incidentsOf(account);
  expect(others).toEqual([]);
  if (recorded === undefined) throw new Error("no incident is on record");
  return recorded;
};

describe("SNS", () => {
  test("down: the account is suspended, and the alert arrives once when SNS is back", async () => {
    rig.sns.fail({ do: "cut" });
    const signal = firing(account);
    expect(await rig.deliver(signal)).toMatchObject({
      kind: "again",
      why: expect.stringMatching(/^alert not published: SNS did not take the alert/),
    });
    expect(status()).toBe("suspended");
    const before = (await only()).incident.alerts;
    expect(before).toMatchObject([{ about: "suspended", publishedAt: null }]);

    expect(await rig.deliver(signal, { attempt: 2 })).toMatchObject({ kind: "again" });
    rig.mend();
    expect(await rig.deliver(signal, { attempt: 3 })).toEqual({ kind: "done" });
    const alerts = await rig.alertsOf(account);
    expect(alerts.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect((await only()).incident.alerts).toMatchObject([{ publishedAt: expect.any(String) }]);
  });

  test("throttled or slow: the alert arrives", async () => {
    rig.sns.fail({ times: 1, do: "answer", status: 503, body: "" });
    rig.sns.fail({ nth: 2, do: "delay", milliseconds: 300 });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(await toldOf()).toEqual(["suspended"]);
  });

  test("taking the alert without saying so: a repeat carries the same id", async () => {
    rig.sns.fail({ times: 3, when: "after", do: "cut" });
    const signal = firing(account);
    expect(await rig.deliver(signal)).toMatchObject({ kind: "again" });
    expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    const ids = (await rig.alertsOf(account)).map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids)).toEqual(new Set((await only()).incident.alerts.map(({ id }) => id)));
  });

  test("down while Twilio was down, too: nobody is told to act on a failure that is over", async () => {
    rig.sns.fail({ do: "cut" });
    rig.simulator.addFault({ method: "POST", effect: { kind: "status", status: 503 } });
    const signal = firing(account);
    expect(await rig.deliver(signal, { milliseconds: 800 })).toMatchObject({ kind: "again" });
    rig.mend();
    expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(await toldOf()).toEqual(["suspended"]);
  });
});

describe("what an incident owes", () => {
  const LADDER = policyOf(`
mode: enforce
limits:
  half: { category: totalprice, by: price, every: day, at: 50, then: alert }
  most: { category: totalprice, by: price, every: day, at: 80, then: alert }
unlisted: alert
`);
  const warn = (limit: string, currentValue: string) =>
    rig.deliver(firing(account, { limit, currentValue, triggerValue: limit === "half" ? "50" : "80" }), {
      policy: LADDER,
    });
  const until = (milliseconds: number) => ({ clock: systemClock, deadline: Date.now() + milliseconds });

  /** An incident with an alert of each rule that nobody could be told of. */
  async function owingTwo(): Promise<IncidentRecord> {
    rig.sns.fail({ do: "cut" });
    await warn("half", "55");
    await warn("most", "5000");
    rig.mend();
    const record = await rig.store.load((await only()).incident.id);
    if (record === undefined) throw new Error("no incident is on record");
    return record;
  }

  test("is told by each alert as it was: the rule that it is about, and its numbers", async () => {
    const { failures } = await publishDue(rig.responder(), await owingTwo(), until(5000));
    expect(failures).toEqual([]);
    const alerts = await rig.alertsOf(account);
    expect(alerts.map(({ text }) => text.match(/^(Rule|Why) .*$/gm))).toEqual([
      ["Rule         half", "Why          totalprice by price reached 55, its limit is 50"],
      ["Rule         most", "Why          totalprice by price reached 5000, its limit is 80"],
    ]);
    expect(alerts[0]?.text).not.toContain("5000");
    expect(alerts[1]?.text).toContain("5,000 USD, 6,250 % of its limit of 80 USD");
  });

  test("one that fails keeps no later one from being tried", async () => {
    const record = await owingTwo();
    const [first] = record.incident.alerts;
    const { alerts } = rig.responder();
    const publisher: AlertPublisher = {
      publish: (alert, signal) =>
        alert.id === first?.id ? Promise.reject(new Error("no luck")) : alerts.publish(alert, signal),
    };
    const published = await publishDue(rig.responder({ alerts: publisher }), record, until(5000));
    expect(published.failures).toEqual(["alert not published: no luck"]);
    expect(await toldOf()).toHaveLength(1);
    expect((await only()).incident.alerts).toMatchObject([{ publishedAt: null }, { publishedAt: expect.any(String) }]);
    // Made from what was stored: the next change can be, too.
    expect((await publishDue(rig.responder(), published.record, until(5000))).failures).toEqual([]);
    expect(await toldOf()).toHaveLength(2);
  });

  test("a table that fails keeps no alert from being tried, either", async () => {
    const record = await owingTwo();
    rig.dynamo.fail({ do: "cut" });
    const { failures } = await publishDue(rig.responder(), record, until(15_000));
    expect(failures).toHaveLength(2);
    expect(await toldOf()).toHaveLength(2);
  });

  test("waits where there is no time for it: a slow SNS holds nobody up beyond the end", async () => {
    const record = await owingTwo();
    rig.sns.fail({ do: "delay", milliseconds: 10_000 });
    const begun = Date.now();
    const { failures } = await publishDue(rig.responder(), record, until(300));
    expect(Date.now() - begun).toBeLessThan(5000);
    expect(failures).toEqual([
      expect.stringMatching(/^alert not published: (not taken within \d+ ms|SNS did not take)/),
      "alert not published: the time was over",
    ]);
    expect((await only()).incident.alerts).toMatchObject([{ publishedAt: null }, { publishedAt: null }]);
  });

  test("with a defect in it goes out in plain words, once, and is no reason to come again", async () => {
    const record = await owingTwo();
    const broken = { ...record, incident: { ...record.incident, trip: JSON.parse('{"usageCategory":7}') } };
    expect((await publishDue(rig.responder(), broken, until(5000))).failures).toEqual([]);
    const [, plain] = await rig.alertsOf(account);
    expect(plain).toMatchObject({ shortened: true, severity: "critical" });
    expect(plain?.headline).toBe(
      "Northwind (alerted): it tripped and was not suspended. The details could not be shown: see the incident.",
    );
    const logged = rig.logged.filter((line) => line.includes(record.incident.id));
    expect(logged.some((line) => line.includes('"alert-not-composed"'))).toBe(true);
    expect(logged.some((line) => line.includes('"AlertsNotComposed":1'))).toBe(true);
  });
});

describe("numbers as whoever signs may write them", () => {
  test.each(["+130", "130.", ".5e3", "1E+2", "-0", "9".repeat(30)])(
    "%s: the account is suspended and people are told so, once",
    async (currentValue) => {
      expect(await rig.deliver(firing(account, { currentValue }))).toEqual({ kind: "done" });
      expect(status()).toBe("suspended");
      expect(await toldOf()).toEqual(["suspended"]);
    },
  );
});

describe("an alert that said that calls were live", () => {
  test("is corrected, once, when they are ended", async () => {
    rig.simulator.addCalls(account, { status: "in-progress", calls: 2 });
    const refusal = { do: "answer", status: 400, body: JSON.stringify({ code: 20001, message: "not now" }) } as const;
    rig.twilio.fail({ on: ({ method, path }) => method === "POST" && path.includes("/Calls/"), ...refusal });
    const signal = firing(account);
    expect(await rig.deliver(signal)).toEqual({ kind: "again", why: "calls left: 2" });
    const [wrong] = await rig.alertsOf(account);
    expect(wrong?.headline).toContain("but 2 calls are still live and losing money");
    rig.mend();
    expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    const [, right, ...others] = await rig.alertsOf(account);
    expect(others).toEqual([]);
    expect(right).toMatchObject({
      ...{ about: "calls-ended", severity: "info", subject: `Calls ended: Northwind ${account}` },
      headline:
        "No call of Northwind is live any more: the loss has stopped. An earlier alert said that calls were live, or might be.",
    });
    await rig.deliver(firing(account));
    expect(await toldOf()).toEqual(["suspended", "calls-ended"]);
  });
});

describe("twenty made-up rules", () => {
  const POLICY = (extra: string) =>
    policyOf(`
${extra}
limits:
  warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
`);
  test.each([
    ["observe mode", () => "mode: observe\nunlisted: suspend", "spend"],
    [
      "an exempt account",
      (sid: string) => `unlisted: alert\nexempt: [{ account: ${sid}, why: emergency line }]`,
      "spend",
    ],
    ["a limit that only alerts", () => "unlisted: alert", "warning"],
  ])("and more do not silence the policy's own: %s", async (_, extra, limit) => {
    const policy = POLICY(extra(account));
    const madeUp = (nth: number) => ({ usageCategory: "sms", triggerBy: "count", triggerValue: `${nth}` });
    for (let nth = 1; nth <= 25; nth++) await rig.deliver(firing(account, madeUp(nth)), { policy });
    const triggerValue = limit === "spend" ? "100" : "80";
    await rig.deliver(firing(account, { limit, triggerValue, currentValue: "5000" }), { policy });
    const alerts = await rig.alertsOf(account);
    expect(alerts).toHaveLength(21);
    expect(alerts.at(-1)?.text).toContain("5,000");
  });
});

describe("the parent account", () => {
  test("is never suspended: it is told that a person is needed", async () => {
    account = rig.simulator.parent().accountSid;
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(rig.simulator.parent().status).toBe("active");
    expect(rig.suspensionRequests(account)).toBe(0);
    expect((await only()).incident).toMatchObject({
      state: "alerted",
      because: "parent-account",
      reason:
        "totalprice by price reached 130.25, its limit is 100; the parent account cannot be suspended: a person is needed",
      containment: null,
    });
    expect(await rig.alertsOf(account)).toMatchObject([{ about: "alerted", severity: "critical" }]);

    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(await toldOf()).toEqual(["alerted"]);
    expect(rig.suspensionRequests(account)).toBe(0);
  });

  test("is not suspended either when the store is down", async () => {
    account = rig.simulator.parent().accountSid;
    rig.dynamo.fail({ do: "cut" });
    expect(await rig.deliver(firing(account))).toMatchObject({ kind: "again" });
    expect(rig.suspensionRequests(account)).toBe(0);
  });
});

describe("observe mode", () => {
  test("records and alerts, and suspends nothing; further signals join", async () => {
    expect(await rig.deliver(firing(account), { policy: OBSERVE })).toEqual({ kind: "done" });
    expect(await rig.deliver(firing(account), { policy: OBSERVE })).toEqual({ kind: "done" });
    expect(status()).toBe("active");
    expect(rig.suspensionRequests(account)).toBe(0);
    expect((await only()).incident).toMatchObject({
      state: "alerted",
      because: "observe-mode",
      reason: "totalprice by price reached 130.25, its limit is 100; in observe mode nothing is suspended",
      friendlyName: "Northwind",
      signals: 2,
    });
    expect(await rig.alertsOf(account)).toMatchObject([{ about: "alerted", severity: "warning" }]);
  });

  test("switched to enforce, the next firing suspends, and the incident tells of that firing", async () => {
    await rig.deliver(firing(account), { policy: OBSERVE });
    const signal = firing(account, { usageCategory: "sms", triggerValue: "50.0", currentValue: "75.5" });
    expect(await rig.deliver(signal)).toEqual({ kind: "done" });
    const { incident } = await only();
    expect(incident).toMatchObject({
      state: "suspended",
      rule: "sms by price, daily, at 50",
      reason: "sms by price reached 75.5, its limit is 50",
      receivedAt: signal.receivedAt,
      trip: { usageCategory: "sms", overshoot: "25.5" },
      signals: 2,
    });
    expect(await toldOf()).toEqual(["alerted", "suspended"]);
  });
});

describe("a webhook that was signed and not understood", () => {
  test("is told once for each incident, and suspends nothing", async () => {
    expect(await rig.deliver(notUnderstood(account))).toEqual({ kind: "done" });
    expect(await rig.deliver(notUnderstood(account))).toEqual({ kind: "done" });
    expect(status()).toBe("active");
    expect(rig.suspensionRequests(account)).toBe(0);
    expect((await only()).incident).toMatchObject({ state: "alerted", trip: null, signals: 2 });
    const [alert, ...others] = await rig.alertsOf(account);
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ about: "not-understood", severity: "warning" });
    expect(alert?.text).toContain("CurrentValue: expected a decimal number");
  });

  test("does not stand in the way of a genuine firing", async () => {
    await rig.deliver(notUnderstood(account));
    const signal = firing(account);
    expect(await rig.deliver(signal)).toEqual({ kind: "done" });
    expect(status()).toBe("suspended");
    expect((await only()).incident).toMatchObject({
      state: "suspended",
      rule: "totalprice by price, daily, at 100",
      reason: "totalprice by price reached 130.25, its limit is 100",
      firedAt: signal.firedAt,
      receivedAt: signal.receivedAt,
      trip: { currentValue: "130.25" },
      evidence: { currency: "USD" },
    });
    expect(await toldOf()).toEqual(["not-understood", "suspended"]);
  });

  test("is told of a contained account, too, once", async () => {
    await rig.deliver(firing(account));
    await rig.deliver(notUnderstood(account));
    await rig.deliver(notUnderstood(account));
    expect(await toldOf()).toEqual(["suspended", "not-understood"]);
    expect((await only()).incident).toMatchObject({ state: "suspended", signals: 3 });
  });

  test("shows no phone number and no message of a webhook that came here by mistake", async () => {
    const fields = {
      AccountSid: account,
      From: "+4915112345678",
      To: "+18005551212",
      Body: "my code is 4711",
      "": "x",
    };
    expect(await rig.deliver(notUnderstood(account, { fields }))).toEqual({ kind: "done" });
    const recorded = JSON.stringify([await only(), await rig.alertsOf(account)]);
    for (const secret of ["15112345678", "8005551212", "4711"]) expect(recorded).not.toContain(secret);
    const [opened] = (await only()).timeline;
    expect(opened?.detail).toMatchObject({ AccountSid: account, otherFields: 4 });
  });
});

describe("several triggers of one account", () => {
  test("make one incident and one alert; each is in its history", async () => {
    const [first, second] = [firing(account), firing(account, { usageCategory: "sms", triggerValue: "20" })];
    await rig.deliver(first);
    expect(await rig.deliver(second)).toEqual({ kind: "done" });
    const { incident, timeline } = await only();
    expect(incident).toMatchObject({ state: "suspended", signals: 2, rule: "totalprice by price, daily, at 100" });
    expect(timeline.find(({ what }) => what === "signal-joined")).toMatchObject({
      who: "twilio",
      why: "the account is already contained",
      detail: { usageCategory: "sms", triggerValue: "20" },
    });
    expect(await toldOf()).toEqual(["suspended"]);
    expect(rig.suspensionRequests(account)).toBe(1);
  });
});
