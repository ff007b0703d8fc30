import { createHash } from "node:crypto";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readMessage } from "../../lib/inbox/inbox.ts";
import { type RecordOfIncidents, recordOfIncidents } from "../lib/operators/record-of-incidents.ts";

type Handler = typeof import("../../handlers/operator-api.ts").handler;

const TOKEN = "token-of-alice";
const sha256 = createHash("sha256").update(TOKEN).digest("hex");

const INBOX = "tollbreaker-inbox.fifo";

let record: RecordOfIncidents;
let messaging: FauxqsServer;
let handler: Handler;
let id: string;

// The deployed function as Lambda loads it: its environment first, then its module.
beforeAll(async () => {
  record = await recordOfIncidents();
  id = await record.add({ at: "2026-11-21T03:04:05.123Z" });
  messaging = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
  messaging.createQueue(INBOX, { attributes: { FifoQueue: "true" } });
  Object.assign(process.env, {
    PUBLIC_URL: "https://tollbreaker.example.com",
    TWILIO_ACCOUNT_SID: `AC${"0".repeat(32)}`,
    TABLE_NAME: record.tableName,
    INBOX_QUEUE_URL: `http://127.0.0.1:${messaging.port}/000000000000/${INBOX}`,
    AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${messaging.port}`,
    MODE: "observe",
    OPERATORS: JSON.stringify([{ name: "alice", sha256, role: "operator" }]),
  });
  ({ handler } = await import("../../handlers/operator-api.ts"));
});
afterAll(async () => {
  await messaging.stop();
  await record.close();
});

/** An HTTP API's event, format 2.0: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
function eventFor(
  path: string,
  query = "",
  headers: Record<string, string> = {},
  { method, body }: { method: string; body: string | null } = { method: "GET", body: null },
): Parameters<Handler>[0] {
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: query,
    headers: { host: "tollbreaker.example.com", ...headers },
    body,
    isBase64Encoded: body !== null,
    requestContext: {
      accountId: "123456789012",
      apiId: "abc123",
      authentication: null,
      authorizer: {},
      domainName: "tollbreaker.example.com",
      domainPrefix: "tollbreaker",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "test" },
      requestId: "JKJaXmPLvHcESHA=",
      routeKey: "$default",
      stage: "$default",
      time: "21/Nov/2026:03:04:05 +0000",
      timeEpoch: 1_795_230_245_000,
    },
  };
}

/** API Gateway encodes what it does not take for text. */
function commandFor(path: string, body: object): Parameters<Handler>[0] {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  return eventFor(path, "", headers, { method: "POST", body: Buffer.from(JSON.stringify(body)).toString("base64") });
}

async function answer(event: Parameters<Handler>[0]) {
  const result = await handler(event);
  return { ...result, json: JSON.parse(result.body) };
}

describe("the operator API on Lambda", () => {
  it("lists incidents", async () => {
    const { statusCode, json } = await answer(
      eventFor("/api/incidents", "state=suspended&limit=5", { authorization: `Bearer ${TOKEN}` }),
    );
    expect(statusCode).toBe(200);
    expect(json).toMatchObject({ incidents: [{ id, state: "suspended" }], next: null });
  });

  it("shows one incident", async () => {
    const { json } = await answer(eventFor(`/api/incidents/${id}`, "", { authorization: `Bearer ${TOKEN}` }));
    expect(json).toMatchObject({ id, timeline: [{ what: "opened" }, { what: "suspended" }] });
  });

  it("refuses a request without a token", async () => {
    const { statusCode, headers, json } = await answer(eventFor("/api/incidents"));
    expect(statusCode).toBe(401);
    expect(headers).toMatchObject({ "www-authenticate": 'Bearer realm="tollbreaker"' });
    expect(json).toMatchObject({ code: "token-missing" });
  });

  it("refuses two Authorization headers, which API Gateway joins with a comma", async () => {
    const joined = `Bearer ${TOKEN},Bearer ${TOKEN}`;
    expect((await answer(eventFor("/api/incidents", "", { authorization: joined }))).statusCode).toBe(401);
  });

  it("hands over what an operator asks for, in a body that API Gateway encoded", async () => {
    const { statusCode, headers, json } = await answer(commandFor(`/api/incidents/${id}/check`, {}));
    expect(statusCode).toBe(202);
    expect(headers).toMatchObject({ location: `https://tollbreaker.example.com/api/incidents/${id}` });
    const [message] = messaging.inspectQueue(INBOX)?.messages.ready ?? [];
    expect(readMessage(message?.body ?? "")).toMatchObject({ kind: "check", id: json.command, operator: "alice" });
  });

  it("knows the mode that the responder has", async () => {
    const { statusCode, json } = await answer(
      commandFor(`/api/subaccounts/AC${"1".repeat(32)}/suspend`, { reason: "spend" }),
    );
    expect({ statusCode, missing: json.missing }).toMatchObject({ statusCode: 422, missing: [{ id: "observe-mode" }] });
  });

  it("shows the brake, and who may", async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await answer(eventFor("/api/brake", "", headers))).json).toMatchObject({ suspensions: [], waiting: [] });
    expect((await answer(eventFor("/api/operators", "", headers))).json).toMatchObject({
      operators: [{ name: "alice", role: "operator", lastUsedAt: expect.any(String) }],
    });
  });

  it("is healthy", async () => {
    expect((await answer(eventFor("/health"))).statusCode).toBe(200);
  });
});
