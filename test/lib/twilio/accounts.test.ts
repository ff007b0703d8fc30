import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetchAccount, listAccounts, requestActivation, requestSuspension } from "../../../lib/twilio/accounts.ts";
import { type TwilioClient, twilioClient } from "../../../lib/twilio/client.ts";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { assertRequest } from "../../contract/twilio-openapi.ts";
import { quietSimulator, subaccount } from "../../local/twilio/api.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";

let simulator: TwilioSimulator;
let proxy: FaultProxy;
let twilio: TwilioClient;

beforeAll(async () => {
  simulator = await quietSimulator({ subaccounts: 1500 });
  proxy = await startFaultProxy(simulator.url);
  const { accountSid, authToken } = simulator.parent();
  twilio = twilioClient({ accountSid, authToken: async () => authToken, apiUrl: proxy.url });
});
afterAll(async () => {
  for (const { method, path, query, form } of simulator.requests()) assertRequest(method, `${path}?${query}`, form);
  await proxy.close();
  await simulator.close();
});

test("an account, with the token that signs its webhooks", async () => {
  const { accountSid, authToken } = subaccount(simulator);
  expect(await fetchAccount(twilio, accountSid, 2_000)).toEqual({
    kind: "ok",
    body: {
      sid: accountSid,
      ownerAccountSid: twilio.accountSid,
      friendlyName: expect.stringMatching(/./),
      status: "active",
      authToken,
    },
  });
});

test("one that is not there", async () => {
  expect(await fetchAccount(twilio, `AC${"0".repeat(32)}`, 2_000)).toMatchObject({
    kind: "failed",
    failure: { kind: "not-found", code: 20404, status: 404 },
  });
});

test("all accounts, the parent among them, in two requests for 1,501", async () => {
  simulator.resetRequests();
  const answer = await listAccounts(twilio, 2_000);
  const sids = answer.kind === "ok" ? answer.body.map(({ sid }) => sid) : [];
  expect(new Set(sids)).toEqual(new Set([simulator.parent(), ...simulator.subaccounts()].map((one) => one.accountSid)));
  expect(simulator.requestCounts()).toEqual({ "GET /2010-04-01/Accounts.json": 2 });
});

test("an activation is asked for, and may be asked for again", async () => {
  const { accountSid } = subaccount(simulator, 2);
  simulator.setStatus(accountSid, "suspended");
  simulator.resetRequests();
  for (const _ of [1, 2]) {
    expect(await requestActivation(twilio, accountSid, 2_000)).toMatchObject({
      kind: "ok",
      body: { sid: accountSid, status: "active" },
    });
  }
  expect(simulator.requests()).toMatchObject(
    [1, 2].map(() => ({
      method: "POST",
      path: `/2010-04-01/Accounts/${accountSid}.json`,
      form: { Status: "active" },
    })),
  );
  expect(simulator.account(accountSid).status).toBe("active");
});

test("a suspension is asked for", async () => {
  const { accountSid } = subaccount(simulator, 1);
  simulator.resetRequests();
  expect(await requestSuspension(twilio, accountSid, 2_000)).toMatchObject({
    kind: "ok",
    body: { status: "suspended" },
  });
  expect(simulator.requests()).toMatchObject([
    { method: "POST", path: `/2010-04-01/Accounts/${accountSid}.json`, form: { Status: "suspended" } },
  ]);
  expect(simulator.account(accountSid).status).toBe("suspended");
});

test.each(["", "AC1", `AC${"0".repeat(32)}/../..`, `AC${"0".repeat(32)}\n`, `CA${"0".repeat(32)}`])(
  "%j never becomes part of a path",
  async (sid) => {
    const before = proxy.requests().length;
    await expect(fetchAccount(twilio, sid, 2_000)).rejects.toThrow("Not an AccountSid");
    await expect(requestSuspension(twilio, sid, 2_000)).rejects.toThrow("Not an AccountSid");
    await expect(requestActivation(twilio, sid, 2_000)).rejects.toThrow("Not an AccountSid");
    expect(proxy.requests()).toHaveLength(before);
  },
);

test.each([
  ["without a name", { friendly_name: null }, { friendlyName: "" }],
  ["with an empty token", { auth_token: "" }, { authToken: undefined }],
  ["with no token, as an API key sees it", { auth_token: undefined }, { authToken: undefined }],
])("an account %s", async (_, changes, expected) => {
  const sid = `AC${"2".repeat(32)}`;
  const resource = { sid, owner_account_sid: sid, friendly_name: "A", status: "active", auth_token: "t", ...changes };
  proxy.fail({ times: 1, do: "answer", status: 200, body: JSON.stringify(resource) });
  expect(await fetchAccount(twilio, sid, 2_000)).toMatchObject({ kind: "ok", body: expected });
});

test("only two files can ask for a status, and none for the one that is final", () => {
  const folder = new URL("../../../lib/twilio/", import.meta.url);
  const sources = readdirSync(folder).map((name) => ({ name, code: readFileSync(new URL(name, folder), "utf8") }));
  const asking = sources.filter(({ code }) => /[{,]\s*["']?Status["']?\s*:/.test(code));
  expect(asking.map(({ name }) => name)).toEqual(["accounts.ts", "calls.ts"]);
  const [accounts] = asking;
  // Read from Twilio, and nothing else.
  expect(accounts?.code.match(/.*"closed".*/g)?.map((line) => line.trim())).toEqual([
    'status: z.enum(["active", "suspended", "closed"]),',
    'status: "active" | "suspended" | "closed";',
  ]);
});
