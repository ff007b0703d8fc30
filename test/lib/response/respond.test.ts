import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { identityOf } from "../../../lib/inbox/messages.ts";
import { accountKey, headKey } from "../../../lib/incidents/keys.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing, notUnderstood } from "../../support/signals.ts";

// What the record says of the account's past decides what a signal does.

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

const put = (Item: Record<string, unknown>) => rig.table.send(new PutCommand({ TableName: rig.aws.tableName, Item }));
const item = async (Key: Record<string, string>) =>
  (await rig.table.send(new GetCommand({ TableName: rig.aws.tableName, Key }))).Item;
const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

/** Trips the account, then brings it back as a reactivation leaves it. */
async function reactivated(lastReactivatedAt: string): Promise<string> {
  await rig.deliver(firing(account));
  const id = (await rig.incidentsOf(account))[0]?.incident.id ?? "";
  await put({ ...(await item(headKey(id))), state: "reactivated", reactivatedAt: lastReactivatedAt });
  await put({ ...accountKey(account), lastIncidentId: id, lastReactivatedAt });
  rig.simulator.setStatus(account, "active");
  return id;
}

describe("after a reactivation", () => {
  test("what fired before it joins the old incident, and trips nothing", async () => {
    await reactivated(ago(10));
    const old = firing(account, { firedAt: ago(60), receivedAt: ago(0) });
    expect(await rig.deliver(old)).toEqual({ kind: "done" });
    expect(await rig.deliver(old, { attempt: 2 })).toEqual({ kind: "done" });
    expect(rig.simulator.account(account).status).toBe("active");
    const [recorded, ...others] = await rig.incidentsOf(account);
    expect(others).toEqual([]);
    expect(recorded?.incident).toMatchObject({ state: "reactivated", signals: 2 });
    expect(recorded?.timeline.filter(({ what }) => what === "signal-joined")).toMatchObject([
      { why: expect.stringMatching(/^fired before the account was reactivated at/) },
    ]);
    expect(await rig.alertsOf(account)).toHaveLength(1);
    expect((await rig.store.recall(account, identityOf(old))).seen).toBe(true);
  });

  test("a flood of old news does not fill the table", async () => {
    const id = await reactivated(ago(10));
    const head = await item(headKey(id));
    await put({ ...head, joined: Array.from({ length: 500 }, (_, nth) => `signal-${nth}`), signals: 501 });
    const before = (await rig.incidentsOf(account))[0];
    await rig.deliver(firing(account, { firedAt: ago(60) }));
    const after = (await rig.incidentsOf(account))[0];
    expect(after?.incident.signals).toBe(502);
    expect(after?.timeline).toEqual(before?.timeline);
  });

  test("what fired after it makes an incident of its own", async () => {
    await reactivated(ago(60));
    expect(await rig.deliver(firing(account, { firedAt: ago(5) }))).toEqual({ kind: "done" });
    expect(rig.simulator.account(account).status).toBe("suspended");
    const states = (await rig.incidentsOf(account)).map(({ incident }) => incident.state);
    expect(states).toEqual(["reactivated", "suspended"]);
    expect(await rig.alertsOf(account)).toHaveLength(2);
  });

  test("old news of an account whose old incident is gone is only marked as seen", async () => {
    await put({ ...accountKey(account), lastIncidentId: "gone", lastReactivatedAt: ago(10) });
    const old = firing(account, { firedAt: ago(60) });
    expect(await rig.deliver(old)).toEqual({ kind: "done" });
    expect(await rig.incidentsOf(account)).toEqual([]);
    expect((await rig.store.recall(account, identityOf(old))).seen).toBe(true);
  });
});

describe("an open incident that", () => {
  test("was claimed and never written is gone on with, under the same id", async () => {
    const claimed = "20261121T030405123-1f3a9c2e";
    await rig.store.claim(account, claimed);
    expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
    expect(await rig.incidentsOf(account)).toMatchObject([{ incident: { id: claimed, state: "suspended" } }]);
  });

  test("was claimed and never written is gone on with for what was not understood, too", async () => {
    const claimed = "20261121T030405123-1f3a9c2f";
    await rig.store.claim(account, claimed);
    expect(await rig.deliver(notUnderstood(account))).toEqual({ kind: "done" });
    expect(await rig.incidentsOf(account)).toMatchObject([{ incident: { id: claimed, state: "alerted" } }]);
  });

  test("is over, because what closed it was cut, gives way to a new one", async () => {
    const old = await reactivated(ago(60));
    await put({ ...accountKey(account), openIncidentId: old, lastIncidentId: old });
    const signal = firing(account, { firedAt: ago(5) });
    expect(await rig.deliver(signal)).toEqual({ kind: "done" });
    expect(rig.simulator.account(account).status).toBe("suspended");
    const states = (await rig.incidentsOf(account)).map(({ incident }) => incident.state);
    expect(states).toEqual(["reactivated", "suspended"]);
  });

  test("is claimed by another worker in between: the account is suspended, and the next delivery joins", async () => {
    const signal = firing(account);
    rig.simulator.addCalls(account, { calls: 1 });
    const other = "20261121T030405123-1f3a9c30";
    rig.dynamo.fail({
      on: "UpdateItem",
      times: 1,
      do: "call",
      hook: () => put({ ...accountKey(account), openIncidentId: other }),
    });
    expect(await rig.deliver(signal)).toMatchObject({
      kind: "threw",
      error: { cause: { code: "incident-claim-lost" } },
    });
    expect(rig.simulator.account(account)).toMatchObject({ status: "suspended", liveCalls: 0 });
    expect(await rig.deliver(signal, { attempt: 2 })).toEqual({ kind: "done" });
    expect(await rig.incidentsOf(account)).toMatchObject([{ incident: { id: other, state: "suspended" } }]);
    expect(await rig.alertsOf(account)).toHaveLength(1);
  });
});

test("evidence that cannot be read stops nothing", async () => {
  rig.simulator.addFault({ path: "/Usage/Records", effect: { kind: "status", status: 500 } });
  expect(await rig.deliver(firing(account))).toEqual({ kind: "done" });
  expect(await rig.incidentsOf(account)).toMatchObject([{ incident: { state: "suspended", evidence: null } }]);
});

test("the evidence of a category tells its price and the total, in the account's currency", async () => {
  account = rig.simulator.addSubaccount({ currency: "eur" }).accountSid;
  rig.simulator.addUsage(account, { category: "sms", count: 10, price: 12.5 });
  rig.simulator.addUsage(account, { category: "calls", count: 1, price: 3 });
  await rig.deliver(firing(account, { usageCategory: "sms" }));
  const [recorded] = await rig.incidentsOf(account);
  expect(recorded?.incident.evidence).toMatchObject({
    currency: "EUR",
    categoryPriceToday: "12.5",
    totalPriceToday: "15.5",
  });
});
