import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Incident } from "../../../../lib/incidents/incident.ts";
import { reactivate, suspend } from "../../../support/commands.ts";
import type { SeenRequest } from "../../../support/fault-proxy.ts";
import { type Rig, startRig } from "../../../support/responder-rig.ts";

// Nobody else is there: answers are lost, and responders die. No token that we made is taken for a stranger's.

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

const DONE = { kind: "done" };
const promotes = ({ method, path }: SeenRequest) => method === "POST" && path.endsWith("/v1/AuthTokens/Promote");
const creates = ({ method, path }: SeenRequest) => method === "POST" && path.endsWith("/v1/AuthTokens/Secondary");

async function incident(): Promise<Incident> {
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded.incident;
}

async function comingBack() {
  expect(await rig.deliver(suspend(account))).toEqual(DONE);
  const acknowledge = ["suspended-by", "api-keys", "triggers"] as const;
  return reactivate(await incident(), { acknowledge: [...acknowledge], cleanup: ["auth-token"] });
}

async function die(): Promise<never> {
  await Promise.all([rig.dynamo.down(), rig.twilio.down()]);
  throw new Error("killed");
}

async function revive(): Promise<void> {
  await Promise.all([rig.dynamo.up(), rig.twilio.up()]);
  rig.mend();
}

/** Which promotion, and when: after Twilio did it, or before it heard of it. */
type Lost = "after" | "before";

test.each<[Lost, Lost]>([
  ["after", "before"],
  ["after", "after"],
  ["before", "after"],
])("the answers of two promotions in a row are lost, %s and %s Twilio did it", async (first, second) => {
  const command = await comingBack();
  rig.twilio.fail({ on: promotes, nth: 1, times: 1, when: first, do: "cut" });
  rig.twilio.fail({ on: promotes, nth: 2, times: 1, when: second, do: "cut" });
  expect(await rig.deliver(command)).toEqual(DONE);
  expect(await incident()).toMatchObject({ state: "reactivated", reactivation: { failure: null } });
});

test("and so is that of a secondary token's creation, after a promotion's", async () => {
  const command = await comingBack();
  rig.twilio.fail({ on: promotes, nth: 1, times: 1, when: "after", do: "cut" });
  rig.twilio.fail({ on: creates, nth: 2, times: 1, when: "after", do: "cut" });
  expect(await rig.deliver(command)).toEqual(DONE);
  expect(await incident()).toMatchObject({ state: "reactivated", reactivation: { failure: null } });
});

test("responders that die, one after another", async () => {
  const command = await comingBack();
  const deaths: Lost[] = ["after", "before", "before", "after"];
  for (const [index, when] of deaths.entries()) {
    rig.twilio.fail({ on: promotes, times: 1, when, do: "call", hook: die });
    expect(await rig.deliver(command, { milliseconds: 3000, attempt: index + 1 })).toMatchObject({ kind: "threw" });
    await revive();
  }
  expect(await rig.deliver(command, { attempt: deaths.length + 1 })).toEqual(DONE);
  expect(await incident()).toMatchObject({ state: "reactivated", reactivation: { failure: null } });
  expect(rig.simulator.account(account).status).toBe("active");
});
