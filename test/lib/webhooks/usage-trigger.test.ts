import { request } from "node:http";
import { serve } from "@hono/node-server";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import type { Message } from "../../../lib/inbox/messages.ts";
import { jsonLog } from "../../../lib/log.ts";
import type { SignatureCheck } from "../../../lib/twilio/signature.ts";
import type { SigningTokens, TokenCheck } from "../../../lib/webhooks/signing-tokens.ts";
import { type UsageTriggerWebhook, usageTriggerWebhook } from "../../../lib/webhooks/usage-trigger.ts";
import { type Listening, listening } from "../../../local/listening.ts";
import { SUSPEND_ALL } from "../../support/policies.ts";
import { firing, signedPost, WEBHOOK_PATH } from "../../support/signed-webhook.ts";

// The addresses that Twilio was told, and how they arrive; what else can happen is in test/faults/webhook.test.ts.

const accountSid = `AC${"1".repeat(32)}`;
const authToken = "0".repeat(32);

let server: Listening;
let stored: Message[];
let lines: string[];
afterEach(() => server.close());

async function start(publicUrl: string, parts: Partial<UsageTriggerWebhook> = {}) {
  stored = [];
  lines = [];
  const app = usageTriggerWebhook({
    publicUrl,
    tokens: answering(async (isSignedWith) => ({ kind: isSignedWith(authToken) ? "signed" : "not-signed" })),
    parentSid: `AC${"9".repeat(32)}`,
    policy: SUSPEND_ALL,
    inbox: { put: async (signal) => void stored.push(signal) },
    clock: systemClock,
    log: jsonLog((line) => lines.push(line)),
    ...parts,
  });
  server = await listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));
}

function answering(verdictOf: (isSignedWith: SignatureCheck) => Promise<TokenCheck>): SigningTokens {
  return {
    moment: () => 0,
    check: (_, isSignedWith) => verdictOf(isSignedWith),
    isKnownToSign: async () => false,
    ownership: async () => "unknown",
  };
}

/** Posts to `path` byte for byte, which fetch would not do, a firing that was signed over `url`. */
function post(path: string, url: string): Promise<number | undefined> {
  const { body, headers, method } = signedPost({ authToken, url, form: firing(accountSid) });
  return new Promise((resolve, reject) => {
    const options = { port: server.port, host: "127.0.0.1", path, method, headers };
    request(options, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end(body);
  });
}

test.each([
  ["https://example.com", `https://example.com${WEBHOOK_PATH}`],
  ["https://example.com/", `https://example.com${WEBHOOK_PATH}`],
  ["https://example.com//", `https://example.com${WEBHOOK_PATH}`],
  ["http://example.com", `http://example.com${WEBHOOK_PATH}`],
  ["http://127.0.0.1:3000", `http://127.0.0.1:3000${WEBHOOK_PATH}`],
  ["https://example.com:8443", `https://example.com:8443${WEBHOOK_PATH}`],
  ["https://example.com:8443", `https://example.com${WEBHOOK_PATH}`],
  ["https://example.com", `https://example.com:443${WEBHOOK_PATH}`],
  ["https://example.com/prod", `https://example.com/prod${WEBHOOK_PATH}`],
  ["https://example.com/a/b/", `https://example.com/a/b${WEBHOOK_PATH}`],
  ["https://example.com", `https://example.com${WEBHOOK_PATH}#rc=3&rp=4xx,5xx,ct,rt&rt=10000`],
])("with the PUBLIC_URL %s, signed over %s", async (publicUrl, signedUrl) => {
  await start(publicUrl);
  expect(await post(WEBHOOK_PATH, signedUrl)).toBe(204);
  expect(await post(WEBHOOK_PATH, signedUrl.replace("example", "elsewhere").replace("127.0.0.1", "127.0.0.2"))).toBe(
    403,
  );
  expect(stored).toHaveLength(1);
});

test("a base path arrives with the request or without it", async () => {
  await start("https://example.com/prod/");
  const url = `https://example.com/prod${WEBHOOK_PATH}`;
  expect(await post(WEBHOOK_PATH, url)).toBe(204);
  expect(await post(`/prod${WEBHOOK_PATH}`, url)).toBe(204);
  expect(await post(`/other${WEBHOOK_PATH}`, url)).toBe(404);
  expect(await post(WEBHOOK_PATH, `https://example.com${WEBHOOK_PATH}`)).toBe(403);
});

describe("a query in the CallbackUrl is signed as it was told", () => {
  test.each([
    "?a=b",
    "?",
    "?a",
    "?a=b&a=c&=",
    "?name=it's",
    "?name=it%27s",
    "?a=b+c",
    "?a=b%20c",
    "?a=b+c&name=it's",
    "?a=b+c&name=it%27s",
    "?a=%2B&b=%2b",
    "?a=100%",
    "?a=%F0%9F%9A%A8",
    "?a=(b)*!~;,:@/?",
    "?bodySHA256=abc",
    "?AccountSid=AC0",
    "?to=ops@example.com&at=12:30",
  ])("%s", async (query) => {
    await start("https://example.com");
    const url = `https://example.com${WEBHOOK_PATH}`;
    expect(await post(WEBHOOK_PATH + query, url + query)).toBe(204);
    expect(await post(`${WEBHOOK_PATH}${query === "?" ? "?x" : `${query}x`}`, url + query)).toBe(403);
  });
});

test.each([
  ["?to=ops@example.com&at=12:30", "?to=ops%40example.com&at=12%3A30"],
  ["?name=O'Hara!", "?name=O%27Hara%21"],
  ["?key=QUJD==", "?key=QUJD%3D%3D"],
])("a query that was escaped on the way is signed as it was told, too: %s came as %s", async (told, sent) => {
  await start("https://example.com");
  const url = `https://example.com${WEBHOOK_PATH}`;
  expect(await post(WEBHOOK_PATH + sent, url + told)).toBe(204);
  expect(await post(`${WEBHOOK_PATH}${sent}x`, url + told)).toBe(403);
});

test("a query of 2,048 characters is taken, a longer one is 414", async () => {
  await start("https://example.com");
  const url = `https://example.com${WEBHOOK_PATH}`;
  const query = `?x=${"y".repeat(2045)}`;
  expect(await post(WEBHOOK_PATH + query, url + query)).toBe(204);
  expect(await post(`${WEBHOOK_PATH}${query}y`, `${url}${query}y`)).toBe(414);
});

test("what throws on the way is 503, says nothing to the sender, and is logged", async () => {
  const broken = () => Promise.reject(new Error("secret inside"));
  await start("https://example.com", { tokens: answering(broken) });
  const post = signedPost({ authToken, url: `https://example.com${WEBHOOK_PATH}`, form: firing(accountSid) });
  const response = await fetch(server.url + WEBHOOK_PATH, post);
  expect([response.status, await response.text()]).toEqual([503, ""]);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: "ERROR", event: "webhook-failed" },
    { WebhooksUndecided: 1, why: "failed" },
  ]);
});
