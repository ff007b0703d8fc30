import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ReactivateCommand } from "../../../../lib/inbox/commands.ts";
import { reactivate, restoreNumbers, suspend } from "../../../support/commands.ts";
import { withLaggingLists } from "../../../support/lagging-lists.ts";
import { policyOf } from "../../../support/policies.ts";
import { type Recorded, type Rig, startRig } from "../../../support/responder-rig.ts";

// Twilio's lists lag: what was just written does not show yet, what was just deleted shows still. Nothing is done twice, and
// no account is taken back for it.

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
const DONE = { kind: "done" };
const OPEN = ["suspended-by", "api-keys", "auth-token", "triggers"] as const;

async function story(): Promise<Recorded> {
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}

const lagging = (lagMs: number) => ({
  policy: POLICY,
  twilio: withLaggingLists(rig.responder().twilio, account, lagMs),
});

async function comeBack(lagMs: number, ...cleanup: ReactivateCommand["cleanup"]) {
  expect(await rig.deliver(suspend(account), { policy: POLICY })).toEqual(DONE);
  const acknowledge = OPEN.filter((id) => !cleanup.some((other) => other === id));
  const command = reactivate((await story()).incident, { acknowledge: [...acknowledge], cleanup });
  expect(await rig.deliver(command, lagging(lagMs))).toEqual(DONE);
}

const isRouted = ({ voice_url, sms_url, status_callback }: Record<string, string>) =>
  [voice_url, sms_url, status_callback].some((address) => address !== "");

test.each([500, 2000, 5000, 60_000])("everything is cleaned up once, with lists %i ms late", async (lagMs) => {
  const keys = rig.simulator.keys(account).length;
  await comeBack(lagMs, "live-calls", "api-keys", "triggers", "unroute-numbers", "auth-token");
  const { incident, timeline } = await story();
  expect(incident).toMatchObject({ state: "reactivated", reason: expect.any(String), reactivation: { failure: null } });
  // Three limits and two guards.
  expect(await rig.triggersOf(account)).toHaveLength(5);
  expect(rig.simulator.keys(account)).toEqual([]);
  expect(rig.simulator.phoneNumbers(account).some(({ routing }) => isRouted({ ...routing }))).toBe(false);
  const counts = Object.fromEntries(timeline.map(({ what, detail }) => [what, detail["count"]]));
  expect(counts).toMatchObject({ "api-keys-deleted": keys, "triggers-restored": 3, "numbers-checked": 2 });
  for (const what of ["guards-restored", "new-api-keys-deleted", "numbers-unrouted-anew"]) {
    expect(counts).not.toHaveProperty(what);
  }
  expect((await rig.alertsOf(account)).map(({ about }) => about)).not.toContain("not-reactivated");
});

test("a trigger whose creation got no answer is waited for, and not made twice", async () => {
  const isCreation = ({ method, path }: { method: string; path: string }) =>
    method === "POST" && path.includes(account) && path.endsWith("/Usage/Triggers.json");
  rig.twilio.fail({ on: isCreation, nth: 2, times: 1, when: "after", do: "cut" });
  await comeBack(2000, "triggers");
  expect(await story()).toMatchObject({ incident: { state: "reactivated" } });
  expect(await rig.triggersOf(account)).toHaveLength(5);
});

test("phone numbers get their webhooks back while the list shows them unrouted", async () => {
  const before = rig.simulator.phoneNumbers(account).map(({ routing }) => routing);
  await comeBack(0, "unroute-numbers");
  const { incident } = await story();
  const { twilio, ...others } = lagging(60_000);
  expect(await rig.deliver(restoreNumbers(incident), { ...others, twilio })).toEqual(DONE);
  expect(rig.simulator.phoneNumbers(account).map(({ routing }) => routing)).toEqual(before);
  expect(await rig.deliver(restoreNumbers(incident), { ...others, twilio })).toEqual(DONE);
  expect((await story()).timeline.at(-1)).toMatchObject({ what: "numbers-restored", detail: { count: before.length } });
});
