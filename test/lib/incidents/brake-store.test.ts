import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import { brakeOf } from "../../../lib/incidents/brake-store.ts";
import { brakeKey } from "../../../lib/incidents/keys.ts";
import { type BrakeState, NO_BRAKE_STATE, passBrake } from "../../../lib/policy/brake.ts";
import { accounts, BRAKE, type BrakeWorkers, brakeWorkers, NOTHING, sids } from "../response/brake-workers.ts";

let rig: BrakeWorkers;
beforeAll(async () => {
  rig = await brakeWorkers();
});
afterAll(() => rig.close());
beforeEach(() => rig.begin());

const [first = "", second = ""] = accounts(2);
const ask = (accountSid: string) => (state: BrakeState) =>
  passBrake(state, { accountSid, now: new Date(), brake: BRAKE });

describe("the brake's store", () => {
  test("writes at once what it knows; knowing an older one, it looks again", async () => {
    const before = rig.table.proxy.requests().length;
    await rig.store().update(ask(first), await rig.state());
    await rig.store().update(ask(second), NOTHING);
    const operations = rig.table.proxy
      .requests()
      .slice(before)
      .map(({ operation }) => operation);
    expect(operations).toEqual(["GetItem", "PutItem", "PutItem", "GetItem", "PutItem"]);
    expect(sids((await rig.state()).state.suspensions)).toEqual([first, second]);
  });

  test("writes nothing when nothing changes", async () => {
    const writes = rig.table.writes();
    const { version } = await rig.state();
    expect(await rig.store().update((state) => ({ next: state, answer: 42 }))).toMatchObject({ answer: 42 });
    expect(rig.table.writes()).toBe(writes);
    expect((await rig.state()).version).toBe(version);
  });

  test("keeps all that there is to know, and reads what was written before there was so much", async () => {
    expect((await rig.state()).state).toEqual(NO_BRAKE_STATE);
    const at = new Date(0).toISOString();
    const next: BrakeState = {
      suspensions: [{ accountSid: first, at }],
      releases: [
        { command: "r1", reached: null },
        { command: "r2", reached: second },
      ],
      alert: { maker: { incidentId: "i", until: at }, last: { incidentId: "j", at, waiting: 7 }, notBefore: at },
    };
    await rig.store().update(() => ({ next }));
    expect((await rig.state()).state).toEqual(next);
  });

  test("finds something else in the brake's place: it says so, and does not guess", async () => {
    const broken = { ...brakeKey, version: 1, suspensions: "none" };
    await rig.table.client.send(new PutCommand({ TableName: rig.table.tableName, Item: broken }));
    await expect(rig.store().update(ask(first))).rejects.toThrow();
    expect(() => brakeOf(broken)).toThrow();
  });

  test("always beaten, it gives up after a bounded time", async () => {
    const __type = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    const headers = { "content-type": "application/x-amz-json-1.0" };
    rig.table.proxy.fail({ on: "PutItem", do: "answer", status: 400, headers, body: JSON.stringify({ __type }) });
    const before = rig.table.writes();
    await expect(rig.store({ ...systemClock, sleep: async () => {} }).update(ask(first))).rejects.toThrow(
      "The brake could not be written: too many workers want it at once.",
    );
    expect(rig.table.writes() - before).toBe(60);
  });
});

describe("those that wait", () => {
  const NOW = new Date("2026-11-21T03:00:00.000Z");
  const held = (accountSid: string) => ({
    accountSid,
    incidentId: "i",
    since: NOW.toISOString(),
    heldBy: NOW.toISOString(),
  });

  test("are listed by account, in pages, and no more once they wait no more", async () => {
    const { waiting } = rig.store();
    const all = accounts(7);
    for (const account of all) await waiting.add(held(account));
    expect(sids(await rig.waiting())).toEqual(all);
    await waiting.end(all[3] ?? "", NOW);
    await waiting.end("AC of nobody", NOW);
    expect(sids(await rig.waiting())).toEqual(all.filter((_, nth) => nth !== 3));
    const after = [];
    for await (const page of waiting.pages(all[4])) after.push(...page);
    expect(sids(after)).toEqual(all.slice(5));
    expect(await waiting.get(all[3] ?? "")).toBeUndefined();
    expect(await waiting.get(all[4] ?? "")).toEqual({ ...held(all[4] ?? ""), calledAt: null, namedBy: null });
    // Nothing is deleted but by DynamoDB, an hour later.
    const items = await rig.waitingItems();
    expect(items.find(({ sk }) => sk === all[3])).toEqual({
      ...{ pk: "BRAKE-WAITING", sk: all[3] },
      expiresAt: NOW.getTime() / 1000 + 3600,
    });
    expect(items.some(({ sk }) => sk === "AC of nobody")).toBe(false);
  });

  test("wait since they began to, and for ever if need be", async () => {
    const { waiting } = rig.store();
    await waiting.add(held(first));
    await waiting.end(first, NOW);
    const later = { ...held(first), since: "2026-11-21T04:00:00.000Z", heldBy: "2026-11-21T04:00:00.000Z" };
    await waiting.add(later);
    await waiting.add({ ...later, since: "2026-11-21T05:00:00.000Z", heldBy: "2026-11-21T05:00:00.000Z" });
    expect(await rig.waiting()).toMatchObject([{ since: later.since, heldBy: "2026-11-21T05:00:00.000Z" }]);
    expect(await rig.waitingItems()).not.toContainEqual(
      expect.objectContaining({ sk: first, expiresAt: expect.anything() }),
    );
  });

  test("are asked again by one of those who want to; once they have asked, anew", async () => {
    const { waiting } = rig.store();
    await waiting.add(held(first));
    const [one] = await rig.waiting();
    if (one === undefined) throw new Error("it waits");
    const took = await Promise.all([1, 2, 3].map(() => waiting.markCalled(one, NOW)));
    expect(took.filter(Boolean)).toHaveLength(1);
    const [called] = await rig.waiting();
    expect(called?.calledAt).toBe(NOW.toISOString());
    if (called === undefined) throw new Error("it waits");
    expect(await waiting.markCalled(called, new Date(NOW.getTime() + 1))).toBe(true);
    await waiting.add({ ...held(first), heldBy: "2026-11-21T05:00:00.000Z" });
    expect(await rig.waiting()).toMatchObject([{ calledAt: null }]);
    expect(await waiting.markCalled(one, NOW)).toBe(false);
  });

  test("that were told of and wait no more, or for another reason, stay so", async () => {
    const { waiting } = rig.store();
    await waiting.add(held(first));
    const [one] = await rig.waiting();
    if (one === undefined) throw new Error("it waits");
    await waiting.add({ ...held(first), incidentId: "another" });
    await waiting.markNamed(one, "x");
    expect(await rig.waiting()).toMatchObject([{ incidentId: "another", namedBy: null }]);
    await waiting.end(first, NOW);
    await waiting.markNamed(one, "x");
    expect(await rig.waiting()).toEqual([]);
  });
});
