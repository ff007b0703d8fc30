import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { accountKey } from "../../lib/incidents/keys.ts";
import type { Policy } from "../../lib/policy/policy.ts";
import { sweepShard } from "../../lib/sweep/sweep-shard.ts";
import type { Sweeper } from "../../lib/sweep/sweeper.ts";
import { guardsFor, isGuard } from "../../lib/triggers/guards.ts";
import { wantedTriggers } from "../../lib/triggers/wanted.ts";
import { createUsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import { ahead, MINUTE, POLICY, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { apiOf } from "../local/twilio/api.ts";
import { policyOf } from "../support/policies.ts";
import { PUBLIC_URL } from "../support/responder-rig.ts";
import { NOON } from "../support/shifted-date.ts";
import { firing } from "../support/signals.ts";

// The real parts, each sweep begun by hand. Noon, because what is counted by the day begins again at midnight.

let rig: SweepRig;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON, shouldAdvanceTime: true });
  rig = await startSweepRig();
});
afterEach(async () => {
  await rig.close();
  vi.useRealTimers();
});

/** A sweep has been here: from now on, nothing is new. */
async function settled(): Promise<string> {
  await rig.sweep();
  await rig.notices();
  rig.metrics();
  return rig.simulator.subaccounts()[0]?.accountSid ?? "";
}

const namesOf = async (accountSid: string) =>
  (await rig.triggersOf(accountSid)).map(({ friendlyName }) => friendlyName).sort();
const wanted = (policy: Policy = POLICY) =>
  wantedTriggers(policy, "", PUBLIC_URL)
    .map(({ friendlyName }) => friendlyName)
    .sort();
const triggersPath = (accountSid: string) => `/2010-04-01/Accounts/${accountSid}/Usage/Triggers`;
const triggerReads = () =>
  rig.simulator.requests().filter(({ method, path }) => method === "GET" && path.includes("/Usage/Triggers"));
const deadline = () => Date.now() + 50_000;

async function removeTrigger(accountSid: string, name = "tollbreaker: daily-spend"): Promise<void> {
  const triggers = await rig.triggersOf(accountSid);
  const { sid } = triggers.find(({ friendlyName }) => friendlyName === name) ?? {};
  await apiOf(rig.simulator).delete(`${triggersPath(accountSid)}/${sid}.json`);
}

describe("triggers in order", () => {
  test("the first sweep arms every subaccount, and tells it once", async () => {
    const run = await rig.sweep();
    for (const { accountSid } of rig.simulator.subaccounts()) expect(await namesOf(accountSid)).toEqual(wanted());
    expect(run.counts).toMatchObject({ accounts: 3, armed: 3, arrived: 3, created: 9, drifted: 0, unread: 0 });
    const notices = await rig.notices();
    expect(notices.map(({ subject }) => subject)).toEqual(["Tollbreaker watches 3 subaccounts from now on"]);
    expect(rig.metrics()).toMatchObject({ SweepCompleted: 1, SweepAccounts: 3, DriftRepaired: 0 });
  });

  test("of an account that is in order there is one reading, and nothing else is asked of Twilio", async () => {
    await settled();
    rig.simulator.resetRequests();
    const run = await rig.sweep();
    expect(triggerReads()).toHaveLength(3);
    expect(rig.simulator.requests()).toHaveLength(4);
    expect(run.counts).toMatchObject({ accounts: 3, armed: 3, quiet: 3, arrived: 0, drifted: 0, created: 0 });
    expect(await rig.notices()).toEqual([]);
  });

  test("a subaccount never seen before is armed and announced by name", async () => {
    await settled();
    const { accountSid } = rig.simulator.addSubaccount({ friendlyName: "Brand new" });
    await rig.sweep();
    expect(await namesOf(accountSid)).toEqual(wanted());
    const [notice, ...others] = await rig.notices();
    expect(others).toEqual([]);
    expect(notice).toMatchObject({ kind: "armed", severity: "info", subject: "New: 1 subaccount, armed" });
    expect(notice?.text).toContain(`Brand new (${accountSid})`);
  });

  test("a trigger deleted by hand is back within one sweep, and announced", async () => {
    const account = await settled();
    await removeTrigger(account);
    const run = await rig.sweep();
    expect(await namesOf(account)).toEqual(wanted());
    expect(run.counts).toMatchObject({ created: 1, drifted: 1, arrived: 0 });
    const [notice, ...others] = await rig.notices();
    expect(others).toEqual([]);
    expect(notice).toMatchObject({ kind: "drift-repaired", severity: "warning" });
    expect(notice?.text).toMatch(new RegExp(`${account}.*: 1 created`));
  });

  test("one that somebody made call another address calls us again; none of anybody else's is touched", async () => {
    const account = await settled();
    const [trigger] = await rig.triggersOf(account);
    const api = apiOf(rig.simulator);
    await api.post(`${triggersPath(account)}/${trigger?.sid}.json`, { CallbackUrl: "https://elsewhere.example.com/" });
    const foreign = { FriendlyName: "mine", UsageCategory: "sms", TriggerValue: "5", CallbackUrl: "https://a.example" };
    await api.post(`${triggersPath(account)}.json`, foreign);
    const run = await rig.sweep();
    expect(run.counts).toMatchObject({ created: 0, updated: 1, removed: 0, drifted: 1 });
    const triggers = await rig.triggersOf(account);
    expect(triggers.find(({ sid }) => sid === trigger?.sid)?.callbackUrl).toContain(PUBLIC_URL);
    expect(triggers.map(({ friendlyName }) => friendlyName).sort()).toEqual(["mine", ...wanted()].sort());
  });

  test("another value in the policy: the new trigger is there before the old one goes", async () => {
    const account = await settled();
    rig.simulator.resetRequests();
    const policy = policyOf(
      "limits: { daily-spend: { category: totalprice, by: price, every: day, at: 250, then: suspend } }",
    );
    await rig.sweep({ policy });
    expect((await rig.triggersOf(account)).map(({ triggerValue }) => Number(triggerValue))).toEqual([250]);
    const changes = rig.simulator.requests().filter(({ method, path }) => method !== "GET" && path.includes(account));
    expect(changes.map(({ method }) => method)).toEqual(["POST", "DELETE", "DELETE", "DELETE"]);
  });

  test("a policy without limits removes nothing", async () => {
    const account = await settled();
    const run = await rig.sweep({ policy: policyOf("limits: {}") });
    expect(await namesOf(account)).toEqual(wanted());
    expect(run.counts).toMatchObject({ removed: 0, drifted: 0 });
  });

  test("a suspended account is repaired, too; what is closed is left alone", async () => {
    const account = await settled();
    const [, closed] = rig.simulator.subaccounts();
    rig.simulator.setStatus(account, "suspended");
    rig.simulator.setStatus(closed?.accountSid ?? "", "closed");
    await removeTrigger(account);
    rig.simulator.resetRequests();
    const run = await rig.sweep();
    expect(run.counts).toMatchObject({ accounts: 2, suspended: 1, drifted: 1 });
    expect(await namesOf(account)).toEqual(wanted());
    expect(rig.simulator.requests().some(({ path }) => path.includes(closed?.accountSid ?? "-"))).toBe(false);
  });

  test("guards of a probation that is over are removed, and one that is not stays", async () => {
    const account = await settled();
    const guards = guardsFor(POLICY, account, PUBLIC_URL, "a-command");
    for (const guard of guards) await createUsageTrigger(rig.sweeper().twilio, account, guard, 5000);
    const lastReactivatedAt = new Date().toISOString();
    const item = { ...accountKey(account), lastReactivatedAt };
    await rig.table.send(new PutCommand({ TableName: rig.aws.tableName, Item: item }));
    await rig.sweep({ clock: ahead(23 * 60 * MINUTE) });
    await rig.notices();
    expect((await rig.triggersOf(account)).filter(isGuard)).toHaveLength(guards.length);
    const run = await rig.sweep({ clock: ahead(25 * 60 * MINUTE) });
    expect(await namesOf(account)).toEqual(wanted());
    // That was to be, and is no news.
    expect(run.counts).toMatchObject({ removed: guards.length, drifted: 0 });
    expect(await rig.notices()).toEqual([]);
  });
});

describe("what was missed", () => {
  test("a webhook that was lost: the sweep finds the firing, and the account is suspended", async () => {
    const account = await settled();
    rig.simulator.addUsage(account, { category: "sms", price: 130 });
    // Nobody answers at the callback's address here.
    await rig.simulator.evaluateTriggers();
    await rig.sweep();
    expect(await rig.inboxOf(account)).toEqual([]);
    const run = await rig.sweep({ clock: ahead(2 * MINUTE) });
    expect(run.counts.lost).toBe(2);
    const messages = await rig.inboxOf(account);
    expect(messages).toMatchObject([
      { kind: "usage-trigger", found: "sweep-fired", limit: "daily-spend", currentValue: "130" },
      { kind: "usage-trigger", found: "sweep-fired", limit: "daily-warning", currentValue: "130" },
    ]);
    for (const message of messages) expect(await rig.deliver(message, { policy: POLICY })).toEqual({ kind: "done" });
    expect(rig.simulator.account(account).status).toBe("suspended");
    const after = await rig.sweep({ clock: ahead(7 * MINUTE) });
    expect(after.counts.lost).toBe(0);
  });

  test("a firing that the policy ignores is asked about once", async () => {
    const account = await settled();
    const lax = policyOf(`
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 800, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 900, then: suspend }
`);
    rig.simulator.addUsage(account, { category: "sms", price: 130 });
    await rig.simulator.evaluateTriggers();
    expect((await rig.sweep({ clock: ahead(2 * MINUTE) })).counts.lost).toBe(2);
    for (const message of await rig.inboxOf(account)) await rig.deliver(message, { policy: lax });
    expect(rig.simulator.account(account).status).toBe("active");
    expect((await rig.sweep({ clock: ahead(7 * MINUTE) })).counts.lost).toBe(0);
  });

  test("a firing that came in is not lost", async () => {
    const account = await settled();
    rig.simulator.addUsage(account, { category: "sms", price: 85 });
    await rig.simulator.evaluateTriggers();
    const fired = (await rig.triggersOf(account)).find(({ dateFired }) => dateFired !== null);
    const firedAt = new Date(fired?.dateFired ?? "").toISOString();
    const numbers = { limit: "daily-warning", triggerValue: "80", currentValue: "85" };
    const signal = firing(account, { usageTriggerSid: fired?.sid ?? "", firedAt, ...numbers });
    expect(await rig.deliver(signal, { policy: POLICY })).toEqual({ kind: "done" });
    const run = await rig.sweep({ clock: ahead(5 * MINUTE) });
    expect(run.counts).toMatchObject({ lost: 0, open: 1 });
  });

  test("whoever can sign for the account can't use up a limit's firing with the numbers of another one", async () => {
    const account = await settled();
    const { sid = "" } =
      (await rig.triggersOf(account)).find(({ friendlyName }) => friendlyName.endsWith("spend")) ?? {};
    const soon = new Date(Date.now() + 4.5 * MINUTE).toISOString();
    const numbers = { limit: "daily-warning", triggerValue: "80", currentValue: "81" };
    const forged = firing(account, { usageTriggerSid: sid, firedAt: soon, ...numbers });
    expect(await rig.deliver(forged, { policy: POLICY })).toEqual({ kind: "done" });
    rig.simulator.addUsage(account, { category: "sms", price: 5000 });
    await rig.simulator.evaluateTriggers();
    await rig.sweep({ clock: ahead(5 * MINUTE) });
    for (const message of await rig.inboxOf(account)) await rig.deliver(message, { policy: POLICY });
    expect(rig.simulator.account(account).status).toBe("suspended");
  });

  test("a value over its limit that did not fire becomes a signal at the second sight", async () => {
    const account = await settled();
    rig.simulator.addUsage(account, { category: "sms", price: 100 });
    expect((await rig.sweep({ clock: ahead(MINUTE) })).counts.over).toBe(0);
    expect((await rig.sweep({ clock: ahead(6 * MINUTE) })).counts.over).toBe(2);
    const messages = await rig.inboxOf(account);
    expect(messages).toMatchObject([
      { found: "sweep-over", limit: "daily-spend", firedAt: null },
      { found: "sweep-over", limit: "daily-warning" },
    ]);
    for (const message of messages) expect(await rig.deliver(message, { policy: POLICY })).toEqual({ kind: "done" });
    expect(rig.simulator.account(account).status).toBe("suspended");
    expect((await rig.sweep({ clock: ahead(11 * MINUTE) })).counts.over).toBe(0);
  });

  test("an account that spends too fast trips the policy's rate", async () => {
    const policy = policyOf(`
limits:
  daily-spend: { category: totalprice, by: price, every: day, at: 1000, then: suspend }
  fast: { category: totalprice, by: price, every: hour, at: 40, then: suspend }
`);
    const account = await settled();
    for (const minutes of [0, 5, 10, 15, 20]) {
      const run = await rig.sweep({ policy, clock: ahead(minutes * MINUTE) });
      expect(run.counts.spend, `after ${minutes} minutes`).toBe(minutes === 20 ? 1 : 0);
      rig.simulator.addUsage(account, { category: "sms", price: 11 });
    }
    const [signal] = await rig.inboxOf(account);
    expect(signal).toMatchObject({ kind: "spend-rule", rule: "fast", thisHour: "44" });
  });
});

describe("incidents that need somebody", () => {
  async function contained(): Promise<string> {
    const account = await settled();
    expect(await rig.deliver(firing(account), { policy: POLICY })).toEqual({ kind: "done" });
    expect(rig.simulator.account(account).status).toBe("suspended");
    return account;
  }

  test("an account that was set active past us is looked after", async () => {
    const account = await contained();
    rig.simulator.setStatus(account, "active");
    expect((await rig.sweep({ clock: ahead(MINUTE) })).counts.tampered).toBe(0);
    expect((await rig.sweep({ clock: ahead(3 * MINUTE) })).counts.tampered).toBe(1);
    const [nudge] = await rig.inboxOf(account);
    expect(nudge?.kind).toBe("tampered");
    if (nudge !== undefined) await rig.deliver(nudge, { policy: { ...POLICY, tampering: "suspend" } });
    expect(rig.simulator.account(account).status).toBe("suspended");
  });

  test("one that waits for a person is brought to mind, each time once", async () => {
    const account = await contained();
    const reminded = async (minutes: number) => (await rig.sweep({ clock: ahead(minutes * MINUTE) })).counts.reminded;
    expect([await reminded(20), await reminded(31), await reminded(36), await reminded(125)]).toEqual([0, 1, 1, 1]);
    const ids = (await rig.inboxOf(account)).map(({ id }) => id.slice(-2));
    expect(new Set(ids)).toEqual(new Set([":1", ":2"]));
  });

  test("one that nobody is at is driven on", async () => {
    const account = await settled();
    rig.sns.fail({ do: "cut" });
    await rig.deliver(firing(account), { policy: POLICY });
    rig.mend();
    expect((await rig.sweep({ clock: ahead(3 * MINUTE) })).counts.driven).toBe(1);
    const [nudge] = await rig.inboxOf(account);
    expect(nudge?.kind).toBe("drive");
    if (nudge !== undefined) expect(await rig.deliver(nudge, { policy: POLICY })).toEqual({ kind: "done" });
    expect((await rig.sweep({ clock: ahead(6 * MINUTE) })).counts.driven).toBe(0);
  });
});

describe("Twilio fails", () => {
  test.each([
    { name: "500", effect: { kind: "status", status: 500 } as const },
    { name: "429", effect: { kind: "status", status: 429 } as const },
    { name: "a cut connection", effect: { kind: "drop" } as const },
  ])("$name for one account: the others are swept, it comes again the next time", async ({ effect }) => {
    const account = await settled();
    const [, other] = rig.simulator.subaccounts();
    await removeTrigger(account);
    await removeTrigger(other?.accountSid ?? "");
    rig.simulator.addFault({ effect, accountSid: account, path: "/Usage/Triggers" });
    const clock = ahead(0);
    const run = await rig.sweep({ clock });
    expect(run.counts).toMatchObject({ accounts: 3, unread: 1, armed: 2, drifted: 1, removed: 0 });
    expect(await namesOf(other?.accountSid ?? "")).toEqual(wanted());
    rig.mend();
    expect((await rig.sweep()).counts).toMatchObject({ unread: 0, drifted: 1, armed: 3 });
    expect(await namesOf(account)).toEqual(wanted());
  });

  test("too many requests for a moment: all of them rest, and every account is read", async () => {
    await settled();
    rig.simulator.resetRequests();
    rig.simulator.addFault({ effect: { kind: "status", status: 429 }, path: "/Usage/Triggers", times: 3 });
    const run = await rig.sweep();
    expect(run.counts).toMatchObject({ accounts: 3, unread: 0 });
    expect(triggerReads()).toHaveLength(6);
  });

  test("the accounts cannot be listed: nothing is touched, and the next sweep need not wait", async () => {
    const account = await settled();
    await removeTrigger(account);
    rig.simulator.addFault({ effect: { kind: "status", status: 500 }, path: "/Accounts(\\.json)?$" });
    const clock = ahead(0);
    expect(await rig.start({ clock })).toMatchObject({ kind: "failed" });
    expect(rig.metrics()).toEqual({ SweepFailed: 1 });
    expect(await rig.shards()).toEqual([]);
    rig.mend();
    expect((await rig.sweep()).counts.drifted).toBe(1);
  });

  test("a creation that got no answer is not repeated blindly", async () => {
    const account = await settled();
    await removeTrigger(account);
    rig.simulator.addFault({ effect: { kind: "drop", acts: true }, method: "POST", accountSid: account, times: 1 });
    expect((await rig.sweep()).counts).toMatchObject({ unread: 1, created: 0 });
    expect((await rig.sweep()).counts).toMatchObject({ unread: 0, created: 0 });
    expect(await namesOf(account)).toEqual(wanted());
  });

  // How Twilio answers for an account that is closed is not documented.
  test.each([
    { status: 404, code: 20404 },
    { status: 403, code: 20403 },
    { status: 401, code: 20003 },
  ])("closed in the middle ($code): the others are swept, and nobody is alarmed", async ({ status, code }) => {
    const account = await settled();
    const isAbout = ({ path }: { path: string }) => path.includes(account);
    rig.twilio.fail({ on: isAbout, do: "answer", status, body: JSON.stringify({ code, message: "gone", status }) });
    const run = await rig.sweep();
    expect(run.counts).toMatchObject({ accounts: 3, unread: 1, armed: 2, refused: 0 });
    expect(await rig.notices()).toEqual([]);
    expect(rig.simulator.requests().filter(({ method }) => method === "DELETE")).toEqual([]);
  });

  test("suspended in the middle, and Twilio refuses: no alarm, and it is armed when it can be", async () => {
    const account = await settled();
    await removeTrigger(account);
    rig.simulator.setStatus(account, "suspended");
    const body = JSON.stringify({ code: 20403, message: "suspended", status: 403 });
    rig.twilio.fail({ on: ({ method }) => method === "POST", do: "answer", status: 403, body });
    expect((await rig.sweep()).counts).toMatchObject({ refused: 0, armed: 2, unread: 0 });
    expect(await rig.notices()).toEqual([]);
    rig.mend();
    expect((await rig.sweep()).counts).toMatchObject({ armed: 3, drifted: 1 });
  });
});

describe("two at once", () => {
  test("a sweep never overlaps the one before", async () => {
    await settled();
    const starts = await Promise.all([rig.start(), rig.start(), rig.start()]);
    expect(starts.map(({ kind }) => kind).sort()).toEqual(["skipped", "skipped", "started"]);
    expect(rig.metrics()).toMatchObject({ SweepSkipped: 1 });
    expect(await rig.start({ clock: ahead(14 * MINUTE) })).toMatchObject({ kind: "skipped" });
  });

  test("after 15 minutes it is taken over: what it did is told, and its shards are dropped", async () => {
    const account = await settled();
    await removeTrigger(account);
    await rig.start();
    const [shard] = await rig.shards();
    const sweeper = rig.sweeper();
    // It dies after it has counted the shard, before it could tell anybody.
    const mute = { ...sweeper, alerts: { publish: () => Promise.reject(new Error("no topic")) } };
    if (shard !== undefined) await expect(sweepShard(mute, shard, deadline())).rejects.toThrow("no topic");
    expect(await rig.start({ clock: ahead(16 * MINUTE) })).toMatchObject({ kind: "started" });
    expect((await rig.notices()).map(({ kind }) => kind)).toEqual(["drift-repaired"]);
    rig.simulator.resetRequests();
    if (shard !== undefined) await sweepShard(sweeper, shard, deadline());
    expect(rig.simulator.requests()).toEqual([]);
  });

  test("two deliveries of one shard at the same time: no trigger is made twice, no account counted twice", async () => {
    const account = await settled();
    const { accountSid: fresh } = rig.simulator.addSubaccount();
    await removeTrigger(account);
    await rig.start();
    const [shard] = await rig.shards();
    rig.simulator.addFault({ effect: { kind: "latency", milliseconds: 30 } });
    const workers = [rig.sweeper(), rig.sweeper(), rig.sweeper()];
    if (shard !== undefined) await Promise.all(workers.map((worker) => sweepShard(worker, shard, deadline())));
    expect(await namesOf(account)).toEqual(wanted());
    expect(await namesOf(fresh)).toEqual(wanted());
    expect((await workers[0]?.runs.read())?.counts.accounts).toBe(4);
  });
});

describe("a worker that dies", () => {
  const dying = (sweeper: Sweeper, at: "report" | "finish"): Sweeper => ({
    ...sweeper,
    runs: { ...sweeper.runs, [at]: () => Promise.reject(new Error("killed")) },
  });

  test.each(["report", "finish"] as const)("before its %s: the next one does it, and people are told", async (at) => {
    const account = await settled();
    const { accountSid: fresh } = rig.simulator.addSubaccount({ friendlyName: "Brand new" });
    await removeTrigger(account);
    await rig.start();
    const [shard] = await rig.shards();
    const sweeper = rig.sweeper();
    if (shard === undefined) throw new Error("there is no shard");
    await expect(sweepShard(dying(sweeper, at), shard, deadline())).rejects.toThrow("killed");
    await sweepShard(sweeper, shard, deadline());
    const notices = await rig.notices();
    expect(new Set(notices.map(({ kind }) => kind))).toEqual(new Set(["armed", "drift-repaired"]));
    // Told twice where it died between telling and noting it: with the same id.
    expect(new Set(notices.map(({ id }) => id)).size).toBe(2);
    expect(notices.some(({ text }) => text.includes(fresh))).toBe(true);
    expect((await sweeper.runs.read())?.counts).toMatchObject({ accounts: 4, arrived: 1, drifted: 1 });
    expect(rig.metrics()["SweepCompleted"]).toBe(1);
  });

  test("in the middle of a repair: the next sweep waits for its lease, and then finishes it", async () => {
    const account = await settled();
    await removeTrigger(account);
    const { memory } = rig.sweeper();
    const now = new Date();
    await memory.claimRepair(account, "another-sweep", { now, until: new Date(now.getTime() + MINUTE) });
    expect((await rig.sweep()).counts).toMatchObject({ drifted: 0, armed: 2 });
    expect((await rig.sweep({ clock: ahead(2 * MINUTE) })).counts).toMatchObject({ drifted: 1, armed: 3 });
    expect(await namesOf(account)).toEqual(wanted());
  });
});

test("once a day people are told how many accounts are armed and quiet", async () => {
  await settled();
  await rig.sweep({ dailySummary: true });
  await rig.sweep({ dailySummary: true });
  const [summary, ...others] = await rig.notices();
  expect(others).toEqual([]);
  expect(summary?.subject).toBe("Tollbreaker: 3 of 3 subaccounts armed, 3 quiet");
  await rig.sweep({ dailySummary: true, clock: ahead(13 * 60 * MINUTE) });
  expect((await rig.notices()).map(({ kind }) => kind)).toEqual(["daily-summary"]);
});

test("no room for a trigger: a person is told, once a day", async () => {
  const account = await settled();
  await removeTrigger(account);
  const api = apiOf(rig.simulator);
  const foreign = { FriendlyName: "mine", UsageCategory: "sms", TriggerValue: "5", CallbackUrl: "https://a.example" };
  for (let index = 0; index < 998; index++) await api.post(`${triggersPath(account)}.json`, foreign);
  expect((await rig.sweep()).counts).toMatchObject({ refused: 1, armed: 2, unread: 0 });
  const [notice, ...others] = await rig.notices();
  expect(others).toEqual([]);
  expect(notice).toMatchObject({ kind: "sweep-trouble", severity: "critical" });
  expect(notice?.text).toContain("Twilio allows 1000");
  await rig.sweep();
  expect(await rig.notices()).toEqual([]);
});
