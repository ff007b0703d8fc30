import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { guardsFor, isGuard } from "../../lib/triggers/guards.ts";
import { wantedTriggers } from "../../lib/triggers/wanted.ts";
import { createUsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import { ahead, MINUTE, POLICY, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { apiOf } from "../local/twilio/api.ts";
import { policyOf } from "../support/policies.ts";
import { PUBLIC_URL } from "../support/responder-rig.ts";
import { NOON } from "../support/shifted-date.ts";

// Two deployments on one parent: two stages, or the old region of one. Each has a table of its own, and arms the same accounts.

const OTHER_URL = "https://other.example.com/dev";
let ours: SweepRig;
let theirs: SweepRig;
let account: string;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON, shouldAdvanceTime: true });
  [ours, theirs] = await Promise.all([startSweepRig(), startSweepRig()]);
  account = ours.simulator.addSubaccount({ friendlyName: "Shared" }).accountSid;
});
afterEach(async () => {
  await Promise.all([ours.close(), theirs.close()]);
  vi.useRealTimers();
});

async function sweepOurs(minutes = 0, policy = POLICY) {
  const run = await ours.sweep({ clock: ahead(minutes * MINUTE), policy });
  const notices = (await ours.notices()).filter(({ kind }) => kind !== "armed" && kind !== "found-before");
  return { ...run.counts, notices };
}

async function sweepTheirs(minutes = 0, policy = POLICY) {
  const { twilio } = ours.sweeper();
  const run = await theirs.sweep({ clock: ahead(minutes * MINUTE), policy, twilio, publicUrl: OTHER_URL });
  const notices = (await theirs.notices()).filter(({ kind }) => kind !== "armed" && kind !== "found-before");
  return { ...run.counts, notices };
}

const callers = async (url: string) =>
  (await ours.triggersOf(account)).filter((one) => one.callbackUrl.startsWith(url));
const triggersPath = () => `/2010-04-01/Accounts/${account}/Usage/Triggers`;

test("neither takes the other's triggers, in sweep after sweep, and each is told once of the other", async () => {
  await sweepOurs();
  const first = await sweepTheirs();
  expect(first).toMatchObject({ updated: 0, removed: 0, otherTollbreaker: 4 });
  const before = await ours.triggersOf(account);
  expect([(await callers(PUBLIC_URL)).length, (await callers(OTHER_URL)).length]).toEqual([3, 3]);
  const second = await sweepOurs(5);
  const later = [await sweepTheirs(5), await sweepOurs(10), await sweepTheirs(10)];
  for (const counts of [second, ...later])
    expect(counts).toMatchObject({ created: 0, updated: 0, removed: 0, drifted: 0, repeated: 0 });
  expect(later.flatMap(({ notices }) => notices)).toEqual([]);
  expect(await ours.triggersOf(account)).toEqual(before);
  expect([first, second].flatMap(({ notices }) => notices.map(({ kind }) => kind))).toEqual([
    "other-tollbreaker",
    "other-tollbreaker",
  ]);
  const [told] = second.notices;
  expect(told).toMatchObject({ severity: "warning", subject: "Another Tollbreaker watches 4 subaccounts" });
  expect(told?.text).toContain(`Shared (${account}): hxxps[:]//other[.]example[.]com/dev`);
  expect(told?.text).not.toMatch(/Somebody keeps/);
});

test("the other's guards stay, too", async () => {
  await sweepOurs();
  const { twilio } = ours.sweeper();
  for (const guard of guardsFor(POLICY, account, OTHER_URL, "a-command"))
    await createUsageTrigger(twilio, account, guard, 5000);
  expect(await sweepOurs(5)).toMatchObject({ removed: 0 });
  expect((await ours.triggersOf(account)).filter(isGuard)).toHaveLength(2);
});

test("another stage's limits are none of ours: what fires there opens no incident here", async () => {
  const dev = policyOf(`
limits:
  daily-spend: { category: totalprice, by: price, every: day, at: 10, then: suspend }
  dev-only: { category: sms, by: price, every: day, at: 5, then: suspend }
unlisted: suspend
`);
  await sweepOurs();
  await sweepTheirs(0, dev);
  ours.simulator.addUsage(account, { category: "sms", price: 50 });
  await ours.simulator.evaluateTriggers();
  expect(await sweepOurs(5)).toMatchObject({ lost: 0 });
  expect(await ours.inboxOf(account)).toEqual([]);
});

test("what takes our triggers is not called somebody, and told again; we watch all the same", async () => {
  // An older version takes whatever is marked.
  const take = async () => {
    for (const { sid, callbackUrl } of await callers(PUBLIC_URL)) {
      const CallbackUrl = callbackUrl.replace(PUBLIC_URL, OTHER_URL);
      await apiOf(ours.simulator).post(`${triggersPath()}/${sid}.json`, { CallbackUrl });
    }
  };
  await sweepOurs();
  await take();
  const first = await sweepOurs(5);
  expect(first).toMatchObject({ created: 3, drifted: 0, repeated: 0, otherTollbreaker: 1 });
  expect(first.notices.map(({ kind }) => kind)).toEqual(["other-tollbreaker"]);
  await take();
  expect((await sweepOurs(10)).notices.map(({ kind }) => kind)).toEqual(["other-tollbreaker"]);
  await take();
  expect(await sweepOurs(15)).toMatchObject({ created: 3, notices: [] });
});

test("an attacker who calls himself a Tollbreaker hides nothing: the account is stopped as where ours are missing", async () => {
  await sweepOurs();
  for (const { sid, callbackUrl } of await callers(PUBLIC_URL))
    await apiOf(ours.simulator).post(`${triggersPath()}/${sid}.json`, {
      CallbackUrl: callbackUrl.replace(PUBLIC_URL, "https://evil.example.com"),
    });
  ours.simulator.addUsage(account, { category: "sms", price: 5000 });
  await ours.simulator.evaluateTriggers();
  await ours.sweep({ clock: ahead(5 * MINUTE) });
  for (const message of await ours.inboxOf(account)) await ours.deliver(message, { policy: POLICY });
  expect(ours.simulator.account(account).status).toBe("suspended");
});

test("a trigger that calls the same path of another place, and is named after no limit of its address, is put right", async () => {
  await sweepOurs();
  const [trigger] = await callers(PUBLIC_URL);
  const CallbackUrl = "https://other.example.com/webhooks/usage-trigger?limit=another";
  await apiOf(ours.simulator).post(`${triggersPath()}/${trigger?.sid}.json`, { CallbackUrl });
  expect(await sweepOurs(5)).toMatchObject({ updated: 1, created: 0, drifted: 1, otherTollbreaker: 0 });
});

test("in another region, an account that was brought back stays, and is guarded by its new triggers", async () => {
  await sweepTheirs();
  ours.simulator.addUsage(account, { category: "sms", price: 2400 });
  await ours.simulator.evaluateTriggers();
  vi.setSystemTime(Date.now() + 60 * MINUTE);
  await sweepOurs();
  await ours.simulator.evaluateTriggers();
  await sweepOurs(5);
  for (const message of await ours.inboxOf(account)) await ours.deliver(message, { policy: POLICY });
  expect(ours.simulator.account(account).status).toBe("active");
  expect((await callers(PUBLIC_URL)).filter(isGuard)).toHaveLength(2);
  expect(wantedTriggers(POLICY, account, PUBLIC_URL)).toHaveLength(3);
});
