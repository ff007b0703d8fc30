import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { drillStore } from "../../../lib/drills/drill-store.ts";
import type { Message, UsageTriggerSignal } from "../../../lib/inbox/messages.ts";
import type { DrillNudge, Nudge } from "../../../lib/inbox/nudges.ts";
import type { Incident } from "../../../lib/incidents/incident.ts";
import { reactivate } from "../../support/commands.ts";
import type { SeenRequest } from "../../support/fault-proxy.ts";
import { policyOf } from "../../support/policies.ts";
import { type Recorded, type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

// What the sweep asks the responder to look at, and the rehearsal.

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

const LIMITS = `
limits: { spend: { category: totalprice, by: price, every: day, at: 100, then: suspend } }
brake: { suspensions: 1000, within: 10m }
`;
const POLICY = policyOf(LIMITS);
const STRICT = policyOf(`${LIMITS}\ntampering: suspend`);
const DONE = { kind: "done" };

const deliver: Rig["deliver"] = (message, changes) => rig.deliver(message, { policy: POLICY, ...changes });
const status = () => rig.simulator.account(account).status;
const told = async () => (await rig.alertsOf(account)).map(({ about }) => about);
const isSuspensionRequest = ({ method, body }: SeenRequest) => method === "POST" && body.includes("Status=suspended");

async function story(): Promise<Recorded> {
  const [recorded, ...others] = await rig.incidentsOf(account);
  expect(others).toEqual([]);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}

async function contained(): Promise<Incident> {
  expect(await deliver(firing(account))).toEqual(DONE);
  return (await story()).incident;
}

function about(incident: Pick<Incident, "id">, kind: "tampered" | "drive", id = `${kind}:${incident.id}`): Nudge {
  return { kind, id, accountSid: account, receivedAt: new Date().toISOString(), incidentId: incident.id };
}

describe("an account that is active although we suspended it", () => {
  test("is told of, critically, once", async () => {
    const incident = await contained();
    rig.simulator.setStatus(account, "active");
    for (const attempt of [1, 2]) expect(await deliver(about(incident, "tampered"), { attempt })).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await told()).toEqual(["suspended", "tampered"]);
    expect((await rig.alertsOf(account)).at(-1)).toMatchObject({ severity: "critical" });
  });

  test("is suspended again where the policy says so", async () => {
    const incident = await contained();
    rig.simulator.setStatus(account, "active");
    expect(await deliver(about(incident, "tampered"), { policy: STRICT })).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await told()).toEqual(["suspended", "suspended"]);
  });

  test("is only told of in observe mode, whatever else the policy says", async () => {
    const incident = await contained();
    rig.simulator.setStatus(account, "active");
    await deliver(about(incident, "tampered"), { policy: { ...STRICT, mode: "observe" } });
    expect(status()).toBe("active");
    expect(await told()).toEqual(["suspended", "tampered"]);
  });

  test("and was suspended again by the time we look is nothing", async () => {
    const incident = await contained();
    expect(await deliver(about(incident, "tampered"))).toEqual(DONE);
    expect(await told()).toEqual(["suspended"]);
  });

  test("after its reactivation is nothing", async () => {
    const incident = await contained();
    const acknowledge = ["api-keys", "auth-token", "triggers"] as const;
    await deliver(reactivate(incident, { acknowledge: [...acknowledge] }));
    expect(await deliver(about(incident, "tampered"), { policy: STRICT })).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await told()).toEqual(["suspended", "reactivated"]);
  });
});

describe("an incident that makes no progress", () => {
  test("because its suspension was never confirmed is taken up again", async () => {
    rig.twilio.fail({ on: isSuspensionRequest, do: "answer", status: 500 });
    expect(await deliver(firing(account), { milliseconds: 2000 })).toMatchObject({ kind: "again" });
    rig.mend();
    const { incident } = await story();
    expect(incident).toMatchObject({ state: "failed", failure: { retrying: true } });
    expect(await deliver(about(incident, "drive"))).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect((await story()).incident).toMatchObject({ state: "suspended", signals: 1, rule: incident.rule });
  });

  test("whose suspension came true unseen is not believed of an answer about another account", async () => {
    rig.twilio.fail({ on: isSuspensionRequest, do: "answer", status: 500 });
    expect(await deliver(firing(account), { milliseconds: 2000 })).toMatchObject({ kind: "again" });
    rig.mend();
    const other = { sid: `AC${"e".repeat(32)}`, owner_account_sid: rig.simulator.parent().accountSid };
    const body = JSON.stringify({ ...other, friendly_name: "", status: "suspended" });
    rig.twilio.fail({ on: ({ method }) => method === "GET", do: "answer", status: 200, body });
    const { incident } = await story();
    const policy = policyOf(`${LIMITS}\nmode: observe`);
    expect(await deliver(about(incident, "drive"), { policy })).toMatchObject({
      kind: "threw",
      error: { code: "containment-unconfirmed" },
    });
    expect((await story()).incident.state).toBe("failed");
  });

  test("because its suspension failed, and the brake holds it by now, waits there: its message is done", async () => {
    rig.twilio.fail({ on: isSuspensionRequest, do: "answer", status: 500 });
    const signal = firing(account);
    expect(await deliver(signal, { milliseconds: 2000 })).toMatchObject({ kind: "again" });
    rig.mend();
    await deliver(firing(rig.simulator.addSubaccount().accountSid));
    const policy = policyOf(LIMITS.replace("suspensions: 1000", "suspensions: 1"));
    expect(await deliver(signal, { attempt: 2, policy })).toEqual(DONE);
    const { incident } = await story();
    expect([status(), incident]).toMatchObject(["active", { state: "failed", failure: { retrying: false } }]);
    expect(await deliver(about(incident, "drive"))).toEqual(DONE);
    expect(status()).toBe("suspended");
  });

  async function failedForGood(): Promise<Incident> {
    const body = JSON.stringify({ code: 21477, message: "said no", status: 400 });
    rig.twilio.fail({ on: isSuspensionRequest, do: "answer", status: 400, body });
    expect(await deliver(firing(account))).toEqual(DONE);
    const { incident } = await story();
    expect(incident).toMatchObject({ state: "failed", failure: { retrying: false } });
    return incident;
  }

  test("because its suspension was refused is tried with each sweep, and told once", async () => {
    const incident = await failedForGood();
    await deliver(about(incident, "drive", "drive:first"), { milliseconds: 2000 });
    expect((await story()).incident.state).toBe("failed");
    rig.mend();
    expect(await deliver(about(incident, "drive", "drive:second"))).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await told()).toEqual(["failed", "suspended"]);
  });

  test.each([
    ["in observe mode", () => ({ ...POLICY, mode: "observe" as const })],
    ["exempt", () => policyOf(`${LIMITS}\nexempt: [{ account: ${account}, why: hotline }]`)],
  ])("because its suspension failed is left alone where the account is by now %s", async (_, policy) => {
    const incident = await failedForGood();
    rig.mend();
    expect(await deliver(about(incident, "drive"), { policy: policy() })).toEqual(DONE);
    expect(status()).toBe("active");
  });

  test.each<[string, (incident: Incident, signal: UsageTriggerSignal) => Message]>([
    ["the sweep", (incident) => about(incident, "drive")],
    ["its signal", (_, signal) => signal],
  ])(
    "whose suspension came true unseen is recorded as suspended by %s, whatever the policy says by now",
    async (_, of) => {
      rig.twilio.fail({ on: isSuspensionRequest, when: "after", do: "cut" });
      const isReading = ({ method, path }: SeenRequest) => method === "GET" && path.endsWith(`/${account}.json`);
      rig.twilio.fail({ on: isReading, nth: 2, do: "cut" });
      const signal = firing(account);
      expect(await deliver(signal, { milliseconds: 3000 })).toMatchObject({ kind: "again" });
      const { incident } = await story();
      expect([status(), incident.state]).toEqual(["suspended", "failed"]);
      rig.mend();
      const policy = policyOf(`${LIMITS}\nexempt: [{ account: ${account}, why: hotline }]`);
      expect(await deliver(of(incident, signal), { attempt: 2, policy })).toEqual(DONE);
      expect((await story()).incident).toMatchObject({ state: "suspended", containment: { by: "tollbreaker" } });
      expect(await told()).toEqual(["failed", "suspended"]);
    },
  );

  test("in the middle of a reactivation is brought to its end", async () => {
    const before = await contained();
    const acknowledge = ["api-keys", "auth-token", "triggers"] as const;
    const isArmedWrite = ({ operation, body }: SeenRequest) => operation === "PutItem" && body.includes('"armed"');
    rig.dynamo.fail({ on: isArmedWrite, do: "cut" });
    const cut = await deliver(reactivate(before, { acknowledge: [...acknowledge] }));
    expect(cut.kind).toBe("threw");
    rig.mend();
    const { incident } = await story();
    expect(incident.state).toBe("reactivating");
    expect(await deliver(about(incident, "drive"))).toEqual(DONE);
    expect(status()).toBe("active");
    expect((await story()).incident).toMatchObject({ state: "reactivated", reactivation: { operator: "alice" } });
    expect(await rig.triggersOf(account)).toHaveLength(1);
  });

  test("with an alert that was never sent tells it", async () => {
    rig.sns.fail({ do: "answer", status: 500 });
    expect(await deliver(firing(account))).toMatchObject({ kind: "again" });
    rig.mend();
    expect(await told()).toEqual([]);
    expect(await deliver(about((await story()).incident, "drive"))).toEqual(DONE);
    expect(await told()).toEqual(["suspended"]);
  });

  test("that is over by now is left alone", async () => {
    const incident = await contained();
    const before = await story();
    expect(await deliver(about({ id: "20200101T000000000-00000000" }, "drive"))).toEqual(DONE);
    expect(await deliver(about(incident, "drive"))).toEqual(DONE);
    expect(await story()).toEqual(before);
  });
});

describe("an incident that waits for a person", () => {
  test("is recalled to people, with what the waiting costs, once for each time", async () => {
    const incident = await contained();
    const remind = (n: number, waited: number): Nudge => ({
      kind: "remind",
      id: `remind:${incident.id}:${n}`,
      accountSid: account,
      receivedAt: new Date().toISOString(),
      incidentId: incident.id,
      waited,
    });
    await deliver(remind(1, 30 * 60_000));
    await deliver(remind(1, 31 * 60_000));
    await deliver(remind(2, 2 * 3_600_000));
    expect(await told()).toEqual(["suspended", "reminder", "reminder"]);
    const texts = (await rig.alertsOf(account)).map(({ text }) => text);
    expect(texts[1]).toContain("30 minutes");
    expect(texts[2]).toContain("2 hours");
  });
});

describe("a rehearsal", () => {
  const drill = (changes: Partial<DrillNudge> = {}): DrillNudge => ({
    kind: "drill",
    id: `drill:drill-${account.slice(2, 20)}`,
    accountSid: account,
    receivedAt: new Date().toISOString(),
    drillId: `drill-${account.slice(2, 20)}`,
    sentAt: new Date().toISOString(),
    ...changes,
  });
  const stations = async () =>
    (await drillStore(rig.table, rig.aws.tableName).read(drill().drillId)).map(({ station, isGood }) => [
      station,
      isGood,
    ]);

  test("passes every station, and changes nothing at Twilio", async () => {
    const before = rig.simulator.requests().length;
    expect(await deliver(drill())).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await stations()).toEqual([
      ["received", true],
      ["handled", true],
      ["account-read", true],
      ["alert-published", true],
    ]);
    const asked = rig.simulator.requests().slice(before);
    expect(asked.every(({ method }) => method === "GET")).toBe(true);
    expect(await rig.incidentsOf(account)).toEqual([]);
  });

  test.each([
    ["active", "is ours and active; it would have been suspended now"],
    ["suspended", "is ours and suspended already: a firing would join its incident"],
    ["closed", "is ours and closed, for ever: a firing would change nothing"],
  ] as const)("says what a firing of an account that is %s would do", async (status, said) => {
    rig.simulator.setStatus(account, status);
    expect(await deliver(drill())).toEqual(DONE);
    const passed = await drillStore(rig.table, rig.aws.tableName).read(drill().drillId);
    expect(passed.find(({ station }) => station === "account-read")).toMatchObject({
      isGood: true,
      said: expect.stringContaining(said),
    });
  });

  test("says so when the account could not have been suspended", async () => {
    rig.twilio.fail({ on: ({ path }) => path.includes(account), do: "answer", status: 401 });
    expect(await deliver(drill())).toEqual(DONE);
    expect(await stations()).toContainEqual(["account-read", false]);
  });

  test("that cannot be told comes again", async () => {
    rig.sns.fail({ do: "answer", status: 500 });
    expect(await deliver(drill())).toMatchObject({ kind: "again" });
    expect(await stations()).toContainEqual(["alert-published", false]);
    rig.mend();
    expect(await deliver(drill(), { attempt: 2 })).toEqual(DONE);
    expect(await stations()).toContainEqual(["alert-published", true]);
  });
});
