import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import type { Message } from "../../../lib/inbox/messages.ts";
import { jsonLog } from "../../../lib/log.ts";
import { twilioClient } from "../../../lib/twilio/client.ts";
import { drillRequest } from "../../../lib/webhooks/drill.ts";
import { type SigningTokens, signingTokens, type TokenCheck } from "../../../lib/webhooks/signing-tokens.ts";
import { usageTriggerWebhook } from "../../../lib/webhooks/usage-trigger.ts";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import type { AccountSummary } from "../../../local/twilio/summary.ts";
import { quietSimulator } from "../../local/twilio/api.ts";
import { SUSPEND_ALL } from "../../support/policies.ts";
import { firing, type Pairs, signedPost, WEBHOOK_PATH } from "../../support/signed-webhook.ts";

// Who may ask for a rehearsal, and what can't be made to look like one.

const PUBLIC_URL = "https://tollbreaker.example.com/prod";
const DRILL_ID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const address = (query = `?drill=${DRILL_ID}`) => PUBLIC_URL + WEBHOOK_PATH + query;

let simulator: TwilioSimulator;
let parent: AccountSummary;
let account: AccountSummary;
let stored: Message[];
let app: ReturnType<typeof usageTriggerWebhook>;

beforeAll(async () => {
  simulator = await quietSimulator();
  parent = simulator.parent();
});
afterAll(() => simulator.close());
beforeEach(() => {
  account = simulator.addSubaccount();
  stored = [];
  const parentToken = async () => parent.authToken;
  const log = jsonLog(() => {});
  const twilio = twilioClient({ accountSid: parent.accountSid, authToken: parentToken, apiUrl: simulator.url });
  app = usageTriggerWebhook({
    publicUrl: PUBLIC_URL,
    tokens: signingTokens({ twilio, parentToken, clock: systemClock, log }),
    parentSid: parent.accountSid,
    policy: SUSPEND_ALL,
    inbox: { put: async (message) => void stored.push(message) },
    clock: systemClock,
    log,
  });
});

const drill = (changes: Partial<Parameters<typeof drillRequest>[0]> = {}) =>
  drillRequest({
    publicUrl: PUBLIC_URL,
    authToken: parent.authToken,
    accountSid: account.accountSid,
    drillId: DRILL_ID,
    sentAt: new Date(),
    ...changes,
  });
const ask = async (request: Request): Promise<number> => (await app.request(request)).status;
const form = (pairs: Readonly<Record<string, string>> = {}): Pairs =>
  Object.entries({ AccountSid: account.accountSid, SentAt: new Date().toISOString(), ...pairs });
const post = (url: string, authToken: string, pairs: Pairs) =>
  ask(new Request(url, signedPost({ authToken, url, form: pairs })));

describe("signed by the parent", () => {
  test("is stored as a rehearsal of this account", async () => {
    const sentAt = new Date(Date.now() - 2000);
    const before = Date.now();
    expect(await ask(drill({ sentAt }))).toBe(204);
    expect(stored).toEqual([
      {
        kind: "drill",
        id: `drill:${DRILL_ID}`,
        accountSid: account.accountSid,
        drillId: DRILL_ID,
        sentAt: sentAt.toISOString(),
        receivedAt: expect.any(String),
      },
    ]);
    expect(Date.parse(String(stored[0]?.receivedAt))).toBeGreaterThanOrEqual(before);
  });

  test.each(["https://tollbreaker.example.com/prod", "https://tollbreaker.example.com/prod/"])(
    "works with %s",
    async (publicUrl) => {
      expect(await ask(drill({ publicUrl }))).toBe(204);
    },
  );

  test("is 503 when it could not be stored", async () => {
    const broken = usageTriggerWebhook({
      publicUrl: PUBLIC_URL,
      tokens: answering(() => ({ kind: "signed" })),
      parentSid: parent.accountSid,
      policy: SUSPEND_ALL,
      inbox: { put: () => Promise.reject(new Error("no queue")) },
      clock: systemClock,
      log: jsonLog(() => {}),
    });
    expect((await broken.request(drill())).status).toBe(503);
  });

  test.each([
    ["too old", -16],
    ["from the future", 16],
  ])("is refused when it is %s", async (_, minutes) => {
    expect(await ask(drill({ sentAt: new Date(Date.now() + minutes * 60_000) }))).toBe(403);
    expect(stored).toEqual([]);
  });

  test("at the edges of its time it is good", async () => {
    expect(await ask(drill({ sentAt: new Date(Date.now() - 14.9 * 60_000) }))).toBe(204);
    expect(await ask(drill({ sentAt: new Date(Date.now() + 14.9 * 60_000) }))).toBe(204);
  });

  test.each(["", "short", "UPPERCASE-ID", "with_underscore", "x".repeat(65), "a b c d e f", "../../../etc"])(
    "is refused with the id %j",
    async (drillId) => {
      expect(await ask(drill({ drillId }))).toBe(403);
      expect(stored).toEqual([]);
    },
  );

  test.each([
    ["another field", { Extra: "1" }],
    ["a time that is none", { SentAt: "now" }],
    ["a time without a zone", { SentAt: "2026-11-21T07:00:00" }],
    ["a SID that is none", { AccountSid: "AC1" }],
  ])("is refused with %s", async (_, pairs) => {
    expect(await post(address(), parent.authToken, form(pairs))).toBe(403);
    expect(stored).toEqual([]);
  });

  test("is refused with two accounts", async () => {
    const [first, ...rest] = form();
    if (first === undefined) throw new Error("the form has fields");
    expect(await post(address(), parent.authToken, [first, first, ...rest])).toBe(403);
  });

  test.each([
    ["no mark", ""],
    ["another mark", `?drill=${"b".repeat(36)}`],
    ["the mark in capitals", `?DRILL=${DRILL_ID}`],
  ])("does not pass under an address with %s", async (_, query) => {
    const signed = signedPost({ authToken: parent.authToken, url: address(), form: form() });
    expect(await ask(new Request(address(query), signed))).toBe(403);
    expect(stored).toEqual([]);
  });

  test("without the mark it is no rehearsal, however it was signed", async () => {
    expect(await post(address(""), parent.authToken, form())).toBe(403);
  });
});

describe("not signed by the parent", () => {
  test("a stranger's is refused", async () => {
    expect(await ask(drill({ authToken: "0".repeat(32) }))).toBe(403);
    const unsigned = new Request(address(), { method: "POST", body: new URLSearchParams(Object.fromEntries(form())) });
    expect(await ask(unsigned)).toBe(403);
    expect(stored).toEqual([]);
  });

  test("a subaccount's own is what any signed form is that is no firing: kept for a person", async () => {
    expect(await ask(drill({ authToken: account.authToken }))).toBe(204);
    expect(stored).toMatchObject([{ kind: "not-understood", accountSid: account.accountSid }]);
  });

  test("a subaccount's is none for another account", async () => {
    const other = simulator.addSubaccount();
    expect(await ask(drill({ authToken: other.authToken }))).toBe(403);
    expect(stored).toEqual([]);
  });

  test("a firing of a trigger with the mark in its address is a firing", async () => {
    expect(await post(address(), account.authToken, firing(account.accountSid))).toBe(204);
    expect(stored).toMatchObject([{ kind: "usage-trigger", accountSid: account.accountSid, currentValue: "60.52" }]);
  });
});

test("a firing of the parent's own trigger, with the mark in its address, is a firing, too", async () => {
  expect(await post(address(), parent.authToken, firing(parent.accountSid))).toBe(204);
  expect(stored).toMatchObject([{ kind: "usage-trigger", accountSid: parent.accountSid }]);
});

test.each([
  ["no token", { kind: "undecided", why: "no-answer-from-twilio" }],
  ["the parent's token", { kind: "not-ours" }],
  ["the parent's token, while the account's is known,", { kind: "not-signed" }],
] as const)("when %s can't be read, nobody is told that it was refused", async (_, ofAccount) => {
  const unreadable = { kind: "undecided", why: "no-answer-from-twilio" } as const;
  const silent = usageTriggerWebhook({
    publicUrl: PUBLIC_URL,
    tokens: answering((sid) => (sid === parent.accountSid ? unreadable : ofAccount)),
    parentSid: parent.accountSid,
    policy: SUSPEND_ALL,
    inbox: { put: async (message) => void stored.push(message) },
    clock: systemClock,
    log: jsonLog(() => {}),
  });
  expect((await silent.request(drill())).status).toBe(503);
});

function answering(verdictOn: (accountSid: string) => TokenCheck): SigningTokens {
  return {
    moment: () => 0,
    check: async (accountSid) => verdictOn(accountSid),
    isKnownToSign: async () => false,
    ownership: async () => "unknown",
  };
}
