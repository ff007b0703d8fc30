import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Policy } from "../../lib/policy/policy.ts";
import { SUSPEND_ALL } from "../support/policies.ts";
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
