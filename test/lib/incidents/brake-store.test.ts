import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import { type BrakeStore, brakeOf, brakeStore, type VersionedBrake } from "../../../lib/incidents/brake-store.ts";
import { brakeKey } from "../../../lib/incidents/keys.ts";
import { jsonLog } from "../../../lib/log.ts";
import { NO_BRAKE_STATE, passBrake } from "../../../lib/policy/brake.ts";
import { type BrakeKeeper, brakeKeeper } from "../../../lib/response/keep-brake.ts";
import { type EmptyTable, emptyTable } from "../../support/empty-table.ts";
import type { FaultRule } from "../../support/fault-proxy.ts";

const BRAKE = { suspensions: 5, within: 600_000 };
/** As the first reading of a fresh table. */
const NOTHING: VersionedBrake = { state: NO_BRAKE_STATE, version: 0 };
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

let table: EmptyTable;
let logged: string[];

beforeAll(async () => {
  table = await emptyTable();
});
afterAll(() => table.close());
beforeEach(async () => {
  logged = [];
  await table.client.send(new PutCommand({ TableName: table.tableName, Item: { ...brakeKey, ...EMPTY } }));
});
afterEach(() => table.proxy.clear());

/** As written before releases were remembered. */
const EMPTY = { version: 1, suspensions: [], waiting: [] };
const accounts = (count: number) => Array.from({ length: count }, (_, nth) => `AC${String(nth).padStart(32, "0")}`);

function store(sleep: (milliseconds: number) => Promise<void> = systemClock.sleep): BrakeStore {
  return brakeStore(table.client, table.tableName, { ...systemClock, sleep });
}

/** A worker in a process of its own. */
function worker(sleep?: (milliseconds: number) => Promise<void>): BrakeKeeper {
  const log = jsonLog((line) => logged.push(line));
  return brakeKeeper({ store: store(sleep), brake: BRAKE, clock: systemClock, log });
}

async function stored(): Promise<VersionedBrake> {
  const key = new GetCommand({ TableName: table.tableName, Key: brakeKey, ConsistentRead: true });
  return brakeOf((await table.client.send(key)).Item);
}

async function askAll(all: readonly string[], by: (nth: number) => BrakeKeeper, known = NOTHING): Promise<string[]> {
  const asked = all.map(async (account, nth) => {
    const { isFree } = await by(nth).mayPass(account, `incident of ${account}`, known);
    return isFree ? [account] : [];
  });
  return (await Promise.all(asked)).flat();
}

const sids = (list: readonly { accountSid: string }[]) => list.map(({ accountSid }) => accountSid).sort();

describe("many workers at the same time", () => {
  test("40 of them, each with another account: exactly as many pass as the brake allows, the others wait", async () => {
    const all = accounts(40);
    const passed = await askAll(all, () => worker());
    expect(passed).toHaveLength(5);
    const { state } = await stored();
    expect(sids(state.suspensions)).toEqual(passed.sort());
    expect(sids(state.waiting)).toEqual(all.filter((account) => !passed.includes(account)));
    expect(logged).toEqual([]);
  });

  test("on a table that has no brake yet, too", async () => {
    const fresh = await emptyTable();
    try {
      const one = () => brakeStore(fresh.client, fresh.tableName, systemClock);
      const log = jsonLog((line) => logged.push(line));
      const keeper = () => brakeKeeper({ store: one(), brake: BRAKE, clock: systemClock, log });
      expect(await askAll(accounts(12), keeper)).toHaveLength(5);
    } finally {
      await fresh.close();
    }
  });

  test("two of them at the brake's edge: one passes", async () => {
    for (let round = 0; round < 15; round++) {
      const [first = "", second = "", ...others] = accounts(6);
      await table.client.send(new PutCommand({ TableName: table.tableName, Item: { ...brakeKey, ...EMPTY } }));
      await askAll(others, () => worker());
      // Both know the same, so that each would pass if it were alone.
      const known = await stored();
      expect(known.state.suspensions).toHaveLength(4);
      expect(await askAll([first, second], () => worker(), known)).toHaveLength(1);
      expect((await stored()).state).toMatchObject({ suspensions: { length: 5 }, waiting: { length: 1 } });
    }
  });

  test("of one account, all pass, and it counts once", async () => {
    const [account = "", ...others] = accounts(6);
    expect(await askAll([account, account, account, account], () => worker())).toHaveLength(4);
    expect(await askAll(others, () => worker())).toHaveLength(4);
  });

  test("the alerts of all that wait name each of them once", async () => {
    const all = accounts(20);
    const passed = await askAll(all, () => worker());
    const waiting = all.filter((account) => !passed.includes(account));
    const named = await Promise.all(waiting.map((account) => worker().announce(account, `incident of ${account}`)));
    expect(sids(named.flat())).toEqual(waiting);
    const again = await Promise.all(waiting.map((account) => worker().announce(account, `incident of ${account}`)));
    expect(again).toEqual(named);
  });
});

describe("one worker", () => {
  const [first = "", second = ""] = accounts(2);
  const ask = (accountSid: string) => (state: typeof NO_BRAKE_STATE) =>
    passBrake(state, { accountSid, incidentId: "i", now: new Date(), brake: BRAKE });

  test("that knows the state writes at once; one that knows an older one looks again", async () => {
    const before = table.proxy.requests().length;
    await store().update(ask(first), await stored());
    await store().update(ask(second), NOTHING);
    const operations = table.proxy
      .requests()
      .slice(before)
      .map(({ operation }) => operation);
    expect(operations).toEqual(["GetItem", "PutItem", "PutItem", "GetItem", "PutItem"]);
    expect(sids((await stored()).state.suspensions)).toEqual([first, second]);
  });

  test("writes nothing when nothing changes", async () => {
    const writes = table.writes();
    const { version } = await stored();
    expect(await store().update((state) => ({ next: state, answer: 42 }))).toMatchObject({ answer: 42 });
    expect(table.writes()).toBe(writes);
    expect((await stored()).version).toBe(version);
  });

  test("whose write is carried out and not answered counts its account once", async () => {
    table.proxy.fail({ on: "PutItem", times: 1, when: "after", do: "cut" });
    expect((await worker().mayPass(first, "i", await stored())).isFree).toBe(true);
    expect(new Set(sids((await stored()).state.suspensions))).toEqual(new Set([first]));
  });

  test("gives back what it did not need: the place is another's", async () => {
    const all = accounts(6);
    const keeper = worker();
    const permits = [];
    for (const account of all) permits.push(await keeper.mayPass(account, "i", NOTHING));
    expect(permits.map(({ isFree }) => isFree)).toEqual([true, true, true, true, true, false]);
    await permits[2]?.giveBack();
    await permits[5]?.giveBack();
    expect((await stored()).state).toMatchObject({ suspensions: { length: 4 }, waiting: [] });
    expect((await worker().mayPass("ACx", "i", NOTHING)).isFree).toBe(true);
    expect((await worker().mayPass("ACy", "i", NOTHING)).isFree).toBe(false);
  });

  test("that finds something else in the brake's place says so, and does not guess", async () => {
    const broken = { ...brakeKey, ...EMPTY, suspensions: "none" };
    await table.client.send(new PutCommand({ TableName: table.tableName, Item: broken }));
    await expect(store().update(ask(first))).rejects.toThrow();
    const keeper = worker();
    const passed = await askAll(accounts(8), () => keeper);
    expect(passed).toHaveLength(5);
    expect(logged.filter((line) => line.includes("brake-unreadable"))).toHaveLength(8);
  });

  test("that is always beaten gives up after a bounded time", async () => {
    table.proxy.fail(BEATEN);
    const before = table.writes();
    await expect(store(async () => {}).update(ask(first))).rejects.toThrow(
      "The brake could not be written: too many workers want it at once.",
    );
    expect(table.writes() - before).toBe(60);
  });
});

describe("while the store is down", () => {
  test("each worker keeps a brake of its own: none lets through more than it allows", async () => {
    table.proxy.fail(DOWN);
    const [one, other] = [worker(), worker()];
    expect(await askAll(accounts(9), () => one)).toHaveLength(5);
    expect(await askAll(accounts(9), () => other)).toHaveLength(5);
    const alone = worker();
    expect(accounts(9).filter((account) => alone.mayPassAlone(account).isFree)).toHaveLength(5);
    expect(accounts(5).every((account) => alone.mayPassAlone(account).isFree)).toBe(true);
  });

  test("what a worker has seen of the brake still counts", async () => {
    const [used, further] = [accounts(4), accounts(12).slice(4)];
    await askAll(used, () => worker());
    const keeper = worker();
    const known = await stored();
    table.proxy.fail(DOWN);
    expect(await askAll(further, () => keeper, known)).toHaveLength(1);
    expect(further.filter((account) => keeper.mayPassAlone(account).isFree)).toHaveLength(1);
  });

  test("what it let through itself counts as well", async () => {
    const keeper = worker();
    const [all, others] = [accounts(3), accounts(12).slice(3)];
    await askAll(all, () => keeper);
    table.proxy.fail(DOWN);
    expect(await askAll(others, () => keeper)).toHaveLength(2);
  });

  test("what it let through meanwhile counts for all others, once the store is back", async () => {
    table.proxy.fail(DOWN);
    const keeper = worker();
    const passed = accounts(4).filter((account) => keeper.mayPassAlone(account).isFree);
    table.proxy.clear();
    const [next = "", ...others] = accounts(9).slice(4);
    expect((await keeper.mayPass(next, "i", NOTHING)).isFree).toBe(true);
    expect(sids((await stored()).state.suspensions)).toEqual([...passed, next]);
    expect(await askAll(others, () => worker())).toEqual([]);
  });

  test("a brake that can be read and not written, because all want it at once, still holds", async () => {
    await askAll(accounts(5), () => worker());
    table.proxy.fail(BEATEN);
    const late = Array.from({ length: 6 }, () => worker(async () => {}));
    expect(await askAll(accounts(11).slice(5), (nth) => late[nth] ?? worker())).toEqual([]);
  });

  test("what is given back without the store is free again for this worker", async () => {
    table.proxy.fail(DOWN);
    const keeper = worker();
    const permits = accounts(5).map((account) => keeper.mayPassAlone(account));
    await permits[0]?.giveBack();
    expect(keeper.mayPassAlone("ACx").isFree).toBe(true);
    expect(keeper.mayPassAlone("ACy").isFree).toBe(false);
  });
});
