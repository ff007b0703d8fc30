import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { accountPath, apiOf, type Credentials, quietSimulator, send, subaccount } from "./api.ts";

let simulator: TwilioSimulator;
let sub: Credentials;
beforeEach(async () => {
  simulator = await quietSimulator();
  sub = subaccount(simulator);
});
afterEach(() => simulator.close());

const update = (sid: string, status: string, as?: Credentials) =>
  apiOf(simulator, as).post(accountPath(sid), { Status: status });

describe("the list of accounts", () => {
  it("holds the parent, which owns itself, and the subaccounts, which it owns", async () => {
    const { body } = await apiOf(simulator).get("/2010-04-01/Accounts.json");
    const parent = simulator.parent().accountSid;
    expect(body.accounts.map((one: { sid: string }) => one.sid)).toEqual([
      parent,
      ...simulator.subaccounts().map(({ accountSid }) => accountSid),
    ]);
    expect(new Set(body.accounts.map((one: { owner_account_sid: string }) => one.owner_account_sid))).toEqual(
      new Set([parent]),
    );
  });

  it("is filtered by status and by friendly name", async () => {
    await update(sub.accountSid, "suspended");
    const suspended = await apiOf(simulator).get("/2010-04-01/Accounts.json?Status=suspended");
    expect(suspended.body.accounts).toMatchObject([{ sid: sub.accountSid, status: "suspended" }]);
    const { friendlyName } = simulator.account(subaccount(simulator, 1).accountSid);
    const named = await apiOf(simulator).get(
      `/2010-04-01/Accounts.json?FriendlyName=${encodeURIComponent(friendlyName)}`,
    );
    expect(named.body.accounts).toMatchObject([{ friendly_name: friendlyName }]);
  });

  it("comes by pages whose next_page_uri is a path, each account once", async () => {
    const seen: string[] = [];
    let next: string | null = "/2010-04-01/Accounts.json?PageSize=3";
    while (next !== null) {
      const { body } = await apiOf(simulator).get(next);
      seen.push(...body.accounts.map((one: { sid: string }) => one.sid));
      next = body.next_page_uri;
    }
    expect(seen).toHaveLength(4);
    expect(new Set(seen).size).toBe(4);
  });

  it("of 10,000 subaccounts is read in eleven pages of 1,000 within five seconds", async () => {
    const large = await quietSimulator({ subaccounts: 10_000 });
    const started = performance.now();
    let next: string | null = "/2010-04-01/Accounts.json?PageSize=1000";
    let accounts = 0;
    let pages = 0;
    while (next !== null) {
      const { body } = await send(large, large.parent(), "GET", next);
      accounts += body.accounts.length;
      pages += 1;
      next = body.next_page_uri;
    }
    await large.close();
    expect({ accounts, pages }).toEqual({ accounts: 10_001, pages: 11 });
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("a status update", () => {
  it("suspends and reactivates a subaccount, and says so when the account is read", async () => {
    expect((await update(sub.accountSid, "suspended")).body).toMatchObject({ status: "suspended" });
    expect((await apiOf(simulator).get(accountPath(sub.accountSid))).body).toMatchObject({ status: "suspended" });
    expect((await update(sub.accountSid, "active")).body).toMatchObject({ status: "active" });
  });

  it("leaves the calls in progress as they are", async () => {
    simulator.addCalls(sub.accountSid, { calls: 2 });
    await update(sub.accountSid, "suspended");
    expect(simulator.account(sub.accountSid).liveCalls).toBe(2);
  });

  const refusals = [
    { why: "a status that is none", act: () => update(sub.accountSid, "paused"), status: 400, code: 21475 },
    {
      why: "the parent's own",
      act: () => update(simulator.parent().accountSid, "suspended"),
      status: 400,
      code: 21477,
    },
    { why: "an unknown account", act: () => update(`AC${"0".repeat(32)}`, "suspended"), status: 404, code: 20404 },
    { why: "its own credentials", act: () => update(sub.accountSid, "suspended", sub), status: 401, code: 20003 },
    {
      why: "a sibling's credentials",
      act: () => update(sub.accountSid, "suspended", subaccount(simulator, 1)),
      status: 404,
      code: 20404,
    },
    {
      why: "a wrong token",
      act: () => update(sub.accountSid, "suspended", { ...simulator.parent(), authToken: "wrong" }),
      status: 401,
      code: 20003,
    },
  ];
  for (const { why, act, status, code } of refusals) {
    it(`is refused for ${why} with ${status} and ${code}`, async () => {
      const answer = await act();
      expect(answer).toMatchObject({ status, body: { status, code } });
      expect(simulator.account(sub.accountSid).status).toBe("active");
    });
  }

  it("is refused with 21478 where Twilio itself suspended the account", async () => {
    simulator.suspendByTwilio(sub.accountSid);
    expect((await update(sub.accountSid, "active")).body).toMatchObject({ code: 21478 });
    expect(simulator.account(sub.accountSid).status).toBe("suspended");
  });

  it("is refused with 21479 once the account is closed, whose calls have ended", async () => {
    simulator.addCalls(sub.accountSid, {});
    await update(sub.accountSid, "closed");
    expect((await update(sub.accountSid, "active")).body).toMatchObject({ code: 21479 });
    expect(simulator.account(sub.accountSid)).toMatchObject({ status: "closed", liveCalls: 0 });
  });

  it("is refused with 21476 while the parent is suspended, and everything below accounts with 401", async () => {
    simulator.setStatus(simulator.parent().accountSid, "suspended");
    expect((await update(sub.accountSid, "suspended")).body).toMatchObject({ code: 21476 });
    expect(await apiOf(simulator).get(accountPath(sub.accountSid, "/Calls"))).toMatchObject({ status: 401 });
  });
});

describe("credentials", () => {
  it("of a subaccount reach itself, no sibling, and not the parent", async () => {
    const api = apiOf(simulator, sub);
    expect((await api.get(accountPath(sub.accountSid))).status).toBe(200);
    expect((await api.get("/2010-04-01/Accounts.json")).body.accounts).toHaveLength(1);
    expect((await api.get(accountPath(subaccount(simulator, 1).accountSid, "/Calls"))).body.code).toBe(20404);
    expect(await api.get(accountPath(simulator.parent().accountSid))).toMatchObject({ status: 401 });
  });

  it("of a suspended subaccount answer 401 20003, while the parent's still reach it", async () => {
    await update(sub.accountSid, "suspended");
    const path = accountPath(sub.accountSid, "/Calls");
    expect(await apiOf(simulator, sub).get(path)).toMatchObject({ status: 401, body: { code: 20003 } });
    expect((await apiOf(simulator).get(path)).status).toBe(200);
  });

  it("change when the token is rotated", async () => {
    const authToken = simulator.rotateAuthToken(sub.accountSid);
    expect((await apiOf(simulator, sub).get(accountPath(sub.accountSid))).status).toBe(401);
    const rotated = await apiOf(simulator, { ...sub, authToken }).get(accountPath(sub.accountSid));
    expect(rotated.body).toMatchObject({ auth_token: authToken });
  });
});

it("a new subaccount is active and listed", async () => {
  const { status, body } = await apiOf(simulator).post("/2010-04-01/Accounts.json", { FriendlyName: "New Customer" });
  expect({ status, body }).toMatchObject({ status: 201, body: { friendly_name: "New Customer", status: "active" } });
  expect(simulator.account(body.sid).friendlyName).toBe("New Customer");
});

it("the same seed makes the same accounts, another seed others", async () => {
  const [same, other] = await Promise.all([quietSimulator(), quietSimulator({ seed: "another" })]);
  expect(same.subaccounts()).toEqual(simulator.subaccounts());
  expect(subaccount(other).accountSid).not.toBe(sub.accountSid);
  await Promise.all([same.close(), other.close()]);
});

it("a path that Twilio does not have, or without .json, answers 20404", async () => {
  for (const path of ["/2010-04-01/Nothing.json", `/2010-04-01/Accounts/${sub.accountSid}`]) {
    expect(await apiOf(simulator).get(path)).toMatchObject({ status: 404, body: { code: 20404 } });
  }
});
