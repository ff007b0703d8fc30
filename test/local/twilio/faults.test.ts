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

  it("for its duration", async () => {
    simulator.addFault({ effect, milliseconds: 60_000 });
    clock.set("2026-11-21T12:00:59Z");
    expect((await suspend()).status).toBe(500);
    clock.set("2026-11-21T12:01:00Z");
    expect((await suspend()).status).toBe(200);
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
