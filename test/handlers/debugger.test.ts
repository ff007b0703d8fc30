import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { LambdaContext, LambdaEvent } from "hono/aws-lambda";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { AccountSummary } from "../../local/twilio/summary.ts";
import { type EmptyTable, emptyTable } from "../support/empty-table.ts";
import { type ErrorWebhook, startErrorWebhook } from "../support/error-webhook-server.ts";
import {
  DEBUGGER_PATH,
  debuggerForm,
  EVENT_STREAMS_PATH,
  errorLogged,
  errorPayload,
  signedEvents,
} from "../support/signed-errors.ts";
import { signedPost } from "../support/signed-webhook.ts";
import { PUBLIC_URL, type Surroundings, startSurroundings } from "../support/webhook-server.ts";

// As API Gateway invokes the function.

const POLICY = "errors: { first-sip: { codes: [32201], count: 1, within: 10m, then: alert } }";

let surroundings: Surroundings;
let table: EmptyTable;
let webhook: ErrorWebhook;
let ours: AccountSummary;

beforeAll(async () => {
  surroundings = await startSurroundings();
  table = await emptyTable();
  webhook = await startErrorWebhook(surroundings, table, POLICY);
});
afterAll(async () => {
  await webhook.close();
  await table.close();
  await surroundings.close();
});
beforeEach(() => {
  ours = surroundings.simulator.addSubaccount();
});

interface Post {
  path: string;
  query?: string;
  body: string;
  headers: Record<string, string>;
}

const context: LambdaContext = JSON.parse('{"awsRequestId":"1","functionName":"debugger"}');

function invoke({ path, query = "", body, headers }: Post, base64: boolean) {
  const event: APIGatewayProxyEventV2 = {
    version: "2.0",
    routeKey: `POST ${path}`,
    rawPath: path,
    rawQueryString: query,
    headers: { host: "abc123.execute-api.eu-west-1.amazonaws.com", "x-forwarded-proto": "https", ...headers },
    requestContext: {
      accountId: "123456789012",
      apiId: "abc123",
      domainName: "abc123.execute-api.eu-west-1.amazonaws.com",
      domainPrefix: "abc123",
      http: { method: "POST", path, protocol: "HTTP/1.1", sourceIp: "54.172.60.1", userAgent: "TwilioProxy/1.1" },
      requestId: "JKJaXmPLvHcESHA=",
      routeKey: `POST ${path}`,
      stage: "$default",
      time: "04/Oct/2026:12:00:00 +0000",
      timeEpoch: 1791115200000,
    },
    body: base64 ? Buffer.from(body).toString("base64") : body,
    isBase64Encoded: base64,
  };
  // Lambda hands over JSON; Hono's own type of it asks for fields that an event without an authorizer does not have.
  const asReceived: LambdaEvent = JSON.parse(JSON.stringify(event));
  return webhook.handler(asReceived, context);
}

function debuggerPost(): Post {
  const form = debuggerForm(ours.accountSid, errorPayload(32201, { more_info: { Msg: "Blocked: ñ 😀" } }));
  const { body, headers } = signedPost({ authToken: ours.authToken, url: PUBLIC_URL + DEBUGGER_PATH, form });
  return { path: DEBUGGER_PATH, body, headers };
}

function eventStreamsPost(): Post {
  const payload = JSON.stringify({ message: "Blocked: ñ 😀" });
  const events = [errorLogged(ours.accountSid, { error_code: "32201", payload })];
  const url = PUBLIC_URL + EVENT_STREAMS_PATH;
  const { query, text, headers } = signedEvents({ authToken: ours.authToken, url, events });
  return { path: EVENT_STREAMS_PATH, query: query.slice(1), body: text, headers };
}

test.each([
  ["the debugger", false, debuggerPost],
  ["the debugger, base64", true, debuggerPost],
  ["Event Streams", false, eventStreamsPost],
  ["Event Streams, base64", true, eventStreamsPost],
])("%s", async (_, base64, post) => {
  expect(await invoke(post(), base64)).toMatchObject({ statusCode: 204, body: "" });
  expect(surroundings.stored(ours.accountSid)).toMatchObject([{ samples: [{ code: 32201, note: "Blocked: ñ 😀" }] }]);
  const changed = post();
  const refused = await invoke({ ...changed, body: `${changed.body} ` }, base64);
  expect(refused).toMatchObject({ statusCode: 403, body: "" });
});
