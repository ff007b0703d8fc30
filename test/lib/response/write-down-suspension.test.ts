import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Nudge } from "../../../lib/inbox/nudges.ts";
import { reactivate, suspend } from "../../support/commands.ts";
import type { SeenRequest } from "../../support/fault-proxy.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

// Whoever reads that an account is suspended writes it down, whatever the policy says by now.

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
limits:
  half: { category: totalprice, by: price, every: day, at: 50, then: alert }
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
brake: { suspensions: 1000, within: 10m }
`;
const POLICY = policyOf(LIMITS);
const OBSERVE = policyOf(`${LIMITS}\nmode: observe`);
const DONE = { kind: "done" };
const deliver: Rig["deliver"] = (message, changes) => rig.deliver(message, { policy: POLICY, ...changes });
const status = () => rig.simulator.account(account).status;
const told = async () => (await rig.alertsOf(account)).map(({ about }) => about);
const incidents = async () => (await rig.incidentsOf(account)).map(({ incident }) => incident);
const last = async () => {
  const incident = (await incidents()).at(-1);
  if (incident === undefined) throw new Error("there is no incident");
  return incident;
};
const warning = () => firing(account, { limit: "half", triggerValue: "50", currentValue: "55" });

let nudges = 0;
function found(): Nudge {
  const id = `found-suspended:${account}:${nudges++}`;
  return { kind: "found-suspended", id, accountSid: account, receivedAt: new Date().toISOString() };
}

describe("an account without an incident that is suspended", () => {
  test("gets one, told once, and comes back by it as any other", async () => {
    rig.simulator.setStatus(account, "suspended");
    for (const nudge of [found(), found()]) expect(await deliver(nudge)).toEqual(DONE);
    const [incident, ...others] = await incidents();
    expect(others).toEqual([]);
    expect(incident).toMatchObject({
      state: "suspended",
      rule: "suspended, not by Tollbreaker",
      containment: { by: "already-suspended" },
      suspension: null,
    });
    expect(await told()).toEqual(["suspended"]);
    if (incident !== undefined) await deliver(reactivate(incident));
    expect([status(), (await last()).state]).toEqual(["active", "reactivated"]);
  });

  test("is written down in observe mode, too", async () => {
    rig.simulator.setStatus(account, "suspended");
    await deliver(found(), { policy: OBSERVE });
    expect((await last()).state).toBe("suspended");
  });

  test("gets a new one where it had come back from another", async () => {
    await deliver(firing(account));
    await deliver(reactivate(await last()));
    rig.simulator.setStatus(account, "suspended");
    await deliver(found());
    expect((await incidents()).map(({ state }) => state)).toEqual(["reactivated", "suspended"]);
    expect((await last()).reason).toContain("Twilio carried out an earlier request late");
  });

  test("and is active by the time we look, belongs to others, or can't be read: nothing", async () => {
    await deliver(found());
    rig.simulator.setStatus(account, "suspended");
    rig.twilio.fail({ on: ({ method }) => method === "GET", do: "answer", status: 500 });
    await deliver(found());
    rig.mend();
    expect(await incidents()).toEqual([]);
    expect(await told()).toEqual([]);
  });
});

describe("an incident that says otherwise", () => {
  test("alerted, by somebody else", async () => {
    await deliver(firing(account), { policy: OBSERVE });
    expect((await last()).state).toBe("alerted");
    rig.simulator.setStatus(account, "suspended");
    await deliver(found(), { policy: OBSERVE });
    expect(await last()).toMatchObject({ state: "suspended", containment: { by: "already-suspended" } });
    expect(await told()).toEqual(["alerted", "suspended"]);
  });

  test("failed, because Twilio did not answer, and did it all the same: it is ours", async () => {
    const isSuspension = ({ method, body }: SeenRequest) => method === "POST" && body.includes("Status=suspended");
    rig.twilio.fail({ on: isSuspension, do: "answer", status: 500 });
    await deliver(firing(account), { milliseconds: 2000 });
    rig.mend();
    expect((await last()).state).toBe("failed");
    rig.simulator.setStatus(account, "suspended");
    await deliver(found(), { policy: OBSERVE });
    expect(await last()).toMatchObject({ state: "suspended", containment: { by: "tollbreaker" }, failure: null });
  });

  test("active past us, and suspended again past us: told, and so is the next time", async () => {
    await deliver(firing(account));
    const { id } = await last();
    const tampered = (key: string) => ({ ...found(), kind: "tampered", id: key, incidentId: id }) as const;
    rig.simulator.setStatus(account, "active");
    await deliver(tampered("one"));
    rig.simulator.setStatus(account, "suspended");
    for (const nudge of [found(), found()]) await deliver(nudge);
    rig.simulator.setStatus(account, "active");
    await deliver(tampered("two"));
    expect(await told()).toEqual(["suspended", "tampered", "suspended", "tampered"]);
  });
});

test("a warning of an account that is suspended does not say that it is not", async () => {
  rig.simulator.setStatus(account, "suspended");
  expect(await deliver(warning())).toEqual(DONE);
  expect(await last()).toMatchObject({ state: "suspended", containment: { by: "already-suspended" } });
  expect(await told()).toEqual(["suspended"]);
});

describe("suspended while our own table was out, and the policy protects it by the time that the table is back", () => {
  test.each(["a firing", "one that was dealt with before, after the account came back"])("%s", async (which) => {
    const signal = firing(account);
    const isOld = which !== "a firing";
    if (isOld) {
      await deliver(signal);
      await deliver(reactivate(await last()));
    }
    rig.dynamo.fail({ do: "cut" });
    expect(await deliver(signal)).toMatchObject({ kind: "again" });
    rig.mend();
    expect(status()).toBe("suspended");
    expect(await deliver(signal, { policy: OBSERVE, attempt: 2 })).toEqual(DONE);
    expect(await last()).toMatchObject({ state: "suspended", containment: { by: "tollbreaker" } });
    expect(await told()).toEqual([...(isOld ? ["suspended", "reactivated"] : []), "suspended"]);
  });

  test("and somebody has set it active meanwhile: it is not suspended once more", async () => {
    const signal = firing(account);
    rig.dynamo.fail({ do: "cut" });
    await deliver(signal);
    rig.mend();
    rig.simulator.setStatus(account, "active");
    expect(await deliver(signal, { policy: OBSERVE, attempt: 2 })).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await last()).toMatchObject({ state: "alerted", because: "observe-mode" });
  });
});

test("asked for while people were only told, cut, and the policy protects it by now: written down", async () => {
  await deliver(firing(account), { policy: OBSERVE });
  const signal = firing(account);
  // The request was carried out; what came of it was not written down.
  const isReading = ({ method, path }: SeenRequest) => method === "GET" && path.endsWith(`/Accounts/${account}.json`);
  rig.twilio.fail({ on: isReading, nth: 2, do: "call", hook: () => rig.dynamo.fail({ do: "cut" }) });
  await deliver(signal);
  rig.mend();
  expect(status()).toBe("suspended");
  await deliver(signal, { policy: OBSERVE, attempt: 2 });
  expect(await last()).toMatchObject({ state: "suspended", containment: { by: "tollbreaker" } });
});

test("a person's suspension is no news to the sweep", async () => {
  await deliver(suspend(account));
  await deliver(found());
  expect(await told()).toEqual(["suspended"]);
});
