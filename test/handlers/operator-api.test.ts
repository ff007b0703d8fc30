import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RecordOfIncidents, recordOfIncidents } from "../lib/operators/record-of-incidents.ts";

type Handler = typeof import("../../handlers/operator-api.ts").handler;

const TOKEN = "token-of-alice";
const sha256 = createHash("sha256").update(TOKEN).digest("hex");

let record: RecordOfIncidents;
let handler: Handler;
let id: string;

// The deployed function as Lambda loads it: its environment first, then its module.
beforeAll(async () => {
  record = await recordOfIncidents();
  id = await record.add({ at: "2026-11-21T03:04:05.123Z" });
  Object.assign(process.env, {
    PUBLIC_URL: "https://tollbreaker.example.com",
    TABLE_NAME: record.tableName,
    OPERATORS: JSON.stringify([{ name: "alice", sha256, role: "viewer" }]),
  });
  ({ handler } = await import("../../handlers/operator-api.ts"));
});
afterAll(() => record.close());

/** An HTTP API's event, format 2.0: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
function eventFor(path: string, query = "", headers: Record<string, string> = {}): Parameters<Handler>[0] {
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: query,
    headers: { host: "tollbreaker.example.com", ...headers },
    body: null,
    isBase64Encoded: false,
    requestContext: {
      accountId: "123456789012",
      apiId: "abc123",
      authentication: null,
      authorizer: {},
      domainName: "tollbreaker.example.com",
      domainPrefix: "tollbreaker",
      http: { method: "GET", path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "test" },
      requestId: "JKJaXmPLvHcESHA=",
      routeKey: "$default",
      stage: "$default",
      time: "21/Nov/2026:03:04:05 +0000",
      timeEpoch: 1_795_230_245_000,
    },
  };
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

  it("is healthy", async () => {
    expect((await answer(eventFor("/health"))).statusCode).toBe(200);
  });
});
