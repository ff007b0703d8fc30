import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import { jsonLog } from "../../../lib/log.ts";
import { type TwilioClient, twilioClient } from "../../../lib/twilio/client.ts";
import { type FoundToken, type SigningTokens, signingTokens } from "../../../lib/webhooks/signing-tokens.ts";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import type { AccountSummary } from "../../../local/twilio/summary.ts";
import { quietSimulator } from "../../local/twilio/api.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";

// A simulated Twilio by HTTP behind a proxy that can fail; time is the test's own, so that minutes take no time.

const START = Date.parse("2026-10-04T12:00:00Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let now: number;
let simulator: TwilioSimulator;
let proxy: FaultProxy;
let ours: AccountSummary;
let tokens: SigningTokens;
let lines: string[];
/** When each request to Twilio was made. */
let requestedAt: number[];

beforeEach(async () => {
  now = START;
  lines = [];
  requestedAt = [];
  simulator = await quietSimulator({ subaccounts: 5 });
  proxy = await startFaultProxy(simulator.url);
  ours = simulator.addSubaccount();
  tokens = newTokens();
});
afterEach(async () => {
  await proxy.close();
  await simulator.close();
});

function newTokens(parentToken: () => Promise<string | undefined> = async () => simulator.parent().authToken) {
  const twilio = twilioClient({
    accountSid: simulator.parent().accountSid,
    authToken: async () => simulator.parent().authToken,
    apiUrl: proxy.url,
  });
  const timed: TwilioClient = {
    accountSid: twilio.accountSid,
    send(request) {
      requestedAt.push(now);
      return twilio.send(request);
    },
  };
  const clock = { ...systemClock, now: () => new Date(now) };
  return signingTokens({ twilio: timed, parentToken, clock, log: jsonLog((line) => lines.push(line)) });
}

const stranger = () => `AC${randomBytes(16).toString("hex")}`;
const flood = (count: number) => Promise.all(Array.from({ length: count }, () => tokens.find(stranger())));
const requests = () => proxy.requests().map(({ path }) => path.replace(/AC[0-9a-f]{32}/, "{Sid}"));
const LOOK_UP = "/api/2010-04-01/Accounts/{Sid}.json";
const fresh = (authToken: string) => ({ kind: "found", authToken, fresh: true });
const remembered = (authToken: string): FoundToken => ({ kind: "found", authToken, fresh: false });
const busiestMinute = () =>
  Math.max(...requestedAt.map((start) => requestedAt.filter((at) => at >= start && at < start + MINUTE).length));

describe("a subaccount's token", () => {
  test("is looked up once and remembered, however many ask", async () => {
    const found = await Promise.all([1, 2, 3].map(() => tokens.find(ours.accountSid)));
    expect(found).toEqual([1, 2, 3].map(() => fresh(ours.authToken)));
    expect(await tokens.find(ours.accountSid)).toEqual(remembered(ours.authToken));
    expect(requests()).toEqual([LOOK_UP]);
  });

  test("is read again after ten minutes: a stolen one that was rotated stops being taken", async () => {
    await tokens.find(ours.accountSid);
    const authToken = simulator.rotateAuthToken(ours.accountSid);
    now = START + 10 * MINUTE - 1;
    expect(await tokens.find(ours.accountSid)).toEqual(remembered(ours.authToken));
    now = START + 10 * MINUTE;
    expect(await tokens.find(ours.accountSid)).toEqual(fresh(authToken));
  });

  test("is kept through an outage, and its age does not matter then", async () => {
    await tokens.find(ours.accountSid);
    await proxy.down();
    now = START + 60 * MINUTE;
    expect(await tokens.find(ours.accountSid)).toEqual(remembered(ours.authToken));
    expect(await tokens.findAgain(ours.accountSid, remembered(ours.authToken))).toEqual({ kind: "unknown" });
  });

  test("is not believed from an answer about another account, or one of another parent", async () => {
    const sid = stranger();
    const account = {
      sid,
      owner_account_sid: simulator.parent().accountSid,
      friendly_name: "",
      status: "active",
      auth_token: "x",
    };
    for (const wrong of [{ owner_account_sid: stranger() }, { sid: stranger() }]) {
      proxy.fail({ times: 1, do: "answer", status: 200, body: JSON.stringify({ ...account, ...wrong }) });
      expect(await newTokens().find(sid)).toEqual({ kind: "not-ours" });
      proxy.clear();
    }
  });

  test("that Twilio hides is no reason to refuse a webhook for good: it says what to configure", async () => {
    const body = JSON.stringify({
      sid: ours.accountSid,
      owner_account_sid: simulator.parent().accountSid,
      status: "active",
    });
    proxy.fail({ do: "answer", status: 200, body });
    expect(await tokens.find(ours.accountSid)).toEqual({ kind: "unknown" });
    expect(lines.join()).toContain("configure the parent's auth token as TWILIO_AUTH_TOKEN");
  });
});

describe("the parent's token", () => {
  test("is the configured one: Twilio is not asked", async () => {
    const { accountSid, authToken } = simulator.parent();
    expect(await tokens.find(accountSid)).toEqual(fresh(authToken));
    expect(requests()).toEqual([]);
  });

  test("that is not configured, or cannot be read now, decides nothing", async () => {
    const { accountSid } = simulator.parent();
    expect(await newTokens(async () => undefined).find(accountSid)).toEqual({ kind: "unknown" });
    const unreadable = newTokens(() => Promise.reject(new Error("Parameter Store is out")));
    expect(await unreadable.find(accountSid)).toEqual({ kind: "unknown" });
    expect(lines.join()).toContain("Parameter Store is out");
  });
});

describe("an account that is not ours", () => {
  test("is remembered as such for a minute", async () => {
    const sid = stranger();
    expect([await tokens.find(sid), await tokens.find(sid)]).toEqual([{ kind: "not-ours" }, { kind: "not-ours" }]);
    expect(requests()).toEqual([LOOK_UP]);
    simulator.addSubaccount({ accountSid: sid, authToken: "new" });
    now = START + MINUTE;
    expect(await tokens.find(sid)).toEqual(fresh("new"));
  });
});

describe("a second look", () => {
  test("finds the rotated token at once", async () => {
    await tokens.find(ours.accountSid);
    const authToken = simulator.rotateAuthToken(ours.accountSid);
    const tried = await tokens.find(ours.accountSid);
    expect(tried).toEqual(remembered(ours.authToken));
    expect(await tokens.findAgain(ours.accountSid, remembered(ours.authToken))).toEqual(fresh(authToken));
    expect(requests()).toEqual([LOOK_UP, LOOK_UP]);
  });

  test("is not taken for a token that was just read for this very search", async () => {
    await tokens.find(ours.accountSid);
    const tried = { ...remembered(ours.authToken), fresh: true };
    expect(await tokens.findAgain(ours.accountSid, tried)).toEqual(tried);
    expect(requests()).toEqual([LOOK_UP]);
  });

  test("is taken every five seconds at most for each account", async () => {
    const other = simulator.addSubaccount();
    for (const { accountSid } of [ours, other]) await tokens.find(accountSid);
    for (let second = 0; second < 20; second++) {
      now = START + second * SECOND;
      for (const { accountSid, authToken } of [ours, other]) {
        expect(await tokens.findAgain(accountSid, remembered(authToken))).toMatchObject({ authToken });
      }
    }
    expect(requests()).toHaveLength(2 + 2 * 4);
  });

  test("that failed is taken again with the next webhook", async () => {
    await tokens.find(ours.accountSid);
    const authToken = simulator.rotateAuthToken(ours.accountSid);
    proxy.fail({ times: 1, do: "cut" });
    expect(await tokens.findAgain(ours.accountSid, remembered(ours.authToken))).toEqual({ kind: "unknown" });
    expect(await tokens.findAgain(ours.accountSid, remembered(ours.authToken))).toEqual(fresh(authToken));
  });

  test("notices that an account is ours no more", async () => {
    await tokens.find(ours.accountSid);
    proxy.fail({ times: 1, do: "answer", status: 404, body: '{"code":20404}' });
    expect(await tokens.findAgain(ours.accountSid, remembered(ours.authToken))).toEqual({ kind: "not-ours" });
    expect(await tokens.find(ours.accountSid)).toEqual({ kind: "not-ours" });
  });
});

describe("a flood of forged SIDs", () => {
  test("costs at most 60 requests; then a genuine account is known without one more", async () => {
    expect(new Set((await flood(200)).map(({ kind }) => kind))).toEqual(new Set(["not-ours"]));
    const cost = requests().length;
    expect(cost).toBeLessThanOrEqual(60);
    expect(await tokens.find(ours.accountSid)).toMatchObject({ kind: "found", authToken: ours.authToken });
    expect(requests()).toHaveLength(cost);
  });

  test("of ten minutes never costs more than 60 requests in any minute, and starves no new account", async () => {
    for (let second = 0; second < 600; second += 4) {
      now = START + second * SECOND;
      await flood(8);
      if (second % 60 === 20) {
        const { accountSid, authToken } = simulator.addSubaccount();
        // What a listing of the last minute does not show yet is refused until the next one.
        now += MINUTE;
        second += 60;
        expect(await tokens.find(accountSid)).toMatchObject({ kind: "found", authToken });
      }
    }
    expect(busiestMinute()).toBeLessThanOrEqual(60);
    expect(busiestMinute()).toBeGreaterThan(20);
  }, 60_000);

  test("among 1,500 accounts of ours: the listing has two pages, and the last account is on the second", async () => {
    for (let count = 0; count < 1_500; count++) simulator.addSubaccount();
    await flood(200);
    expect(requests().filter((path) => path !== LOOK_UP)).toHaveLength(2);
    const last = simulator.subaccounts().at(-1);
    expect(await tokens.find(last?.accountSid ?? "")).toMatchObject({ kind: "found", authToken: last?.authToken });
    expect(requests().length).toBeLessThanOrEqual(60);
  });

  test("while the listing fails: undecided, tried again after five seconds, never more than 60 a minute", async () => {
    proxy.fail({ on: ({ path }) => path.includes("Accounts.json"), do: "answer", status: 500 });
    await flood(60);
    expect(await tokens.find(ours.accountSid)).toEqual({ kind: "unknown" });
    for (let second = 0; second < 55; second++) {
      now = START + second * SECOND;
      expect(await tokens.find(ours.accountSid)).toEqual({ kind: "unknown" });
    }
    expect(busiestMinute()).toBeLessThanOrEqual(60);
    proxy.clear();
    now = START + 56 * SECOND;
    expect(await tokens.find(ours.accountSid)).toMatchObject({ kind: "found", authToken: ours.authToken });
  });

  test.each([
    [
      "a row that can't be understood",
      (row: object) => ({ accounts: [{ ...row, status: "frozen" }], next_page_uri: null }),
    ],
    ["a page that is missing", () => ({ accounts: [], next_page_uri: "/2010-04-01/Accounts.json?Page=9&x" })],
  ])("a list with %s never proves that an account is not ours", async (_, page) => {
    const row = { sid: ours.accountSid, owner_account_sid: simulator.parent().accountSid };
    proxy.fail({ on: ({ path }) => path.includes("Page=9"), do: "answer", status: 403, body: "<html>" });
    const on = ({ path }: { path: string }) => path.includes("Accounts.json");
    proxy.fail({ on, do: "answer", status: 200, body: JSON.stringify(page(row)) });
    await flood(60);
    expect(await tokens.find(ours.accountSid)).toEqual({ kind: "unknown" });
    proxy.clear();
    now = START + 6 * SECOND;
    expect(await tokens.find(ours.accountSid)).toMatchObject({ kind: "found", authToken: ours.authToken });
  });

  test("leaves second looks their share: a rotated token is found all the same", async () => {
    await tokens.find(ours.accountSid);
    await flood(200);
    const authToken = simulator.rotateAuthToken(ours.accountSid);
    now = START + 10 * SECOND;
    expect(await tokens.findAgain(ours.accountSid, remembered(ours.authToken))).toEqual(fresh(authToken));
    expect(busiestMinute()).toBeLessThanOrEqual(60);
  });
});

test("with wrong signatures for accounts of ours, too: once the share is used up, undecided, never wrongly refused", async () => {
  const accounts = Array.from({ length: 40 }, () => simulator.addSubaccount());
  await flood(200);
  now = START + 30 * SECOND;
  for (const { accountSid, authToken } of accounts) await tokens.findAgain(accountSid, remembered(authToken));
  const authToken = simulator.rotateAuthToken(ours.accountSid);
  expect(await tokens.findAgain(ours.accountSid, remembered(ours.authToken))).toEqual({ kind: "unknown" });
  expect(busiestMinute()).toBeLessThanOrEqual(60);
  now += MINUTE;
  expect(await tokens.findAgain(ours.accountSid, remembered(ours.authToken))).toEqual(fresh(authToken));
});
