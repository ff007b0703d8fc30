import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { accountPath, apiOf, quietSimulator, subaccount } from "./api.ts";
import { clockAt } from "./webhook.ts";

let simulator: TwilioSimulator;
let sid: string;
const clock = clockAt("2026-11-21T12:00:00Z");
beforeEach(async () => {
  clock.set("2026-11-21T12:00:00Z");
  simulator = await quietSimulator({ clock });
  sid = subaccount(simulator).accountSid;
});
afterEach(() => simulator.close());

const suspend = (of = sid) => apiOf(simulator).post(accountPath(of), { Status: "suspended" });
const statusOf = (of = sid) => simulator.account(of).status;

describe("a status fault", () => {
  for (const [status, code] of [
    [429, 20429],
    [500, 20500],
    [503, 20503],
  ] as const) {
    for (const acts of [false, true]) {
      it(`answers ${status} ${code} ${acts ? "after" : "without"} having done what was asked`, async () => {
        simulator.addFault({ effect: { kind: "status", status, acts }, times: 1 });
        expect(await suspend()).toMatchObject({ status, body: { code, status } });
        expect(statusOf()).toBe(acts ? "suspended" : "active");
        expect((await suspend()).status).toBe(200);
      });
    }
  }
});

describe("a request without an answer", () => {
  for (const kind of ["time-out", "drop"] as const) {
    for (const acts of [false, true]) {
      it(`(${kind}) ${acts ? "was" : "was not"} acted on`, async () => {
        simulator.addFault({ effect: { kind, acts }, times: 1 });
        await expect(suspendWithin(200)).rejects.toThrow(kind === "drop" ? "fetch failed" : /timeout/);
        expect(statusOf()).toBe(acts ? "suspended" : "active");
        expect(simulator.requests().at(-1)).toMatchObject({
          method: "POST",
          form: { Status: "suspended" },
          status: null,
        });
      });
    }
  }

  it("does not keep the simulator from closing", async () => {
    simulator.addFault({ effect: { kind: "time-out" } });
    const waiting = suspendWithin(10_000).catch(() => "cut");
    await expect.poll(() => simulator.requests().length).toBe(1);
    await simulator.close();
    expect(await waiting).toBe("cut");
  });
});

describe("a lie", () => {
  it("answers that the account is suspended and leaves it active", async () => {
    simulator.addFault({ effect: { kind: "lie" }, method: "POST", times: 1 });
    expect(await suspend()).toMatchObject({ status: 200, body: { status: "suspended" } });
    expect((await apiOf(simulator).get(accountPath(sid))).body).toMatchObject({ status: "active" });
  });

  it("answers that a call has ended, a trigger is made, or one is gone, and leaves everything as it was", async () => {
    const triggers = accountPath(sid, "/Usage/Triggers");
    const form = { CallbackUrl: "https://example.com/", TriggerValue: "1", UsageCategory: "sms" };
    const kept = (await apiOf(simulator).post(triggers, form)).body.sid;
    const [call] = simulator.addCalls(sid, {});
    simulator.addFault({ effect: { kind: "lie" } });
    const ended = await apiOf(simulator).post(accountPath(sid, `/Calls/${call}`), { Status: "completed" });
    expect(ended.body).toMatchObject({ status: "completed" });
    expect((await apiOf(simulator).post(triggers, form)).status).toBe(201);
    expect((await apiOf(simulator).delete(accountPath(sid, `/Usage/Triggers/${kept}`))).status).toBe(204);
    simulator.clearFaults();
    expect(simulator.account(sid)).toMatchObject({ liveCalls: 1, triggers: 1 });
    expect((await apiOf(simulator).get(triggers)).body.usage_triggers).toMatchObject([{ sid: kept }]);
  });
});

describe("a fault hits only", () => {
  const effect = { kind: "status", status: 500 } as const;

  it("its method, path and account", async () => {
    const other = subaccount(simulator, 1).accountSid;
    simulator.addFault({ effect, method: "POST", path: "/Accounts/AC\\w+\\.json$", accountSid: sid });
    expect((await suspend()).status).toBe(500);
    expect((await suspend(other)).status).toBe(200);
    expect((await apiOf(simulator).get(accountPath(sid))).status).toBe(200);
    const [call] = simulator.addCalls(sid, {});
    const end = await apiOf(simulator).post(accountPath(sid, `/Calls/${call}`), { Status: "completed" });
    expect(end.status).toBe(200);
  });

  it("the next so many requests", async () => {
    simulator.addFault({ effect, times: 2 });
    const statuses = [await suspend(), await suspend(), await suspend()].map(({ status }) => status);
    expect(statuses).toEqual([500, 500, 200]);
    expect(simulator.faults()).toEqual([]);
  });

  it("what comes after the first so many", async () => {
    simulator.addFault({ effect, skip: 1, times: 1 });
    const statuses = [await suspend(), await suspend(), await suspend()].map(({ status }) => status);
    expect(statuses).toEqual([200, 500, 200]);
    expect(simulator.faults()).toEqual([]);
  });

  it("of those that a fault lets pass, what another is aimed at", async () => {
    simulator.addFault({ effect, skip: 1 });
    simulator.addFault({ effect: { kind: "status", status: 503 }, times: 1 });
    const statuses = [await suspend(), await suspend()].map(({ status }) => status);
    expect(statuses).toEqual([503, 500]);
  });

  it("for its duration", async () => {
    simulator.addFault({ effect, milliseconds: 60_000 });
    clock.set("2026-11-21T12:00:59Z");
    expect((await suspend()).status).toBe(500);
    clock.set("2026-11-21T12:01:00Z");
    expect((await suspend()).status).toBe(200);
  });
});

describe("on the products with an address of their own", () => {
  const effect = { kind: "status", status: 500 } as const;
  const PROMOTE = "/v1/AuthTokens/Promote";
  const own = () => apiOf(simulator, subaccount(simulator));

  it("a fault hits by path: the promotion of a token, say, done or not", async () => {
    await own().post("/v1/AuthTokens/Secondary");
    const { authToken, secondaryAuthToken } = simulator.account(sid);
    simulator.addFault({ effect, method: "POST", path: "/AuthTokens/Promote$", times: 1 });
    simulator.addFault({ effect: { kind: "status", status: 429, acts: true }, path: "/AuthTokens/Promote$", times: 1 });
    expect((await own().post(PROMOTE)).status).toBe(500);
    expect(simulator.account(sid)).toMatchObject({ authToken, secondaryAuthToken });
    expect((await own().post(PROMOTE)).status).toBe(429);
    expect(simulator.account(sid)).toMatchObject({ authToken: secondaryAuthToken, secondaryAuthToken: null });
  });

  it("a fault of an account hits by the credentials", async () => {
    simulator.addFault({ effect, path: "/v1/Settings", accountSid: sid });
    expect((await own().get("/v1/Settings")).status).toBe(500);
    expect((await apiOf(simulator).get("/v1/Settings")).status).toBe(200);
    expect((await apiOf(simulator, subaccount(simulator, 1)).get("/v1/Settings")).status).toBe(200);
  });

  it("a lie leaves tokens, keys, numbers and permissions as they were", async () => {
    const state = () => [
      simulator.account(sid),
      simulator.keys(sid),
      simulator.phoneNumbers(sid),
      simulator.dialingPermissions(sid),
    ];
    await own().post("/v1/AuthTokens/Secondary");
    const before = state();
    const number = accountPath(sid, `/IncomingPhoneNumbers/${simulator.phoneNumbers(sid)[0]?.sid}`);
    const key = accountPath(sid, `/Keys/${simulator.keys(sid)[0]?.sid}`);
    simulator.addFault({ effect: { kind: "lie" } });
    expect((await apiOf(simulator).post(number, { VoiceUrl: "" })).body).toMatchObject({ voice_url: "" });
    expect((await apiOf(simulator).post(accountPath(sid, "/Keys"))).status).toBe(201);
    expect((await apiOf(simulator).post(key, { FriendlyName: "New" })).body).toMatchObject({ friendly_name: "New" });
    expect((await apiOf(simulator).delete(key)).status).toBe(204);
    expect((await own().post(PROMOTE)).status).toBe(200);
    expect((await own().delete("/v1/AuthTokens/Secondary")).status).toBe(204);
    expect((await own().post("/v1/Settings", { DialingPermissionsInheritance: "false" })).status).toBe(202);
    expect(state()).toEqual(before);
  });
});

it("latency holds the answer back for that long", async () => {
  const slow = await quietSimulator();
  slow.addFault({ effect: { kind: "latency", milliseconds: 120 } });
  const started = performance.now();
  expect((await apiOf(slow).get("/2010-04-01/Accounts.json")).status).toBe(200);
  expect(performance.now() - started).toBeGreaterThan(110);
  await slow.close();
});

function suspendWithin(milliseconds: number): Promise<Response> {
  const { accountSid, authToken } = simulator.parent();
  return fetch(`${simulator.url}/api${accountPath(sid)}`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${accountSid}:${authToken}`)}` },
    body: new URLSearchParams({ Status: "suspended" }),
    signal: AbortSignal.timeout(milliseconds),
  });
}
