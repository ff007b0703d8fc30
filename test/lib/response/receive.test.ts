import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CONTAINED_ATTRIBUTE } from "../../../lib/inbox/inbox.ts";
import type { UsageTriggerSignal } from "../../../lib/inbox/messages.ts";
import { inboxReceiver } from "../../../lib/response/receive.ts";
import { reactivate, suspend } from "../../support/commands.ts";
import { within } from "../../support/lived-time.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing, notUnderstood } from "../../support/signals.ts";
import { recordOf, recordWith } from "../../support/sqs-record.ts";

let rig: Rig;
let account: string;
let other: string;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  account = rig.simulator.addSubaccount().accountSid;
  other = rig.simulator.addSubaccount().accountSid;
  rig.logged.length = 0;
  rig.followUps.length = 0;
});
afterEach(() => rig.mend());

const POLICY = policyOf(`
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
brake: { suspensions: 1000, within: 10m }
`);

type Parts = Parameters<Rig["responder"]>[0];
const receive = (Records: ReturnType<typeof recordOf>[], milliseconds = 25_000, parts: Parts = {}) =>
  inboxReceiver(rig.responder({ policy: POLICY, ...parts }))(
    { Records },
    { getRemainingTimeInMillis: () => milliseconds },
  );
const DONE = { batchItemFailures: [] };
const over = (sid: string) => firing(sid, { limit: "daily-spend" });
const warning = (sid: string) => firing(sid, { limit: "daily-warning", triggerValue: "80", currentValue: "82" });
const statusOf = (sid: string) => rig.simulator.account(sid).status;
const logged = () => rig.logged.map((line) => JSON.parse(line));
/** As it comes back when it was suspended without our store. */
function contained(signal: UsageTriggerSignal) {
  const again = recordOf(signal, { attempt: 2 });
  const attribute = { dataType: "String", stringValue: signal.receivedAt };
  return { ...again, messageAttributes: { ...again.messageAttributes, [CONTAINED_ATTRIBUTE]: attribute } };
}
const parked = () => rig.followUps.flatMap((one) => (one.kind === "parked" ? [one] : []));
const metric = (name: string) => logged().reduce((sum, line) => sum + (line[name] ?? 0), 0);

test("what is handled is reported as done, and logged with how it ended", async () => {
  const signal = over(account);
  expect(await receive([recordOf(signal, { attempt: 3 })])).toEqual(DONE);
  expect(logged().filter(({ event }) => event === "signal-decided" || event === "message-handled")).toMatchObject([
    {
      ...{ level: "INFO", event: "signal-decided", accountSid: account, id: signal.id, verdict: "suspend" },
      rule: "daily-spend",
      reason: "totalprice by price reached 130.25, its limit is 100",
    },
    { level: "INFO", event: "message-handled", accountSid: account, id: signal.id, try: 3, kind: "done" },
  ]);
  const metrics = Object.assign({}, ...logged().filter(({ _aws }) => _aws !== undefined));
  expect(metrics).toMatchObject({
    Signals: 1,
    Suspensions: 1,
    ContainmentTime: expect.any(Number),
    FiredToSuspended: expect.any(Number),
    Overshoot: 30.3,
  });
  expect(parked()).toEqual([]);
});

describe("what is due besides the act", () => {
  test("does not keep the message: the incident goes to the follow-up queue", async () => {
    rig.sns.fail({ do: "cut" });
    expect(await receive([recordOf(over(account))])).toEqual(DONE);
    expect(statusOf(account)).toBe("suspended");
    const [{ incident } = { incident: undefined }] = await rig.incidentsOf(account);
    expect(rig.followUps).toEqual([
      { kind: "incident", accountSid: account, incidentId: incident?.id, callsDue: true },
    ]);
    rig.mend();
    expect(await rig.followUp(account)).toEqual([]);
    expect(await rig.alertsOf(account)).toHaveLength(1);
  });

  test("takes no longer than a second for all messages of an account together", async () => {
    rig.sns.fail({ do: "hang" });
    const warnings = [warning(account), warning(account), warning(account)].map((one) => recordOf(one));
    expect(await within(4000, receive(warnings))).toEqual(DONE);
    expect(rig.followUps.map(({ kind }) => kind)).toContain("incident");
  });
});

describe("of one account in one batch", () => {
  test.each([
    ["a warning", () => warning(account)],
    ["what could not be understood", () => notUnderstood(account)],
  ])("%s before it does not keep a firing from suspending, whatever is down", async (_, first) => {
    for (const part of ["sns", "dynamo"] as const) {
      account = rig.simulator.addSubaccount().accountSid;
      rig[part].fail({ do: "answer", status: 500, body: "{}" });
      await receive([recordOf(first()), recordOf(over(account))]);
      expect(statusOf(account), `${part} is down`).toBe("suspended");
      rig.mend();
    }
  });

  test("what may suspend comes first, and then what a person asked for", async () => {
    const slow = { on: ({ path }: { path: string }) => path.includes(account), do: "delay", milliseconds: 50 } as const;
    rig.twilio.fail(slow);
    const stop = suspend(account);
    await receive([recordOf(warning(account)), recordOf(notUnderstood(account)), recordOf(stop)]);
    const handled = logged().filter(({ event }) => event === "message-handled");
    expect(handled[0]).toMatchObject({ id: stop.id });
    expect(await rig.incidentsOf(account)).toMatchObject([{ incident: { state: "suspended" } }]);
  });

  test("a person's suspension behind a message of another version is carried out", async () => {
    const future = recordWith(JSON.stringify({ kind: "from-the-future", id: "x", accountSid: account }), {
      ...{ group: account, messageId: "future" },
    });
    expect(await receive([future, recordOf(suspend(account))])).toEqual(DONE);
    expect(statusOf(account)).toBe("suspended");
    expect(parked()).toMatchObject([{ group: account, tries: 1, why: expect.stringContaining("cannot be read") }]);
    expect(metric("MessagesUnhandled")).toBe(1);
  });
});

describe("a message that can't be handled", () => {
  test.each(["", "no JSON", "{}", '{"kind":"usage-trigger"}', "[]", "null"])(
    "as %j is parked as it came, and stops no other",
    async (body) => {
      const poison = recordWith(body, { group: account, messageId: "poison", attempt: 4 });
      expect(await receive([poison, recordOf(over(account)), recordOf(over(other))])).toEqual(DONE);
      expect([statusOf(account), statusOf(other)]).toEqual(["suspended", "suspended"]);
      expect(parked()).toMatchObject([{ body, group: account, tries: 4 }]);
    },
  );

  test("because the store is out is parked, with what was done meanwhile", async () => {
    rig.dynamo.fail({ do: "cut" });
    const signal = over(account);
    expect(await receive([recordOf(signal)])).toEqual(DONE);
    expect(statusOf(account)).toBe("suspended");
    expect(parked()).toMatchObject([{ tries: 1, containedAt: expect.stringMatching(/Z$/) }]);
    expect(logged().flatMap(({ event }) => event ?? [])).toEqual([
      "store-unreadable",
      "contained-without-store",
      "message-handled",
      "message-parked",
    ]);
  });

  test("and comes back after a copy of it was dealt with: what was done is in the same incident", async () => {
    const signal = over(account);
    await receive([recordOf(signal)]);
    expect(await receive([contained(signal)])).toEqual(DONE);
    expect(parked()).toEqual([]);
    expect(await rig.incidentsOf(account)).toMatchObject([{ incident: { state: "suspended" } }]);
  });

  test("and comes back after the account did suspends it no more", async () => {
    const signal = over(account);
    const passed = { at: new Date(Date.parse(signal.receivedAt) + 60_000).toISOString(), passed: {} };
    await rig.store.claim(account, "an incident that is over");
    await rig.store.release(account, "an incident that is over", passed);
    expect(await receive([contained(signal)])).toEqual(DONE);
    expect(statusOf(account)).toBe("active");
  });

  test("and not parked either is handed out again by SQS", async () => {
    rig.dynamo.fail({ do: "cut" });
    const signal = over(account);
    const followUps = { put: () => Promise.reject(new Error("no queue")), giveUp: async () => {} };
    expect(await receive([recordOf(signal)], 25_000, { followUps })).toEqual({
      batchItemFailures: [{ itemIdentifier: signal.id }],
    });
  });

  test("is put aside for a person after twenty tries of its own, however often SQS handed it out", async () => {
    const poison = (attempt: number) => recordWith("no JSON", { group: account, messageId: "poison", attempt });
    const often = { ...poison(1), attributes: { ...poison(1).attributes, ApproximateReceiveCount: "99" } };
    await receive([often]);
    expect(parked()).toMatchObject([{ tries: 1 }]);
    await receive([poison(20)]);
    expect(metric("MessagesGivenUp")).toBe(1);
  });

  test("is kept while our table is out, where it alone knows that the account was suspended", async () => {
    rig.dynamo.fail({ do: "cut" });
    await receive([recordOf(over(account), { attempt: 20 })]);
    expect(parked()).toMatchObject([{ tries: 20, containedAt: expect.any(String) }]);
    expect(metric("MessagesGivenUp")).toBe(0);
  });
});

describe("what an earlier try did without our table", () => {
  test("and has been written down since is nothing to be done", async () => {
    const signal = over(account);
    await receive([recordOf(signal)]);
    const asked = rig.suspensionRequests(account);
    const containedAt = new Date().toISOString();
    expect(await receive([recordOf(signal, { attempt: 2, containedAt })])).toEqual(DONE);
    expect(parked()).toEqual([]);
    expect(rig.suspensionRequests(account)).toBe(asked);
    expect(await rig.incidentsOf(account)).toMatchObject([{ incident: { state: "suspended", signals: 1 } }]);
  });

  test("stops nobody who was brought back since", async () => {
    const signal = over(account);
    const containedAt = new Date().toISOString();
    await receive([recordOf(signal)]);
    const [recorded] = await rig.incidentsOf(account);
    if (recorded === undefined) throw new Error("no incident is on record");
    const acknowledge = ["api-keys", "auth-token", "triggers"] as const;
    await receive([recordOf(reactivate(recorded.incident, { acknowledge: [...acknowledge] }))]);
    expect(statusOf(account)).toBe("active");
    const other = over(account);
    for (const message of [signal, { ...other, firedAt: signal.firedAt }]) {
      await receive([recordOf(message, { attempt: 2, containedAt })]);
    }
    expect(statusOf(account)).toBe("active");
    expect(parked()).toEqual([]);
  });
});

test("a message for which there is too little time is put off, and that is no try", async () => {
  const signal = over(account);
  const begun = rig.dynamo.requests().length;
  expect(await receive([recordOf(signal)], 6000)).toEqual(DONE);
  expect(rig.dynamo.requests().length).toBe(begun);
  expect(parked()).toMatchObject([{ tries: 0, body: JSON.stringify(signal) }]);
});

test("a batch of several accounts and signals makes one incident of each account", async () => {
  const batch = [account, other, account, other, account].map((sid) => recordOf(over(sid)));
  expect(await receive(batch)).toEqual(DONE);
  for (const [sid, signals] of [[account, 3] as const, [other, 2] as const]) {
    expect(await rig.incidentsOf(sid)).toMatchObject([{ incident: { state: "suspended", signals } }]);
    expect(await rig.alertsOf(sid)).toHaveLength(1);
  }
});

test("the same message handled by two workers at once makes one incident, and alerts with one id", async () => {
  rig.simulator.addCalls(account, { calls: 3 });
  const signal = over(account);
  // The first worker's visibility ran out while Twilio kept it waiting.
  rig.twilio.fail({ on: ({ method }) => method === "POST", times: 1, do: "delay", milliseconds: 300 });
  await Promise.all([receive([recordOf(signal)]), receive([recordOf(signal, { attempt: 2 })])]);
  for (const { body, tries } of parked()) {
    await receive([recordWith(body, { group: account, messageId: "again", attempt: tries + 1 })]);
  }
  await rig.followUp(account);

  const [recorded, ...others] = await rig.incidentsOf(account);
  expect(others).toEqual([]);
  expect(recorded?.incident).toMatchObject({ state: "suspended", signals: 1, containment: { callsLeft: 0 } });
  expect(recorded?.incident.alerts).toHaveLength(1);
  const told = await rig.alertsOf(account);
  expect(new Set(told.map(({ id }) => id))).toEqual(new Set(recorded?.incident.alerts.map(({ id }) => id)));
});
