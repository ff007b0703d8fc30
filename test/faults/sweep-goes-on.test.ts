import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { accountKey, headKey, runKey, sweepKey } from "../../lib/incidents/keys.ts";
import { SHARD_SIZE } from "../../lib/sweep/shard.ts";
import { sweepShard } from "../../lib/sweep/sweep-shard.ts";
import { ahead, MINUTE, POLICY, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { apiOf } from "../local/twilio/api.ts";
import { NOON } from "../support/shifted-date.ts";
import { firing } from "../support/signals.ts";

// What goes wrong with one account, one write or one sweep is told, and holds up no other.

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

const sweepAt = (minutes: number) => rig.sweep({ clock: ahead(minutes * MINUTE) });
const triggersPath = (accountSid: string) => `/2010-04-01/Accounts/${accountSid}/Usage/Triggers`;

async function removeTriggers(accountSid: string): Promise<void> {
  for (const { sid } of await rig.triggersOf(accountSid)) {
    await apiOf(rig.simulator).delete(`${triggersPath(accountSid)}/${sid}.json`);
  }
}

/** Takes an account's triggers away, and lets Twilio refuse new ones. */
async function disarm(accountSid: string): Promise<void> {
  await removeTriggers(accountSid);
  const body = JSON.stringify({ code: 20001, message: "no", status: 400 });
  const isCreation = ({ method, path }: { method: string; path: string }) =>
    method === "POST" && path.includes(triggersPath(accountSid));
  rig.twilio.fail({ on: isCreation, do: "answer", status: 400, body });
}

describe("accounts that could not be armed", () => {
  const troubles = async () => (await rig.notices()).filter(({ kind }) => kind === "sweep-trouble");

  test("each is told when it is new among them, and again each day; not at each sweep", async () => {
    const account = await settled();
    const { accountSid: other = "" } = rig.simulator.subaccounts()[1] ?? {};
    await disarm(account);
    expect((await sweepAt(0)).counts).toMatchObject({ refused: 1, newlyRefused: 1 });
    const [first, ...none] = await troubles();
    expect(none).toEqual([]);
    expect(first).toMatchObject({ severity: "critical", subject: "1 subaccount could not be armed" });
    expect((await sweepAt(5)).counts).toMatchObject({ refused: 1, newlyRefused: 0 });
    expect(await troubles()).toEqual([]);

    await disarm(other);
    expect((await sweepAt(10)).counts).toMatchObject({ refused: 2, newlyRefused: 1 });
    const [second, ...more] = await troubles();
    expect(more).toEqual([]);
    expect(second?.text).toContain(other);
    expect(second?.text).toMatch(/Others\s+1 more, told before/);
    await sweepAt(15);
    expect(await troubles()).toEqual([]);

    await sweepAt(13 * 60);
    const [nextDay] = await troubles();
    expect(nextDay?.subject).toBe("2 subaccounts could not be armed");
  });

  test("one that was armed meanwhile, and is refused again, is told anew", async () => {
    const account = await settled();
    await disarm(account);
    await sweepAt(0);
    rig.mend();
    expect((await sweepAt(5)).counts).toMatchObject({ refused: 0, armed: 3 });
    await disarm(account);
    await rig.notices();
    await sweepAt(10);
    expect(await troubles()).toHaveLength(1);
  });

  test("one that was armed by hand meanwhile, so that no repair was to be done, is told anew as well", async () => {
    const account = await settled();
    await disarm(account);
    await sweepAt(0);
    rig.mend();
    await rig.sweep({ clock: ahead(5 * MINUTE), policy: { ...POLICY, limits: {} } });
    await disarm(account);
    await rig.notices();
    await sweepAt(10);
    expect(await troubles()).toHaveLength(1);
  });

  test("a new one, too, which has no memory of its own yet", async () => {
    await settled();
    const { accountSid } = rig.simulator.addSubaccount();
    await disarm(accountSid);
    await sweepAt(0);
    expect(await troubles()).toHaveLength(1);
    await sweepAt(5);
    expect(await troubles()).toEqual([]);
    rig.mend();
    expect((await sweepAt(10)).counts).toMatchObject({ arrived: 1, refused: 0 });
  });

  test.each(["report", "finish"] as const)("a worker that dies before its %s leaves nobody untold", async (at) => {
    const account = await settled();
    await disarm(account);
    await rig.start();
    const [shard] = await rig.shards();
    const sweeper = rig.sweeper();
    if (shard === undefined) throw new Error("there is no shard");
    const dying = { ...sweeper, runs: { ...sweeper.runs, [at]: () => Promise.reject(new Error("killed")) } };
    await expect(sweepShard(dying, shard, Date.now() + 50_000)).rejects.toThrow("killed");
    await rig.notices();
    // Nobody comes back to it: the sweep is abandoned.
    await sweepAt(16);
    expect((await troubles()).some(({ text }) => text.includes(account))).toBe(true);
  });
});

describe("an item that can't be read", () => {
  const broken = async (item: Record<string, unknown>) =>
    rig.table.send(new PutCommand({ TableName: rig.aws.tableName, Item: item }));

  test.each([
    { name: "the sweep's memory", item: (account: string) => ({ ...sweepKey(account), firstSeenIn: 5 }) },
    { name: "the account's item", item: (account: string) => ({ ...accountKey(account), lastReactivatedAt: 5 }) },
  ])("$name: that account counts as unread, the others are swept, the sweep ends", async ({ item }) => {
    const account = await settled();
    const { accountSid: other = "" } = rig.simulator.subaccounts()[1] ?? {};
    await removeTriggers(other);
    await broken(item(account));
    const run = await sweepAt(5);
    expect(run.counts).toMatchObject({ accounts: 3, unread: 1, armed: 2, drifted: 1 });
    expect(run.finishedAt).not.toBeNull();
    expect(rig.metrics()).toMatchObject({ SweepCompleted: 1, SweepUnread: 1 });
  });

  test("its open incident: the same", async () => {
    const account = await settled();
    await broken({ ...accountKey(account), openIncidentId: "an-incident" });
    await broken({ ...headKey("an-incident"), state: "a state of another version" });
    const run = await sweepAt(5);
    expect(run.counts).toMatchObject({ accounts: 3, unread: 1, armed: 2 });
    expect(run.finishedAt).not.toBeNull();
  });

  test("the sweep's memory: its incident is watched all the same", async () => {
    const account = await settled();
    await rig.deliver(firing(account), { policy: POLICY });
    await broken({ ...sweepKey(account), firstSeenIn: 5 });
    expect((await sweepAt(31)).counts).toMatchObject({ unread: 1, reminded: 1, open: 1, suspended: 1 });
  });

  test("the present sweep, as another version left it: the next one takes over", async () => {
    await settled();
    await broken({ ...runKey, sweepId: "of-another-version", counts: "many" });
    expect((await sweepAt(5)).counts).toMatchObject({ accounts: 3, armed: 3 });
  });
});

describe("a sweep that takes long", () => {
  async function withManyAccounts(count: number): Promise<void> {
    for (let index = 0; index < count; index++) rig.simulator.addSubaccount();
  }
  const started = async (minutes: number) => (await rig.start({ clock: ahead(minutes * MINUTE) })).kind;
  const sidsOf = (shards: readonly { accounts: readonly { accountSid: string }[] }[]) =>
    shards.flatMap(({ accounts }) => accounts.map(({ accountSid }) => accountSid));

  test("goes on as long as shards are done, and the next one is skipped", async () => {
    await withManyAccounts(2 * SHARD_SIZE);
    expect(await started(0)).toBe("started");
    const shards = await rig.shards();
    expect(shards).toHaveLength(3);
    for (const [index, minutes] of [14, 28, 42].entries()) {
      const shard = shards[index];
      const clock = ahead(minutes * MINUTE);
      expect(await started(minutes)).toBe("skipped");
      if (shard !== undefined) await sweepShard(rig.sweeper({ clock }), shard, clock.now().getTime() + 50_000);
    }
    const run = await rig.sweeper().runs.read();
    expect(run?.finishedAt).not.toBeNull();
    expect(run?.counts).toMatchObject({ accounts: 103, armed: 103 });
    expect(await started(43)).toBe("started");
  });

  test("without a shard done for 15 minutes it is dead, and the next one begins where it ended", async () => {
    await withManyAccounts(3 * SHARD_SIZE);
    expect(await started(0)).toBe("started");
    const first = await rig.shards();
    const [head] = first;
    const clock = ahead(5 * MINUTE);
    if (head !== undefined) await sweepShard(rig.sweeper({ clock }), head, clock.now().getTime() + 50_000);
    expect(await started(19)).toBe("skipped");
    expect(await started(21)).toBe("started");
    const second = await rig.shards();
    const [all, again] = [sidsOf(first), sidsOf(second)];
    expect(again).toEqual([...all.slice(SHARD_SIZE), ...all.slice(0, SHARD_SIZE)]);
    // Nor does one that could not even be begun lose the place.
    rig.twilio.fail({ on: ({ path }) => path.includes("Accounts.json"), do: "answer", status: 401, body: "{}" });
    expect(await started(37)).toBe("failed");
    rig.mend();
    expect(await started(42)).toBe("started");
    expect(sidsOf(await rig.shards())).toEqual(again);
  });

  test("one shard that never succeeds keeps nobody else at the tail", async () => {
    await withManyAccounts(3 * SHARD_SIZE);
    const seen: string[] = [];
    for (const minutes of [0, 16, 32]) {
      expect(await started(minutes)).toBe("started");
      // The first one fails, another one is done, and then the time is over.
      const [, second] = await rig.shards();
      const clock = ahead(minutes * MINUTE);
      if (second === undefined) throw new Error("there is no second shard");
      await sweepShard(rig.sweeper({ clock }), second, clock.now().getTime() + 50_000);
      seen.push(...sidsOf([second]));
    }
    expect(new Set(seen).size).toBe(3 * SHARD_SIZE);
  });
});

describe("the table fails after a repair", () => {
  test.each(["endRepair", "remember"] as const)("%s: what was repaired is announced all the same", async (step) => {
    const account = await settled();
    await removeTriggers(account);
    const { memory } = rig.sweeper();
    const run = await rig.sweep({
      // Something is to be remembered as well.
      clock: ahead(5 * MINUTE),
      memory: { ...memory, [step]: () => Promise.reject(new Error("throttled")) },
    });
    expect(run.counts).toMatchObject({ drifted: 1, created: 3, armed: 3 });
    // What could not be remembered comes again, and is seen to be missing; a lease ends by itself.
    expect(run.counts.unread > 0).toBe(step === "remember");
    const [notice, ...others] = await rig.notices();
    expect(others).toEqual([]);
    expect(notice).toMatchObject({ kind: "drift-repaired" });
    expect(notice?.text).toContain(account);
    expect((await sweepAt(10)).counts).toMatchObject({ unread: 0, armed: 3, drifted: 0 });
  });
});
