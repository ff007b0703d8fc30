import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
  const list = answer.kind === "ok" ? answer.body : undefined;
  expect(list).toMatchObject({ setAside: [], incomplete: null });
  expect(new Set(list?.accounts.map(({ sid }) => sid))).toEqual(
    new Set([simulator.parent(), ...simulator.subaccounts()].map((one) => one.accountSid)),
  );
  expect(simulator.requestCounts()).toEqual({ "GET /2010-04-01/Accounts.json": 2 });
});

describe("a list that is odd", () => {
  const sid = (digit: string) => `AC${digit.repeat(32)}`;
  const row = (changes: object) => ({ sid: sid("1"), owner_account_sid: sid("0"), status: "active", ...changes });
  const answers = (...pages: { status?: number; body: unknown }[]) => {
    // Each rule counts every request: the second one answers the second.
    proxy.clear();
    for (const [index, { status = 200, body }] of pages.entries())
      proxy.fail({ nth: index + 1, times: 1, do: "answer", status, body: JSON.stringify(body) });
  };

  test.each([
    ["an unknown status", row({ sid: sid("2"), status: "frozen" }), sid("2"), /status that we do not know: "frozen"/],
    ["no status", row({ sid: sid("2"), status: undefined }), sid("2"), /lacks .*status/],
    ["no owner", row({ sid: sid("2"), owner_account_sid: null }), sid("2"), /lacks .*owner_account_sid/],
    ["no SID", row({ sid: undefined }), null, /lacks .*sid/],
    ["a SID of something else", row({ sid: "CA1" }), "CA1", /its SID is none/],
    ["a name that is none", row({ sid: sid("2"), friendly_name: 5 }), sid("2"), /friendly_name/],
    ["nothing", null, null, /the row/],
    ["text", "AC", null, /the row/],
  ])("a row with %s is set aside and named, and the others stay", async (_, odd, named, why) => {
    answers({ body: { accounts: [row({}), odd, row({ sid: sid("3") })], next_page_uri: null } });
    const answer = await listAccounts(twilio, 2_000);
    expect(answer).toMatchObject({
      kind: "ok",
      body: {
        accounts: [{ sid: sid("1") }, { sid: sid("3") }],
        setAside: [{ sid: named, why: expect.stringMatching(why) }],
        incomplete: null,
      },
    });
  });

  test.each([
    ["is refused", { status: 400, body: { code: 70002, message: "no", status: 400 } }, { code: 70002 }],
    ["is a page of a proxy", { status: 403, body: "<html>" }, { code: null, status: 403 }],
    ["has no accounts", { body: { subaccounts: [] } }, { message: expect.stringContaining("accounts") }],
  ])("a page that %s leaves what came before, and it says so", async (_, last, incomplete) => {
    answers({ body: { accounts: [row({})], next_page_uri: "/2010-04-01/Accounts.json?Page=1" } }, last);
    expect(await listAccounts(twilio, 2_000)).toMatchObject({
      kind: "ok",
      body: { accounts: [{ sid: sid("1") }], setAside: [], incomplete },
    });
  });

  test("without a first page there is no list", async () => {
    answers({ status: 400, body: { code: 70002, message: "no", status: 400 } });
    expect(await listAccounts(twilio, 2_000)).toMatchObject({ kind: "failed", failure: { code: 70002 } });
  });

  test("one account of an unknown status may have a known one in a moment", async () => {
    answers({ body: row({ status: "frozen" }) });
    expect(await fetchAccount(twilio, sid("1"), 2_000)).toMatchObject({
      failure: { kind: "retryable", message: 'Twilio shows a status that we do not know: "frozen"' },
    });
  });
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
    'const Status = z.enum(["active", "suspended", "closed"]);',
  ]);
});
