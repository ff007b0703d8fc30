import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Incident } from "../../../../lib/incidents/incident.ts";
import { apiOf } from "../../../local/twilio/api.ts";
import { reactivate } from "../../../support/commands.ts";
import type { SeenRequest } from "../../../support/fault-proxy.ts";
import { policyOf } from "../../../support/policies.ts";
import { type Rig, startRig } from "../../../support/responder-rig.ts";
import { firing } from "../../../support/signals.ts";

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
`);
const NOTHING_SUSPENDS = policyOf(`
limits: { warning: { category: totalprice, by: price, every: day, at: 50, then: alert } }
brake: { suspensions: 1000, within: 10m }
`);
const DONE = { kind: "done" };

const deliver: Rig["deliver"] = (message, changes) => rig.deliver(message, { policy: POLICY, ...changes });
const status = () => rig.simulator.account(account).status;
const isActivation = ({ method, path, body }: SeenRequest) =>
  method === "POST" && path.endsWith(`/${account}.json`) && body.includes("Status=active");
const keysPath = () => `/2010-04-01/Accounts/${account}/Keys.json`;
const makeKey = () => apiOf(rig.simulator).post(keysPath(), { FriendlyName: "made meanwhile" });
const keys = async () => (await apiOf(rig.simulator).get(keysPath())).body.keys.length;

async function incident(): Promise<Incident> {
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded.incident;
}

async function contained(): Promise<Incident> {
  expect(await deliver(firing(account))).toEqual(DONE);
  return incident();
}

describe("a policy in which nothing suspends", () => {
  const policy = NOTHING_SUSPENDS;

  test("can't be made up for by restoring the triggers: refused, and nothing is changed", async () => {
    const before = await contained();
    const answers = { acknowledge: ["api-keys", "auth-token"] as const, cleanup: ["triggers"] as const };
    await deliver(reactivate(before, { acknowledge: [...answers.acknowledge], cleanup: [...answers.cleanup] }), {
      policy,
    });
    expect(status()).toBe("suspended");
    expect(await incident()).toMatchObject({
      state: "suspended",
      reason: expect.stringContaining("nothing will guard it"),
    });
    expect(await rig.triggersOf(account)).toEqual([]);
  });

  test("was acknowledged as it is: active, without guards", async () => {
    await rig.deliver(firing(account), { policy });
    await deliver(reactivate(await incident(), { cleanup: ["triggers"] }), { policy });
    expect(status()).toBe("active");
    expect(await incident()).toMatchObject({ state: "reactivated", reactivation: { guards: [] } });
  });

  test("was not what was acknowledged: refused", async () => {
    const before = await contained();
    await deliver(reactivate(before, { cleanup: ["triggers"] }), { policy });
    expect(status()).toBe("suspended");
  });
});

describe("a later delivery", () => {
  async function cutBeforeItWentLive(changes = {}) {
    const command = reactivate(await contained(), changes);
    const hook = () => {
      for (const proxy of [rig.dynamo, rig.twilio]) proxy.fail({ do: "cut" });
      throw new Error("cut");
    };
    rig.twilio.fail({ on: isActivation, times: 1, do: "call", hook });
    expect(await deliver(command, { milliseconds: 3000 })).toMatchObject({ kind: "threw" });
    rig.mend();
    expect((await incident()).state).toBe("reactivating");
    return command;
  }

  test("finds what changed in between: suspended still, with the list", async () => {
    const command = await cutBeforeItWentLive();
    await makeKey();
    expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect(await incident()).toMatchObject({ state: "suspended", reason: expect.stringContaining("1 made during it") });
  });

  test("cleans again what was cleaned, should it have come back", async () => {
    const command = await cutBeforeItWentLive({
      acknowledge: ["suspended-by", "auth-token", "triggers"],
      cleanup: ["api-keys"],
    });
    expect(await keys()).toBe(0);
    await makeKey();
    expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
    expect(status()).toBe("active");
    expect(await keys()).toBe(0);
  });

  test("of an account that is active by then leaves it so", async () => {
    const command = reactivate(await contained());
    const hook = () => rig.dynamo.fail({ do: "cut" });
    rig.twilio.fail({ on: isActivation, when: "after", times: 1, do: "call", hook });
    expect(await deliver(command, { milliseconds: 3000 })).toMatchObject({ kind: "threw" });
    rig.mend();
    const asked = rig.suspensionRequests(account);
    expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
    expect(await incident()).toMatchObject({ state: "reactivated" });
    expect(rig.suspensionRequests(account)).toBe(asked);
  });
});

test("an account that can't be read is not brought back, and it is said what to do", async () => {
  const before = await contained();
  const body = JSON.stringify({ code: 20003, message: "Authenticate", status: 401 });
  rig.twilio.fail({ on: ({ path }) => path.includes(account), do: "answer", status: 401, body });
  expect(await deliver(reactivate(before))).toEqual(DONE);
  expect(await incident()).toMatchObject({
    state: "suspended",
    reason: expect.stringMatching(/could not be read.*our credentials are refused.*20003/),
  });
});
