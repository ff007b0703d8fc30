import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ReactivateCommand } from "../../../lib/inbox/commands.ts";
import type { Incident } from "../../../lib/incidents/incident.ts";
import { check, dismiss, reactivate, releaseBrake, restoreNumbers, suspend } from "../../support/commands.ts";
import type { SeenRequest } from "../../support/fault-proxy.ts";
import { policyOf } from "../../support/policies.ts";
import { PUBLIC_URL, type Recorded, type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

// A contained account on its way back, through the real parts: Twilio's simulator, the table, the topic.

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

const POLICY = policyOf(`
limits:
  warning: { category: totalprice, by: price, every: day, at: 50, then: alert }
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  burst: { category: sms-outbound, by: count, every: day, at: 10, then: suspend }
brake: { suspensions: 1000, within: 10m }
probation: { share: 0.25, for: 24h }
`);
const NOTHING_SUSPENDS = policyOf(`
limits: { warning: { category: totalprice, by: price, every: day, at: 50, then: alert } }
brake: { suspensions: 1000, within: 10m }
`);
const DONE = { kind: "done" };

const status = () => rig.simulator.account(account).status;
const deliver: Rig["deliver"] = (message, changes) => rig.deliver(message, { policy: POLICY, ...changes });
const whats = ({ timeline }: Recorded) => timeline.map(({ what }) => what);
const isOf = (method: string, path: RegExp) => (request: SeenRequest) =>
  request.method === method && path.test(request.path) && request.path.includes(account);

async function story(): Promise<Recorded> {
  const [recorded, ...others] = await rig.incidentsOf(account);
  expect(others).toEqual([]);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}

async function incident(): Promise<Incident> {
  return (await story()).incident;
}

async function contained(): Promise<Incident> {
  expect(await deliver(firing(account))).toEqual(DONE);
  expect(status()).toBe("suspended");
  return incident();
}

async function answer(id: string): Promise<string | undefined> {
  return (await incident()).checklist?.items.find((item) => item.id === id)?.answer;
}

/** What Twilio lists, past the proxy. */
async function triggers() {
  return rig.triggersOf(account);
}

describe("right after containment", () => {
  test("each item of the check-list is answered by what Twilio says", async () => {
    const { checklist } = await contained();
    expect(checklist?.items.map(({ id, answer }) => [id, answer])).toEqual([
      ["suspended-by", "done"],
      ["live-calls", "done"],
      ["api-keys", "not-done"],
      ["auth-token", "not-done"],
      ["triggers", "not-done"],
    ]);
  });

  test("what cannot be read is no reason to come again, and cannot be told", async () => {
    rig.twilio.fail({ on: isOf("GET", /Keys|Triggers/), do: "answer", status: 403 });
    await contained();
    expect(await answer("api-keys")).toBe("cannot-tell");
    expect(await answer("triggers")).toBe("cannot-tell");
    expect(await answer("live-calls")).toBe("done");
  });

  test("the auth token itself is written nowhere", async () => {
    const token = rig.simulator.account(account).authToken;
    await contained();
    expect(await rig.tableText()).not.toContain(token);
    expect(rig.logged.join("\n")).not.toContain(token);
  });
});

describe("a reactivation", () => {
  test("acknowledged: armed, then active, recorded with who and why, and told", async () => {
    const suspendedIncident = await contained();
    const command = reactivate(suspendedIncident);
    expect(await deliver(command)).toEqual(DONE);

    expect(status()).toBe("active");
    const recorded = await story();
    expect(recorded.incident).toMatchObject({
      state: "reactivated",
      reactivation: { operator: "alice", guards: [{}, {}].map(() => expect.stringMatching(/^UT/)), failure: null },
    });
    expect(whats(recorded)).toEqual(
      expect.arrayContaining(["reactivation-asked", "checked", "armed", "activated", "reactivated"]),
    );
    expect(recorded.timeline.find(({ what }) => what === "reactivated")).toMatchObject({ who: "alice" });
    const told = (await rig.alertsOf(account)).map(({ about }) => about);
    expect(told).toEqual(["suspended", "reactivated"]);
    expect(recorded.incident.reactivation?.suspendedFor).toBeGreaterThanOrEqual(0);
  });

  test("its guards are there before it is active: one for each limit that suspends, above the present value", async () => {
    rig.simulator.addUsage(account, { category: "sms-outbound", count: 7, price: 40 });
    const before = await contained();
    let guardsWhenAsked = -1;
    rig.twilio.fail({
      on: (request) => isOf("POST", /Accounts\/AC\w+\.json/)(request) && request.body.includes("active"),
      do: "call",
      hook: async () => {
        guardsWhenAsked = (await triggers()).length;
      },
    });
    expect(await deliver(reactivate(before))).toEqual(DONE);
    expect(guardsWhenAsked).toBe(2);
    const guards = (await triggers()).map(({ friendlyName, triggerValue, callbackUrl, recurring }) => ({
      friendlyName,
      triggerValue: Number(triggerValue),
      callbackUrl,
      recurring,
    }));
    expect(guards).toEqual([
      {
        friendlyName: "tollbreaker: spend probation",
        triggerValue: 65,
        callbackUrl: expect.stringMatching(
          new RegExp(
            `^${PUBLIC_URL}/webhooks/usage-trigger\\?limit=spend&probation=[0-9a-f]{12}#rc=5&rp=4xx,5xx,ct,rt$`,
          ),
        ),
        recurring: "",
      },
      {
        friendlyName: "tollbreaker: burst probation",
        // A quarter of ten things is three things.
        triggerValue: 10,
        callbackUrl: expect.stringContaining("limit=burst&probation="),
        recurring: "",
      },
    ]);
  });

  test.each([
    [
      "nothing is acknowledged",
      { acknowledge: [] as ReactivateCommand["acknowledge"] },
      /api-keys \(.*auth-token \(.*triggers \(/,
    ],
    ["one item is left", { acknowledge: ["api-keys", "triggers"] as ReactivateCommand["acknowledge"] }, /auth-token/],
  ])("refused when %s: suspended, with the list, and nothing changed at Twilio", async (_, changes, words) => {
    const before = await contained();
    expect(await deliver(reactivate(before, changes))).toEqual(DONE);
    expect(status()).toBe("suspended");
    const recorded = await story();
    expect(recorded.incident).toMatchObject({ state: "suspended", reason: expect.stringMatching(words) });
    expect(
      recorded.timeline.at(-1)?.what === "reactivation-refused" || whats(recorded).includes("reactivation-refused"),
    ).toBe(true);
    expect(await triggers()).toEqual([]);
    expect((await rig.alertsOf(account)).map(({ about }) => about)).toEqual(["suspended", "not-reactivated"]);
  });

  test("the same command again changes nothing, and tells nobody anew", async () => {
    const command = reactivate(await contained());
    await deliver(command);
    const before = await story();
    expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
    expect(await story()).toEqual(before);
    expect(await triggers()).toHaveLength(2);
  });

  test("a second one in flight is refused, and changes nothing", async () => {
    const before = await contained();
    await deliver(reactivate(before));
    expect(await deliver(reactivate(before, { operator: "bob" }))).toEqual(DONE);
    expect(await incident()).toMatchObject({ state: "reactivated", reactivation: { operator: "alice" } });
    expect((await story()).timeline.at(-1)).toMatchObject({ what: "command-refused", who: "bob" });
  });

  test("of an account that somebody set active by hand is refused, and changes nothing", async () => {
    const before = await contained();
    rig.simulator.setStatus(account, "active");
    await deliver(reactivate(before));
    expect(await incident()).toMatchObject({ state: "suspended", reason: expect.stringContaining("active already") });
    expect(await triggers()).toEqual([]);
  });

  test("of a closed account is refused; its incident can be dismissed", async () => {
    const before = await contained();
    rig.simulator.setStatus(account, "closed");
    await deliver(reactivate(before));
    expect(await incident()).toMatchObject({ state: "suspended", reason: expect.stringContaining("closed") });
    await deliver(dismiss(before));
    expect(await incident()).toMatchObject({ state: "dismissed", dismissal: { operator: "alice" } });
  });

  test("of an account that Twilio itself suspended says who can lift it, whatever was acknowledged", async () => {
    const before = await contained();
    rig.simulator.suspendByTwilio(account);
    await deliver(check(before));
    expect(await answer("suspended-by")).toBe("not-done");
    await deliver(reactivate(before));
    expect(await incident()).toMatchObject({
      state: "suspended",
      reason: expect.stringContaining("only its support can lift it"),
    });
    expect(await triggers()).toEqual([]);
  });

  test("a policy in which nothing suspends guards nothing, and that has to be acknowledged", async () => {
    await rig.deliver(firing(account), { policy: NOTHING_SUSPENDS });
    const before = await incident();
    await rig.deliver(reactivate(before, { acknowledge: ["api-keys", "auth-token"] }), { policy: NOTHING_SUSPENDS });
    expect(await incident()).toMatchObject({
      state: "suspended",
      reason: expect.stringContaining("nothing will guard it"),
    });
  });

  test.each([
    ["the check", "GET", /Keys/],
    ["arming", "POST", /Usage\/Triggers/],
  ])("Twilio fails at %s: suspended still, and told", async (_, method, path) => {
    const before = await contained();
    rig.twilio.fail({ on: isOf(method, path), do: "answer", status: 500 });
    expect(
      await deliver(reactivate(before, { acknowledge: ["auth-token", "triggers"] }), { milliseconds: 6000 }),
    ).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await incident()).toMatchObject({ state: "suspended" });
    expect((await rig.alertsOf(account)).at(-1)).toMatchObject({ about: "not-reactivated" });
  });

  test.each([
    ["refuses the activation", 400, 21476],
    ["refuses our credentials", 401, 20003],
  ])("Twilio %s: suspended still, in words that a person can act on", async (_, httpStatus, code) => {
    const before = await contained();
    rig.twilio.fail({
      on: (request) => isOf("POST", /Accounts\/AC\w+\.json/)(request) && request.body.includes("active"),
      do: "answer",
      status: httpStatus,
      body: JSON.stringify({ code, message: "refused", status: httpStatus }),
    });
    expect(await deliver(reactivate(before))).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await incident()).toMatchObject({ state: "suspended", reason: expect.stringContaining(String(code)) });
  });

  test("is known to the account's next signals and to the sweep before its incident is over", async () => {
    const before = await contained();
    rig.dynamo.fail({ on: ({ body }) => body.includes("REMOVE openIncidentId"), do: "cut" });
    expect(await deliver(reactivate(before))).toMatchObject({ kind: "threw" });
    const { state, reactivatedAt } = await incident();
    expect(state).toBe("reactivated");
    expect(await rig.store.recall(account, "")).toMatchObject({
      ...{ openIncidentId: before.id, lastReactivatedAt: reactivatedAt },
      passed: expect.objectContaining({ "guard of spend: totalprice price": "0" }),
    });
  });

  test("an activation whose answer is lost is found by reading", async () => {
    const before = await contained();
    rig.twilio.fail({
      on: (request) => isOf("POST", /Accounts\/AC\w+\.json/)(request) && request.body.includes("active"),
      when: "after",
      do: "cut",
      times: 1,
    });
    expect(await deliver(reactivate(before))).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await incident()).toMatchObject({ state: "reactivated" });
  });
});

describe("clean-up on request", () => {
  test("everything: keys gone, numbers unrouted, triggers back, another auth token, few countries", async () => {
    const oldToken = rig.simulator.account(account).authToken;
    const before = await contained();
    const command = reactivate(before, {
      acknowledge: [],
      cleanup: ["live-calls", "api-keys", "triggers", "unroute-numbers", "auth-token", "voice-countries"],
      countries: ["US", "CA"],
    });
    expect(await deliver(command)).toEqual(DONE);
    expect(status()).toBe("active");
    const recorded = await story();
    expect(recorded.incident).toMatchObject({ state: "reactivated", reactivation: { failure: null } });
    const steps = whats(recorded).filter((what) =>
      [
        "api-keys-deleted",
        "triggers-restored",
        "numbers-unrouted",
        "armed",
        "activated",
        "auth-token-rotated",
        "voice-countries-narrowed",
        "reactivated",
      ].includes(what),
    );
    expect(steps).toEqual([
      "api-keys-deleted",
      "triggers-restored",
      "numbers-unrouted",
      "armed",
      "activated",
      "auth-token-rotated",
      "voice-countries-narrowed",
      "reactivated",
    ]);
    const newToken = rig.simulator.account(account).authToken;
    expect(newToken).not.toBe(oldToken);
    const table = await rig.tableText();
    for (const token of [oldToken, newToken]) {
      expect(table).not.toContain(token);
      expect(rig.logged.join("\n")).not.toContain(token);
      expect(JSON.stringify(await rig.alertsOf(account))).not.toContain(token);
    }
    // Three limits and two guards.
    expect(await triggers()).toHaveLength(5);

    expect(await deliver(restoreNumbers(recorded.incident))).toEqual(DONE);
    expect((await story()).timeline.at(-1)).toMatchObject({ what: "numbers-restored", who: "alice" });
  });

  test("a failure after the activation suspends it again, and says why", async () => {
    const before = await contained();
    rig.twilio.fail({ on: ({ path }) => path.includes("AuthTokens/Promote"), do: "answer", status: 403 });
    expect(await deliver(reactivate(before, { cleanup: ["auth-token"] }))).toEqual(DONE);
    expect(status()).toBe("suspended");
    const recorded = await story();
    expect(recorded.incident).toMatchObject({ state: "suspended", reason: expect.stringContaining("auth token") });
    expect(whats(recorded)).toEqual(expect.arrayContaining(["activated", "reactivation-failed"]));
    expect((await rig.alertsOf(account)).at(-1)).toMatchObject({ about: "not-reactivated", severity: "critical" });
  });

  test("and when it cannot be suspended again, it is tried until a person is called", async () => {
    const before = await contained();
    const command = reactivate(before, { cleanup: ["auth-token"] });
    rig.twilio.fail({ on: ({ path }) => path.includes("AuthTokens/Promote"), do: "answer", status: 403 });
    rig.twilio.fail({ on: (request) => request.body.includes("Status=suspended"), nth: 2, do: "answer", status: 500 });
    expect(await deliver(command, { milliseconds: 6000 })).toMatchObject({ kind: "again" });
    expect(await incident()).toMatchObject({ state: "reactivating" });
    expect(await deliver(command, { milliseconds: 6000, attempt: 10 })).toEqual(DONE);
    expect(await incident()).toMatchObject({ state: "failed" });
    expect((await rig.alertsOf(account)).at(-1)).toMatchObject({ about: "failed", severity: "critical" });
  });
});

describe("what fires", () => {
  test("before the reactivation and comes after it joins; after it, it trips again", async () => {
    const late = firing(account, { firedAt: new Date(Date.now() - 60_000).toISOString() });
    const before = await contained();
    await deliver(reactivate(before));
    expect(await deliver(late)).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await rig.incidentsOf(account)).toHaveLength(1);

    const guard = firing(account, {
      firedAt: new Date(Date.now() + 1000).toISOString(),
      limit: "spend",
      probation: true,
      recurring: "",
      triggerValue: "65",
      currentValue: "66",
    });
    expect(await deliver(guard)).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await rig.incidentsOf(account)).toHaveLength(2);
  });
});

describe("a limit that was passed before, whose trigger had not fired", () => {
  const spent = () => rig.simulator.addUsage(account, { category: "sms", count: 5, price: 140 });
  const late = (changes = {}) =>
    firing(account, {
      ...{
        firedAt: new Date(Date.now() + 1000).toISOString(),
        limit: "spend",
        triggerValue: "100",
        currentValue: "140",
      },
      ...changes,
    });

  test.each([
    ["was missing, and is made later by the sweep", ["triggers"], []],
    ["is made anew on the way back", [], ["triggers"]],
  ] as const)("and %s, does not trip for what was spent before; new spend does", async (_, more, cleanup) => {
    spent();
    const before = await contained();
    await deliver(reactivate(before, { acknowledge: ["api-keys", "auth-token", ...more], cleanup: [...cleanup] }));
    const sid = (await rig.triggersOf(account)).find(({ friendlyName }) => friendlyName === "tollbreaker: spend")?.sid;
    const usageTriggerSid = sid ?? `UT${"7".repeat(32)}`;
    expect(await deliver(late({ usageTriggerSid }))).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await rig.incidentsOf(account)).toHaveLength(1);
    expect(await deliver(late({ usageTriggerSid, currentValue: "165" }))).toEqual(DONE);
    expect(status()).toBe("suspended");
  });
});

describe("suspending by hand", () => {
  test("refused by Twilio says so to whoever asked, each time", async () => {
    rig.twilio.fail({
      on: ({ body }) => body.includes("Status=suspended"),
      do: "answer",
      status: 400,
      body: JSON.stringify({ code: 21476, message: "Parent account is suspended", status: 400 }),
    });
    const commands = [suspend(account), suspend(account)];
    for (const command of commands) await deliver(command);
    const { timeline } = await story();
    const answered = timeline
      .filter(({ what }) => what === "failed")
      .map(({ who, detail }) => [who, detail["command"]]);
    expect(answered).toEqual(commands.map(({ id }) => ["alice", id]));
  });

  test("an account that never tripped: suspended, with who and why, past the brake", async () => {
    const held = policyOf("brake: { suspensions: 1, within: 10m }");
    const brake = rig.brakeOf(held.brake);
    expect(await rig.deliver(suspend(account), { policy: held, brake })).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await incident()).toMatchObject({ state: "suspended", suspension: { operator: "alice" }, trip: null });
  });

  test("an account that people were alerted of keeps its numbers", async () => {
    const warned = firing(account, { limit: "warning", triggerValue: "50", currentValue: "60" });
    await deliver(warned);
    expect(await incident()).toMatchObject({ state: "alerted", rule: "warning" });
    await deliver(suspend(account));
    expect(status()).toBe("suspended");
    expect(await incident()).toMatchObject({ state: "suspended", rule: "warning", trip: { currentValue: "60" } });
    expect((await rig.alertsOf(account)).map(({ about }) => about)).toEqual(["alerted", "suspended"]);
  });

  test("an exempt account only with an acknowledgement", async () => {
    const exempt = policyOf(`exempt: [{ account: ${account}, why: emergency line }]`);
    await rig.deliver(suspend(account), { policy: exempt });
    expect(status()).toBe("active");
    await rig.deliver(suspend(account, { acknowledge: ["exempt"] }), { policy: exempt });
    expect(status()).toBe("suspended");
  });

  test("the parent account never", async () => {
    const { accountSid } = rig.simulator.parent();
    expect(await deliver(suspend(accountSid))).toEqual(DONE);
    expect(rig.simulator.account(accountSid).status).toBe("active");
  });

  test("one that is suspended says so, and changes nothing", async () => {
    await contained();
    const command = suspend(account);
    await deliver(command);
    const { timeline, incident: after } = await story();
    expect(after.state).toBe("suspended");
    expect(timeline.findLast(({ what }) => what === "suspended")).toMatchObject({
      who: "alice",
      detail: { command: command.id },
    });
    expect((await rig.alertsOf(account)).map(({ about }) => about)).toEqual(["suspended"]);
  });
});

describe("a command that waited too long", () => {
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

  test("is refused, because its operator may want something else by now", async () => {
    const before = await contained();
    await deliver(reactivate(before, { receivedAt: ago(16) }));
    expect(status()).toBe("suspended");
    expect((await story()).timeline.at(-1)).toMatchObject({
      what: "command-refused",
      why: expect.stringContaining("16 minutes ago"),
    });
    await deliver(reactivate(before, { receivedAt: ago(14) }));
    expect(status()).toBe("active");
  });

  test("and was begun is finished", async () => {
    const command = reactivate(await contained());
    rig.dynamo.fail({ on: ({ body }) => body.includes('"activated"'), do: "cut" });
    expect((await deliver(command)).kind).toBe("threw");
    rig.mend();
    expect(await incident()).toMatchObject({ state: "reactivating" });
    expect(await deliver({ ...command, receivedAt: ago(60) }, { attempt: 2 })).toEqual(DONE);
    expect(await incident()).toMatchObject({ state: "reactivated" });
  });

  test("stops an account all the same, unless it was brought back meanwhile", async () => {
    await deliver(suspend(account, { receivedAt: ago(60) }));
    expect(status()).toBe("suspended");
    await deliver(reactivate(await incident()));
    await deliver(suspend(account, { receivedAt: ago(30) }));
    expect(status()).toBe("active");
  });
});

describe("dismissing", () => {
  test("an alerted incident is over, and what fires next makes a new one", async () => {
    await deliver(firing(account, { limit: "warning", triggerValue: "50", currentValue: "60" }));
    await deliver(dismiss(await incident()));
    expect(await incident()).toMatchObject({ state: "dismissed", dismissal: { operator: "alice" } });
    await deliver(firing(account));
    expect(status()).toBe("suspended");
    expect(await rig.incidentsOf(account)).toHaveLength(2);
  });

  test("a suspended one cannot be", async () => {
    await deliver(dismiss(await contained()));
    expect(await incident()).toMatchObject({ state: "suspended" });
    expect((await story()).timeline.at(-1)).toMatchObject({ what: "command-refused" });
  });
});

describe("dismissing one whose account", () => {
  const why = async () => (await story()).timeline.at(-1);

  test("Twilio itself suspended, later than we did, sends to its support", async () => {
    const before = await contained();
    rig.simulator.suspendByTwilio(account);
    await deliver(dismiss(before));
    expect(await incident()).toMatchObject({ state: "suspended" });
    expect(await why()).toMatchObject({
      what: "command-refused",
      why: expect.stringMatching(/Twilio itself suspended this account: only its support can lift it; send them the/),
    });
    expect((await why())?.why).not.toMatch(/reactivate/);
  });

  test("somebody set active past us asks for its suspension", async () => {
    const before = await contained();
    rig.simulator.setStatus(account, "active");
    await deliver(dismiss(before));
    expect(await why()).toMatchObject({
      what: "command-refused",
      why: expect.stringContaining(`suspend it first (tollbreaker suspend ${account})`),
    });
    expect(status()).toBe("active");
  });

  test("we suspended asks for its reactivation", async () => {
    const before = await contained();
    await deliver(dismiss(before));
    expect((await why())?.why).toContain(`bring it back (tollbreaker incidents reactivate ${before.id})`);
    expect(status()).toBe("suspended");
  });
});

describe("releasing the brake", () => {
  test("those that wait are suspended, each in its own order, and the count begins anew", async () => {
    const policy = policyOf("brake: { suspensions: 1, within: 10m }");
    const brake = rig.brakeOf(policy.brake);
    await brake.release("before");
    const [first, second] = [rig.simulator.addSubaccount().accountSid, account];
    await rig.deliver(firing(first), { policy, brake });
    await rig.deliver(firing(second), { policy, brake });
    expect(status()).toBe("active");
    const { accountSid } = rig.simulator.parent();
    expect(await rig.deliver(releaseBrake(accountSid, []), { policy, brake })).toEqual(DONE);
    expect(await rig.inboxOf(second)).toEqual([]);
    expect(await rig.deliver(releaseBrake(accountSid, [second]), { policy, brake })).toEqual(DONE);
    const [command, ...more] = await rig.inboxOf(second);
    expect(more).toEqual([]);
    if (command === undefined) throw new Error("nothing was asked");
    expect(await rig.deliver(command, { policy, brake })).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await incident()).toMatchObject({ suspension: { operator: "alice" } });
    for await (const page of brake.waiting())
      expect(page).not.toContainEqual(expect.objectContaining({ accountSid: second }));
  });
});
