import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ReactivateCommand } from "../../../../lib/inbox/commands.ts";
import type { UsageTrigger } from "../../../../lib/twilio/usage-triggers.ts";
import { apiOf } from "../../../local/twilio/api.ts";
import { reactivate } from "../../../support/commands.ts";
import type { SeenRequest } from "../../../support/fault-proxy.ts";
import { policyOf } from "../../../support/policies.ts";
import { PUBLIC_URL, type Recorded, type Rig, startRig } from "../../../support/responder-rig.ts";
import { firing } from "../../../support/signals.ts";

// A guard fires once. Whatever happens between its making and the account's record, its firing must count.

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
limits: { spend: { category: totalprice, by: price, every: day, at: 100, then: suspend } }
brake: { suspensions: 1000, within: 10m }
probation: { share: 0.25, for: 24h }
`);
const DONE = { kind: "done" };
/** Twilio's times have whole seconds. */
const A_SECOND = 1100;

const deliver: Rig["deliver"] = (message, changes) => rig.deliver(message, { policy: POLICY, ...changes });
const status = () => rig.simulator.account(account).status;
const isActivation = ({ method, path, body }: SeenRequest) =>
  method === "POST" && path.endsWith(`/${account}.json`) && body.includes("Status=active");
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const spend = (price: number) => rig.simulator.addUsage(account, { category: "sms-outbound", count: 7, price });
const unfired = async () => (await rig.triggersOf(account)).filter(({ dateFired }) => dateFired === null);
const triggerPath = (sid: string) => `/2010-04-01/Accounts/${account}/Usage/Triggers/${sid}.json`;

async function last(): Promise<Recorded> {
  const recorded = (await rig.incidentsOf(account)).at(-1);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}

async function contained(): Promise<ReactivateCommand> {
  spend(130);
  await deliver(firing(account));
  return reactivate((await last()).incident);
}

async function guard(): Promise<UsageTrigger> {
  const guards = (await rig.triggersOf(account)).filter(({ friendlyName }) => friendlyName.endsWith(" probation"));
  const [one, ...others] = guards;
  if (one === undefined || others.length > 0) throw new Error(`there are ${guards.length} guards`);
  return one;
}

/** More than its guard allows: it fires. */
async function overspend(): Promise<UsageTrigger> {
  spend(60);
  await rig.simulator.evaluateTriggers();
  const fired = await guard();
  expect(fired.dateFired).not.toBeNull();
  return fired;
}

const firingOf = ({ sid, triggerValue, currentValue, dateFired }: UsageTrigger) =>
  firing(account, {
    ...{ usageTriggerSid: sid, recurring: "", triggerValue, currentValue, limit: "spend", probation: true },
    ...{ firedAt: new Date(dateFired ?? "").toISOString(), dateFired: dateFired ?? "" },
  });

/** The delivery dies as this request is to be sent, or was carried out. */
function dieAt(on: (request: SeenRequest) => boolean, when: "before" | "after"): void {
  const hook = () => {
    for (const proxy of [rig.dynamo, rig.twilio]) proxy.fail({ do: "cut" });
    throw new Error("cut");
  };
  rig.twilio.fail({ on, when, times: 1, do: "call", hook });
}

async function die(command: ReactivateCommand): Promise<void> {
  expect(await deliver(command, { milliseconds: 8000 })).toMatchObject({ kind: "threw" });
  rig.mend();
}

test("a guard that fires after the activation, and before we know of it, turns it back", async () => {
  const command = await contained();
  dieAt(isActivation, "after");
  await die(command);
  expect(status()).toBe("active");
  const fired = await overspend();
  await wait(A_SECOND);
  expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
  expect(await last()).toMatchObject({ incident: { state: "suspended" } });
  expect(status()).toBe("suspended");
  expect(await deliver(firingOf(fired))).toEqual(DONE);
  expect(status()).toBe("suspended");
  expect(await rig.incidentsOf(account)).toHaveLength(1);
});

test("whatever else fires then trips, too", async () => {
  const command = await contained();
  dieAt(isActivation, "after");
  await die(command);
  const firedAt = new Date().toISOString();
  await wait(A_SECOND);
  expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
  expect(await deliver(firing(account, { firedAt, limit: "spend", currentValue: "190" }))).toEqual(DONE);
  expect(status()).toBe("suspended");
});

test("a stop that Twilio did not answer meanwhile may come true late: it is suspended again, and said why", async () => {
  const command = await contained();
  dieAt(isActivation, "after");
  await die(command);
  rig.twilio.fail({
    on: ({ method, body }) => method === "POST" && body.includes("suspended"),
    do: "answer",
    status: 504,
  });
  const firedAt = new Date().toISOString();
  const stop = firing(account, { firedAt, limit: "spend", currentValue: "190" });
  expect(await deliver(stop, { milliseconds: 2000 })).not.toEqual(DONE);
  expect(status()).toBe("active");
  rig.mend();
  expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
  expect(status()).toBe("suspended");
  expect(await last()).toMatchObject({
    incident: { state: "suspended", reactivation: { failure: expect.stringContaining("tripped again") } },
  });
});

describe("a guard that is worth nothing any more when the account is to go live", () => {
  const ways: [string, () => Promise<unknown>][] = [
    ["because it fired", overspend],
    ["because it is gone", async () => apiOf(rig.simulator).delete(triggerPath((await guard()).sid))],
    [
      "because it calls somebody else",
      async () =>
        apiOf(rig.simulator).post(triggerPath((await guard()).sid), { CallbackUrl: "https://elsewhere.example.com/" }),
    ],
  ];

  test.each(ways)("in a later delivery, %s, is replaced", async (_, spoil) => {
    const command = await contained();
    dieAt(isActivation, "before");
    await die(command);
    expect(status()).toBe("suspended");
    const { sid: before, callbackUrl } = await guard();
    await spoil();
    await wait(A_SECOND);
    expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
    expect(status()).toBe("active");
    const [now, ...others] = await unfired();
    expect(others).toEqual([]);
    expect(now?.sid).not.toBe(before);
    // Whoever saw the first one's address may have made others with it.
    expect(now?.callbackUrl).not.toBe(callbackUrl);
    expect((await last()).incident).toMatchObject({ state: "reactivated", reactivation: { guards: [now?.sid] } });
    expect((await last()).timeline.filter(({ what }) => what === "armed")).toHaveLength(2);
  });

  test.each(ways)("between two requests of one delivery, %s, is replaced", async (_, spoil) => {
    const command = await contained();
    const hook = async () => {
      await spoil();
      throw new Error("cut");
    };
    rig.twilio.fail({ on: isActivation, times: 1, do: "call", hook });
    expect(await deliver(command)).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await unfired()).toEqual([expect.objectContaining({ callbackUrl: expect.stringContaining(PUBLIC_URL) })]);
  });

  test("can't be replaced: suspended still", async () => {
    const command = await contained();
    dieAt(isActivation, "before");
    await die(command);
    await overspend();
    const on = ({ method, path }: SeenRequest) => method === "POST" && path.includes("/Usage/Triggers");
    rig.twilio.fail({
      on,
      do: "answer",
      status: 401,
      body: JSON.stringify({ code: 20003, message: "no", status: 401 }),
    });
    expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect((await last()).incident).toMatchObject({
      state: "suspended",
      reason: expect.stringMatching(/usage triggers could not be created: our credentials are refused.*20003/),
    });
  });
});

test("the firing of a guard that was replaced while the account was suspended is old", async () => {
  const command = await contained();
  dieAt(isActivation, "before");
  await die(command);
  const fired = await overspend();
  await wait(A_SECOND);
  expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
  expect(await deliver(firingOf(fired))).toEqual(DONE);
  expect(status()).toBe("active");
  expect(await deliver(firingOf(await overspendAnew()))).toEqual(DONE);
  expect(status()).toBe("suspended");
});

async function overspendAnew(): Promise<UsageTrigger> {
  const [now] = await unfired();
  spend(60);
  await rig.simulator.evaluateTriggers();
  const fired = (await rig.triggersOf(account)).find(({ sid }) => sid === now?.sid);
  if (fired?.dateFired == null) throw new Error("the new guard did not fire");
  return fired;
}
