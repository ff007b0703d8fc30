import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { NO_BRAKE_STATE } from "../../../lib/policy/brake.ts";
import { type CommandRig, commandRig, get, NOW, newAccount } from "./command-rig.ts";

let rig: CommandRig;
beforeAll(async () => {
  rig = await commandRig();
});
afterAll(() => rig.close());
beforeEach(() => rig.clock.set(NOW));

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
    const waiting = { accountSid: held, incidentId: "20261121T030000000-1f3a9c2e", since: minutesAgo(8) };
    await rig.brake.update(() => ({
      next: { ...NO_BRAKE_STATE, suspensions, waiting: [{ ...waiting, announcedBy: "another" }] },
    }));
    const { body } = await get(rig, "/api/brake");
    expect(body).toEqual({
      suspensions: [{ accountSid: recent, at: minutesAgo(9) }],
      waiting: [waiting],
      limit: { suspensions: 5, withinSeconds: 600 },
    });
  });

  it("answers 503 when it can't be read, and says nothing about the inside", async () => {
    const brake = () => Promise.reject(new Error("dynamodb is away"));
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
