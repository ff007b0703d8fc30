import { randomBytes } from "node:crypto";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dynamoIncidentReader } from "../../../lib/incidents/dynamo-reader.ts";
import { INCIDENT_STATES, type Incident } from "../../../lib/incidents/incident.ts";
import type { IncidentQuery, IncidentReader } from "../../../lib/incidents/incident-reader.ts";
import { headItem } from "../../../lib/incidents/items.ts";
import { entryKey, headKey } from "../../../lib/incidents/keys.ts";
import { openIncident } from "../../../lib/incidents/record.ts";
import { startLocalTable } from "../../support/local-table.ts";
import { firing, tripping } from "../../support/signals.ts";

// 140 incidents of seven accounts, in all states: more than a page of anything.

const COUNT = 140;
const accounts = Array.from({ length: 7 }, () => `AC${randomBytes(16).toString("hex")}`);
let local: Awaited<ReturnType<typeof startLocalTable>>;
let reader: IncidentReader;
let all: Incident[];

beforeAll(async () => {
  local = await startLocalTable();
  reader = dynamoIncidentReader(local.tableName);
  all = Array.from({ length: COUNT }, (_, nth) => incident(nth));
  await Promise.all(all.map(write));
  all.reverse();
});
afterAll(() => local.close());

function incident(nth: number): Incident {
  const at = new Date(Date.UTC(2026, 10, 21, 0, nth));
  const id = `${at.toISOString().replace(/[-:.Z]/g, "")}-${randomBytes(4).toString("hex")}`;
  const { record } = openIncident(id, tripping(firing(accounts[nth % 7] ?? "")), at);
  // Seven in a row, one of each account, share a state: so each account has incidents in each.
  return { ...record.incident, state: INCIDENT_STATES[Math.floor(nth / 7) % INCIDENT_STATES.length] ?? "open" };
}

const put = (Item: Record<string, unknown>) => local.client.send(new PutCommand({ TableName: local.tableName, Item }));
const write = (one: Incident) =>
  put({
    ...headKey(one.id),
    ...headItem({
      incident: one,
      openedBy: "",
      joined: [],
      callsDue: false,
      askedAt: null,
      stopAskedAt: null,
      finishingUntil: null,
      tokenMark: null,
      rotatingFrom: null,
      madeTokens: [],
      cleanedSoFar: {},
      knownKeys: null,
      mayBeLiveSince: null,
      passed: {},
      version: 1,
    }),
  });

/** All pages, as a client reads them. */
async function readAll(query: IncidentQuery): Promise<string[]> {
  const ids: string[] = [];
  let before: string | undefined;
  do {
    const page = await reader.list({ ...query, ...(before === undefined ? {} : { before }) });
    expect(page.incidents.length).toBeLessThanOrEqual(query.limit);
    ids.push(...page.incidents.map(({ id }) => id));
    before = page.next ?? undefined;
  } while (before !== undefined);
  return ids;
}

const idsOf = (incidents: readonly Incident[]) => incidents.map(({ id }) => id);
const [account = ""] = accounts;

describe("a list, page by page, is newest first, with nothing missing and nothing twice", () => {
  test.each([1, 7, 50, 139, 140, 141])("of all incidents, %i to a page", async (limit) => {
    expect(await readAll({ limit })).toEqual(idsOf(all));
  });

  test.each(INCIDENT_STATES)("of the state %s", async (state) => {
    expect(await readAll({ state, limit: 6 })).toEqual(idsOf(all.filter((one) => one.state === state)));
  });

  test.each([1, 3, 20, 100])("of one account, %i to a page", async (limit) => {
    const expected = idsOf(all.filter(({ accountSid }) => accountSid === account));
    expect(expected).toHaveLength(20);
    expect(await readAll({ accountSid: account, limit })).toEqual(expected);
  });

  test.each([1, 2, 10])("of one account and one state, %i to a page", async (limit) => {
    const expected = all.filter(({ accountSid, state }) => accountSid === account && state === "failed");
    expect(await readAll({ accountSid: account, state: "failed", limit })).toEqual(idsOf(expected));
  });

  test("of an account without incidents is empty", async () => {
    expect(await reader.list({ accountSid: `AC${"0".repeat(32)}`, limit: 10 })).toEqual({ incidents: [], next: null });
  });

  test("starts anywhere: the cursor need not exist", async () => {
    const middle = all[70];
    const page = await reader.list({ limit: 2, before: `${middle?.id}zzz` });
    expect(idsOf(page.incidents)).toEqual(idsOf(all.slice(70, 72)));
  });
});

describe("one incident", () => {
  test("comes with its history, oldest first, and within a millisecond in the order of the story", async () => {
    const [one] = all;
    if (one === undefined) throw new Error("there is no incident");
    const line = (what: string, at: string) =>
      put({ ...entryKey(one.id, what), at, what, who: "tollbreaker", why: "", detail: {} });
    const same = "2026-11-21T03:00:00.000Z";
    await line("alert-published", "2026-11-21T03:00:02.000Z");
    for (const what of ["alerted", "opened", "calls-ended", "suspended"]) await line(what, same);
    await line("signal-joined", "2026-11-21T03:00:01.999Z");
    const found = await reader.get(one.id);
    expect(found?.incident).toEqual(one);
    expect(found?.timeline.map(({ what }) => what)).toEqual([
      "opened",
      "alerted",
      "suspended",
      "calls-ended",
      "signal-joined",
      "alert-published",
    ]);
  });

  test("that does not exist is not found", async () => {
    expect(await reader.get("20261121T000000000-00000000")).toBeUndefined();
  });

  test("whose head was never written is not found", async () => {
    const id = "20261121T000000000-11111111";
    const at = "2026-11-21T03:00:00.000Z";
    await put({ ...entryKey(id, "opened"), at, what: "opened", who: "twilio", why: "", detail: {} });
    expect(await reader.get(id)).toBeUndefined();
  });

  test("with a history of more than a megabyte is whole", async () => {
    const last = all.at(-1);
    if (last === undefined) throw new Error("there is no incident");
    const lines = Array.from({ length: 300 }, (_, nth) => ({
      ...entryKey(last.id, `joined:${nth}`),
      at: new Date(Date.UTC(2026, 10, 21, 4, 0, 0, nth)).toISOString(),
      what: "signal-joined",
      who: "twilio",
      why: "x".repeat(5000),
      detail: {},
    }));
    await Promise.all(lines.map(put));
    const found = await reader.get(last.id);
    expect(found?.timeline.map(({ at }) => at)).toEqual(lines.map(({ at }) => at));
  });
});
