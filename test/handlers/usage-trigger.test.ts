import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { LambdaContext, LambdaEvent } from "hono/aws-lambda";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { AccountSummary } from "../../local/twilio/summary.ts";
import { encoded, firing, signedPost, WEBHOOK_PATH } from "../support/signed-webhook.ts";
import { coldStart, PUBLIC_URL, type Surroundings, startSurroundings } from "../support/webhook-server.ts";

// The exported handler, as Lambda calls it behind an HTTP API (payload format 2.0).

let surroundings: Surroundings;
let ours: AccountSummary;
let handler: Awaited<ReturnType<typeof coldStart>>["handler"];

beforeAll(async () => {
  surroundings = await startSurroundings();
  ({ handler } = await coldStart(surroundings));
});
// What stands for another of the same account is not stored.
beforeEach(() => {
  ours = surroundings.simulator.addSubaccount();
});
afterAll(() => surroundings.close());

const emoji = { New: "a+b ñ 🚨 \uFFFD" };

interface Change {
  query?: string;
  headers?: Record<string, string>;
  base64?: boolean;
  body?: string;
  cookies?: string[];
  method?: string;
}

/** What API Gateway makes of a firing that Twilio posted to the $default stage. */
function event(changes: Change = {}, form = firing(ours.accountSid, emoji)): APIGatewayProxyEventV2 {
  const { query = "", base64 = false, headers = {}, cookies, method = "POST" } = changes;
  const url = `${PUBLIC_URL}${WEBHOOK_PATH}${query === "" ? "" : `?${query}`}`;
  const post = signedPost({ authToken: ours.authToken, url, form });
  const body = changes.body ?? post.body;
  return {
    version: "2.0",
    routeKey: `POST ${WEBHOOK_PATH}`,
    rawPath: WEBHOOK_PATH,
    rawQueryString: query,
    ...(cookies && { cookies }),
    headers: {
      "content-length": String(Buffer.byteLength(body)),
      host: "abc123.execute-api.eu-west-1.amazonaws.com",
      "x-forwarded-proto": "https",
      ...post.headers,
      ...headers,
    },
    requestContext: {
      accountId: "123456789012",
      apiId: "abc123",
      domainName: "abc123.execute-api.eu-west-1.amazonaws.com",
      domainPrefix: "abc123",
      http: { method, path: WEBHOOK_PATH, protocol: "HTTP/1.1", sourceIp: "54.172.60.1", userAgent: "TwilioProxy/1.1" },
      requestId: "JKJaXmPLvHcESHA=",
      routeKey: `POST ${WEBHOOK_PATH}`,
      stage: "$default",
      time: "04/Oct/2026:12:00:00 +0000",
      timeEpoch: 1791115200000,
    },
    body: base64 ? Buffer.from(body).toString("base64") : body,
    isBase64Encoded: base64,
  };
}

const context: LambdaContext = JSON.parse('{"awsRequestId":"1","functionName":"usage-trigger"}');
// Lambda hands over JSON; Hono's own type of it asks for fields that an event without an authorizer does not have.
const asReceived = (given: APIGatewayProxyEventV2): LambdaEvent => JSON.parse(JSON.stringify(given));
const invoke = (given: APIGatewayProxyEventV2) => handler(asReceived(given), context);

async function expectStored(given: APIGatewayProxyEventV2): Promise<void> {
  const before = surroundings.stored(ours.accountSid).length;
  expect(await invoke(given)).toMatchObject({ statusCode: 204, body: "" });
  expect(surroundings.stored(ours.accountSid)).toHaveLength(before + 1);
}

test("a plain body", () => expectStored(event()));

test("a base64 body", () => expectStored(event({ base64: true })));

test("a query, as it came", () => expectStored(event({ query: "a=b+c&name=it's&d=%2B&e=" })));

test("cookies, and headers in any case", async () => {
  const form = firing(ours.accountSid);
  const { "x-twilio-signature": signature, "content-type": type, ...headers } = event({}, form).headers;
  const given = event({ cookies: ["a=1", "b=2"] }, form);
  await expectStored({ ...given, headers: { ...headers, "X-Twilio-Signature": signature, "Content-Type": type } });
});

test("the host and the scheme are the configured ones, whatever the headers claim", () =>
  expectStored(
    event({
      headers: { host: "evil.example.com", "x-forwarded-host": "evil.example.com", "x-forwarded-proto": "http" },
    }),
  ));

test("a body changed by one byte is refused, with an empty body", async () => {
  const body = `${encoded(firing(ours.accountSid))}0`;
  for (const base64 of [true, false]) {
    expect(await invoke(event({ base64, body }))).toMatchObject({ statusCode: 403, body: "" });
  }
});

test.each([
  ["not UTF-8", 403, Buffer.from([0xff, 0xfe])],
  ["256 KB and one byte", 413, Buffer.alloc(256 * 1024 + 1, "x")],
])("a body that is %s: %i", async (_, statusCode, bytes) => {
  const given = { ...event({ base64: true }), body: bytes.toString("base64") };
  expect(await invoke(given)).toMatchObject({ statusCode, body: "" });
});

test("no body at all", async () => {
  const given = event();
  expect(await invoke({ ...given, body: "", headers: { ...given.headers, "content-length": "0" } })).toMatchObject({
    statusCode: 403,
  });
});

test.each<[string, number, Change]>([
  ["another content type", 415, { headers: { "content-type": "application/json" } }],
  ["another method", 405, { method: "GET" }],
])("%s: %i", async (_, statusCode, change) => {
  const given = event(change);
  expect(await invoke({ ...given, body: change.method === "GET" ? "" : String(given.body) })).toMatchObject({
    statusCode,
    body: "",
  });
});

test("with the inbox out: 503, and the next try is stored", async () => {
  const given = event();
  surroundings.sqs.fail({ do: "cut" });
  expect(await invoke(given)).toMatchObject({ statusCode: 503, body: "" });
  surroundings.sqs.clear();
  await expectStored(given);
});

test("with a token in Parameter Store that cannot be read: 503, and it says so in the log", async () => {
  const { handler: broken } = await coldStart(surroundings, {
    TWILIO_AUTH_TOKEN: "",
    TWILIO_AUTH_TOKEN_PARAMETER: "/tollbreaker/token",
    AWS_ENDPOINT_URL_SSM: "http://127.0.0.1:1",
  });
  expect(await broken(asReceived(event()), context)).toMatchObject({ statusCode: 503, body: "" });
  const given = event({}, firing(surroundings.parent.accountSid));
  expect(await broken(asReceived(given), context)).toMatchObject({ statusCode: 503, body: "" });
  expect(surroundings.logged().join("\n")).toContain("could not be read from Parameter Store");
});

test("a start without its configuration fails, and names what is missing", async () => {
  await expect(coldStart(surroundings, { INBOX_QUEUE_URL: "", PUBLIC_URL: "" })).rejects.toThrow(
    /^The configuration cannot be used: PUBLIC_URL, INBOX_QUEUE_URL\./,
  );
});
