import { DeleteCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { firstMomentKey } from "../../lib/incidents/keys.ts";
import { reconcile } from "../../lib/response/reconcile.ts";
import { runStore } from "../../lib/sweep/run-store.ts";
import { isGuard } from "../../lib/triggers/guards.ts";
import type { UsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import { ahead, MINUTE, POLICY, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { apiOf } from "../local/twilio/api.ts";
import { NOON } from "../support/shifted-date.ts";
import { firing } from "../support/signals.ts";

// A table without a history: a new deployment, another region, a table that was lost. What fired before it suspends nobody
// by itself, and nobody is left unguarded; what fires after it is stopped as ever.

let rig: SweepRig;
let account: string;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON, shouldAdvanceTime: true });
  rig = await startSweepRig();
  account = rig.simulator.addSubaccount({ friendlyName: "Brought back" }).accountSid;
});
afterEach(async () => {
  await rig.close();
  vi.useRealTimers();
});

const status = () => rig.simulator.account(account).status;
const spend = async (price: number) => {
  rig.simulator.addUsage(account, { category: "sms", price });
  await rig.simulator.evaluateTriggers();
};
const guardsOf = async () => (await rig.triggersOf(account)).filter(isGuard);

/** A sweep after so many minutes, and all that it puts into the inbox dealt with. */
async function sweepAfter(minutes: number) {
  pass(minutes);
  const run = await rig.sweep({ clock: ahead(0) });
  await dealWithInbox();
  return run;
}

function pass(minutes: number): void {
  vi.setSystemTime(Date.now() + minutes * MINUTE);
}

/** A webhook that comes to nothing, and what Twilio's list says instead. */
async function reconciled(webhook: ReturnType<typeof firing>): Promise<void> {
  await rig.deliver(webhook, { policy: POLICY });
  const look = { kind: "reconcile", accountSid: account, look: 1 } as const;
  expect(rig.followUps).toContainEqual(look);
  const until = { clock: ahead(0), deadline: Date.now() + 10_000 };
  expect(await reconcile(rig.responder({ policy: POLICY, clock: ahead(0) }), look, until)).toBeUndefined();
  await dealWithInbox();
}

async function dealWithInbox(): Promise<void> {
  for (const message of await rig.inboxOf(account))
    expect(await rig.deliver(message, { policy: POLICY, clock: ahead(0) })).toEqual({ kind: "done" });
}

/** The webhook of a firing, as Twilio lists it. */
const webhookOf = (trigger: UsageTrigger, changes: Parameters<typeof firing>[1] = {}) =>
  firing(account, {
    usageTriggerSid: trigger.sid,
    ...{ recurring: trigger.recurring, triggerValue: trigger.triggerValue, currentValue: trigger.currentValue },
    ...{ usageCategory: trigger.usageCategory, triggerBy: trigger.triggerBy, dateFired: trigger.dateFired ?? "" },
    firedAt: new Date(trigger.dateFired ?? "").toISOString(),
    probation: isGuard(trigger),
    ...changes,
  });

async function fired(name: string): Promise<UsageTrigger> {
  const found = (await rig.triggersOf(account)).find(
    ({ friendlyName, dateFired }) => friendlyName === name && dateFired !== null,
  );
  if (found === undefined) throw new Error(`${name} has not fired`);
  return found;
}

/** Of an earlier table, all is gone; what it did at Twilio is still there. */
async function loseTable(): Promise<void> {
  const { Items = [] } = await rig.table.send(new ScanCommand({ TableName: rig.aws.tableName }));
  for (const { pk, sk } of Items)
    await rig.table.send(new DeleteCommand({ TableName: rig.aws.tableName, Key: { pk, sk } }));
}

/** It fired an hour ago, was brought back by people of whom nothing is on record, and spends no more than before. */
async function firedAnHourAgo(): Promise<void> {
  await rig.sweep();
  await spend(2400);
  await loseTable();
  await rig.notices();
  pass(60);
}

describe("what fired before", () => {
  test("suspends nobody, in this sweep or a later one, and is told in one notice", async () => {
    await firedAnHourAgo();
    const run = await sweepAfter(0);
    expect(run.counts).toMatchObject({ lost: 0, overBefore: 1 });
    const found = (await rig.notices()).filter(({ kind }) => kind === "found-before");
    expect(found).toHaveLength(1);
    expect(found[0]?.text).toContain(`Brought back (${account}): daily-spend at 2400 of 100`);
    for (const minutes of [5, 5, 5]) expect((await sweepAfter(minutes)).counts).toMatchObject({ lost: 0, over: 0 });
    expect(status()).toBe("active");
    expect((await rig.notices()).filter(({ kind }) => kind === "found-before")).toEqual([]);
  });

  test("leaves nobody unguarded: who goes on spending is stopped as after a reactivation", async () => {
    await firedAnHourAgo();
    await sweepAfter(0);
    await sweepAfter(5);
    expect(await guardsOf()).toHaveLength(2);
    // A quarter of the limit is what a probation allows.
    await spend(24);
    expect(status()).toBe("active");
    await spend(2);
    const guard = await fired("tollbreaker: daily-spend probation");
    await rig.deliver(webhookOf(guard), { policy: POLICY });
    expect(status()).toBe("suspended");
  });

  test("and its guard's lost firing is found", async () => {
    await firedAnHourAgo();
    await sweepAfter(0);
    pass(1);
    await spend(25);
    await sweepAfter(5);
    expect(status()).toBe("suspended");
  });

  test("whoever removes the guard gets no further allowance by the next one", async () => {
    await firedAnHourAgo();
    await sweepAfter(0);
    const [before] = await guardsOf();
    pass(1);
    await spend(15);
    const api = apiOf(rig.simulator);
    for (const { sid } of await guardsOf())
      await api.delete(`/2010-04-01/Accounts/${account}/Usage/Triggers/${sid}.json`);
    await sweepAfter(5);
    const [after] = await guardsOf();
    expect(after?.triggerValue).toBe(before?.triggerValue);
    await spend(11);
    await sweepAfter(5);
    expect(status()).toBe("suspended");
  });

  test("by a webhook is not believed, and Twilio's list is read instead", async () => {
    await firedAnHourAgo();
    const late = webhookOf(await fired("tollbreaker: daily-spend"));
    const again = (number: number) => ({ ...late, id: `again-${number}`, fingerprint: `again-${number}` });
    await reconciled(again(1));
    expect(status()).toBe("active");
    await sweepAfter(0);
    await reconciled(again(2));
    expect(status()).toBe("active");
    // What the webhook hides is found all the same.
    pass(1);
    await spend(30);
    await reconciled(again(3));
    expect(status()).toBe("suspended");
  });

  test("its limit's own trigger, made anew, does not fire for what was spent by then", async () => {
    await firedAnHourAgo();
    await sweepAfter(0);
    const { sid } = await fired("tollbreaker: daily-spend");
    await apiOf(rig.simulator).delete(`/2010-04-01/Accounts/${account}/Usage/Triggers/${sid}.json`);
    await sweepAfter(5);
    await rig.simulator.evaluateTriggers();
    const again = await fired("tollbreaker: daily-spend");
    await rig.deliver(webhookOf(again), { policy: POLICY });
    await sweepAfter(5);
    expect(status()).toBe("active");
    await spend(26);
    await sweepAfter(5);
    expect(status()).toBe("suspended");
  });

  test("the next day its limit watches alone again", async () => {
    await firedAnHourAgo();
    await sweepAfter(0);
    await sweepAfter(25 * 60);
    expect(await guardsOf()).toEqual([]);
  });
});

describe("a stop for what fires after the first moment is as quick as ever", () => {
  test("before the first sweep ran: there is nothing on record, and the account is suspended at once", async () => {
    await rig.deliver(firing(account), { policy: POLICY });
    expect(status()).toBe("suspended");
    expect(await rig.inboxOf(account)).toEqual([]);
  });

  test("in the moment of the first sweep: its webhook was on its way", async () => {
    await rig.sweep();
    await rig.deliver(firing(account), { policy: POLICY });
    expect(status()).toBe("suspended");
  });

  test("of an account that was over its limit before, too", async () => {
    await firedAnHourAgo();
    await sweepAfter(0);
    pass(1);
    const firedAt = new Date(Date.now() - 1000).toISOString();
    await rig.deliver(firing(account, { firedAt, currentValue: "2450" }), { policy: POLICY });
    expect(status()).toBe("suspended");
  });

  test("an account of which nothing fired before: found by the sweep where the webhook was lost", async () => {
    await rig.sweep();
    await spend(130);
    await sweepAfter(5);
    expect(status()).toBe("suspended");
  });
});

describe("the first moment", () => {
  const kept = () => runStore(rig.table, rig.aws.tableName);

  test("is kept once, by whoever comes first", async () => {
    const moments = ["2026-11-21T03:00:00.000Z", "2026-11-21T03:00:00.001Z", "2026-11-21T02:00:00.000Z"];
    const [one, ...others] = await Promise.all(moments.map((moment) => kept().firstMoment(moment)));
    expect(moments).toContain(one);
    expect(others).toEqual([one, one]);
    expect(await kept().firstMoment("2027-01-01T00:00:00.000Z")).toBe(one);
  });

  test("of a table that lost this record alone, is the end of its last sweep: all that it did not see still counts", async () => {
    await rig.sweep();
    await spend(130);
    await rig.table.send(new DeleteCommand({ TableName: rig.aws.tableName, Key: firstMomentKey }));
    pass(60);
    await sweepAfter(0);
    expect(status()).toBe("suspended");
  });

  test("can't be moved by what an account sends or makes", async () => {
    const moment = await kept().firstMoment(new Date().toISOString());
    const future = new Date(Date.now() + 60 * MINUTE).toISOString();
    await rig.deliver(firing(account, { firedAt: future, currentValue: "1" }), { policy: POLICY });
    await rig.sweep();
    expect(await kept().firstMoment(future)).toBe(moment);
  });
});

describe("a table that was restored", () => {
  test("begins anew from when it was made: what happened since its backup is not in it", async () => {
    await rig.sweep();
    pass(5);
    const backup = await rig.sweep();
    pass(60);
    await spend(2400);
    pass(60);
    const madeAt = new Date();
    pass(5);
    await rig.sweep({ clock: ahead(0) }, { table: { madeAt: async () => madeAt } });
    await dealWithInbox();
    expect(status()).toBe("active");
    expect(await guardsOf()).toHaveLength(2);
    expect(backup.lastFinishedAt ?? "").not.toBe("");
    pass(1);
    await spend(30);
    await sweepAfter(5);
    expect(status()).toBe("suspended");
  });

  test("a table that is older than its last sweep goes on as ever, however long no sweep ran", async () => {
    const madeAt = new Date();
    await rig.sweep();
    pass(60);
    await spend(130);
    pass(60);
    await rig.sweep({ clock: ahead(0) }, { table: { madeAt: async () => madeAt } });
    await dealWithInbox();
    expect(status()).toBe("suspended");
  });

  test("whose age DynamoDB does not tell goes on as ever", async () => {
    await rig.sweep();
    pass(60);
    await spend(130);
    pass(60);
    const madeAt = () => Promise.reject(new Error("AccessDeniedException"));
    await rig.sweep({ clock: ahead(0) }, { table: { madeAt } });
    await dealWithInbox();
    expect(status()).toBe("suspended");
    expect(rig.logged.join()).toContain("table-age-not-read");
  });
});
