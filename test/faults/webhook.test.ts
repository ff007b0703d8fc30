import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AccountSummary } from "../../local/twilio/summary.ts";
import { assertAnswer, assertRequest } from "../contract/twilio-openapi.ts";
import { encoded, firing, type Pairs, signedPost, USAGE_TRIGGER_SID, WEBHOOK_PATH } from "../support/signed-webhook.ts";
import {
  PUBLIC_URL,
  type Surroundings,
  startSurroundings,
  startWebhook,
  type Webhook,
} from "../support/webhook-server.ts";

// The real handler behind a real HTTP server, with the simulated Twilio and an SQS of its own, all by sockets.

let surroundings: Surroundings;
let webhook: Webhook;
let ours: AccountSummary;

beforeAll(async () => {
  surroundings = await startSurroundings();
});
afterAll(() => surroundings.close());
beforeEach(async () => {
  webhook = await startWebhook(surroundings);
  ours = surroundings.simulator.addSubaccount();
  surroundings.simulator.resetRequests();
});
afterEach(async () => {
  surroundings.twilio.clear();
  surroundings.sqs.clear();
  surroundings.simulator.clearFaults();
  await webhook.close();
});

const stranger = () => ({ accountSid: `AC${randomBytes(16).toString("hex")}`, authToken: "0".repeat(32) });
const stored = ({ accountSid } = ours) => surroundings.stored(accountSid);
const twilioRequests = () => surroundings.simulator.requests().map(({ method, path }) => `${method} ${path}`);
const lookUpOf = ({ accountSid }: { accountSid: string }) => `GET /2010-04-01/Accounts/${accountSid}.json`;
const send = (init: RequestInit) => fetch(webhook.url, { redirect: "error", ...init });
const signed = (form: Pairs, changes: Partial<Parameters<typeof signedPost>[0]> = {}) =>
  signedPost({ authToken: ours.authToken, url: PUBLIC_URL + WEBHOOK_PATH, form, ...changes });

async function expectAnswer(answer: Promise<Response>, status: number): Promise<void> {
  const response = await answer;
  expect([response.status, await response.text()]).toEqual([status, ""]);
}

async function expectForgotten(attempt: () => Promise<Response>): Promise<void> {
  const before = surroundings.logged().length;
  await expectAnswer(attempt(), 403);
  expect(stored()).toEqual([]);
  const lines = surroundings
    .logged()
    .slice(before)
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([{ _aws: expect.anything(), WebhooksRefused: 1, why: expect.stringMatching(/^[a-z0-9-]+$/) }]);
}

describe("a genuine firing", () => {
  test("is stored with all its fields, then answered", async () => {
    await expectAnswer(webhook.fire(ours, { IdempotencyToken: "token-1" }), 204);
    expect(stored()).toEqual([
      {
        kind: "usage-trigger",
        id: "token-1",
        accountSid: ours.accountSid,
        receivedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        usageTriggerSid: USAGE_TRIGGER_SID,
        firedAt: "2026-10-04T12:00:00.000Z",
        dateFired: "Sun, 04 Oct 2026 12:00:00 +0000",
        recurring: "daily",
        usageCategory: "totalprice",
        triggerBy: "price",
        triggerValue: "50.000000",
        currentValue: "60.52",
        usageRecordUri: `/2010-04-01/Accounts/${ours.accountSid}/Usage/Records.json?Category=totalprice`,
        idempotencyToken: "token-1",
        limit: null,
        probation: false,
        found: "webhook",
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  test("costs one look-up for its account, then none; and each is as Twilio's OpenAPI file has it", async () => {
    await webhook.fire(ours);
    await webhook.fire(ours);
    expect(twilioRequests()).toEqual([lookUpOf(ours)]);
    for (const { method, path, query } of surroundings.simulator.requests()) assertRequest(method, `${path}?${query}`);
  });

  test("of the parent account is checked with the parent's own token", async () => {
    await expectAnswer(webhook.fire(surroundings.parent), 204);
    expect(stored(surroundings.simulator.parent())).toHaveLength(1);
    expect(twilioRequests()).toEqual([]);
  });

  test("1,000 times, 200 at once, is stored once, and each is accepted", async () => {
    const post = signed(firing(ours.accountSid));
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(Array.from({ length: 200 }, () => send(post)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
    }
    expect(stored()).toHaveLength(1);
    expect(twilioRequests()).toEqual([lookUpOf(ours)]);
  });

  test("of a suspended account is stored too", async () => {
    surroundings.simulator.setStatus(ours.accountSid, "suspended");
    await expectAnswer(webhook.fire(ours), 204);
    expect(stored()).toHaveLength(1);
  });
});

describe("refused, and forgotten", () => {
  test("without a signature: nothing is even looked up", async () => {
    const { "x-twilio-signature": _, ...headers } = signed(firing(ours.accountSid)).headers;
    await expectForgotten(() => send({ ...signed(firing(ours.accountSid)), headers }));
    await expectForgotten(() => send(signed(firing(ours.accountSid), { headers: { "x-twilio-signature": "" } })));
    expect(twilioRequests()).toEqual([]);
  });

  test.each(["nonsense", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "é".repeat(28), "a, b"])(
    "with the signature %j",
    async (wrong) => {
      await expectForgotten(() => send(signed(firing(ours.accountSid), { headers: { "x-twilio-signature": wrong } })));
      expect(twilioRequests()).toEqual([lookUpOf(ours)]);
    },
  );

  test("signed with another subaccount's token", async () => {
    const other = surroundings.simulator.addSubaccount();
    await expectForgotten(() => webhook.post(other.authToken, firing(ours.accountSid)));
    await webhook.fire(other);
    await expectForgotten(() => webhook.post(other.authToken, firing(ours.accountSid)));
  });

  test("signed with the parent's token", async () => {
    await expectForgotten(() => webhook.post(surroundings.parent.authToken, firing(ours.accountSid)));
    expect(twilioRequests()).toEqual([lookUpOf(ours)]);
  });

  test("the parent's SID, signed with a subaccount's token", async () => {
    await expectForgotten(() => webhook.post(ours.authToken, firing(surroundings.parent.accountSid)));
  });

  test("each with a body that was changed by one byte", async () => {
    const post = signed(firing(ours.accountSid));
    const places = [0, 12, 40, post.body.length >> 1, post.body.length - 1];
    for (const place of places) {
      const body = changedAt(post.body, place);
      const answer = await send({ ...post, body });
      expect([place, answer.status, await answer.text()]).toEqual([place, 403, ""]);
    }
    expect(stored()).toEqual([]);
    await expectAnswer(send(post), 204);
  });

  test("signed over another address", async () => {
    const form = firing(ours.accountSid);
    for (const url of [webhook.url, `${PUBLIC_URL}/webhooks/debugger`, `${PUBLIC_URL}${WEBHOOK_PATH}/`]) {
      await expectForgotten(() => send(signed(form, { url })));
    }
  });

  test("an account that is not ours, however it is signed", async () => {
    const theirs = stranger();
    await expectForgotten(() => webhook.fire(theirs));
    await expectForgotten(() => webhook.fire(theirs));
    expect(twilioRequests()).toEqual([lookUpOf(theirs)]);
  });

  test.each([
    ["missing", undefined],
    ["empty", ""],
    ["not an account's", `CA${"0".repeat(32)}`],
    ["too long", `AC${"0".repeat(33)}`],
    ["with a path", `AC${"0".repeat(32)}/../ACx`],
    ["with a line feed", `AC${"0".repeat(32)}\n`],
  ])("an AccountSid that is %s", async (_, AccountSid) => {
    await expectForgotten(() => webhook.post(ours.authToken, firing(ours.accountSid, { AccountSid })));
    expect(twilioRequests()).toEqual([]);
  });

  test("an AccountSid that comes twice, even rightly signed", async () => {
    const AccountSid = [ours.accountSid, ours.accountSid];
    await expectForgotten(() => webhook.post(ours.authToken, firing(ours.accountSid, { AccountSid })));
    expect(twilioRequests()).toEqual([]);
  });

  test.each([
    ["UTF-8 cut short", [0xe2, 0x82]],
    ["Latin-1", [0xf1]],
    ["UTF-16", [0xff, 0xfe, 0x41, 0x00]],
  ])("a body that is not UTF-8: %s", async (_, bytes) => {
    const post = signed(firing(ours.accountSid));
    const body = Buffer.concat([Buffer.from(`${post.body}&x=`), Buffer.from(bytes)]);
    await expectForgotten(() => send({ ...post, body }));
  });
});

describe("not what this address takes", () => {
  test.each([
    "application/json",
    "multipart/form-data; boundary=x",
    "text/plain",
    "application/x-www-form-urlencodedx",
    "",
  ])("415 for the content type %j", async (type) => {
    await expectAnswer(send(signed(firing(ours.accountSid), { headers: { "content-type": type } })), 415);
    expect(stored()).toEqual([]);
  });

  test("415 without a content type", async () => {
    const { "content-type": _, ...headers } = signed(firing(ours.accountSid)).headers;
    const body = new Uint8Array(Buffer.from(signed(firing(ours.accountSid)).body));
    await expectAnswer(send({ method: "POST", body, headers }), 415);
  });

  test.each([
    "application/x-www-form-urlencoded",
    "Application/X-WWW-Form-URLEncoded;charset=UTF-8",
    "application/x-www-form-urlencoded ; charset=utf-8",
  ])("the content type %j is a form's", async (type) => {
    await expectAnswer(send(signed(firing(ours.accountSid), { headers: { "content-type": type } })), 204);
  });

  test.each(["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])("405 for %s", async (method) => {
    const response = await send({ method });
    expect([response.status, response.headers.get("allow"), await response.text()]).toEqual([405, "POST", ""]);
  });

  test("32 KB are taken, one byte more is not", async () => {
    const form = ofSize(32 * 1024);
    await expectAnswer(send(signed(form)), 204);
    await expectAnswer(send(signed([...form.slice(0, -1), ["Padding", `${form.at(-1)?.[1]}x`]])), 413);
    expect(stored()).toHaveLength(1);
  });

  test("in chunks, without a length, too", async () => {
    const form = ofSize(32 * 1024);
    expect(await sendInChunks(signed(form))).toBe(204);
    expect(await sendInChunks(signed([...form, ["x", "y"]]))).toBe(413);
    expect(stored()).toHaveLength(1);
  });

  test("100 parameters are taken, one more is not, and nothing is looked up for it", async () => {
    const form = firing(ours.accountSid);
    const filled = (count: number): Pairs => [
      ...form,
      ...Array.from({ length: count - form.length }, (_, index) => [`p${index}`, ""] as const),
    ];
    await expectAnswer(send(signed(filled(101))), 413);
    await expectAnswer(send({ ...signed(filled(100)), body: `${encoded(filled(100))}&` }), 413);
    expect(twilioRequests()).toEqual([]);
    await expectAnswer(send(signed(filled(100))), 204);
    expect(stored()).toHaveLength(1);
  });

  test("a forged body, however heavy, costs about as much as a genuine one", async () => {
    await webhook.fire(ours);
    const costOf = async (body: string) => {
      const post = signed(firing(ours.accountSid), { body, headers: { "x-twilio-signature": `${"A".repeat(27)}=` } });
      await send(post);
      const before = process.cpuUsage();
      for (let time = 0; time < 30; time++) await fetch(`${webhook.url}?a=%27%40`, { ...post, redirect: "error" });
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const account = `AccountSid=${ours.accountSid}`;
    const usual = await costOf(encoded(firing(ours.accountSid)));
    const names = Array.from({ length: 62_000 }, (_, index) => index.toString(36)).join("&");
    expect(await costOf(`${account}&${names}`.slice(0, 256 * 1024))).toBeLessThan(10 * usual);
    expect(await costOf(`${account}&x=${"%41".repeat(10_900)}`.slice(0, 32 * 1024))).toBeLessThan(10 * usual);
  });

  test("413 for 10 MB, before it has all come", async () => {
    await expectAnswer(send(signed([["x", "y".repeat(10 * 1024 * 1024)]])), 413);
  });

  test("a sender that hangs up half way leaves nothing behind, and the next is served", async () => {
    const before = surroundings.logged().length;
    await hangUpHalfWay(signed(firing(ours.accountSid)));
    await expectAnswer(webhook.fire(ours), 204);
    expect(stored()).toHaveLength(1);
    expect(surroundings.logged().slice(before).join()).not.toContain("at ");
  });
});

describe("rightly signed", () => {
  test.each(
    ["UsageTriggerSid", "UsageCategory", "TriggerBy", "TriggerValue", "CurrentValue"].flatMap((name) =>
      [undefined, "", ["1", "2"]].map((value) => [name, value] as const),
    ),
  )("with the %s %j: kept as not understood", async (name, value) => {
    await expectAnswer(webhook.fire(ours, { [name]: value }), 204);
    expect(stored()).toMatchObject([{ kind: "not-understood", problem: expect.stringMatching(`^${name}: expected `) }]);
  });

  test.each([
    ["UsageTriggerSid", "UT123"],
    ["TriggerValue", "fifty"],
    ["TriggerValue", "1e400"],
    ["CurrentValue", "60,52"],
    ["CurrentValue", "NaN"],
    ["Recurring", ["daily", "monthly"]],
    ["Recurring", "x".repeat(100)],
  ])("with the %s %j: kept as not understood", async (name, value) => {
    await expectAnswer(webhook.fire(ours, { [name]: value }), 204);
    expect(stored()).toMatchObject([{ kind: "not-understood", fields: { AccountSid: ours.accountSid } }]);
  });

  test("and not understood, again: stored once", async () => {
    const post = signed(firing(ours.accountSid, { TriggerValue: "?" }));
    await Promise.all([send(post), send(post), send(post)]);
    expect(stored()).toHaveLength(1);
  });

  test.each<[string, string | string[] | undefined]>([
    ["Recurring", ""],
    ["Recurring", undefined],
    ["Recurring", "weekly"],
    ["UsageCategory", "something-new"],
    ["TriggerBy", "mood"],
    ["DateFired", "yesterday, about noon"],
    ["TriggerValue", "+30"],
    ["CurrentValue", ".5"],
    ["TriggerValue", "1E+2"],
    ["UsageRecordUri", "?"],
    ...["DateFired", "UsageRecordUri", "IdempotencyToken"].flatMap((name) =>
      [undefined, "", " ", "🚨", "x".repeat(2000), ["1", "2"]].map((value): [string, string | string[] | undefined] => [
        name,
        value,
      ]),
    ),
  ])("with the %s %j: a firing all the same", async (name, value) => {
    await expectAnswer(webhook.fire(ours, { [name]: value }), 204);
    expect(stored()).toMatchObject([{ kind: "usage-trigger" }]);
  });

  test.each([
    ["a name that objects have", { __proto__x: "1", ["__proto__"]: "x", constructor: "y", toString: "" }],
    ["names that differ by case", { accountsid: "x", ACCOUNTSID: "y" }],
    ["names twice", { New: ["b", "a", "b"], Empty: ["", ""] }],
    ["signs", { New: "a+b %2B &=; 100%" }],
    ["emoji", { New: "🚨 ñ 漢字 \u{1F469}\u200D\u{1F680}" }],
    ["a replacement character and what no message may hold", { New: "\uFFFD\uFFFE\uFFFF\u0000\u0007\uFEFF" }],
    ["a byte order mark in a name", { "\uFEFFNew": "x" }],
    ["white space", { New: "  x \r\n\t ", " Spaced ": " " }],
    ["no name", { "": "x" }],
  ])("with new parameters, signed and ignored: %s", async (_, changes) => {
    await expectAnswer(webhook.post(ours.authToken, [...firing(ours.accountSid), ...pairsOf(changes)]), 204);
    expect(stored()).toMatchObject([{ kind: "usage-trigger" }]);
  });

  test("with characters in a field that SQS does not take: stored all the same", async () => {
    const odd = "\uFFFE\uFFFF\u0000 \u{1F6A8}";
    await expectAnswer(webhook.fire(ours, { UsageCategory: odd }), 204);
    await expectAnswer(webhook.fire(ours, { TriggerValue: odd }), 204);
    expect(stored()).toMatchObject([{ usageCategory: odd }, { kind: "not-understood", fields: { TriggerValue: odd } }]);
  });
});

describe("floods", () => {
  const requestsTotal = () => surroundings.simulator.requests().length;

  test("200 forged SIDs at once, then a genuine account never seen before", async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => webhook.fire(stranger())));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
    await expectAnswer(webhook.fire(ours), 204);
    expect(requestsTotal()).toBeLessThanOrEqual(60);
    for (const { method, path, query } of surroundings.simulator.requests()) assertRequest(method, `${path}?${query}`);
  });

  test("200 forged SIDs and a genuine account all at once", async () => {
    const forged = Array.from({ length: 200 }, () => webhook.fire(stranger()));
    await expectAnswer(webhook.fire(ours), 204);
    for (const answer of await Promise.all(forged)) expect(answer.status).toBe(403);
    expect(requestsTotal()).toBeLessThanOrEqual(60);
  });

  test("200 wrong signatures for accounts of ours, known and not yet known", async () => {
    await webhook.fire(ours);
    const other = surroundings.simulator.addSubaccount();
    surroundings.simulator.resetRequests();
    const forged = Array.from({ length: 200 }, (_, index) =>
      webhook.post("wrong", firing(index % 2 ? ours.accountSid : other.accountSid)),
    );
    const statuses = (await Promise.all(forged)).map(({ status }) => status);
    // Whoever came after the last look that is allowed may be genuine: its token may have been rotated since.
    expect(new Set(statuses)).toEqual(new Set([403, 503]));
    // Two second looks at each account in five seconds; and a first look at the one that was not known.
    const looksAt = (account: AccountSummary) => twilioRequests().filter((request) => request === lookUpOf(account));
    expect(looksAt(ours).length).toBeLessThanOrEqual(2);
    expect(looksAt(other).length).toBeLessThanOrEqual(3);
    expect(twilioRequests()).toHaveLength(looksAt(ours).length + looksAt(other).length);
    await expectAnswer(webhook.fire(ours), 204);
    await expectAnswer(webhook.fire(other), 204);
  });

  test("during a flood a rotated token is accepted too", async () => {
    await webhook.fire(ours);
    await Promise.all(Array.from({ length: 200 }, () => webhook.fire(stranger())));
    const authToken = surroundings.simulator.rotateAuthToken(ours.accountSid);
    await expectAnswer(webhook.fire({ ...ours, authToken }), 204);
    expect(requestsTotal()).toBeLessThanOrEqual(60);
  });

  test("the same forged request again and again costs three look-ups, and one for an account that is not ours", async () => {
    const theirs = stranger();
    const lines = surroundings.logged().length;
    for (let time = 0; time < 5; time++) {
      expect((await webhook.post("wrong", firing(ours.accountSid))).status).toBe(time < 3 ? 403 : 503);
      expect((await webhook.post("wrong", firing(theirs.accountSid))).status).toBe(403);
    }
    expect(twilioRequests()).toEqual([lookUpOf(ours), lookUpOf(theirs), lookUpOf(ours), lookUpOf(ours)]);
    const logged = surroundings
      .logged()
      .slice(lines)
      .map((line) => JSON.parse(line));
    expect(logged.filter((line) => "WebhooksUndecided" in line)).toMatchObject([
      { WebhooksUndecided: 1, why: "look-ups-spent" },
      { WebhooksUndecided: 1, why: "look-ups-spent" },
    ]);
  });

  test("by somebody who knows SIDs of ours, one after the other: all are refused", async () => {
    const accounts = Array.from({ length: 25 }, () => surroundings.simulator.addSubaccount());
    for (let round = 0; round < 3; round++) {
      for (const { accountSid } of accounts) await expectAnswer(webhook.post("wrong", firing(accountSid)), 403);
    }
  });

  test("just before a genuine firing with a token that was rotated a moment ago: it is never refused", async () => {
    await webhook.fire(ours);
    for (let time = 0; time < 5; time++) await webhook.post("wrong", firing(ours.accountSid));
    const authToken = surroundings.simulator.rotateAuthToken(ours.accountSid);
    for (let time = 0; time < 4; time++) await expectAnswer(webhook.fire({ ...ours, authToken }), 503);
    expect(stored()).toHaveLength(1);
  });
});

describe("when Twilio", () => {
  test("rotated a token: accepted after one refetch, and the old one no more", async () => {
    await webhook.fire(ours);
    const authToken = surroundings.simulator.rotateAuthToken(ours.accountSid);
    await expectAnswer(webhook.fire({ ...ours, authToken }), 204);
    await expectAnswer(webhook.fire({ ...ours, authToken }), 204);
    expect(twilioRequests()).toEqual([lookUpOf(ours), lookUpOf(ours)]);
    await expectAnswer(webhook.fire(ours), 403);
  });

  test("is slow: a look-up that takes seconds ends in 204", async () => {
    const accounts = [ours, surroundings.simulator.addSubaccount()];
    for (const [index, { accountSid }] of accounts.entries()) {
      surroundings.simulator.addFault({
        effect: { kind: "latency", milliseconds: [4000, 7000][index] ?? 0 },
        accountSid,
      });
    }
    const answers = await Promise.all(accounts.map((account) => webhook.fire(account)));
    expect(answers.map(({ status }) => status)).toEqual([204, 204]);
    expect(accounts.map((account) => stored(account).length)).toEqual([1, 1]);
  }, 20_000);

  test("never answers: 503 within the function's ten seconds", async () => {
    surroundings.twilio.fail({ do: "hang" });
    const started = performance.now();
    await expectAnswer(webhook.fire(ours), 503);
    expect(performance.now() - started).toBeLessThan(9_500);
    expect(stored()).toEqual([]);
    surroundings.twilio.clear();
    await expectAnswer(webhook.fire(ours), 204);
  });

  test.each([
    ["is down", { do: "answer", status: 503 }],
    ["answers 500", { do: "answer", status: 500, body: "<html>" }],
    ["refuses for too many requests", { do: "answer", status: 429, body: '{"code":20429}' }],
    ["refuses our credentials", { do: "answer", status: 401, body: '{"code":20003}' }],
    ["cuts the connection", { do: "cut" }],
    ["answers what is no account", { do: "answer", status: 200, body: "{}" }],
  ] as const)("%s: 503, and the next try succeeds", async (_, fault) => {
    surroundings.twilio.fail({ ...fault, times: 1 });
    const post = signed(firing(ours.accountSid));
    await expectAnswer(send(post), 503);
    expect(stored()).toEqual([]);
    await expectAnswer(send(post), 204);
    expect(stored()).toHaveLength(1);
  });

  test("is down for good: an account that is known is served from memory", async () => {
    await webhook.fire(ours);
    surroundings.twilio.fail({ do: "cut" });
    await expectAnswer(webhook.fire(ours), 204);
  });

  test("is down just after a rotation: 503 until it can be asked, never 403", async () => {
    await webhook.fire(ours);
    const authToken = surroundings.simulator.rotateAuthToken(ours.accountSid);
    surroundings.twilio.fail({ do: "cut" });
    const post = signed(firing(ours.accountSid), { authToken });
    await expectAnswer(send(post), 503);
    await expectAnswer(send(post), 503);
    surroundings.twilio.clear();
    await expectAnswer(send(post), 204);
  });
});

describe("when SQS", () => {
  test.each([
    ["is throttled", { do: "answer", status: 503 }],
    ["refuses", { do: "answer", status: 403, body: '{"__type":"AccessDenied"}' }],
    ["cuts connections", { do: "cut" }],
    ["stores the message and loses the answer", { do: "cut", when: "after" }],
  ] as const)("%s: 503, and the next try is stored once", async (_, fault) => {
    surroundings.sqs.fail(fault);
    const post = signed(firing(ours.accountSid));
    const before = surroundings.logged().length;
    await expectAnswer(send(post), 503);
    const counted = surroundings
      .logged()
      .slice(before)
      .filter((line) => "WebhooksNotStored" in JSON.parse(line));
    expect(counted.map((line) => JSON.parse(line))).toMatchObject([{ WebhooksNotStored: 1, kind: "usage-trigger" }]);
    surroundings.sqs.clear();
    await expectAnswer(send(post), 204);
    expect(stored()).toHaveLength(1);
  });

  test("is down: 503, and the next try succeeds", async () => {
    await surroundings.sqs.down();
    const post = signed(firing(ours.accountSid));
    await expectAnswer(send(post), 503);
    await surroundings.sqs.up();
    await expectAnswer(send(post), 204);
    expect(stored()).toHaveLength(1);
  });

  test("never answers: 503 well before Twilio's 15 seconds are over", async () => {
    surroundings.sqs.fail({ do: "hang" });
    const started = performance.now();
    await expectAnswer(webhook.fire(ours), 503);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("fails once: the try after it, in the same request, is stored", async () => {
    surroundings.sqs.fail({ do: "cut", times: 1 });
    await expectAnswer(webhook.fire(ours), 204);
    expect(stored()).toHaveLength(1);
  });
});

test("no token, no body and no signature is in any log line", () => {
  const lines = surroundings.logged().join("\n");
  const secrets = [surroundings.parent, ...surroundings.simulator.subaccounts()].map(({ authToken }) => authToken);
  for (const secret of secrets) expect(lines).not.toContain(secret);
  expect(lines).not.toContain("IdempotencyToken");
});

test("every answer of the simulated Twilio that these tests stand on is as its OpenAPI file has it", async () => {
  const { simulator, parent } = surroundings;
  const path = `/2010-04-01/Accounts/${ours.accountSid}.json`;
  const headers = { authorization: `Basic ${btoa(`${parent.accountSid}:${parent.authToken}`)}` };
  const answer = await fetch(`${simulator.url}/api${path}`, { headers });
  assertAnswer("GET", path, answer.status, await answer.json());
});

function changedAt(text: string, place: number): string {
  return text.slice(0, place) + (text[place] === "0" ? "1" : "0") + text.slice(place + 1);
}

function pairsOf(changes: Record<string, string | string[]>): Pairs {
  return Object.entries(changes).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const));
}

/** A firing whose encoded body has exactly so many bytes. */
function ofSize(bytes: number): Pairs {
  const form = firing(ours.accountSid);
  const padding = bytes - encoded([...form, ["Padding", ""]]).length;
  return [...form, ["Padding", "x".repeat(padding)]];
}

function sendInChunks({
  body,
  headers,
}: {
  body: string;
  headers: Record<string, string>;
}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(webhook.url, { method: "POST", headers }, (response) => {
      resolve(response.resume().statusCode);
    }).on("error", reject);
    for (let at = 0; at < body.length; at += 5_000) outgoing.write(body.slice(at, at + 5_000));
    outgoing.end();
  });
}

function hangUpHalfWay({ body, headers }: { body: string; headers: Record<string, string> }): Promise<void> {
  return new Promise((resolve) => {
    const outgoing = request(webhook.url, { method: "POST", headers: { ...headers, "content-length": body.length } });
    outgoing.on("error", () => resolve()).on("close", () => resolve());
    outgoing.write(body.slice(0, 100), () => setTimeout(() => outgoing.destroy(), 50));
  });
}
