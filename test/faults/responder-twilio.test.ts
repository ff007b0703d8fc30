import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import type { TimelineEntry } from "../../lib/incidents/incident.ts";
import type { FaultOrder } from "../../local/twilio/faults.ts";
import type { Fault } from "../support/fault-proxy.ts";
import { within } from "../support/lived-time.ts";
import { type Rig, startRig } from "../support/responder-rig.ts";
import { firing } from "../support/signals.ts";

// What Twilio can do to a suspension: by real HTTP, against a Twilio that keeps its state.

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

/** Time for one or two tries, instead of 14 seconds. */
const SHORT = { milliseconds: 1200 };

const changes = () => rig.twilio.requests().filter(({ method }) => method !== "GET");
const status = (sid = account) => rig.simulator.account(sid).status;
const suspensionOf = (sid: string) => `/Accounts/${sid}(\\.json)?$`;
const failSuspension = (fault: Omit<FaultOrder, "method" | "path">) =>
  rig.simulator.addFault({ method: "POST", path: suspensionOf(account), ...fault });
const twilioFails = (method: string, fault: Fault & { times?: number; when?: "before" | "after" }) =>
  rig.twilio.fail({ on: (request) => request.method === method && request.path.endsWith(`${account}.json`), ...fault });
const only = async (sid = account) => {
  const [recorded, ...others] = await rig.incidentsOf(sid);
  expect(others).toEqual([]);
  if (recorded === undefined) throw new Error("no incident is on record");
  return recorded;
};
const toldOf = async () => (await rig.alertsOf(account)).map(({ about }) => about);

/** What happened, in order; the calls are ended while the evidence is read, so either may be first. */
function storyOf(timeline: readonly TimelineEntry[]): string[] {
  const story = timeline.map(({ what }) => what);
  const evidence = story.findIndex((what, index) => what === "evidence-read" && story[index + 1] === "calls-ended");
  return evidence === -1 ? story : story.toSpliced(evidence, 2, "calls-ended", "evidence-read");
}

describe("an ordinary firing", () => {
  test("suspends, ends the calls, is recorded, and is told of once", async () => {
    rig.simulator.addUsage(account, { category: "sms", count: 434, price: 130.25 });
    for (const state of ["queued", "ringing", "in-progress"] as const)
      rig.simulator.addCalls(account, { status: state });
    const signal = firing(account);

    expect(await rig.deliver(signal)).toEqual({ kind: "done" });

    expect(rig.simulator.account(account)).toMatchObject({ status: "suspended", liveCalls: 0 });
    expect(rig.suspensionRequests(account)).toBe(1);
    const { incident, timeline } = await only();
    expect(incident).toMatchObject({
      accountSid: account,
      friendlyName: "Northwind",
      state: "suspended",
      rule: "totalprice by price, daily, at 100",
      reason: "totalprice by price reached 130.25, its limit is 100",
      trip: { triggerValue: "100.000000", currentValue: "130.25", overshoot: "30.25", overshootPercent: "30.3" },
      containment: { by: "tollbreaker", callsEnded: 3, callsLeft: 0 },
      evidence: { currency: "USD", totalPriceToday: "130.25" },
      failure: null,
      signals: 1,
      alerts: [{ about: "suspended", publishedAt: expect.any(String) }],
    });
    const { firedAt, receivedAt, suspendedAt, lags } = incident;
    expect([firedAt, receivedAt]).toEqual([signal.firedAt, signal.receivedAt]);
    expect(lags).toEqual({
      firedToReceived: 30_000,
      receivedToSuspended: Date.parse(suspendedAt ?? "") - Date.parse(receivedAt),
      firedToSuspended: Date.parse(suspendedAt ?? "") - Date.parse(firedAt ?? ""),
    });
    expect(storyOf(timeline)).toEqual([
      "opened",
      "suspended",
      "calls-ended",
      "evidence-read",
      "alert-published",
      "checked",
    ]);
    expect(timeline.map(({ who }) => who)).toEqual(["twilio", ...Array(5).fill("tollbreaker")]);
    const [alert, ...more] = await rig.alertsOf(account);
    expect(more).toEqual([]);
    expect(alert).toMatchObject({ about: "suspended", severity: "critical", id: incident.alerts[0]?.id });
    expect(alert?.incidentUrl).toBe(`https://tollbreaker.example.com/api/incidents/${incident.id}`);
  });

  test("delivered again, it does nothing at all", async () => {
    const signal = firing(account);
    await rig.deliver(signal);
    const before = await only();
    const asked = changes().length;

    // Ten minutes later SQS has forgotten the message; it may come with another time of receipt.
    const again = { ...signal, receivedAt: new Date(Date.now() + 600_000).toISOString() };
    expect(await rig.deliver(again)).toEqual({ kind: "done" });

    expect(await only()).toEqual(before);
    // Its account is read while our own store is.
    expect(changes().length).toBe(asked);
    expect(await toldOf()).toEqual(["suspended"]);
  });
});

describe("a suspension that Twilio fails to confirm at first is confirmed by reading the account", () => {
  test.each<[string, Omit<FaultOrder, "method" | "path">, number]>([
    ["429", { effect: { kind: "status", status: 429 }, times: 2 }, 3],
    ["500, not done", { effect: { kind: "status", status: 500 }, times: 1 }, 2],
    ["500, and yet done", { effect: { kind: "status", status: 500, acts: true } }, 1],
    ["503, not done", { effect: { kind: "status", status: 503 }, times: 1 }, 2],
    ["503, and yet done", { effect: { kind: "status", status: 503, acts: true } }, 1],
    ["a cut connection, not done", { effect: { kind: "drop" }, times: 1 }, 2],
    ["a cut connection, and yet done", { effect: { kind: "drop", acts: true } }, 1],
    ["200, and not done", { effect: { kind: "lie" }, times: 2 }, 3],
  ])("%s", async (_, fault, requests) => {
    failSuspension(fault);
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(status()).toBe("suspended");
    expect(rig.suspensionRequests(account)).toBe(requests);
    expect((await only()).incident).toMatchObject({ state: "suspended", containment: { by: "tollbreaker" } });
    expect(await toldOf()).toEqual(["suspended"]);
  });

  test("a time-out, and yet done: it is found out after the time is over", async () => {
    failSuspension({ effect: { kind: "time-out", acts: true } });
    expect(await rig.deliver(firing(account), SHORT)).toEqual({ kind: "done" });
    expect((await only()).incident).toMatchObject({ state: "suspended", containment: { by: "tollbreaker" } });
    expect(rig.suspensionRequests(account)).toBe(1);
  });

  test("the account cannot be read for a while", async () => {
    twilioFails("GET", { do: "cut", times: 1 });
    twilioFails("GET", { do: "answer", status: 503, times: 1 });
    twilioFails("GET", { do: "answer", status: 200, body: "<html>a proxy's page</html>", times: 1 });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect((await only()).incident.state).toBe("suspended");
  });
});

describe("a suspension that Twilio does not confirm within the time is failed, told, and tried again", () => {
  test.each<[string, Omit<FaultOrder, "method" | "path">, string, number | null]>([
    ["429", { effect: { kind: "status", status: 429 } }, "Twilio error 20429 (HTTP 429): Too Many Requests", 20429],
    [
      "500",
      { effect: { kind: "status", status: 500 } },
      "Twilio error 20500 (HTTP 500): An internal server error has occurred",
      20500,
    ],
    ["a time-out", { effect: { kind: "time-out" } }, "Twilio: no answer in time", null],
    [
      "200, and not done",
      { effect: { kind: "lie" } },
      "Twilio accepted the suspension, but the account still reads as active",
      null,
    ],
  ])("%s", async (_, fault, message, twilioCode) => {
    failSuspension(fault);
    const signal = firing(account);
    expect(await rig.deliver(signal, SHORT)).toEqual({ kind: "again", why: `not suspended yet: ${message}` });
    expect(status()).toBe("active");
    expect((await only()).incident).toMatchObject({
      state: "failed",
      reason: message,
      containment: null,
      failure: { twilioCode, message, retrying: true },
    });
    expect(await toldOf()).toEqual(["failed"]);

    // A further failure is no change of state.
    expect(await rig.deliver(signal, { ...SHORT, attempt: 2 })).toMatchObject({ kind: "again" });
    expect(await toldOf()).toEqual(["failed"]);

    rig.mend();
    expect(await rig.deliver(signal, { attempt: 3 })).toEqual({ kind: "done" });
    const { incident, timeline } = await only();
    expect(incident).toMatchObject({
      state: "suspended",
      reason: "totalprice by price reached 130.25, its limit is 100",
      failure: null,
      signals: 1,
    });
    expect(await toldOf()).toEqual(["failed", "suspended"]);
    const told = ["evidence-read", "alert-published"];
    expect(storyOf(timeline)).toEqual(["opened", "failed", ...told, "suspended", "calls-ended", ...told, "checked"]);
  });

  test("however often: Tollbreaker goes on trying, and people are told once", async () => {
    failSuspension({ effect: { kind: "status", status: 503 } });
    const signal = firing(account);
    for (const attempt of [9, 10, 19, 20]) {
      expect(await rig.deliver(signal, { ...SHORT, attempt })).toEqual({
        kind: "again",
        why: "not suspended yet: Twilio error 20503 (HTTP 503): Service is unavailable. Please try again",
      });
      expect((await only()).incident).toMatchObject({ state: "failed", failure: { retrying: true } });
    }
    expect(await rig.alertsOf(account)).toHaveLength(1);
  });

  test("a Twilio that never answers leaves time to say so", async () => {
    for (const method of ["GET", "POST"] as const) twilioFails(method, { do: "hang" });
    expect(await within(4500, rig.deliver(firing(account), { milliseconds: 1500 }))).toMatchObject({ kind: "again" });
    expect((await only()).incident.failure).toMatchObject({ message: "Twilio: no answer in time" });
    rig.mend();
    expect(await rig.followUp(account)).toEqual([]);
    expect(await toldOf()).toEqual(["failed"]);
  });
});

describe("a refusal that is final is failed with its reason, told once, and not repeated", () => {
  async function expectRefused(code: number | null, message: string): Promise<void> {
    const signal = firing(account);
    expect(await rig.deliver(signal)).toEqual({ kind: "done" });
    const { incident } = await only();
    expect(incident).toMatchObject({ state: "failed", failure: { twilioCode: code, retrying: false } });
    expect(incident.failure?.message).toContain(message);
    const asked = changes().length;
    expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(changes().length).toBe(asked);
    expect(await toldOf()).toEqual(["failed"]);
  }

  test.each([21475, 21477])("code %i, to the status update", async (code) => {
    twilioFails("POST", { do: "answer", status: 400, body: JSON.stringify({ code, message: "said no", status: 400 }) });
    await expectRefused(code, `Twilio error ${code} (HTTP 400): said no`);
    expect(rig.suspensionRequests(account)).toBe(0);
    expect(status()).toBe("active");
  });

  test("an account of another parent", async () => {
    const stranger = `AC${"f".repeat(32)}`;
    const answer = { sid: account, owner_account_sid: stranger, friendly_name: "", status: "active" };
    twilioFails("GET", { do: "answer", status: 200, body: JSON.stringify(answer) });
    await expectRefused(null, `the account belongs to ${stranger}, not to ${rig.simulator.parent().accountSid}`);
    expect(rig.suspensionRequests(account)).toBe(0);
  });
});

const json = (status: number, code: number) => ({
  status,
  body: JSON.stringify({ code, message: "said no", status }),
});
const CAN_PASS: readonly [string, { status: number; body?: string }, string][] = [
  ["401 with 20003", json(401, 20003), "Twilio error 20003 (HTTP 401): said no"],
  ["403 with 20003", json(403, 20003), "Twilio error 20003 (HTTP 403): said no"],
  ["20005", json(400, 20005), "Twilio error 20005 (HTTP 400): said no"],
  ["20008", json(401, 20008), "Twilio error 20008 (HTTP 401): said no"],
  ["20403", json(403, 20403), "Twilio error 20403 (HTTP 403): said no"],
  ["10001", json(403, 10001), "Twilio error 10001 (HTTP 403): said no"],
  ["21476", json(400, 21476), "Twilio error 21476 (HTTP 400): said no"],
  ["70051", json(401, 70051), "Twilio error 70051 (HTTP 401): said no"],
  ["90010", json(403, 90010), "Twilio error 90010 (HTTP 403): said no"],
  ["20404", json(404, 20404), "Twilio error 20404 (HTTP 404): said no"],
  ["a code that nobody knows", json(400, 12345), "Twilio error 12345 (HTTP 400): said no"],
  ["401 of a gateway", { status: 401 }, "Twilio (HTTP 401): HTTP 401"],
  ["403 of a proxy", { status: 403, body: "<html>" }, "Twilio (HTTP 403): HTTP 403"],
  ["404 of a proxy", { status: 404, body: "{}" }, "Twilio (HTTP 404): HTTP 404"],
  ["418", { status: 418, body: "short and stout" }, "Twilio (HTTP 418): HTTP 418"],
  [
    "21477 on the way from somebody else",
    { status: 403, body: '{"code":21477,"message":"said no","status":400}' },
    "Twilio (HTTP 403): said no",
  ],
];

describe("a refusal that can pass ends nothing", () => {
  const everything = (answer: { status: number; body?: string }, times?: number) =>
    rig.twilio.fail({
      on: ({ path }) => path.includes(account),
      do: "answer",
      ...answer,
      ...(times !== undefined && { times }),
    });

  test.each(CAN_PASS)("%s, for a moment: suspended in the same delivery, and nobody is bothered", async (_, answer) => {
    everything(answer, 3);
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect((await only()).incident).toMatchObject({ state: "suspended", containment: { by: "tollbreaker" } });
    expect(await toldOf()).toEqual(["suspended"]);
  });

  test.each(CAN_PASS)("%s, for longer: told, and suspended by a later delivery", async (_, answer, message) => {
    everything(answer);
    const signal = firing(account);
    expect(await rig.deliver(signal, SHORT)).toMatchObject({ kind: "again" });
    expect((await only()).incident).toMatchObject({ state: "failed", failure: { message, retrying: true } });
    // Where the delivery's time was not enough for the alert.
    await rig.followUp(account);
    rig.mend();
    expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(status()).toBe("suspended");
    expect(await toldOf()).toEqual(["failed", "suspended"]);
  });

  test.each(CAN_PASS.slice(0, 4))(
    "%s to every reading: what Twilio signed for is suspended without",
    async (_, answer) => {
      rig.twilio.fail({
        on: ({ method, path }) => method === "GET" && path.endsWith(`/${account}.json`),
        do: "answer",
        ...answer,
      });
      expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
      expect(status()).toBe("suspended");
      expect((await only()).incident).toMatchObject({ state: "suspended", containment: { by: "tollbreaker" } });
    },
  );

  test("an answer for another account, to every reading, says nothing of this one", async () => {
    const [other] = rig.simulator.subaccounts();
    const parent = rig.simulator.parent().accountSid;
    const body = { sid: other?.accountSid, owner_account_sid: parent, friendly_name: "", status: "suspended" };
    twilioFails("GET", { do: "answer", status: 200, body: JSON.stringify(body) });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(status()).toBe("suspended");
  });

  test("an account that Twilio does not know, though it signed for it, may be there in a moment", async () => {
    account = `AC${"0".repeat(31)}7`;
    expect(await rig.deliver(firing(account), SHORT)).toMatchObject({ kind: "again" });
    expect((await only()).incident.failure).toMatchObject({ twilioCode: 20404, retrying: true });
  });
});

describe("a slow Twilio", () => {
  test("takes 4, 5.5 or 10 seconds for each answer: it is asked in the first delivery, and the account is suspended", async () => {
    // At the same time, each on an account of its own: Twilio's answers take as long as they take.
    await Promise.all([4000, 5500, 10_000].map(expectSuspended));
  }, 60_000);

  async function expectSuspended(milliseconds: number): Promise<void> {
    const { accountSid } = rig.simulator.addSubaccount();
    rig.simulator.addFault({ effect: { kind: "latency", milliseconds }, accountSid });
    const signal = firing(accountSid);
    const begun = Date.now();
    for (const attempt of [1, 2, 3]) {
      // With its pauses: they would let the others' time pass.
      await rig.deliver(signal, { attempt, clock: systemClock });
      if (attempt === 1) expect(rig.suspensionRequests(accountSid)).toBeGreaterThan(0);
      if (status(accountSid) === "suspended") break;
    }
    expect(status(accountSid)).toBe("suspended");
    expect(Date.now() - begun).toBeLessThan(30_000);
    const { incident } = await only(accountSid);
    expect(incident).toMatchObject({ state: "suspended", containment: { by: "tollbreaker" } });
  }
});

describe("what is contained already counts as contained", () => {
  test.each<[string, () => void, string]>([
    ["suspended before by somebody else", () => rig.simulator.setStatus(account, "suspended"), "already-suspended"],
    ["closed before", () => rig.simulator.setStatus(account, "closed"), "closed"],
    ["suspended by Twilio before", () => rig.simulator.suspendByTwilio(account), "already-suspended"],
  ])("%s: nothing is asked of Twilio", async (_, prepare, by) => {
    prepare();
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect((await only()).incident).toMatchObject({ state: "suspended", containment: { by, callsLeft: 0 } });
    expect(rig.suspensionRequests(account)).toBe(0);
    expect(await toldOf()).toEqual(["suspended"]);
  });

  test.each<[number, () => void, string]>([
    [21478, () => rig.simulator.suspendByTwilio(account), "suspended-by-twilio"],
    [21479, () => rig.simulator.setStatus(account, "closed"), "closed"],
  ])("%i: it happened between the reading and the request", async (_, meanwhile, by) => {
    twilioFails("POST", { do: "call", hook: meanwhile });
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect((await only()).incident).toMatchObject({ state: "suspended", containment: { by } });
    expect(await toldOf()).toEqual(["suspended"]);
  });
});

describe("an account that somebody set active by hand, past us", () => {
  const later = () => ({ firedAt: new Date(Date.now() + 5000).toISOString() });

  test("is suspended again by what fires after the suspension, and people are told", async () => {
    await rig.deliver(firing(account));
    rig.simulator.setStatus(account, "active");
    rig.simulator.addCalls(account, { calls: 2 });

    const again = firing(account, { ...later(), triggerValue: "200", currentValue: "250" });
    expect(await rig.deliver(again)).toEqual({ kind: "done" });

    expect(rig.simulator.account(account)).toMatchObject({ status: "suspended", liveCalls: 0 });
    const { incident, timeline } = await only();
    expect(incident).toMatchObject({
      state: "suspended",
      rule: "totalprice by price, daily, at 200",
      trip: { currentValue: "250" },
      containment: { by: "tollbreaker", callsEnded: 2, callsLeft: 0 },
      signals: 2,
    });
    expect(timeline.map(({ what }) => what)).toContain("signal-joined");
    expect(timeline.find(({ why }) => why.startsWith("was active again"))?.what).toBe("suspended");
    expect(await toldOf()).toEqual(["suspended", "suspended"]);
    expect(new Set(incident.alerts.map(({ id }) => id)).size).toBe(2);
  });

  test("is left alone by what fired before the suspension and only came late", async () => {
    await rig.deliver(firing(account));
    rig.simulator.setStatus(account, "active");
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(status()).toBe("active");
    expect(await toldOf()).toEqual(["suspended"]);
  });

  test("found suspended, as it should be, it is only read: nobody is told again", async () => {
    await rig.deliver(firing(account));
    const asked = rig.suspensionRequests(account);
    expect(await rig.deliver(firing(account, later()))).toEqual({ kind: "done" });
    expect(rig.suspensionRequests(account)).toBe(asked);
    expect((await only()).incident).toMatchObject({ state: "suspended", signals: 2 });
    expect(await toldOf()).toEqual(["suspended"]);
  });

  test("when Twilio does not say whether it is suspended, the message comes again", async () => {
    await rig.deliver(firing(account));
    rig.simulator.setStatus(account, "active");
    failSuspension({ effect: { kind: "status", status: 503 } });
    const signal = firing(account, later());
    const delivered = await rig.deliver(signal, SHORT);
    expect(delivered).toMatchObject({ kind: "threw", error: { code: "containment-unconfirmed" } });
    rig.mend();
    expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(status()).toBe("suspended");
    expect(await toldOf()).toEqual(["suspended", "suspended"]);
  });
});
