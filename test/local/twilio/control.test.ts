import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { accountPath, apiOf, quietSimulator, subaccount } from "./api.ts";
import { webhook } from "./webhook.ts";

let simulator: TwilioSimulator;
let sid: string;
beforeEach(async () => {
  simulator = await quietSimulator();
  sid = subaccount(simulator).accountSid;
});
afterEach(() => simulator.close());

async function control(method: string, path: string, order?: unknown) {
  const body = order === undefined ? null : JSON.stringify(order);
  const response = await fetch(`${simulator.url}/simulator${path}`, { method, body });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

describe("the control API", () => {
  it("sums up the accounts, their spend, live calls and attacks", async () => {
    expect((await control("POST", `/accounts/${sid}/attack`, { kind: "sms-pumping", blockedShare: 0 })).status).toBe(
      201,
    );
    await control("POST", `/accounts/${sid}/calls`, { calls: 3 });
    expect((await control("POST", "/advance", { milliseconds: 60_000 })).status).toBe(204);
    expect((await control("DELETE", `/accounts/${sid}/attack`)).status).toBe(204);
    const { body } = await control("GET", "");
    expect(body.parent).toMatchObject(JSON.parse(JSON.stringify(simulator.parent())));
    expect(body.subaccounts).toHaveLength(3);
    expect(body.subaccounts[0]).toMatchObject({ accountSid: sid, status: "active", spentToday: 780, liveCalls: 3 });
    expect(body.attacks).toMatchObject([{ accountSid: sid, running: false, accepted: 2_600 }]);
  });

  it("changes an account behind Twilio's rules", async () => {
    await control("PUT", `/accounts/${sid}/spend`, { price: 12.5 });
    await control("POST", `/accounts/${sid}/usage`, { category: "calls", count: 1, usage: 1, price: 0.5 });
    await control("POST", `/accounts/${sid}/suspend-by-twilio`);
    const { body } = await control("POST", `/accounts/${sid}/rotate-auth-token`);
    expect(simulator.account(sid)).toMatchObject({
      spentToday: 13,
      status: "suspended",
      suspendedByTwilio: true,
      authToken: body.authToken,
    });
    await control("PUT", `/accounts/${sid}/status`, { status: "active" });
    expect(simulator.account(sid).status).toBe("active");
    expect((await control("POST", "/accounts", { friendlyName: "Late Comer", currency: "EUR" })).body).toMatchObject({
      friendlyName: "Late Comer",
      currency: "eur",
    });
  });

  it("shows what an account has, and adds a key as an intruder would", async () => {
    const before = (await control("GET", `/accounts/${sid}/keys`)).body.keys;
    const { status, body } = await control("POST", `/accounts/${sid}/keys`);
    expect({ status, body }).toMatchObject({ status: 201, body: { friendlyName: "left by an intruder" } });
    const old = { friendlyName: "Old", type: "main", dateCreated: "2024-02-29T12:00:00Z" };
    const main = (await control("POST", `/accounts/${sid}/keys`, old)).body;
    expect(main).toMatchObject({ friendlyName: "Old", type: "main", dateCreated: "2024-02-29T12:00:00.000Z" });
    expect((await control("GET", `/accounts/${sid}/keys`)).body.keys).toEqual([...before, body, main]);
    const used = { accountSid: body.sid, authToken: body.secret };
    expect((await apiOf(simulator, used).get(accountPath(sid, "/Calls"))).status).toBe(200);
    expect((await control("GET", `/accounts/${sid}/phone-numbers`)).body.phoneNumbers).toMatchObject(
      [{}, {}].map(() => ({ sid: expect.stringMatching(/^PN/), routing: { voice_method: "POST" } })),
    );
    expect((await control("GET", `/accounts/${sid}/dialing-permissions`)).body).toMatchObject({
      inherits: true,
      countries: { LV: { lowRisk: true, highRiskSpecial: true, highRiskTollfraud: true } },
    });
    expect((await control("POST", `/accounts/${sid}/keys`, { type: "unlimited" })).status).toBe(422);
    expect((await control("GET", "/accounts/AC0/keys")).status).toBe(404);
  });

  it("fires a trigger and lists what was delivered", async () => {
    const hook = await webhook();
    const form = { CallbackUrl: hook.url, TriggerValue: "5", UsageCategory: "sms" };
    const ut = (await apiOf(simulator).post(accountPath(sid, "/Usage/Triggers"), form)).body.sid;
    expect((await control("POST", "/evaluate")).status).toBe(204);
    expect(hook.received).toHaveLength(0);
    expect((await control("POST", `/accounts/${sid}/triggers/${ut}/fire`)).status).toBe(204);
    await hook.close();
    expect((await control("GET", "/deliveries")).body.deliveries).toMatchObject([
      { accountSid: sid, usageTriggerSid: ut, attempt: 1, url: hook.url, outcome: { kind: "answered", status: 204 } },
    ]);
    await control("DELETE", "/deliveries");
    expect(simulator.deliveries()).toEqual([]);
  });

  it("configures the debugger webhook, raises errors, and lists them with their deliveries", async () => {
    const hook = await webhook();
    const parent = simulator.parent().accountSid;
    const path = `/accounts/${parent}/debugger-webhook`;
    expect((await control("GET", path)).body).toBeNull();
    expect((await control("PUT", path, { url: hook.url, signedBy: "parent" })).status).toBe(204);
    const webhookNow = { url: hook.url, signedBy: "parent", parentAccountSid: "present", subaccounts: true };
    expect((await control("GET", path)).body).toEqual(webhookNow);
    const { status, body } = await control("POST", `/accounts/${sid}/errors`, { code: 32201, times: 3 });
    expect(status).toBe(201);
    expect((await control("POST", "/errors-settled")).status).toBe(204);
    await hook.close();
    expect(hook.received).toHaveLength(3);
    const raised = (await control("GET", "/errors")).body.errors;
    expect(raised.map((one: { sid: string }) => one.sid)).toEqual(body.errors);
    const { deliveries } = (await control("GET", "/error-deliveries")).body;
    expect(deliveries).toHaveLength(3);
    expect(deliveries[0]).toMatchObject({ to: "debugger", accountSid: sid, signedBy: parent, attempt: 1 });
    await control("DELETE", "/error-deliveries");
    await control("DELETE", path);
    expect([simulator.errorDeliveries(), simulator.debuggerWebhook(parent)]).toEqual([[], null]);
    expect((await control("PUT", path, { url: "ftp://example.com" })).status).toBe(422);
    expect((await control("POST", `/accounts/${sid}/errors`, { code: 7 })).status).toBe(422);
  });

  it("starts a billing glitch, which takes no account", async () => {
    const { status, body } = await control("POST", "/billing-glitch", { atLeast: 200 });
    expect({ status, body }).toMatchObject({ status: 201, body: { accounts: 3, atLeast: 200 } });
    expect(simulator.subaccounts().map(({ spentToday }) => spentToday)).toEqual([200, 200, 200]);
  });

  it("arms and clears faults", async () => {
    const fault = { effect: { kind: "status", status: 503 }, path: "/Calls" };
    expect((await control("POST", "/faults", fault)).status).toBe(201);
    expect((await control("GET", "/faults")).body.faults).toMatchObject([{ path: "/Calls", hits: 0 }]);
    expect((await apiOf(simulator).get(accountPath(sid, "/Calls"))).status).toBe(503);
    await control("DELETE", "/faults");
    expect((await apiOf(simulator).get(accountPath(sid, "/Calls"))).status).toBe(200);
  });

  it("lists the requests with their parameters and counts, and no token in any of them", async () => {
    await apiOf(simulator).post(accountPath(sid), { FriendlyName: "Renamed" });
    await apiOf(simulator).get(`${accountPath(sid, "/Calls")}?Status=ringing`);
    const { body } = await control("GET", "/requests");
    expect(body.requests).toMatchObject([
      { method: "POST", product: "api", path: accountPath(sid), form: { FriendlyName: "Renamed" }, status: 200 },
      { method: "GET", query: "Status=ringing", credentialsSid: simulator.parent().accountSid, form: {} },
    ]);
    expect(body.counts).toEqual({
      "POST /2010-04-01/Accounts/{Sid}.json": 1,
      "GET /2010-04-01/Accounts/{Sid}/Calls.json": 1,
    });
    expect(JSON.stringify(body)).not.toContain(simulator.parent().authToken);
    await control("DELETE", "/requests");
    expect((await control("GET", "/requests")).body).toEqual({ requests: [], counts: {} });
  });

  it("says what is wrong with an order", async () => {
    expect((await control("GET", "/accounts/AC0")).body.code).toBe("simulator-account-unknown");
    expect(await control("POST", `/accounts/${sid}/attack`, { kind: "nothing" })).toMatchObject({ status: 422 });
    expect(await control("POST", "/faults", { effect: { kind: "lie" }, path: "(" })).toMatchObject({ status: 422 });
    const notJson = await fetch(`${simulator.url}/simulator/faults`, { method: "POST", body: "{" });
    expect(notJson.status).toBe(400);
  });
});
