import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../../../lib/clock.ts";
import { brakeStore } from "../../../lib/incidents/brake-store.ts";
import { brakeKey } from "../../../lib/incidents/keys.ts";
import { jsonLog } from "../../../lib/log.ts";
import { type BrakeKeeper, brakeKeeper } from "../../../lib/response/keep-brake.ts";
import { emptyTable } from "../../support/empty-table.ts";
import type { FaultRule } from "../../support/fault-proxy.ts";
import { accounts, BRAKE, type BrakeWorkers, brakeWorkers, incidentOf, NOTHING, sids } from "./brake-workers.ts";

const DOWN: FaultRule = { do: "cut" };
/** Another worker is always faster. */
const BEATEN: FaultRule = {
  on: "PutItem",
  do: "answer",
  status: 400,
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: JSON.stringify({
    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    message: "The conditional request failed",
  }),
};
const hasty: Clock = { ...systemClock, sleep: async () => {} };

let rig: BrakeWorkers;
beforeAll(async () => {
  rig = await brakeWorkers();
});
afterAll(() => rig.close());
beforeEach(() => rig.begin());

const permitFor = (keeper: BrakeKeeper, account: string) => keeper.permitFor(account, incidentOf(account), NOTHING);
/** It asked, and may or may not know how that ended. */
async function asked(account: string, keeper = rig.worker()) {
  const permit = permitFor(keeper, account);
  return { permit, isFree: await permit.mayAsk() };
}
const counted = async () => sids((await rig.state()).state.suspensions);

describe("many workers at the same time", () => {
  test("40 of them, each with another account: exactly as many pass as the brake allows, the others wait", async () => {
    const all = accounts(40);
    const passed = await rig.tripAll(all, () => rig.worker());
    expect(passed).toHaveLength(5);
    expect(await counted()).toEqual(passed.sort());
    const held = all.filter((account) => !passed.includes(account));
    expect(sids(await rig.waiting())).toEqual(held);
    expect(await rig.waiting()).toMatchObject(
      held.map((account) => ({ incidentId: incidentOf(account), namedBy: null })),
    );
    expect(rig.logged()).toEqual([]);
  });

  test("on a table that has no brake yet, too", async () => {
    const fresh = await emptyTable();
    try {
      const store = () => brakeStore(fresh.client, fresh.tableName, systemClock);
      const inbox = { put: async () => {} };
      const log = jsonLog(() => {});
      const keeper = () =>
        brakeKeeper({ store: store(), inbox, brake: BRAKE, clock: systemClock, log, patience: 60_000 });
      expect(await rig.tripAll(accounts(12), keeper)).toHaveLength(5);
    } finally {
      await fresh.close();
    }
  });

  test("two of them at the brake's edge: one passes", async () => {
    for (let round = 0; round < 10; round++) {
      const [first = "", second = "", ...others] = accounts(6);
      await rig.begin();
      await rig.tripAll(others, () => rig.worker());
      // Both know the same, so that each would pass if it were alone.
      const known = await rig.state();
      expect(known.state.suspensions).toHaveLength(4);
      expect(await rig.tripAll([first, second], () => rig.worker(), known)).toHaveLength(1);
      expect(await counted()).toHaveLength(5);
      expect(await rig.waiting()).toHaveLength(1);
    }
  });

  test("of one account, all pass, and it counts once", async () => {
    const [account = "", ...others] = accounts(6);
    expect(await rig.tripAll([account, account, account, account], () => rig.worker())).toHaveLength(4);
    expect(await rig.tripAll(others, () => rig.worker())).toHaveLength(4);
  });

  test("60 places are taken at once by one write each: nobody who may pass waits for the others", async () => {
    const brake = { suspensions: 60, within: 600_000 };
    await rig.worker().release("r1");
    const known = await rig.state();
    const isShared = ({ operation, body }: { operation: string; body: string }) =>
      operation !== "GetItem" && body.includes('"BRAKE"');
    const before = rig.table.proxy.requests().filter(isShared).length;
    const all = accounts(80);
    expect(await rig.tripAll(all, () => rig.worker(systemClock, { brake }), known)).toHaveLength(60);
    expect(rig.table.proxy.requests().filter(isShared).length - before).toBe(all.length);
    expect(await counted()).toHaveLength(60);
  });

  test("those that are held write nothing that all share", async () => {
    await rig.tripAll(accounts(5), () => rig.worker());
    const known = await rig.state();
    expect(await rig.tripAll(accounts(25).slice(5), () => rig.worker(), known)).toEqual([]);
    expect((await rig.state()).version).toBe(known.version);
    expect(await rig.waiting()).toHaveLength(20);
  });
});

describe("what counts is what happened", () => {
  test("nothing is read or written of the brake for an account that turns out to need no suspension", async () => {
    const before = rig.table.proxy.requests().length;
    for (const account of accounts(9)) await permitFor(rig.worker(), account).settle("not-suspended");
    expect(rig.table.proxy.requests()).toHaveLength(before);
    for (const account of accounts(9)) await permitFor(rig.worker(), account).settle("not-ours");
    expect(await rig.state()).toMatchObject({ version: 1, state: { suspensions: [] } });
    expect(await rig.waitingItems()).not.toContainEqual(expect.objectContaining({ incidentId: expect.anything() }));
  });

  test("ours without a place counts from when it happened on, where that is known", async () => {
    const [now = "", then = "", long = ""] = accounts(3);
    const ago = (milliseconds: number) => new Date(Date.now() - milliseconds).toISOString();
    await permitFor(rig.worker(), now).settle("ours");
    await permitFor(rig.worker(), then).settle("ours", ago(BRAKE.within / 2));
    await permitFor(rig.worker(), long).settle("ours", ago(BRAKE.within));
    expect((await counted()).toSorted()).toEqual([now, then].toSorted());
  });

  test("a permit that is asked again, while a request is tried again, is one place", async () => {
    const [account = ""] = accounts(1);
    const { permit } = await asked(account);
    expect([await permit.mayAsk(), await permit.mayAsk()]).toEqual([true, true]);
    await permit.settle("ours");
    expect(await counted()).toEqual([account]);
  });

  test.each(["not-suspended", "not-ours"] as const)("a place that ends %s is given back", async (outcome) => {
    for (const account of accounts(5)) {
      const { permit, isFree } = await asked(account);
      expect(isFree).toBe(true);
      await permit.settle(outcome);
    }
    expect(await counted()).toEqual([]);
    expect(await rig.tripAll(accounts(10).slice(5), () => rig.worker())).toHaveLength(5);
  });

  test("one that is given back leaves an earlier suspension of the account counted", async () => {
    const [account = ""] = accounts(1);
    await rig.tripAll([account], () => rig.worker());
    const { permit } = await asked(account);
    await permit.settle("not-suspended");
    expect(await counted()).toEqual([account]);
  });

  test("one that turns out to have happened counts then, and goes on counting as one", async () => {
    const [late = "", ...others] = accounts(7);
    const { permit } = await asked(late);
    await permit.settle("not-suspended");
    await rig.tripAll(others.slice(0, 5), () => rig.worker());
    // A later delivery finds it suspended, and the record says that we asked.
    await permitFor(rig.worker(), late).settle("ours");
    expect(await counted()).toEqual(sids([late, ...others.slice(0, 5)].map((accountSid) => ({ accountSid }))));
    expect((await asked(others[5] ?? "")).isFree).toBe(false);
  });

  test("what a person wants, and what is on its way back, is not the brake's: it passes, and does not count", async () => {
    const [account = "", ...others] = accounts(12);
    await rig.tripAll(others, () => rig.worker());
    expect((await asked(account)).isFree).toBe(false);
    const { version } = await rig.state();
    const permit = rig.worker().bypassFor(account);
    expect(await permit.mayAsk()).toBe(true);
    await permit.settle("not-suspended");
    expect(sids(await rig.waiting())).toContain(account);
    await permit.settle("ours");
    expect(sids(await rig.waiting())).not.toContain(account);
    expect((await rig.state()).version).toBe(version);
  });
});

describe("who was held by places that were given back", () => {
  const nudgeFor = (account: string, place: { accountSid: string; at: string } | undefined) => ({
    kind: "drive",
    isPlaceFree: true,
    accountSid: account,
    incidentId: incidentOf(account),
    id: `brake:${place?.accountSid}:${place?.at}`,
    receivedAt: expect.any(String),
  });
  /** Places that are taken, and nobody knows yet how it ends. */
  async function takeAll(all: readonly string[], keeper = rig.worker()) {
    const permits = [];
    for (const account of all) permits.push((await asked(account, keeper)).permit);
    return permits;
  }

  test("is asked again by itself, the oldest first, one for each place", async () => {
    const permits = await takeAll(accounts(5));
    const places = (await rig.state()).state.suspensions;
    const [first = "", second = "", ...others] = accounts(12).slice(5);
    await takeAll([second, first]);
    await takeAll(others);
    await permits[3]?.settle("not-suspended");
    expect(rig.inbox()).toEqual([nudgeFor(second, places[3])]);
    await permits[0]?.settle("not-ours");
    expect(rig.inbox().slice(1)).toEqual([nudgeFor(first, places[0])]);
    await permits[1]?.settle("ours");
    expect(rig.inbox()).toHaveLength(2);
    // Asked again, they pass, and are not on the list any more.
    expect(await rig.tripAll([first, second], () => rig.worker())).toHaveLength(2);
    expect(sids(await rig.waiting())).toEqual(others);
  });

  test("all at once: as many are asked as places are free, each once", async () => {
    const permits = await takeAll(accounts(5), rig.worker());
    const held = accounts(14).slice(5);
    await takeAll(held);
    await Promise.all(permits.map((permit) => permit.settle("not-suspended")));
    const called = rig.inbox().map(({ accountSid }) => accountSid);
    expect(new Set(called).size).toBe(called.length);
    expect(called.toSorted()).toEqual(held.slice(0, 5));
  });

  test("and only they: who was held by suspensions that happened waits for a person", async () => {
    await rig.tripAll(accounts(5), () => rig.worker());
    const [before = "", account = ""] = accounts(7).slice(5);
    await takeAll([before]);
    const later = { ...systemClock, now: () => new Date(Date.now() + BRAKE.within + 1000) };
    const [permit] = await takeAll([account], rig.worker(later));
    await permit?.settle("not-suspended");
    expect(await counted()).not.toContain(account);
    expect(rig.inbox()).toEqual([]);
    expect(sids(await rig.waiting())).toEqual([before]);
  });

  test("passes by itself where the place was given back before it was on the list", async () => {
    const permits = await takeAll(accounts(5));
    const [account = ""] = accounts(6).slice(5);
    // It knows that the brake is full, and is slow to write itself down.
    const known = await rig.state();
    rig.table.proxy.fail({
      on: ({ body }) => body.includes("BRAKE-WAITING") && body.includes("incident of"),
      do: "call",
      times: 1,
      hook: async () => {
        await permits[2]?.settle("not-suspended");
      },
    });
    const permit = rig.worker().permitFor(account, incidentOf(account), known);
    expect(await permit.mayAsk()).toBe(true);
    await permit.settle("ours");
    expect(rig.inbox()).toEqual([]);
    expect(await rig.waiting()).toEqual([]);
  });

  test("with another incident than before is told of anew", async () => {
    await takeAll(accounts(5));
    const [account = ""] = accounts(6).slice(5);
    await takeAll([account]);
    const [one] = await rig.waiting();
    if (one === undefined) throw new Error("it waits");
    await rig.store().waiting.markNamed(one, "another incident");
    await takeAll([account]);
    expect(await rig.waiting()).toEqual([{ ...one, namedBy: "another incident" }]);
    await rig.worker().permitFor(account, "a later incident", NOTHING).mayAsk();
    expect(await rig.waiting()).toMatchObject([{ incidentId: "a later incident", namedBy: null }]);
  });
});

describe("one worker", () => {
  const [first = ""] = accounts(1);

  test("whose write is carried out and not answered counts its account once", async () => {
    rig.table.proxy.fail({ on: "PutItem", times: 1, when: "after", do: "cut" });
    expect((await asked(first)).isFree).toBe(true);
    expect(new Set(await counted())).toEqual(new Set([first]));
  });

  test("that finds something else in the brake's place says so, and does not guess", async () => {
    const broken = { ...brakeKey, version: 1, suspensions: "none" };
    await rig.table.client.send(new PutCommand({ TableName: rig.table.tableName, Item: broken }));
    const keeper = rig.worker();
    expect(await rig.tripAll(accounts(8), () => keeper)).toHaveLength(5);
    expect(rig.logged().filter((line) => line.includes("brake-unreadable"))).toHaveLength(8);
  });

  test("that waits in vain goes by its own brake, and gives back what it gets afterwards", async () => {
    rig.table.proxy.fail({ on: "PutItem", times: 1, do: "delay", milliseconds: 300 });
    const keeper = rig.worker(systemClock, { patience: 50 });
    const permit = permitFor(keeper, first);
    const begun = performance.now();
    expect(await permit.mayAsk()).toBe(true);
    expect(performance.now() - begun).toBeLessThan(250);
    expect(rig.logged()).toEqual([expect.stringContaining("brake-late")]);
    await permit.settle("not-suspended");
    await vi.waitFor(async () => expect([(await rig.state()).version > 2, await counted()]).toEqual([true, []]), 5000);
  });

  test("that can't put an account on the list holds it all the same", async () => {
    await rig.tripAll(accounts(5), () => rig.worker());
    rig.table.proxy.fail({ on: ({ body }) => body.includes("BRAKE-WAITING"), do: "cut" });
    expect((await asked("ACx")).isFree).toBe(false);
    expect(rig.logged()).toEqual([expect.stringContaining("brake-list-not-updated")]);
  });
});

describe("while the store is down", () => {
  const passAlone = async (keeper: BrakeKeeper, all: readonly string[]) => {
    const passed = await Promise.all(all.map((account) => keeper.permitAlone(account).mayAsk()));
    return all.filter((_, nth) => passed[nth]);
  };

  test("each worker keeps a brake of its own: none lets through more than it allows", async () => {
    rig.table.proxy.fail(DOWN);
    const [one, other] = [rig.worker(), rig.worker()];
    expect(await rig.tripAll(accounts(9), () => one)).toHaveLength(5);
    expect(await rig.tripAll(accounts(9), () => other)).toHaveLength(5);
    const alone = rig.worker();
    expect(await passAlone(alone, accounts(9))).toEqual(accounts(5));
    expect(await passAlone(alone, accounts(5))).toEqual(accounts(5));
  });

  test("what a worker has seen of the brake still counts, and what it let through itself", async () => {
    await rig.tripAll(accounts(3), () => rig.worker());
    const keeper = rig.worker();
    expect(await rig.tripAll(["ACw"], () => keeper)).toEqual(["ACw"]);
    rig.table.proxy.fail(DOWN);
    expect(await rig.tripAll(accounts(12).slice(3), () => keeper)).toHaveLength(1);
    expect(await passAlone(keeper, accounts(12).slice(3))).toHaveLength(1);
  });

  test("what it let through meanwhile counts for all others, once the store is back, and once only", async () => {
    rig.table.proxy.fail(DOWN);
    const keeper = rig.worker();
    const passed = await passAlone(keeper, accounts(4));
    rig.table.proxy.clear();
    const [next = "", ...others] = accounts(12).slice(4);
    expect((await asked(next, keeper)).isFree).toBe(true);
    expect(await counted()).toEqual([...passed, next]);
    expect(await rig.tripAll(others.slice(0, 3), () => rig.worker())).toEqual([]);
    // Another worker carries out a person's release: what this one was alone with is not counted again.
    await rig.worker().release("r1");
    expect((await asked(others[3] ?? "", keeper)).isFree).toBe(true);
    expect(await counted()).toEqual([others[3]]);
  });

  test("a brake that can be read and not written, because all want it at once, still holds", async () => {
    await rig.tripAll(accounts(5), () => rig.worker());
    rig.table.proxy.fail(BEATEN);
    const late = Array.from({ length: 6 }, () => rig.worker(hasty));
    expect(await rig.tripAll(accounts(11).slice(5), (nth) => late[nth] ?? rig.worker())).toEqual([]);
  });

  test("what is given back without the store is free again for this worker, without asking the store", async () => {
    rig.table.proxy.fail(DOWN);
    const keeper = rig.worker();
    const permits = accounts(5).map((account) => keeper.permitAlone(account));
    for (const permit of permits) await permit.mayAsk();
    const before = rig.table.proxy.requests().length;
    await permits[0]?.settle("not-suspended");
    await permits[1]?.settle("ours");
    expect(rig.table.proxy.requests()).toHaveLength(before);
    expect(await passAlone(keeper, ["ACx", "ACy"])).toEqual(["ACx"]);
  });

  test("what the others have learnt of meanwhile is given back for all", async () => {
    const keeper = rig.worker();
    const permit = keeper.permitAlone("ACx");
    await permit.mayAsk();
    await asked("ACy", keeper);
    expect(await counted()).toEqual(["ACx", "ACy"]);
    await permit.settle("not-suspended");
    expect(await counted()).toEqual(["ACy"]);
  });
});
