import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Signal } from "../../lib/inbox/messages.ts";
import type { AccountSummary } from "../../local/twilio/summary.ts";
import { type EmptyTable, emptyTable } from "../support/empty-table.ts";
import { type ErrorWebhook, startErrorWebhook } from "../support/error-webhook-server.ts";
import { newEventSid } from "../support/errors-of.ts";
import {
  DEBUGGER_PATH,
  debuggerForm,
  EVENT_STREAMS_PATH,
  errorLogged,
  errorPayload,
  signedEvents,
} from "../support/signed-errors.ts";
import { encoded, type Pairs, signedPost } from "../support/signed-webhook.ts";
import { PUBLIC_URL, type Surroundings, startSurroundings } from "../support/webhook-server.ts";

// The real handler behind a real HTTP server, with the simulated Twilio, SQS and DynamoDB of its own, all by sockets.

const POLICY = `
errors:
  sms-pumping: { codes: [30450, 30453], count: 5, within: 10m, then: alert }
  any-block: { codes: [30450, 21215], count: 8, within: 10m, then: alert }
  first-sip: { codes: [32201], count: 1, within: 10m, then: alert }
`;

let surroundings: Surroundings;
let table: EmptyTable;
let webhook: ErrorWebhook;
let ours: AccountSummary;

beforeAll(async () => {
  surroundings = await startSurroundings();
  table = await emptyTable();
});
afterAll(async () => {
  await surroundings.close();
  await table.close();
});
beforeEach(async () => {
  webhook = await startErrorWebhook(surroundings, table, POLICY);
  ours = surroundings.simulator.addSubaccount();
  surroundings.simulator.resetRequests();
});
afterEach(async () => {
  table.proxy.clear();
  surroundings.twilio.clear();
  surroundings.sqs.clear();
  surroundings.simulator.clearFaults();
  await webhook.close();
});

const stored = ({ accountSid } = ours): Signal[] => surroundings.stored(accountSid);
const stranger = () => ({ accountSid: `AC${randomBytes(16).toString("hex")}`, authToken: "0".repeat(32) });
const lookUps = () => surroundings.simulator.requests().length;
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

async function expectAnswer(answer: Response | Promise<Response>, status: number): Promise<void> {
  const response = await answer;
  expect([response.status, await response.text()]).toEqual([status, ""]);
}

async function expectAnswers(answers: Promise<Response>[], status: number): Promise<void> {
  const statuses = (await Promise.all(answers)).map((answer) => answer.status);
  expect(new Set(statuses)).toEqual(new Set([status]));
}

/** 403, and no trace but a count. */
async function expectForgotten(attempt: () => Promise<Response>, why?: string): Promise<void> {
  const [lines, writes] = [surroundings.logged().length, table.writes()];
  await expectAnswer(attempt(), 403);
  const logged = surroundings.logged().slice(lines);
  expect(logged.map((line) => JSON.parse(line))).toEqual([
    { _aws: expect.anything(), WebhooksRefused: 1, why: why ?? expect.any(String) },
  ]);
  expect(table.writes()).toBe(writes);
  expect(stored()).toEqual([]);
}

/** 204, and nothing counted, stored or told. */
async function expectIgnored(attempt: () => Promise<Response>): Promise<void> {
  const writes = table.writes();
  await expectAnswer(attempt(), 204);
  expect(table.writes()).toBe(writes);
  expect(stored()).toEqual([]);
}

/** Trips the rule of one, so that a single event shows what was made of it. */
async function sampleOf(send: () => Promise<Response>) {
  await expectAnswer(send(), 204);
  const [signal, ...others] = stored();
  expect(others).toEqual([]);
  if (signal?.kind !== "error-rule") throw new Error(`no error-rule signal but ${JSON.stringify(signal)}`);
  return { signal, sample: signal.samples[0] };
}

describe("the debugger's webhook", () => {
  test("tells of a crossed rule with its samples, and answers 204 to each event", async () => {
    await expectAnswers(
      times(5, () => webhook.debug(ours, errorPayload())),
      204,
    );
    expect(stored()).toMatchObject([
      { kind: "error-rule", rule: "sms-pumping", count: 5, within: 600_000, signedBy: "subaccount" },
    ]);
    expect(stored()[0]).toMatchObject({
      samples: times(5, () => ({ code: 30450, level: "ERROR", road: "debugger", note: "Message delivery blocked" })),
    });
  });

  test.each(["subaccount", "parent"] as const)(
    "may be signed by the %s's token, and the signal says so",
    async (by) => {
      const { authToken } = by === "parent" ? surroundings.parent : ours;
      const lines = surroundings.logged().length;
      const { signal } = await sampleOf(() => webhook.debug({ ...ours, authToken }, errorPayload(32201)));
      expect(signal.signedBy).toBe(by);
      const metrics = surroundings.logged().slice(lines).join("\n");
      expect(metrics).toContain(`"road":"debugger","signedBy":"${by}"`);
    },
  );

  test("is taken after the account's token was rotated, and with the old one no more", async () => {
    await expectIgnored(() => webhook.debug(ours, errorPayload(30003)));
    const rotated = { ...ours, authToken: surroundings.simulator.rotateAuthToken(ours.accountSid) };
    await sampleOf(() => webhook.debug(rotated, errorPayload(32201)));
    await expectAnswer(webhook.debug(ours, errorPayload(32201)), 403);
  });

  test("tells of the parent's own errors", async () => {
    const lines = stored(surroundings.parent as AccountSummary).length;
    await expectAnswer(webhook.debug(surroundings.parent, errorPayload(32201), { ParentAccountSid: undefined }), 204);
    const signals = surroundings.stored(surroundings.parent.accountSid);
    expect(signals).toHaveLength(lines + 1);
    expect(signals.at(-1)).toMatchObject({ kind: "error-rule", rule: "first-sip", signedBy: "parent" });
  });

  test.each([
    ["absent", () => undefined],
    ["empty", () => ""],
    ["our parent", () => surroundings.parent.accountSid],
  ])("accepts a ParentAccountSid that is %s", async (_, parentSid) => {
    await sampleOf(() => webhook.debug(ours, errorPayload(32201), { ParentAccountSid: parentSid() }));
  });

  test.each([
    ["a number", errorPayload(32201, { error_code: 32201 })],
    ["text", errorPayload("32201")],
    ["only in more_info", { more_info: { ErrorCode: "32201", Msg: "Message delivery blocked" } }],
    ["beside unknown keys", errorPayload("32201", { later: { more: [1, null, {}] }, __proto__: null })],
  ])("reads an error_code that is %s", async (_, payload) => {
    const { sample } = await sampleOf(() => webhook.debug(ours, payload));
    expect(sample).toMatchObject({ code: 32201 });
  });

  test.each(["ERROR", "error", "Warning", "WARNING"])("counts the level %s", async (Level) => {
    const { sample } = await sampleOf(() => webhook.debug(ours, errorPayload(32201), { Level }));
    expect(sample?.level).toBe(Level.toUpperCase());
  });

  test.each(["DEBUG", "info", "Notice"])("does not count the level %s", (Level) =>
    expectIgnored(() => webhook.debug(ours, errorPayload(32201), { Level })),
  );

  test.each([11200, 11205, 11210, 11215, 12300, 30002, 10001, 20005, 10003])("ignores %i", (code) =>
    expectIgnored(() => webhook.debug(ours, errorPayload(code))),
  );

  test("a code that no rule lists costs no write", () => expectIgnored(() => webhook.debug(ours, errorPayload(30003))));

  test.each(["usage-trigger", "debugger?x=1", "event-streams"])("ignores errors about our own /webhooks/%s", (path) => {
    const webhookOfOurs = { webhook: { type: "application/json", request: { url: `${PUBLIC_URL}/webhooks/${path}` } } };
    return expectIgnored(() => webhook.debug(ours, errorPayload(32201, webhookOfOurs)));
  });

  test.each([
    "https://tollbreaker.example.com.evil.example/webhooks/debugger",
    "https://example.org/webhooks/debugger",
  ])("counts an error about %s", async (url) => {
    await sampleOf(() => webhook.debug(ours, errorPayload(32201, { webhook: { request: { url } } })));
  });

  test("an event counts in every rule that lists its code", async () => {
    await expectAnswers(
      times(8, () => webhook.debug(ours, errorPayload())),
      204,
    );
    expect(new Set(stored().map((signal) => signal.kind === "error-rule" && signal.rule))).toEqual(
      new Set(["sms-pumping", "any-block"]),
    );
    expect(stored()).toHaveLength(2);
  });
});

describe("a debugger request that is not genuine leaves no trace", () => {
  const send = (form: Pairs, changes: Partial<Parameters<typeof signedPost>[0]> = {}) =>
    fetch(
      webhook.url + DEBUGGER_PATH,
      signedPost({ authToken: ours.authToken, url: PUBLIC_URL + DEBUGGER_PATH, form, ...changes }),
    );
  const form = (changes = {}) => debuggerForm(ours.accountSid, errorPayload(32201), changes);

  test("without a signature", () => expectForgotten(() => send(form(), { headers: { "x-twilio-signature": "" } })));
  test("with a wrong token", () => expectForgotten(() => send(form(), { authToken: "1".repeat(32) })));
  test("signed by another account of ours", () => {
    const other = surroundings.simulator.addSubaccount();
    return expectForgotten(() => send(form(), { authToken: other.authToken }), "wrong-signature");
  });
  test("with a body that was changed by one byte", () => {
    const body = encoded(form()).replace("ERROR", "ERRoR");
    return expectForgotten(() => send(form(), { body }));
  });
  test("signed for another of our webhooks", () =>
    expectForgotten(() => send(form(), { url: `${PUBLIC_URL}/webhooks/usage-trigger` })));
  test("about an account that is not ours, whichever token signed", async () => {
    const { accountSid, authToken } = stranger();
    await expectForgotten(() => webhook.debug({ accountSid, authToken }, errorPayload(32201)), "not-ours");
    const byParent = { accountSid, authToken: surroundings.parent.authToken };
    await expectForgotten(() => webhook.debug(byParent, errorPayload(32201)), "not-ours");
  });
  test("under another parent", () =>
    expectForgotten(() => send(form({ ParentAccountSid: stranger().accountSid })), "not-ours"));
  test.each([
    ["missing", undefined],
    ["malformed", "AC1"],
    ["repeated", [`AC${"a".repeat(32)}`, `AC${"b".repeat(32)}`]],
  ])("with an AccountSid that is %s", (_, AccountSid) =>
    expectForgotten(() => send(form({ AccountSid })), "no-account"),
  );
  test("not UTF-8", () =>
    expectForgotten(
      () =>
        fetch(webhook.url + DEBUGGER_PATH, {
          method: "POST",
          headers: { "content-type": "application/x-www-form-urlencoded", "x-twilio-signature": "x" },
          body: new Uint8Array([0x41, 0xff, 0xfe]),
        }),
      "not-utf8",
    ));

  test("of another type: 415; over 256 KB or 100 parameters: 413; another method: 405", async () => {
    const parameters = times(101 - form().length, (index) => [`p${index}`, ""] as const);
    await expectAnswer(send([...form(), ...parameters]), 413);
    await expectAnswer(send([...form(), ...parameters.slice(1)]), 204);
    await expectAnswer(send(form(), { headers: { "content-type": "application/json" } }), 415);
    await expectAnswer(send([...form(), ["x", "y".repeat(256 * 1024)]]), 413);
    await expectAnswer(fetch(webhook.url + DEBUGGER_PATH), 405);
  });

  test("with a token that was rotated a moment ago: never refused, whatever strangers sent before", async () => {
    await webhook.debug(ours, errorPayload(30003));
    for (let time = 0; time < 5; time++) await webhook.debug({ ...ours, authToken: "x" }, errorPayload(32201));
    const authToken = surroundings.simulator.rotateAuthToken(ours.accountSid);
    await expectAnswer(webhook.debug({ ...ours, authToken }, errorPayload(32201)), 503);
  });

  test("200 forged SIDs at once cost at most 60 requests to Twilio, and a genuine event is taken at once", async () => {
    await expectAnswers(
      times(200, () => webhook.debug(stranger(), errorPayload(32201))),
      403,
    );
    await sampleOf(() => webhook.debug(ours, errorPayload(32201)));
    expect(lookUps()).toBeLessThanOrEqual(60);
  });
});

describe("a rightly signed Payload", () => {
  const deep = `{"error_code":"32201","x":${"[".repeat(1000)}${"]".repeat(1000)}}`;
  const readable: [string, string | object][] = [
    ["of 200 KB", errorPayload(32201, { filler: "x".repeat(200_000) })],
    ["with a message of 200 KB", errorPayload(32201, { more_info: { Msg: `blocked ${"9".repeat(200_000)}` } })],
    ["nested 1,000 deep", deep],
    ["with __proto__", '{"__proto__":{"error_code":"1"},"error_code":"32201","more_info":{"__proto__":{"Msg":"x"}}}'],
    ["with HTML", errorPayload(32201, { more_info: { Msg: "<script>alert(1)</script>" } })],
    ["with control characters", errorPayload(32201, { more_info: { Msg: "a\u0000b\u001b[31mc\u202ed\uffff" } })],
    ["with a lone surrogate", errorPayload(32201, { more_info: { Msg: "\ud800" } })],
    ["with more_info that is no object", errorPayload(32201, { more_info: "text" })],
    ["with a webhook that is no object", errorPayload(32201, { webhook: [{ request: null }] })],
  ];
  test.each(readable)("%s is counted, and shown harmless", async (_, payload) => {
    const { sample } = await sampleOf(() => webhook.debug(ours, payload));
    expect(sample?.note).toMatch(/^[^\p{C}<>]{0,200}$/u);
    expect(sample?.note).not.toMatch(/\d{8}/);
  });

  const unreadable: [string, string][] = [
    ["that is no JSON", "{"],
    ["that is empty", ""],
    ["that is HTML", "<html>+998993334455</html>"],
    ["that is null", "null"],
    ["that is a number", "32201"],
    ["without a code", "{}"],
    ["with a code that is none", '{"error_code":"constructor","secret":"hunter2"}'],
    ["with a code that is an object", '{"error_code":{"toString":1}}'],
    ["nested 50,000 deep", "[".repeat(50_000)],
  ];
  test.each(unreadable)("%s is told once a day as not understood, without its content", async (_, payload) => {
    const lines = surroundings.logged().length;
    await expectAnswers(
      times(3, () => webhook.debug(ours, payload)),
      204,
    );
    expect(stored()).toEqual([
      {
        kind: "not-understood",
        id: expect.stringMatching(/^errors-unreadable:\d{4}-\d\d-\d\d$/),
        accountSid: ours.accountSid,
        receivedAt: expect.any(String),
        problem: "an event by debugger cannot be counted: it has no error_code that could be read",
        fields: {},
      },
    ]);
    const sent = surroundings.sqs.requests().length;
    await expectAnswer(webhook.debug(ours, payload), 204);
    expect(surroundings.sqs.requests()).toHaveLength(sent);
    const logged = surroundings.logged().slice(lines).join("\n");
    expect(logged).toContain('"ErrorEventsUnreadable":1');
    expect(logged).not.toMatch(/hunter2|99899333/);
  });

  test("that is absent or repeated is told as not understood", async () => {
    await expectAnswer(webhook.debug(ours, "", { Payload: undefined }), 204);
    await expectAnswer(webhook.debug(ours, "", { Payload: ["{}", "{}"] }), 204);
    expect(stored()).toMatchObject([{ kind: "not-understood" }]);
  });

  test.each(["", "NO1", "__proto__", "constructor", `NO${"g".repeat(32)}`])(
    "under the Sid %j is told as not understood",
    async (Sid) => {
      await expectAnswer(webhook.debug(ours, errorPayload(32201), { Sid }), 204);
      expect(stored()).toMatchObject([{ kind: "not-understood" }]);
    },
  );

  test("is kept without credentials, addresses and whole numbers", async () => {
    const Msg = `To +998993334455 by sip:alice@10.1.2.3, https://u:p@example.org/x?token=abc, Authorization: Basic dTpw`;
    const { sample } = await sampleOf(() => webhook.debug(ours, errorPayload(32201, { more_info: { Msg } })));
    expect(sample?.note).toBe("To +998993… by (address) https://example.org/x?… authorization: …");
  });
});

describe("Event Streams", () => {
  test.each([
    ["an array", (event: object) => [event]],
    ["a single object", (event: object) => event],
  ])("takes %s", async (_, body) => {
    const { signal, sample } = await sampleOf(() =>
      webhook.stream(ours.authToken, body(errorLogged(ours.accountSid, { error_code: "32201" }))),
    );
    expect(signal.signedBy).toBe("subaccount");
    expect(sample).toMatchObject({ code: 32201, road: "event-streams", note: "Message delivery blocked" });
  });

  test("takes events of several accounts in one delivery of the parent's", async () => {
    const other = surroundings.simulator.addSubaccount();
    const events = [ours, other].map(({ accountSid }) => errorLogged(accountSid, { error_code: "32201" }));
    await expectAnswer(webhook.stream(surroundings.parent.authToken, events), 204);
    expect(stored(ours)).toMatchObject([{ rule: "first-sip", signedBy: "parent" }]);
    expect(stored(other)).toMatchObject([{ rule: "first-sip", signedBy: "parent" }]);
  });

  test("leaves out accounts that are not ours, and counts them", async () => {
    const lines = surroundings.logged().length;
    const foreign = stranger().accountSid;
    const events = [foreign, ours.accountSid].map((sid) => errorLogged(sid, { error_code: "32201" }));
    await expectAnswer(webhook.stream(surroundings.parent.authToken, events), 204);
    expect(stored()).toHaveLength(1);
    expect(surroundings.stored(foreign)).toEqual([]);
    expect(surroundings.logged().slice(lines).join("\n")).toContain('"ErrorEventsNotOurs":1');
  });

  test("signed by a subaccount, speaks for that account alone, however another one's SID is written", async () => {
    const hidden = JSON.stringify([
      errorLogged(ours.accountSid, { error_code: "32201" }),
      errorLogged(`AC${"b".repeat(32)}`, { error_code: "32201" }),
    ]).replace(/"account_sid":"ACb/, '"account\\u005fsid":"ACb');
    await expectForgotten(() => webhook.stream(ours.authToken, hidden), "wrong-signature");

    const other = surroundings.simulator.addSubaccount();
    const mixed = [ours, other].map(({ accountSid }) => errorLogged(accountSid, { error_code: "32201" }));
    await expectForgotten(() => webhook.stream(ours.authToken, mixed), "wrong-signature");
    await expectForgotten(() => webhook.stream(other.authToken, [mixed[0]]), "wrong-signature");
  });

  test.each(["INFO", "info", "DEBUG"])("does not count the level %s", (level) =>
    expectIgnored(() => webhook.stream(ours.authToken, [errorLogged(ours.accountSid, { error_code: 32201, level })])),
  );

  test.each([11200, 12300, 30002])("ignores %i", (error_code) =>
    expectIgnored(() => webhook.stream(ours.authToken, [errorLogged(ours.accountSid, { error_code })])),
  );

  test("ignores other types, and logs the id with which a sink is validated", async () => {
    const lines = surroundings.logged().length;
    const { authToken } = surroundings.parent;
    const testEvent = {
      ...errorLogged(ours.accountSid),
      type: "com.twilio.eventstreams.test-event",
      data: { test_id: "TE1" },
    };
    await expectIgnored(() => webhook.stream(authToken, [testEvent]));
    await expectIgnored(() => webhook.stream(authToken, [{ ...testEvent, type: "com.twilio.messaging.message.sent" }]));
    await expectIgnored(() => webhook.stream(authToken, [null, 1, "x", [], {}]));
    expect(surroundings.logged().slice(lines).join("\n")).toContain('"event":"event-streams-test","testId":"TE1"');
  });

  test("counts an error whose payload cannot be read, since its code stands beside it", async () => {
    const { sample } = await sampleOf(() =>
      webhook.stream(ours.authToken, [errorLogged(ours.accountSid, { error_code: "32201", payload: "{" })]),
    );
    expect(sample).toMatchObject({ code: 32201, note: "" });
  });

  test.each([
    ["no JSON", "{", "a delivery of Event Streams is not JSON"],
    ["an event that names no account", [errorLogged("AC1")], "an event by event-streams names no account"],
  ])("signed by the parent and %s, is told to the parent", async (_, events, problem) => {
    const { accountSid, authToken } = surroundings.parent;
    const lines = surroundings.logged().length;
    await expectAnswer(webhook.stream(authToken, events), 204);
    const told = surroundings
      .logged()
      .slice(lines)
      .map((line) => JSON.parse(line));
    expect(told).toContainEqual(expect.objectContaining({ event: "error-event-unreadable", accountSid, problem }));
    // The same message for each of these cases: once a day.
    expect(surroundings.stored(accountSid).filter(({ kind }) => kind === "not-understood")).toHaveLength(1);
  });

  test("that is not genuine leaves no trace", async () => {
    const events = [errorLogged(ours.accountSid, { error_code: "32201" })];
    const { init } = signedEvents({ authToken: ours.authToken, url: PUBLIC_URL + EVENT_STREAMS_PATH, events });
    const changed = JSON.stringify(events).replace("ERROR", "ERRoR");
    await expectForgotten(() => webhook.stream("1".repeat(32), events));
    await expectForgotten(() => webhook.stream(ours.authToken, events, { body: changed }));
    await expectForgotten(() => webhook.stream(ours.authToken, events, { headers: { "x-twilio-signature": "" } }));
    await expectForgotten(() => webhook.stream(ours.authToken, events, { body: new Uint8Array([0x22, 0xff, 0x22]) }));
    // The signature of the bare URL, which holds no hash of the body.
    const form = signedPost({ authToken: ours.authToken, url: PUBLIC_URL + EVENT_STREAMS_PATH, form: [] });
    const bare = { ...init, headers: { ...form.headers, "content-type": "application/json" } };
    await expectForgotten(() => fetch(webhook.url + EVENT_STREAMS_PATH, bare));
  });

  test("of another type: 415; over 256 KB: 413; another method: 405", async () => {
    const events = [errorLogged(ours.accountSid)];
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    await expectAnswer(webhook.stream(ours.authToken, events, { headers }), 415);
    await expectAnswer(webhook.stream(ours.authToken, "x".repeat(256 * 1024 + 1)), 413);
    await expectAnswer(fetch(webhook.url + EVENT_STREAMS_PATH), 405);
  });

  test("a delivery of hundreds of events is counted whole within its time", async () => {
    const events = times(550, () => errorLogged(ours.accountSid, { error_code: "30453", payload: "" }));
    const started = performance.now();
    await expectAnswer(webhook.stream(ours.authToken, events), 204);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(stored()).toHaveLength(1);
  });
});

describe("both roads together", () => {
  const byBothRoads = (sid: string) => [
    webhook.debug(ours, errorPayload(), { Sid: sid }),
    webhook.stream(ours.authToken, [errorLogged(ours.accountSid, { sid }, { id: sid })]),
  ];

  test("the same event counts once, also at the same time", async () => {
    await expectAnswers(times(4, newEventSid).flatMap(byBothRoads), 204);
    expect(stored()).toEqual([]);
    await expectAnswers(byBothRoads(newEventSid()), 204);
    expect(stored()).toMatchObject([{ rule: "sms-pumping", count: 5 }]);
  });

  test("200 events at the same time make one signal for each rule", async () => {
    await expectAnswers(times(100, newEventSid).flatMap(byBothRoads), 204);
    expect(stored()).toHaveLength(2);
  });

  test("5,000 events cost a bounded number of writes and one message in the inbox", async () => {
    const { authToken } = ours;
    const form = () =>
      signedPost({
        authToken,
        url: PUBLIC_URL + DEBUGGER_PATH,
        form: debuggerForm(ours.accountSid, errorPayload("30453")),
      });
    const writes = table.writes();
    for (let round = 0; round < 25; round++) {
      const answers = await Promise.all(times(200, () => webhook.app.request(DEBUGGER_PATH, form())));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
    }
    expect(table.writes() - writes).toBeLessThanOrEqual(2 * 5 + 5);
    expect(stored()).toHaveLength(1);
  });
});

describe("what cannot be counted now is asked for again", () => {
  /** The metrics of what was answered 503. */
  async function metricsOf(work: () => Promise<void>): Promise<unknown[]> {
    const lines = surroundings.logged().length;
    await work();
    const logged = surroundings
      .logged()
      .slice(lines)
      .map((line) => JSON.parse(line));
    return logged
      .filter((line) => "WebhooksNotStored" in line || "WebhooksUndecided" in line)
      .map(({ _aws, ...metric }) => metric);
  }
  const NOT_STORED = { WebhooksNotStored: 1, kind: "error-event" };

  test("the store down: 503, and then the right count", async () => {
    const sids = times(4, newEventSid);
    await table.proxy.down();
    const metrics = await metricsOf(() =>
      expectAnswers(
        sids.map((Sid) => webhook.debug(ours, errorPayload(), { Sid })),
        503,
      ),
    );
    expect(metrics).toEqual(sids.map(() => NOT_STORED));
    await table.proxy.up();
    await expectAnswers(
      [...sids, ...sids].map((Sid) => webhook.debug(ours, errorPayload(), { Sid })),
      204,
    );
    expect(stored()).toEqual([]);
    await expectAnswer(webhook.debug(ours, errorPayload()), 204);
    expect(stored()).toMatchObject([{ count: 5 }]);
  });

  test("the store acting but never answering: 503 within Event Streams' five seconds, and then the right count", async () => {
    const events = times(4, () => errorLogged(ours.accountSid));
    table.proxy.fail({ when: "after", do: "hang" });
    const started = performance.now();
    expect(await metricsOf(() => expectAnswer(webhook.stream(ours.authToken, events), 503))).toEqual([NOT_STORED]);
    expect(performance.now() - started).toBeLessThan(5000);
    table.proxy.clear();
    await expectAnswer(webhook.stream(ours.authToken, events), 204);
    expect(stored()).toEqual([]);
    await expectAnswer(webhook.debug(ours, errorPayload()), 204);
    expect(stored()).toMatchObject([{ count: 5 }]);
  });

  test("a store that is slow at each of many steps: 503 within five seconds, and one signal in the end", async () => {
    table.proxy.fail({ do: "delay", milliseconds: 1300 });
    const event = errorLogged(ours.accountSid, { error_code: "32201" });
    const started = performance.now();
    await expectAnswer(webhook.stream(ours.authToken, event), 503);
    expect(performance.now() - started).toBeLessThan(5000);
    table.proxy.clear();
    await expectAnswer(webhook.stream(ours.authToken, event), 204);
    expect(stored()).toMatchObject([{ rule: "first-sip", count: 1 }]);
  });

  test("one of two rules' windows failing: 503, and neither counts twice", async () => {
    const Sid = newEventSid();
    table.proxy.fail({ on: ({ body }) => body.includes("any-block"), do: "answer", status: 400, body: "{}" });
    await expectAnswer(webhook.debug(ours, errorPayload(), { Sid }), 503);
    table.proxy.clear();
    await expectAnswer(webhook.debug(ours, errorPayload(), { Sid }), 204);
    await expectAnswers(
      times(3, () => webhook.debug(ours, errorPayload())),
      204,
    );
    expect(stored()).toEqual([]);
  });

  test("SQS down at the crossing: 503, and the signal comes with the next delivery", async () => {
    const sids = times(5, newEventSid);
    await surroundings.sqs.down();
    const answers = await Promise.all(sids.map((Sid) => webhook.debug(ours, errorPayload(), { Sid })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 204, 204, 204, 503]);
    await surroundings.sqs.up();
    expect(stored()).toEqual([]);
    await expectAnswers(
      sids.map((Sid) => webhook.debug(ours, errorPayload(), { Sid })),
      204,
    );
    expect(stored()).toMatchObject([{ count: 5 }]);
  });

  test("SQS down: what could not be read is told later", async () => {
    await surroundings.sqs.down();
    expect(await metricsOf(() => expectAnswer(webhook.debug(ours, "{"), 503))).toEqual([NOT_STORED]);
    await surroundings.sqs.up();
    await expectAnswer(webhook.debug(ours, "{"), 204);
    expect(stored()).toMatchObject([{ kind: "not-understood" }]);
  });

  test("Twilio down: 503 for an account whose token is not known; the parent's signature needs no look-up", async () => {
    surroundings.twilio.fail({ do: "cut" });
    const undecided = { WebhooksUndecided: 1, why: "no-answer-from-twilio" };
    expect(await metricsOf(() => expectAnswer(webhook.debug(ours, errorPayload(32201)), 503))).toEqual([undecided]);
    const { authToken } = surroundings.parent;
    await sampleOf(() => webhook.debug({ ...ours, authToken }, errorPayload(32201)));
  });

  test("Twilio slow: the debugger's event waits for its look-up; Event Streams, which comes again, is told within its five seconds", async () => {
    const events = [errorLogged(ours.accountSid, { error_code: "32201" })];
    surroundings.simulator.addFault({ effect: { kind: "latency", milliseconds: 6000 }, accountSid: ours.accountSid });
    const debugged = webhook.debug(ours, errorPayload(32201));
    const started = performance.now();
    const metrics = await metricsOf(() => expectAnswer(webhook.stream(ours.authToken, events), 503));
    expect(metrics).toEqual([{ WebhooksUndecided: 1, why: "late" }]);
    expect(performance.now() - started).toBeLessThan(5000);
    await expectAnswer(debugged, 204);
    await expectAnswer(webhook.stream(ours.authToken, events), 204);
    expect(stored()).toMatchObject([{ rule: "first-sip" }]);
  }, 20_000);

  test("Twilio silent: what the parent signed by Event Streams is counted all the same", async () => {
    surroundings.twilio.fail({ do: "hang" });
    const events = [errorLogged(ours.accountSid, { error_code: "32201" })];
    await expectAnswer(webhook.stream(surroundings.parent.authToken, events), 204);
    expect(stored()).toMatchObject([{ rule: "first-sip", signedBy: "parent" }]);
  });
});
