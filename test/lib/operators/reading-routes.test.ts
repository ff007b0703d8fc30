import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dynamoBrakeReader } from "../../../lib/incidents/brake-reader.ts";
import { openIncident } from "../../../lib/incidents/record.ts";
import { NO_BRAKE_STATE } from "../../../lib/policy/brake.ts";
import { firing, tripping } from "../../support/signals.ts";
import { type CommandRig, commandRig, get, NOW, newAccount } from "./command-rig.ts";

let rig: CommandRig;
beforeAll(async () => {
  rig = await commandRig();
});
afterAll(() => rig.close());
beforeEach(() => rig.clock.set(NOW));

const INCIDENT = "20261121T030000000-1f3a9c2e";
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000).toISOString();

describe("GET /api/brake", () => {
  it("is free before anything was suspended", async () => {
    expect(await get(rig, "/api/brake", { as: "viewer" })).toMatchObject({
      status: 200,
      body: { suspensions: [], waiting: [], limit: { suspensions: 5, withinSeconds: 600 } },
    });
  });

  it("shows the suspensions that count now, and who waits since when for which incident", async () => {
    const [old, recent, held] = [newAccount(), newAccount(), newAccount()];
    const suspensions = [
      { accountSid: old, at: minutesAgo(10) },
      { accountSid: recent, at: minutesAgo(9) },
    ];
    await rig.brake.update(() => ({ next: { ...NO_BRAKE_STATE, suspensions } }));
    const waiting = { accountSid: held, incidentId: INCIDENT, since: minutesAgo(8) };
    await rig.brake.waiting.add({ ...waiting, heldBy: minutesAgo(9) });
    const { body } = await get(rig, "/api/brake");
    expect(body).toEqual({
      suspensions: [{ accountSid: recent, at: minutesAgo(9) }],
      waiting: [{ ...waiting, counted: null }],
      next: null,
      limit: { suspensions: 5, withinSeconds: 600 },
    });
    await rig.brake.waiting.end(held, NOW);
  });

  it("says what was counted against the limit that each tripped", async () => {
    const held = newAccount();
    const { record, entries } = openIncident(`${INCIDENT}0`, tripping(firing(held)), NOW);
    const evidence = { currency: "USD", categoryPriceToday: null, totalPriceToday: "131", readAt: minutesAgo(1) };
    await rig.store.save({ record: { ...record, incident: { ...record.incident, evidence } }, entries });
    await rig.brake.waiting.add({
      accountSid: held,
      incidentId: `${INCIDENT}0`,
      since: minutesAgo(8),
      heldBy: minutesAgo(9),
    });
    const { body } = await get(rig, "/api/brake");
    const counted = {
      usageCategory: "totalprice",
      triggerBy: "price",
      currentValue: "130.25",
      triggerValue: "100.000000",
    };
    expect(body.waiting).toMatchObject([{ accountSid: held, counted: { ...counted, currency: "USD" } }]);
    await rig.brake.waiting.end(held, NOW);
  });

  describe("of 230 who wait, and some who waited", () => {
    const all = Array.from({ length: 230 }, (_, nth) => `AC${nth.toString(16).padStart(32, "0")}`);
    const past = all.filter((_, nth) => nth % 3 === 1);
    beforeAll(async () => {
      const held = { incidentId: INCIDENT, since: minutesAgo(8), heldBy: minutesAgo(9) };
      for (const accountSid of all) await rig.brake.waiting.add({ accountSid, ...held });
      for (const accountSid of past) await rig.brake.waiting.end(accountSid, NOW);
    });
    const sids = ({ body }: Awaited<ReturnType<typeof get>>) =>
      body.waiting.map(({ accountSid }: { accountSid: string }) => accountSid);
    const present = all.filter((accountSid) => !past.includes(accountSid));

    it("shows 100 when it isn't asked for more, and where the list goes on", async () => {
      const first = await get(rig, "/api/brake");
      expect(sids(first)).toEqual(present.slice(0, 100));
      const second = await get(rig, `/api/brake?cursor=${first.body.next}`);
      expect(sids(second)).toEqual(present.slice(100));
      expect(second.body.next).toBeNull();
    });

    it("shows all of them at once to whoever wants a thousand, and each page is full until the last", async () => {
      expect(sids(await get(rig, "/api/brake?limit=1000"))).toEqual(present);
      const pages: string[][] = [];
      for (let cursor = ""; ; ) {
        const page = await get(rig, `/api/brake?limit=7${cursor}`);
        pages.push(sids(page));
        if (page.body.next === null) break;
        cursor = `&cursor=${page.body.next}`;
      }
      expect(pages.flat()).toEqual(present);
      expect(new Set(pages.slice(0, -1).map(({ length }) => length))).toEqual(new Set([7]));
    });
  });

  it.each([
    ["limit=0", "limit-invalid"],
    ["limit=1001", "limit-invalid"],
    ["limit=1&limit=2", "parameter-repeated"],
    ["cursor=QUM", "cursor-invalid"],
    [`cursor=${Buffer.from(INCIDENT).toString("base64url")}`, "cursor-invalid"],
    ["state=open", "parameter-unknown"],
  ])("refuses ?%s: %s", async (query, code) => {
    expect(await get(rig, `/api/brake?${query}`)).toMatchObject({ status: 400, body: { code } });
  });

  it("answers 503 when it can't be read, and says nothing about the inside", async () => {
    const brake = dynamoBrakeReader("no-such-table");
    const { status, text } = await get(rig, "/api/brake", { parts: { brake } });
    expect(status).toBe(503);
    expect(text).not.toContain("dynamodb");
  });
});

describe("GET /api/operators", () => {
  it("lists who may, what, until when, and who was here last; and no hash", async () => {
    await get(rig, "/api/incidents", { as: "viewer" });
    const { status, body, text } = await get(rig, "/api/operators", { as: "viewer" });
    expect(status).toBe(200);
    expect(body).toEqual({
      operators: [
        { name: "olga", role: "operator", expires: null, slack: false, lastUsedAt: NOW.toISOString() },
        {
          ...{ name: "victor", role: "viewer", slack: false, lastUsedAt: NOW.toISOString() },
          expires: "2030-01-01T00:00:00.000Z",
        },
      ],
    });
    expect(text).not.toMatch(/sha256|[0-9a-f]{64}/);
  });

  it("is for people with a token", async () => {
    expect(await get(rig, "/api/operators", { headers: { Authorization: "Bearer x" } })).toMatchObject({ status: 401 });
  });
});
