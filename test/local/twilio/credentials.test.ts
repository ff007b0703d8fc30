import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import type { ApiKey } from "../../../local/twilio/state.ts";
import { accountPath, apiOf, type Credentials, quietSimulator, subaccount } from "./api.ts";

// https://www.twilio.com/docs/iam/api/subaccounts and https://www.twilio.com/docs/usage/api/keys

let simulator: TwilioSimulator;
let parent: Credentials;
let sub: Credentials;
beforeEach(async () => {
  simulator = await quietSimulator();
  parent = simulator.parent();
  sub = subaccount(simulator);
});
afterEach(() => simulator.close());

const asCredentials = ({ sid, secret }: ApiKey): Credentials => ({ accountSid: sid, authToken: secret });
const keyOf = ({ accountSid }: Credentials, type: "main" | "standard") =>
  asCredentials(simulator.stealKey(accountSid, { type }));

/** Who may do what: the status of a good answer, or 401 with 20003. */
const WHO = {
  "the parent's auth token": () => parent,
  "the parent's main key": () => keyOf(parent, "main"),
  "the parent's standard key": () => keyOf(parent, "standard"),
  "the subaccount's auth token": () => sub,
  "the subaccount's main key": () => keyOf(sub, "main"),
  "the subaccount's standard key": () => keyOf(sub, "standard"),
};
const WHAT = {
  "suspend the subaccount": [(api: Api) => api.post(accountPath(sub.accountSid), { Status: "suspended" }), "YY----"],
  "read the subaccount": [(api: Api) => api.get(accountPath(sub.accountSid)), "YY-YY-"],
  "list the accounts": [(api: Api) => api.get("/2010-04-01/Accounts.json"), "YY-YY-"],
  "read the subaccount's calls": [(api: Api) => api.get(accountPath(sub.accountSid, "/Calls")), "Y--YYY"],
  "read its numbers": [(api: Api) => api.get(accountPath(sub.accountSid, "/IncomingPhoneNumbers")), "Y--YYY"],
  "read its usage": [(api: Api) => api.get(accountPath(sub.accountSid, "/Usage/Records/Today")), "Y--YYY"],
  "list its keys": [(api: Api) => api.get(accountPath(sub.accountSid, "/Keys")), "Y--YY-"],
  "make it a key": [(api: Api) => api.post(accountPath(sub.accountSid, "/Keys")), "Y--YY-"],
  "read the parent's calls": [(api: Api) => api.get(accountPath(parent.accountSid, "/Calls")), "YYY---"],
  "list the parent's keys": [(api: Api) => api.get(accountPath(parent.accountSid, "/Keys")), "YY----"],
} as const;
type Api = ReturnType<typeof apiOf>;

describe("the credentials matrix", () => {
  for (const [what, [act, allowed]] of Object.entries(WHAT)) {
    for (const [nth, [who, credentials]] of Object.entries(WHO).entries()) {
      const may = allowed[nth] === "Y";
      it(`${who} ${may ? "may" : "may not"} ${what}`, async () => {
        const answer = await act(apiOf(simulator, credentials()));
        if (may) expect([200, 201]).toContain(answer.status);
        else expect(answer).toMatchObject({ status: 401, body: { code: 20003 } });
      });
    }
  }

  it("no key sees an auth token", async () => {
    const listed = await apiOf(simulator, keyOf(parent, "main")).get("/2010-04-01/Accounts.json");
    expect(new Set(listed.body.accounts.map((one: { auth_token: string }) => one.auth_token))).toEqual(new Set([""]));
    const own = await apiOf(simulator).get(accountPath(sub.accountSid));
    expect(own.body.auth_token).toBe(sub.authToken);
  });
});

describe("the products with an address of their own", () => {
  it("act on the account whose credentials are used, never on another", async () => {
    await apiOf(simulator, sub).post("/v1/Settings", { DialingPermissionsInheritance: "false" });
    await apiOf(simulator).post("/v1/AuthTokens/Secondary");
    expect(simulator.dialingPermissions(sub.accountSid).inherits).toBe(false);
    expect(simulator.account(sub.accountSid).secondaryAuthToken).toBeNull();
    expect(simulator.parent().secondaryAuthToken).toMatch(/^[0-9a-f]{32}$/);
    expect(simulator.dialingPermissions(subaccount(simulator, 1).accountSid).inherits).toBe(true);
  });

  it("take a standard key, but for auth tokens", async () => {
    const api = apiOf(simulator, keyOf(sub, "standard"));
    expect((await api.get("/v1/Settings")).status).toBe(200);
    expect((await api.get("/v1/Sinks")).status).toBe(200);
    for (const path of ["/v1/AuthTokens/Secondary", "/v1/AuthTokens/Promote"]) {
      expect(await api.post(path)).toMatchObject({ status: 401, body: { code: 20003 } });
    }
    expect((await apiOf(simulator, keyOf(sub, "main")).post("/v1/AuthTokens/Secondary")).status).toBe(201);
  });
});

describe("an API key ends", () => {
  const works = async (credentials: Credentials) =>
    (await apiOf(simulator, credentials).get(accountPath(sub.accountSid, "/Calls"))).status === 200;

  it("when it is deleted, and no sooner: a new auth token leaves it be", async () => {
    const key = keyOf(sub, "standard");
    simulator.rotateAuthToken(sub.accountSid);
    expect(await works(key)).toBe(true);
    await apiOf(simulator).delete(accountPath(sub.accountSid, `/Keys/${key.accountSid}`));
    expect(await works(key)).toBe(false);
  });

  for (const status of ["suspended", "closed"] as const) {
    it(`for as long as its account is ${status}, like the auth tokens`, async () => {
      const all = [sub, keyOf(sub, "standard"), keyOf(sub, "main")];
      const { body } = await apiOf(simulator, sub).post("/v1/AuthTokens/Secondary");
      all.push({ ...sub, authToken: body.secondary_auth_token });
      const before = await Promise.all(all.map(works));
      simulator.setStatus(sub.accountSid, status);
      expect(before).toEqual([true, true, true, true]);
      expect(await Promise.all(all.map(works))).toEqual([false, false, false, false]);
      expect((await apiOf(simulator, sub).get("/v1/Settings")).status).toBe(401);
    });
  }

  it("with a wrong secret it never worked", async () => {
    expect(await works({ ...keyOf(sub, "main"), authToken: "wrong" })).toBe(false);
    expect(await works({ accountSid: `SK${"0".repeat(32)}`, authToken: "" })).toBe(false);
  });
});
