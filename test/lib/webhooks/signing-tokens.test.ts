import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import { jsonLog } from "../../../lib/log.ts";
import { type TwilioClient, twilioClient } from "../../../lib/twilio/client.ts";
import { type SigningTokens, signingTokens } from "../../../lib/webhooks/signing-tokens.ts";
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

type Token = () => Promise<string | undefined>;
const parents: Token = async () => simulator.parent().authToken;

function newTokens(parentToken: Token = parents, credentials: Token = parents) {
  const twilio = twilioClient({ accountSid: simulator.parent().accountSid, authToken: credentials, apiUrl: proxy.url });
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
/** A request about `accountSid` that was signed with `authToken`. */
const check = (accountSid: string, authToken: string, by = tokens) =>
  by.check(accountSid, (candidate) => candidate === authToken);
const forge = (accountSid: string) => check(accountSid, "a stranger's");
const flood = (count: number) => Promise.all(Array.from({ length: count }, () => forge(stranger())));
const requests = () => proxy.requests().map(({ path }) => path.replace(/AC[0-9a-f]{32}/, "{Sid}"));
const LOOK_UP = "/api/2010-04-01/Accounts/{Sid}.json";
const SIGNED = { kind: "signed" };
const NOT_SIGNED = { kind: "not-signed" };
const NOT_OURS = { kind: "not-ours" };
const undecided = (why: string) => ({ kind: "undecided", why });
const NO_ANSWER = undecided("no-answer-from-twilio");
const SPENT = undecided("look-ups-spent");
const MOST_A_MINUTE = 390;
const busiestMinute = () =>
  Math.max(...requestedAt.map((start) => requestedAt.filter((at) => at >= start && at < start + MINUTE).length));
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** Twilio's next answer stays on its way until `release`: what it says was so when it was `given`. */
function holdNextAnswer() {
  const [given, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const hook = () => {
    given.resolve();
    return released.promise;
  };
  proxy.fail({ times: 1, when: "after", do: "call", hook });
  return { given: given.promise, release: released.resolve };
}

describe("a subaccount's token", () => {
  test("is looked up once and remembered", async () => {
    for (let time = 0; time < 3; time++) expect(await check(ours.accountSid, ours.authToken)).toEqual(SIGNED);
    expect(requests()).toEqual([LOOK_UP]);
  });

  test("is looked up once for all who wait for it", async () => {
    const checks = await Promise.all(times(20, () => check(ours.accountSid, ours.authToken)));
    expect(checks).toEqual(times(20, () => SIGNED));
    expect(requests()).toEqual([LOOK_UP]);
  });

  test("is read again after ten minutes: a stolen one that was rotated stops being taken", async () => {
    await check(ours.accountSid, ours.authToken);
    simulator.rotateAuthToken(ours.accountSid);
    now = START + 10 * MINUTE - 1;
    expect(await check(ours.accountSid, ours.authToken)).toEqual(SIGNED);
    now = START + 10 * MINUTE;
    expect(await check(ours.accountSid, ours.authToken)).toEqual(NOT_SIGNED);
  });

  test("is kept through an outage, and its age does not matter then", async () => {
    await check(ours.accountSid, ours.authToken);
    await proxy.down();
    now = START + 60 * MINUTE;
    expect(await check(ours.accountSid, ours.authToken)).toEqual(SIGNED);
    expect(await forge(ours.accountSid)).toEqual(NO_ANSWER);
  });

  test("is not believed from an answer about another account, or one of another parent", async () => {
    const sid = stranger();
    const account = { sid, owner_account_sid: simulator.parent().accountSid, status: "active", auth_token: "x" };
    for (const wrong of [{ owner_account_sid: stranger() }, { sid: stranger() }]) {
      proxy.fail({ times: 1, do: "answer", status: 200, body: JSON.stringify({ ...account, ...wrong }) });
      expect(await check(sid, "x", newTokens())).toEqual(NOT_OURS);
      proxy.clear();
    }
  });

  test("signs whatever the status of its account, known to us or not", async () => {
    const owner_account_sid = simulator.parent().accountSid;
    const body = JSON.stringify({ sid: ours.accountSid, owner_account_sid, status: "dormant", auth_token: "x" });
    proxy.fail({ do: "answer", status: 200, body });
    expect(await check(ours.accountSid, "x")).toEqual(SIGNED);
  });

  test("that Twilio hides is no reason to refuse a webhook for good: it says what to configure", async () => {
    const owner_account_sid = simulator.parent().accountSid;
    const body = JSON.stringify({ sid: ours.accountSid, owner_account_sid, status: "active" });
    proxy.fail({ do: "answer", status: 200, body });
    expect(await check(ours.accountSid, ours.authToken)).toEqual(NO_ANSWER);
    expect(lines.join()).toContain("configure the parent's auth token as TWILIO_AUTH_TOKEN");
  });
});

describe("the parent's token", () => {
  test("is the configured one: Twilio is not asked", async () => {
    const { accountSid, authToken } = simulator.parent();
    expect(await check(accountSid, authToken)).toEqual(SIGNED);
    expect(requests()).toEqual([]);
  });

  test("is the one that Twilio shows, too: a secondary one may be configured until it is promoted", async () => {
    const { accountSid, authToken } = simulator.parent();
    const beside = newTokens(async () => "the secondary one");
    expect(await check(accountSid, authToken, beside)).toEqual(SIGNED);
    expect(await check(accountSid, "the secondary one", beside)).toEqual(SIGNED);
    expect(await check(accountSid, "a stranger's", beside)).toEqual(NOT_SIGNED);
  });

  test("was rotated where Twilio does not take it any more: nothing is refused until the new one is known", async () => {
    const { accountSid, authToken } = simulator.parent();
    let configured = authToken;
    const rotated = newTokens(
      async () => configured,
      async () => configured,
    );
    expect(await check(accountSid, authToken, rotated)).toEqual(SIGNED);
    const next = simulator.rotateAuthToken(accountSid);
    expect(await check(accountSid, next, rotated)).toEqual(NO_ANSWER);
    configured = next;
    expect(await check(accountSid, next, rotated)).toEqual(SIGNED);
    expect(await check(accountSid, authToken, rotated)).toEqual(NOT_SIGNED);
  });

  test("is not looked at again where a look at another account has just shown that Twilio takes it", async () => {
    const { accountSid } = simulator.parent();
    await forge(accountSid);
    const came = tokens.moment();
    await forge(ours.accountSid);
    for (let time = 0; time < 5; time++) expect(await tokens.check(accountSid, () => false, came)).toEqual(NOT_SIGNED);
    expect(requests()).toEqual([LOOK_UP, LOOK_UP]);
  });

  test("that is not configured, or cannot be read now, decides nothing", async () => {
    const { accountSid, authToken } = simulator.parent();
    await proxy.down();
    expect(
      await check(
        accountSid,
        authToken,
        newTokens(async () => undefined),
      ),
    ).toEqual(NO_ANSWER);
    const unreadable = newTokens(() => Promise.reject(new Error("Parameter Store is out")));
    expect(await check(accountSid, authToken, unreadable)).toEqual(NO_ANSWER);
    expect(lines.join()).toContain("Parameter Store is out");
  });
});

describe("an account that is not ours", () => {
  test("is remembered as such for a minute", async () => {
    const sid = stranger();
    expect([await forge(sid), await forge(sid)]).toEqual([NOT_OURS, NOT_OURS]);
    expect(requests()).toEqual([LOOK_UP]);
    simulator.addSubaccount({ accountSid: sid, authToken: "new" });
    now = START + MINUTE;
    expect(await check(sid, "new")).toEqual(SIGNED);
  });

  test.each([
    ["HTML", "<html>Not Found</html>"],
    ["no code", '{"message":"Not found"}'],
  ])("is not one that somebody on the way answers 404 for, with %s", async (_, body) => {
    proxy.fail({ times: 2, do: "answer", status: 404, body });
    expect(await check(ours.accountSid, ours.authToken)).toEqual(NO_ANSWER);
    expect(await check(ours.accountSid, ours.authToken)).toEqual(NO_ANSWER);
    expect(await check(ours.accountSid, ours.authToken)).toEqual(SIGNED);
  });
});

describe("a signature that does not match", () => {
  test("is refused at the first look: it was taken for this very request", async () => {
    expect(await forge(ours.accountSid)).toEqual(NOT_SIGNED);
    expect(requests()).toEqual([LOOK_UP]);
  });

  test("is one of a rotated token, perhaps: a second look finds it at once", async () => {
    await check(ours.accountSid, ours.authToken);
    const authToken = simulator.rotateAuthToken(ours.accountSid);
    expect(await check(ours.accountSid, authToken)).toEqual(SIGNED);
    expect(await check(ours.accountSid, ours.authToken)).toEqual(NOT_SIGNED);
    expect(requests()).toEqual([LOOK_UP, LOOK_UP, LOOK_UP]);
  });

  test("is never refused by what was read before it came, whatever strangers sent before", async () => {
    await check(ours.accountSid, ours.authToken);
    for (let time = 0; time < 10; time++) await forge(ours.accountSid);
    const authToken = simulator.rotateAuthToken(ours.accountSid);
    for (const second of [0, 1, 2, 4]) {
      now = START + second * SECOND;
      expect(await check(ours.accountSid, authToken)).toEqual(SPENT);
    }
    now = START + 5 * SECOND;
    expect(await check(ours.accountSid, authToken)).toEqual(SIGNED);
  });

  test("is not refused by an answer that was on its way when it came: one more look is for all who waited", async () => {
    await check(ours.accountSid, ours.authToken);
    const answer = holdNextAnswer();
    const stranger = forge(ours.accountSid);
    await answer.given;
    const authToken = simulator.rotateAuthToken(ours.accountSid);
    const genuine = times(5, () => check(ours.accountSid, authToken));
    const forged = times(5, () => forge(ours.accountSid));
    answer.release();
    expect(await stranger).toEqual(NOT_SIGNED);
    expect(await Promise.all(genuine)).toEqual(times(5, () => SIGNED));
    expect(await Promise.all(forged)).toEqual(times(5, () => NOT_SIGNED));
    expect(requests()).toEqual([LOOK_UP, LOOK_UP, LOOK_UP]);
  });

  test("costs two looks in five seconds at most for each account, and is undecided beyond", async () => {
    const other = simulator.addSubaccount();
    for (const { accountSid, authToken } of [ours, other]) await check(accountSid, authToken);
    for (let second = 0; second < 20; second++) {
      now = START + second * SECOND;
      for (const { accountSid } of [ours, other]) {
        expect(await forge(accountSid)).toEqual(second % 5 < 2 ? NOT_SIGNED : SPENT);
      }
    }
    expect(requests()).toHaveLength(2 + 2 * 2 * 4);
  });

  test("is looked at again with the next webhook when a look failed", async () => {
    await check(ours.accountSid, ours.authToken);
    const authToken = simulator.rotateAuthToken(ours.accountSid);
    proxy.fail({ times: 3, do: "cut" });
    for (let time = 0; time < 3; time++) expect(await check(ours.accountSid, authToken)).toEqual(NO_ANSWER);
    expect(await check(ours.accountSid, authToken)).toEqual(SIGNED);
  });

  test("shows that an account is ours no more", async () => {
    await check(ours.accountSid, ours.authToken);
    proxy.fail({ times: 1, do: "answer", status: 404, body: '{"code":20404}' });
    expect(await forge(ours.accountSid)).toEqual(NOT_OURS);
    expect(await check(ours.accountSid, ours.authToken)).toEqual(NOT_OURS);
  });
});

describe("a flood of forged SIDs", () => {
  test("costs at most 30 requests and a listing; then a genuine account is known without one more", async () => {
    expect(new Set((await flood(200)).map(({ kind }) => kind))).toEqual(new Set(["not-ours"]));
    expect(requests()).toHaveLength(31);
    expect(await check(ours.accountSid, ours.authToken)).toEqual(SIGNED);
    expect(requests()).toHaveLength(31);
  });

  test("of ten minutes costs 30 looks and 12 listings a minute at most, and starves no new account", async () => {
    for (let second = 0; second < 600; second += 4) {
      now = START + second * SECOND;
      await flood(8);
      if (second % 60 !== 20) continue;
      const { accountSid, authToken } = simulator.addSubaccount();
      // A listing of the last five seconds does not show it yet.
      now += 5 * SECOND;
      expect(await check(accountSid, authToken)).toEqual(SIGNED);
    }
    expect(busiestMinute()).toBeLessThanOrEqual(30 + 12);
    expect(busiestMinute()).toBeGreaterThan(30);
  }, 60_000);

  test("among 1,500 accounts of ours: the listing has two pages, and the last account is on the second", async () => {
    for (let count = 0; count < 1_500; count++) simulator.addSubaccount();
    await flood(200);
    expect(requests().filter((path) => path !== LOOK_UP)).toHaveLength(2);
    const last = simulator.subaccounts().at(-1);
    expect(await check(last?.accountSid ?? "", last?.authToken ?? "")).toEqual(SIGNED);
    expect(requests()).toHaveLength(32);
  });

  test("while the listing fails: undecided, tried again after five seconds", async () => {
    proxy.fail({ on: ({ path }) => path.includes("Accounts.json"), do: "answer", status: 500 });
    await flood(60);
    for (let second = 0; second < 55; second++) {
      now = START + second * SECOND;
      expect(await check(ours.accountSid, ours.authToken)).toEqual(NO_ANSWER);
    }
    expect(busiestMinute()).toBe(30 + 11);
    proxy.clear();
    now = START + 56 * SECOND;
    expect(await check(ours.accountSid, ours.authToken)).toEqual(SIGNED);
  });

  test.each([
    ["a row that can't be understood", (rows: object[]) => [{}, ...rows]],
    ["the status of a row unknown", (rows: object[]) => rows.map((row) => ({ ...row, status: "dormant" }))],
  ])("%s: who is missing in the listing may be ours", async (_, change) => {
    const owner_account_sid = simulator.parent().accountSid;
    const row = { sid: ours.accountSid, owner_account_sid, status: "active", auth_token: ours.authToken };
    const body = JSON.stringify({ accounts: change([row]), next_page_uri: null });
    proxy.fail({ on: ({ path }) => path.includes("Accounts.json"), do: "answer", status: 200, body });
    const answers = await flood(60);
    expect(answers.filter(({ kind }) => kind === "not-ours")).toHaveLength(30);
    expect(answers.filter(({ kind }) => kind === "undecided")).toHaveLength(30);
  });

  test("a page missing: the accounts of the others are known, and the rest may be ours", async () => {
    for (let count = 0; count < 1_500; count++) simulator.addSubaccount();
    proxy.fail({ on: ({ path }) => path.includes("Page=1"), do: "answer", status: 400, body: '{"code":70002}' });
    expect((await flood(31)).filter(({ kind }) => kind === "undecided")).toHaveLength(1);
    expect(await check(ours.accountSid, ours.authToken)).toEqual(SIGNED);
    const last = simulator.subaccounts().at(-1);
    expect(await check(last?.accountSid ?? "", last?.authToken ?? "")).toEqual(NO_ANSWER);
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
    expect(await check(ours.accountSid, ours.authToken)).toEqual(NO_ANSWER);
    proxy.clear();
    now = START + 6 * SECOND;
    expect(await check(ours.accountSid, ours.authToken)).toEqual(SIGNED);
  });

  test("leaves second looks their share: a rotated token is found all the same", async () => {
    await check(ours.accountSid, ours.authToken);
    await flood(200);
    const authToken = simulator.rotateAuthToken(ours.accountSid);
    expect(await check(ours.accountSid, authToken)).toEqual(SIGNED);
  });
});

describe("forged signatures for accounts of ours", () => {
  const round = async (accounts: readonly AccountSummary[]) => {
    const answers = [];
    for (const { accountSid } of accounts) answers.push(await forge(accountSid));
    return new Set(answers.map(({ kind }) => kind));
  };

  test("25 known SIDs every 5.1 seconds, one after the other: all refused, at 300 looks a minute", async () => {
    const accounts = times(25, () => simulator.addSubaccount());
    for (let time = 0; time < 30; time++) {
      now = START + time * 5.1 * SECOND;
      expect(await round(accounts)).toEqual(new Set(["not-signed"]));
    }
    expect(busiestMinute()).toBeLessThanOrEqual(MOST_A_MINUTE);
  });

  test("400 known SIDs, one after the other: undecided once the share is used up; a rotated token waits for the next listing", async () => {
    const accounts = times(400, () => simulator.addSubaccount());
    await flood(31);
    now += MINUTE;
    expect(await round(accounts.slice(0, 300))).toEqual(new Set(["not-signed"]));
    // The listing answers for the first of them.
    expect(await round(accounts.slice(300, 301))).toEqual(new Set(["not-signed"]));
    expect(await round(accounts.slice(301))).toEqual(new Set(["undecided"]));
    const authToken = simulator.rotateAuthToken(ours.accountSid);
    expect(await check(ours.accountSid, authToken)).toEqual(SPENT);
    now += 5 * SECOND;
    expect(await check(ours.accountSid, authToken)).toEqual(SIGNED);
    expect(busiestMinute()).toBeLessThanOrEqual(MOST_A_MINUTE);
  });

  test("all at once, beyond the share: one listing answers for all who waited", async () => {
    const accounts = times(400, () => simulator.addSubaccount());
    await flood(31);
    now += MINUTE;
    const before = requests().length;
    const answers = await Promise.all(accounts.map(({ accountSid }) => forge(accountSid)));
    expect(answers).toEqual(times(400, () => NOT_SIGNED));
    expect(requests().length - before).toBe(301);
  });
});

describe("whether an account is ours", () => {
  test("is known of the parent, and read once of others", async () => {
    const sid = stranger();
    expect(await tokens.ownership(simulator.parent().accountSid)).toBe("ours");
    expect([await tokens.ownership(ours.accountSid), await tokens.ownership(ours.accountSid)]).toEqual([
      "ours",
      "ours",
    ]);
    expect([await tokens.ownership(sid), await tokens.ownership(sid)]).toEqual(["not-ours", "not-ours"]);
    expect(requests()).toEqual([LOOK_UP, LOOK_UP]);
  });

  test("is unknown while Twilio does not answer, and waited for for less than Event Streams waits for us", async () => {
    await check(ours.accountSid, ours.authToken);
    proxy.fail({ do: "hang" });
    const started = performance.now();
    expect(await tokens.ownership(stranger())).toBe("unknown");
    expect(performance.now() - started).toBeLessThan(4000);
    expect(await tokens.ownership(ours.accountSid)).toBe("ours");
  });
});
