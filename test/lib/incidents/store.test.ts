import { randomBytes } from "node:crypto";
import { DeleteCommand, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Signal } from "../../../lib/inbox/messages.ts";
import { accountKey, brakeKey, headKey, seenKey } from "../../../lib/incidents/keys.ts";
import {
  alerted,
  alertedAgain,
  alertPublished,
  incidentIdFor,
  joined,
  openIncident,
  suspended,
} from "../../../lib/incidents/record.ts";
import { type IncidentStore, incidentStore } from "../../../lib/incidents/store.ts";
import { NO_BRAKE_STATE } from "../../../lib/policy/brake.ts";
import { ruleFor } from "../../../lib/policy/rule-for.ts";
import { startLocalTable } from "../../support/local-table.ts";
import { SUSPEND_ALL } from "../../support/policies.ts";
import { errorsCounted, firing, tripping } from "../../support/signals.ts";

let local: Awaited<ReturnType<typeof startLocalTable>>;
let store: IncidentStore;
let account: string;

beforeAll(async () => {
  local = await startLocalTable();
  store = incidentStore(local.client, local.tableName);
});
afterAll(() => local.close());
beforeEach(() => {
  account = `AC${randomBytes(16).toString("hex")}`;
});

const NOW = new Date("2026-11-21T03:04:05.000Z");
const item = async (Key: { pk: string; sk: string }) =>
  (await local.client.send(new GetCommand({ TableName: local.tableName, Key }))).Item;
const put = (Item: Record<string, unknown>) => local.client.send(new PutCommand({ TableName: local.tableName, Item }));
const opening = () => {
  const signal = firing(account);
  return openIncident(incidentIdFor(signal), tripping(signal), NOW);
};
const history = async (incidentId: string) => {
  const { pk } = headKey(incidentId);
  const query = { KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": pk } };
  const { Items = [] } = await local.client.send(new QueryCommand({ TableName: local.tableName, ...query }));
  return Items.filter(({ sk }) => sk !== "HEAD");
};

describe("recall", () => {
  test("knows nothing of a new account", async () => {
    expect(await store.recall(account, "a-signal")).toEqual({
      seen: false,
      openIncidentId: null,
      lastIncidentId: null,
      previousIncidentId: null,
      lastReactivatedAt: null,
      passed: {},
      ...{ raises: {}, firstMoment: null, before: null },
      interims: {},
      brake: { state: NO_BRAKE_STATE, version: 0, hasPlaces: false },
    });
  });

  test("knows the brake that all workers share", async () => {
    const brake = {
      ...NO_BRAKE_STATE,
      suspensions: [{ accountSid: account, at: NOW.toISOString() }],
      releases: [{ command: "a-command", reached: null }],
    };
    await put({ ...brakeKey, ...brake, version: 7 });
    expect((await store.recall(account, "a-signal")).brake).toMatchObject({ state: brake, version: 7 });
    await local.client.send(new DeleteCommand({ TableName: local.tableName, Key: brakeKey }));
    await put({ ...brakeKey, version: "seven" });
    await expect(store.recall(account, "a-signal")).rejects.toThrow();
    await local.client.send(new DeleteCommand({ TableName: local.tableName, Key: brakeKey }));
  });

  test("knows the open incident, the last reactivation, and whether the signal was dealt with", async () => {
    await store.claim(account, "an-incident");
    await put({
      ...accountKey(account),
      openIncidentId: "b",
      lastIncidentId: "b",
      lastReactivatedAt: NOW.toISOString(),
      passed: { UT1: "461.1" },
    });
    await store.markSeen(account, "a-signal", NOW);
    const known = {
      brake: expect.anything(),
      openIncidentId: "b",
      lastIncidentId: "b",
      lastReactivatedAt: NOW.toISOString(),
      passed: { UT1: "461.1" },
      ...{ raises: {}, firstMoment: null, before: null },
      ...{ interims: {}, previousIncidentId: null },
    };
    expect(await store.recall(account, "a-signal")).toEqual({ seen: true, ...known });
    expect(await store.recall(account, "another")).toEqual({ seen: false, ...known });
  });

  test("does not take one account's signal for another's", async () => {
    await store.markSeen(`AC${"e".repeat(32)}`, "a-signal", NOW);
    expect((await store.recall(account, "a-signal")).seen).toBe(false);
  });

  test("of a damaged account item is refused, instead of acting on it", async () => {
    await put({ ...accountKey(account), openIncidentId: 7 });
    await expect(store.recall(account, "a-signal")).rejects.toThrow();
  });
});

test("a signal that was dealt with is forgotten after 30 days", async () => {
  await store.markSeen(account, "a-signal", NOW);
  expect(await item(seenKey(account, "a-signal"))).toMatchObject({ expiresAt: Date.UTC(2026, 11, 21, 3, 4, 5) / 1000 });
});

describe("a reactivation", () => {
  const NEWS = { at: NOW.toISOString(), passed: { "totalprice price daily": "461.1" } };
  const known = { lastReactivatedAt: NEWS.at, passed: NEWS.passed };

  test("is known before its incident is let go, and stays known", async () => {
    await store.claim(account, "an-incident");
    for (const _ of [1, 2]) await store.noteReactivated(account, "an-incident", NEWS);
    expect(await store.recall(account, "")).toMatchObject({ ...known, openIncidentId: "an-incident" });
    for (const _ of [1, 2]) await store.release(account, "an-incident", null);
    expect(await store.recall(account, "")).toMatchObject({ ...known, openIncidentId: null });
  });

  test("is no news of an account that has another incident by now", async () => {
    await store.claim(account, "another");
    await store.noteReactivated(account, "an-incident", NEWS);
    await store.release(account, "an-incident", NEWS);
    expect(await store.recall(account, "")).toMatchObject({ lastReactivatedAt: null, openIncidentId: "another" });
  });
});

describe("an incident that is over", () => {
  const untold = async () => {
    const found = await item(accountKey(account));
    return [...(found?.["untold"] ?? [])].sort();
  };

  test("is kept until people were told of it: released, or another one in its place", async () => {
    await store.claim(account, "first");
    expect(await untold()).toEqual([]);
    for (const _ of [1, 2]) await store.release(account, "first", null);
    await store.claim(account, "second");
    await store.claim(account, "third", "second");
    expect(await untold()).toEqual(["first", "second"]);
    await store.noteTold(account, "first");
    expect(await untold()).toEqual(["second"]);
    for (const _ of [1, 2]) await store.noteTold(account, "second");
    expect(await untold()).toEqual([]);
    expect((await store.recall(account, "")).openIncidentId).toBe("third");
  });

  test("of an account that nothing is known of, nothing is noted", async () => {
    await store.noteTold(account, "none");
    expect(await item(accountKey(account))).toBeUndefined();
  });
});

describe("claim", () => {
  test("of several at once, one wins, and wins again", async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `incident-${index}`);
    const claims = await Promise.allSettled(ids.map((id) => store.claim(account, id)));
    const won = ids.filter((_, index) => claims[index]?.status === "fulfilled");
    expect(won).toHaveLength(1);
    const lost = claims.filter((claim) => claim.status === "rejected");
    for (const { reason } of lost) expect(reason).toMatchObject({ code: "incident-claim-lost" });
    const [winner = ""] = won;
    await store.claim(account, winner);
    const both = { openIncidentId: winner, lastIncidentId: winner };
    expect(await store.recall(account, "")).toMatchObject(both);
  });

  test("leaves the last reactivation alone", async () => {
    await put({ ...accountKey(account), lastReactivatedAt: NOW.toISOString() });
    await store.claim(account, "an-incident");
    expect((await store.recall(account, "")).lastReactivatedAt).toBe(NOW.toISOString());
  });

  test("takes the place of an incident that is over, and of no other", async () => {
    await store.claim(account, "over");
    await expect(store.claim(account, "new", "another")).rejects.toMatchObject({ code: "incident-claim-lost" });
    await store.claim(account, "new", "over");
    expect((await store.recall(account, "")).openIncidentId).toBe("new");
  });
});

describe("save", () => {
  test("writes what load reads, with all its fields", async () => {
    const stored = await store.save(opening());
    expect(stored.version).toBe(1);
    expect(await store.load(stored.incident.id)).toEqual(stored);
    expect(await history(stored.incident.id)).toMatchObject([{ what: "opened", who: "twilio", why: "because" }]);
  });

  test("from a stale version is refused: of several at once, one wins", async () => {
    const first = await store.save(opening());
    const changes = Array.from({ length: 10 }, (_, index) =>
      joined(first, firing(account, { id: `signal-${index}` }), "", NOW),
    );
    const writes = await Promise.allSettled(changes.map((change) => store.save(change)));
    expect(writes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const write of writes) {
      if (write.status === "rejected") expect(write.reason).toMatchObject({ code: "incident-changed" });
    }
    expect(await store.load(first.incident.id)).toMatchObject({ version: 2, incident: { signals: 2 } });
  });

  test("of an opening that was written before is refused", async () => {
    const change = opening();
    await store.save(change);
    await expect(store.save(change)).rejects.toMatchObject({ code: "incident-changed" });
  });

  test("of a step that was written before keeps its first time", async () => {
    const first = await store.save(opening());
    const by = { by: "tollbreaker", friendlyName: null, reason: "because" } as const;
    await store.save(suspended(first, { ...by, now: new Date("2026-11-21T03:05:00.000Z") }));
    // A delivery that was cut between the history and the head does it again.
    await expect(store.save(suspended(first, { ...by, now: new Date("2026-11-21T03:06:00.000Z") }))).rejects.toThrow();
    const lines = (await history(first.incident.id)).filter(({ what }) => what === "suspended");
    expect(lines).toMatchObject([{ at: "2026-11-21T03:05:00.000Z" }]);
  });

  test("keeps the largest incident there can be within DynamoDB's 400 KB", async () => {
    const long = "🚨".repeat(1024);
    const forged = { usageCategory: long, triggerBy: long, dateFired: long, usageRecordUri: long };
    const first = told(firing(account, forged));
    let record = alerted(openIncident(ID, first, NOW).record, first, warning(NOW)).record;
    for (let day = 0; day < 60; day++) {
      const on = new Date(NOW.getTime() + day * 86_400_000);
      const further = told(firing(account, { ...forged, triggerValue: String(day) }));
      record = alertedAgain(record, further, warning(on)).record;
      const due = record.incident.alerts.at(-1);
      record = alertPublished(record, due?.id ?? "", on).record;
    }
    for (let nth = 0; nth < 510; nth++) {
      record = joined(record, errorsCounted(account, { id: `${nth}-`.padEnd(128, "x") }), "", NOW).record;
    }
    await store.save({ record, entries: [] });
    expect(await store.load(record.incident.id)).toMatchObject({ incident: { signals: 571 } });
  });
});

const ID = "20261121T030405123-1f3a9c2e";
/** As the policy names what it does not list. */
function told(signal: Signal) {
  const { name: rule, isNamed } = ruleFor(signal, SUSPEND_ALL);
  return tripping(signal, { rule, isNamed });
}
const warning = (now: Date) =>
  ({
    about: "alerted",
    because: "rule",
    problem: null,
    friendlyName: "🚨".repeat(64),
    reason: "because",
    now,
  }) as const;

describe("load", () => {
  test("of an incident that was claimed and never written finds nothing", async () => {
    expect(await store.load("never-written")).toBeUndefined();
  });

  test("of a head that is no incident is refused", async () => {
    await put({ ...headKey("broken"), id: "broken", state: "melted", accountSid: account });
    await expect(store.load("broken")).rejects.toThrow();
  });

  test("gives what the next change is made from", async () => {
    const first = await store.save(opening());
    const by = { by: "tollbreaker", friendlyName: null, reason: "because", now: NOW } as const;
    await store.save(suspended(first, by));
    const loaded = await store.load(first.incident.id);
    if (loaded === undefined) throw new Error("nothing was loaded");
    const told = await store.save(alertPublished(loaded, loaded.incident.alerts[0]?.id ?? "", NOW));
    expect(told).toMatchObject({ version: 3, callsDue: true });
  });
});
