import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inboxReceiver } from "../../../lib/response/receive.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";
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
});
afterEach(() => rig.mend());

const receive = (Records: ReturnType<typeof recordOf>[], milliseconds = 25_000) =>
  inboxReceiver(rig.responder())({ Records }, { getRemainingTimeInMillis: () => milliseconds });
const statusOf = (sid: string) => rig.simulator.account(sid).status;
const logged = () => rig.logged.map((line) => JSON.parse(line));

test("what is handled is reported as done, and logged with how it ended", async () => {
  const signal = firing(account);
  expect(await receive([recordOf(signal, { attempt: 3 })])).toEqual({ batchItemFailures: [] });
  expect(logged().filter(({ event }) => event !== undefined)).toMatchObject([
    {
      ...{ level: "INFO", event: "signal-decided", accountSid: account, id: signal.id, verdict: "suspend" },
      rule: "totalprice by price, daily, at 100",
      reason: "totalprice by price reached 130.25, its limit is 100",
    },
    { level: "INFO", event: "message-handled", accountSid: account, id: signal.id, attempt: 3, kind: "done" },
  ]);
  const metrics = Object.assign({}, ...logged().filter(({ _aws }) => _aws !== undefined));
  expect(metrics).toMatchObject({
    Signals: 1,
    Suspensions: 1,
    ContainmentTime: expect.any(Number),
    FiredToSuspended: expect.any(Number),
    Overshoot: 30.3,
  });
});

test("what must come again is reported, with its reason in the log", async () => {
  rig.simulator.addCalls(account, { calls: 1 });
  rig.sns.fail({ do: "cut" });
  const signal = firing(account);
  expect(await receive([recordOf(signal)])).toEqual({ batchItemFailures: [{ itemIdentifier: signal.id }] });
  expect(logged().at(-1)).toMatchObject({
    event: "message-handled",
    kind: "again",
    why: expect.stringContaining("SNS"),
  });
});

test("what throws is reported, and said in the log", async () => {
  rig.dynamo.fail({ do: "cut" });
  const signal = firing(account);
  expect(await receive([recordOf(signal, { attempt: 2 })])).toEqual({
    batchItemFailures: [{ itemIdentifier: signal.id }],
  });
  expect(logged().map(({ event }) => event)).toEqual([
    "store-unreadable",
    "contained-without-store",
    "message-not-handled",
  ]);
  expect(logged().at(-1)).toMatchObject({ level: "ERROR", messageId: signal.id, attempt: 2 });
});

describe("a message that is no signal", () => {
  test.each(["", "no JSON", "{}", '{"kind":"usage-trigger"}', "[]", "null"])(
    "%j does not stop others",
    async (body) => {
      const poison = recordWith(body, { group: account, messageId: "poison" });
      const result = await receive([poison, recordOf(firing(other))]);
      expect(result).toEqual({ batchItemFailures: [{ itemIdentifier: "poison" }] });
      expect(statusOf(other)).toBe("suspended");
      expect(logged()).toContainEqual(
        expect.objectContaining({
          event: "message-not-handled",
          reason: expect.stringContaining("A message in the inbox cannot be read."),
        }),
      );
    },
  );

  test("keeps the later ones of its account waiting, in their order", async () => {
    const poison = recordWith("no JSON", { group: account, messageId: "poison" });
    const later = recordOf(firing(account));
    const result = await receive([poison, later, recordOf(firing(other))]);
    expect(result.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(["poison", later.messageId]);
    expect([statusOf(account), statusOf(other)]).toEqual(["active", "suspended"]);
  });
});

test("a message for which there is too little time is left for the next delivery, untouched", async () => {
  const signal = firing(account);
  const begun = rig.dynamo.requests().length;
  expect(await receive([recordOf(signal)], 6000)).toEqual({ batchItemFailures: [{ itemIdentifier: signal.id }] });
  expect(rig.dynamo.requests().length).toBe(begun);
  expect(await receive([recordOf(signal)], 8000)).toEqual({ batchItemFailures: [] });
});

test("a batch of several accounts and signals makes one incident of each account", async () => {
  const batch = [account, other, account, other, account].map((sid) => recordOf(firing(sid)));
  expect(await receive(batch)).toEqual({ batchItemFailures: [] });
  for (const [sid, signals] of [[account, 3] as const, [other, 2] as const]) {
    expect(await rig.incidentsOf(sid)).toMatchObject([{ incident: { state: "suspended", signals } }]);
    expect(await rig.alertsOf(sid)).toHaveLength(1);
  }
});

test("the same message handled by two workers at once makes one incident, and alerts with one id", async () => {
  rig.simulator.addCalls(account, { calls: 3 });
  const signal = firing(account);
  // The first worker's visibility ran out while Twilio kept it waiting.
  rig.twilio.fail({ on: ({ method }) => method === "POST", times: 1, do: "delay", milliseconds: 300 });
  const results = await Promise.all([receive([recordOf(signal)]), receive([recordOf(signal, { attempt: 2 })])]);
  const done = results.filter(({ batchItemFailures }) => batchItemFailures.length === 0);
  if (done.length < 2) await receive([recordOf(signal, { attempt: 3 })]);

  const [recorded, ...others] = await rig.incidentsOf(account);
  expect(others).toEqual([]);
  expect(recorded?.incident).toMatchObject({ state: "suspended", signals: 1, containment: { callsLeft: 0 } });
  expect(recorded?.incident.alerts).toHaveLength(1);
  const told = await rig.alertsOf(account);
  expect(new Set(told.map(({ id }) => id))).toEqual(new Set(recorded?.incident.alerts.map(({ id }) => id)));
});
