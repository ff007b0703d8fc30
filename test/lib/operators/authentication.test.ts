import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { handle } from "hono/aws-lambda";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import { jsonLog } from "../../../lib/log.ts";
import { authenticated, type OperatorVariables } from "../../../lib/operators/authentication.ts";
import { operatorListing } from "../../../lib/operators/operator-listing.ts";
import { makeToken } from "../../../lib/operators/operator-token.ts";
import { operatorsFrom } from "../../../lib/operators/operators.ts";
import { watchInTable } from "../../../lib/operators/watch.ts";
import { type Listening, serve } from "../../cli/command-line.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";
import { startLocalTable } from "../../support/local-table.ts";

// The middleware as a warm function has it, on Lambda and on a socket, with a real database engine behind it.

const alice = makeToken();
const bob = makeToken();
const gone = makeToken();
const LIST = JSON.stringify([
  { name: "alice", sha256: alice.sha256, role: "operator", slack: "U012ABCDEF" },
  { name: "bob", sha256: bob.sha256, role: "viewer" },
  { name: "gone", sha256: gone.sha256, role: "viewer", expires: "2020-01-01T00:00:00Z" },
]);

let table: Awaited<ReturnType<typeof startLocalTable>>;
let proxy: FaultProxy;
const lines: string[] = [];

beforeAll(async () => {
  table = await startLocalTable();
  proxy = await startFaultProxy(process.env["AWS_ENDPOINT_URL_DYNAMODB"] ?? "");
  process.env["AWS_ENDPOINT_URL_DYNAMODB"] = proxy.url;
});
beforeEach(() => {
  lines.length = 0;
});
afterEach(() => proxy.clear());
afterAll(async () => {
  await proxy.close();
  await table.close();
});

function api(): Hono<OperatorVariables> {
  const log = jsonLog((line) => lines.push(line));
  const operators = operatorsFrom(async () => LIST);
  const watch = watchInTable(table.tableName, systemClock, log);
  return new Hono<OperatorVariables>()
    .use("/api/*", authenticated(operators, systemClock, log, watch))
    .get("/api/me", (c) => c.text(c.get("operator").name))
    .get("/api/operators", async (c) => c.json(await operatorListing(await operators(), watch.uses)));
}

/** One warm function, called from `address`. */
function onLambda(address: string) {
  const handler = handle(api());
  return async (authorization?: string, path = "/api/me") => {
    const headers = { host: "example.com", "x-forwarded-for": "203.0.113.9", ...(authorization && { authorization }) };
    const answer = await handler(eventFor(address, path, headers));
    return { status: answer.statusCode, headers: answer.headers ?? {}, text: answer.body };
  };
}

function eventFor(sourceIp: string, path: string, headers: Record<string, string>) {
  const http = { method: "GET", path, protocol: "HTTP/1.1", sourceIp, userAgent: "test" };
  const names = { accountId: "123456789012", apiId: "abc123", domainName: "example.com", domainPrefix: "example" };
  return {
    ...{ version: "2.0", routeKey: "$default", rawPath: path, rawQueryString: "", headers, body: null },
    isBase64Encoded: false,
    requestContext: {
      ...{ ...names, authentication: null, authorizer: {}, http, requestId: "JKJaXmPLvHcESHA=", routeKey: "$default" },
      ...{ stage: "$default", time: "21/Nov/2026:03:04:05 +0000", timeEpoch: 1_795_230_245_000 },
    },
  };
}

let hosts = 0;
const newAddress = () => {
  hosts += 1;
  return `198.51.100.${hosts}`;
};
const WRONG = `Bearer ${makeToken().token}`;
const logged = (event: string) => lines.map((line) => JSON.parse(line)).filter((line) => line.event === event);

async function statuses(count: number, ask: () => Promise<{ status: number }>): Promise<number[]> {
  const seen: number[] = [];
  for (let requests = 0; requests < count; requests += 1) seen.push((await ask()).status);
  return seen;
}

describe("wrong tokens of one address", () => {
  test("are refused ten times, then slowed: 429, and when to come again", async () => {
    const ask = onLambda(newAddress());
    expect(await statuses(10, () => ask(WRONG))).toEqual(Array(10).fill(401));
    const { status, headers, text } = await ask(WRONG);
    expect(status).toBe(429);
    expect(headers["content-type"]).toBe("application/problem+json");
    expect(headers["cache-control"]).toBe("no-store");
    expect(Number(headers["retry-after"])).toBeGreaterThan(50);
    expect(Number(headers["retry-after"])).toBeLessThanOrEqual(60);
    expect(JSON.parse(text)).toMatchObject({
      type: "urn:problem-type:tollbreaker:too-many-attempts",
      code: "too-many-attempts",
      status: 429,
    });
  });

  test("are counted across functions, and a flood writes nothing", async () => {
    const address = newAddress();
    expect(await statuses(10, () => onLambda(address)(WRONG))).toEqual(Array(10).fill(401));
    const ask = onLambda(address);
    expect((await ask(WRONG)).status).toBe(429);
    const before = proxy.requests().length;
    expect(await statuses(50, () => ask(WRONG))).toEqual(Array(50).fill(429));
    expect(proxy.requests()).toHaveLength(before);
  });

  test("never keep out a right one, and never slow another address", async () => {
    const ask = onLambda(newAddress());
    await statuses(11, () => ask(WRONG));
    expect(await ask(`Bearer ${alice.token}`)).toMatchObject({ status: 200, text: "alice" });
    expect(await ask(`Bearer ${bob.token}`)).toMatchObject({ status: 200, text: "bob" });
    expect((await ask(WRONG)).status).toBe(429);
    expect((await onLambda(newAddress())(WRONG)).status).toBe(401);
  });

  test("count whatever is wrong with them, but a request without any tries nothing", async () => {
    const ask = onLambda(newAddress());
    expect(await statuses(20, () => ask())).toEqual(Array(20).fill(401));
    await statuses(4, () => ask(`Bearer ${gone.token}`));
    await statuses(3, () => ask("Basic YWxpY2U6c2VjcmV0"));
    await statuses(3, () => ask(`${WRONG},${WRONG}`));
    expect((await ask(WRONG)).status).toBe(429);
    expect((await ask()).status).toBe(401);
  });

  test("are logged with their network and their count, never with the address or the token", async () => {
    const ask = onLambda("2001:db8:1:2:3:4:5:6");
    await statuses(11, () => ask(WRONG));
    const refusals = logged("operator-refused");
    expect(refusals.map(({ failures }) => failures)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]);
    expect(refusals.at(-1)).toMatchObject({ reason: "unknown-token", source: "2001:0db8:0001::/48", slowed: true });
    expect(lines.join()).not.toMatch(/3:4:5:6|0002|tb_/);
  });

  test("of one IPv6 network are one source: its hosts can choose among 2^64 addresses", async () => {
    for (let host = 1; host <= 10; host += 1) await onLambda(`2001:db8:9:9::${host}`)(WRONG);
    expect((await onLambda("2001:db8:9:9::ffff")(WRONG)).status).toBe(429);
    expect((await onLambda("2001:db8:9:a::1")(WRONG)).status).toBe(401);
  });
});

describe("when the table is out", () => {
  test.each([
    ["refuses", { do: "answer", status: 500 }],
    ["never answers", { do: "hang" }],
  ] as const)("and %s, a right token gets in at once", async (_what, fault) => {
    const ask = onLambda(newAddress());
    proxy.fail(fault);
    const started = performance.now();
    expect((await ask(`Bearer ${alice.token}`)).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect((await ask(WRONG)).status).toBe(401);
    expect((await ask(`Bearer ${alice.token}`)).status).toBe(200);
  });

  test("wrong tokens are slowed all the same", async () => {
    const ask = onLambda(newAddress());
    proxy.fail({ do: "cut" });
    expect(await statuses(11, () => ask(WRONG))).toEqual([...Array(10).fill(401), 429]);
  });
});

describe("the last use", () => {
  test("is in the table by the time the function has answered", async () => {
    const ask = onLambda(newAddress());
    const before = new Date().toISOString();
    await ask(`Bearer ${bob.token}`);
    const { text } = await onLambda(newAddress())(`Bearer ${alice.token}`, "/api/operators");
    const { operators } = JSON.parse(text);
    expect(operators).toMatchObject([
      { name: "alice", role: "operator", slack: true, expires: null },
      { name: "bob", role: "viewer", slack: false },
      { name: "gone", expires: "2020-01-01T00:00:00.000Z", lastUsedAt: null },
    ]);
    expect(operators[1].lastUsedAt >= before).toBe(true);
    expect(text).not.toMatch(/U012|sha256/);
  });

  test("takes one write for many requests", async () => {
    const ask = onLambda(newAddress());
    const before = proxy.requests().length;
    await statuses(30, () => ask(`Bearer ${alice.token}`));
    expect(proxy.requests().length - before).toBe(1);
  });
});

describe("over a socket", () => {
  let server: Listening;
  beforeAll(async () => {
    server = await serve(getRequestListener(api().fetch));
  });
  afterAll(() => server.close());
  const ask = (token: string, forwarded: string) =>
    fetch(`${server.url}/api/me`, { headers: { Authorization: `Bearer ${token}`, "X-Forwarded-For": forwarded } });

  test("the peer's address counts, whatever it claims to forward", async () => {
    const answers = await statuses(11, () => ask("wrong", newAddress()));
    expect(answers).toEqual([...Array(10).fill(401), 429]);
    expect(logged("operator-refused").at(-1)).toMatchObject({ source: "127.0.0.0/24" });
    expect(await (await ask(alice.token, newAddress())).text()).toBe("alice");
  });
});
