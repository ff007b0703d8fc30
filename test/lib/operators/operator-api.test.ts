import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoIncidentReader } from "../../../lib/incidents/dynamo-reader.ts";
import type { IncidentReader } from "../../../lib/incidents/incident-reader.ts";
import { jsonLog } from "../../../lib/log.ts";
import { encodeCursor } from "../../../lib/operators/cursor.ts";
import { operatorApi } from "../../../lib/operators/operator-api.ts";
import { operatorsFrom } from "../../../lib/operators/operators.ts";
import { readingParts } from "./api-parts.ts";
import { ACCOUNT, OTHER_ACCOUNT, type RecordOfIncidents, recordOfIncidents } from "./record-of-incidents.ts";

const TOKEN = "token-of-alice";
const sha256 = createHash("sha256").update(TOKEN).digest("hex");
const OPERATORS = JSON.stringify([{ name: "alice", sha256, role: "viewer" }]);
const authorised = { Authorization: `Bearer ${TOKEN}` };

let record: RecordOfIncidents;
let incidents: IncidentReader;
const ids: string[] = [];

// Thirty incidents a minute apart, oldest first: every third is another account's, every fifth still open.
beforeAll(async () => {
  record = await recordOfIncidents();
  incidents = dynamoIncidentReader(record.tableName);
  for (let minute = 0; minute < 30; minute += 1) {
    const at = new Date(Date.UTC(2026, 10, 21, 3, minute)).toISOString();
    const accountSid = minute % 3 === 0 ? OTHER_ACCOUNT : ACCOUNT;
    ids.push(await record.add({ at, accountSid, state: minute % 5 === 0 ? "open" : "suspended" }));
  }
});
afterAll(() => record.close());

interface Made {
  operators?: string | undefined;
  incidents?: IncidentReader;
}

function api(made: Made = {}) {
  const lines: string[] = [];
  const operators = operatorsFrom(async () => ("operators" in made ? made.operators : OPERATORS));
  const log = jsonLog((line) => lines.push(line));
  const app = operatorApi(readingParts({ incidents: made.incidents ?? incidents, operators, log }));
  return { app, lines };
}

async function get(path: string, made?: Made) {
  const { app, lines } = api(made);
  const response = await app.request(path, { headers: authorised });
  const text = await response.text();
  return { response, text, body: JSON.parse(text), lines };
}

const idsOf = (body: { incidents: { id: string }[] }) => body.incidents.map(({ id }) => id);
const newestFirst = () => ids.toReversed();

describe("GET /api/incidents", () => {
  it("lists the newest 25 and says where to go on", async () => {
    const { response, body } = await get("/api/incidents");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(idsOf(body)).toEqual(newestFirst().slice(0, 25));
    expect(idsOf((await get(`/api/incidents?cursor=${body.next}`)).body)).toEqual(newestFirst().slice(25));
  });

  it("shows each incident once, whatever the page's size", async () => {
    const seen: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const { body } = await get(`/api/incidents?limit=7${next === "" ? "" : `&cursor=${next}`}`);
      seen.push(...idsOf(body));
      next = body.next;
    }
    expect(seen).toEqual(newestFirst());
  });

  it("ends with next: null", async () => {
    expect((await get("/api/incidents?limit=30")).body.next).toBeNull();
    expect((await get("/api/incidents?limit=29")).body.next).toEqual(expect.any(String));
  });

  it("filters by state and by account, and by both", async () => {
    const open = newestFirst().filter((id) => ids.indexOf(id) % 5 === 0);
    const others = newestFirst().filter((id) => ids.indexOf(id) % 3 === 0);
    expect(idsOf((await get("/api/incidents?state=open")).body)).toEqual(open);
    expect(idsOf((await get(`/api/incidents?account=${OTHER_ACCOUNT}`)).body)).toEqual(others);
    expect(idsOf((await get(`/api/incidents?account=${OTHER_ACCOUNT}&state=open`)).body)).toEqual(
      open.filter((id) => others.includes(id)),
    );
    expect((await get("/api/incidents?state=dismissed")).body).toEqual({ incidents: [], next: null });
  });

  it("keeps the filter across pages", async () => {
    const first = await get("/api/incidents?state=open&limit=4");
    const second = await get(`/api/incidents?state=open&limit=4&cursor=${first.body.next}`);
    expect([...idsOf(first.body), ...idsOf(second.body)]).toEqual(
      newestFirst().filter((id) => ids.indexOf(id) % 5 === 0),
    );
  });

  it.each([
    ["state=closed", "state-invalid", /one of open, suspended, alerted, failed, reactivating/, '"closed"'],
    ["state=", "state-invalid", /one of open/, '""'],
    ["state=SUSPENDED", "state-invalid", /one of open/, '"SUSPENDED"'],
    ["account=AC123", "account-invalid", /AC and 32 hexadecimal digits/, '"AC123"'],
    ["limit=0", "limit-invalid", /from 1 to 100/, '"0"'],
    ["limit=101", "limit-invalid", /from 1 to 100/, '"101"'],
    ["limit=-1", "limit-invalid", /from 1 to 100/, '"-1"'],
    ["limit=1e1", "limit-invalid", /from 1 to 100/, '"1e1"'],
    ["limit=ten", "limit-invalid", /from 1 to 100/, '"ten"'],
    ["cursor=", "cursor-invalid", /`next`/, '""'],
    ["cursor=abc", "cursor-invalid", /`next`/, '"abc"'],
    [`cursor=${encodeCursor("INCIDENT#x")}`, "cursor-invalid", /`next`/, expect.any(String)],
    [`cursor=${encodeCursor("20261121T030405123-1f3a9c2e")}!`, "cursor-invalid", /`next`/, expect.any(String)],
    ["staet=open", "parameter-unknown", /state \(one of.*account \(.*limit \(.*cursor \(/, '"staet"'],
    ["__proto__=1", "parameter-unknown", /state/, '"__proto__"'],
    ["constructor=1", "parameter-unknown", /state/, '"constructor"'],
    ["state=open&state=failed", "parameter-repeated", /at most once/, '"state" 2 times'],
  ])("refuses ?%s: %s", async (query, code, expected, got) => {
    const { response, body } = await get(`/api/incidents?${query}`);
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(body).toMatchObject({ status: 400, code, got, expected: expect.stringMatching(expected) });
    expect(body.type).toBe(`urn:problem-type:tollbreaker:${code}`);
    for (const member of ["title", "detail", "fix"]) expect(body[member]).toEqual(expect.any(String));
  });

  it("names several mistakes together, each by itself too", async () => {
    const { body } = await get("/api/incidents?foo=1&limit=0&state=bad&account=AC1&account=AC2");
    const codes = ["parameter-unknown", "limit-invalid", "state-invalid", "parameter-repeated"];
    expect(body.errors.map(({ code }: { code: string }) => code)).toEqual(codes);
    expect(body.code).toBe("parameter-unknown");
    for (const name of ["foo", "limit", "state", "account"]) expect(body.detail).toContain(`"${name}"`);
    expect(body.fix).toContain('correct "limit" or leave it out');
    expect(body.got).toBe('"foo"; "0"; "bad"; "account" 2 times');
  });

  it("quotes a very long value only in part", async () => {
    const { body } = await get(`/api/incidents?state=${"x".repeat(5_000)}`);
    expect(body.got.length).toBeLessThan(200);
    expect(body.got).toContain("5000 characters");
  });
});

describe("GET /api/incidents/{id}", () => {
  it("shows the incident with its timeline, oldest first", async () => {
    const [, id] = ids;
    const { response, body } = await get(`/api/incidents/${id}`);
    expect(response.status).toBe(200);
    expect(body).toMatchObject({ id, accountSid: ACCOUNT, friendlyName: "Acme Messaging", state: "suspended" });
    expect(body.trip).toMatchObject({ triggerValue: "1000.000000", currentValue: "1300.500000" });
    expect(body.timeline.map(({ what }: { what: string }) => what)).toEqual(["opened", "suspended"]);
  });

  it.each([
    ["an id nobody has", "20991231T235959999-00000000"],
    ["no id at all", "latest"],
    ["an encoded path", "..%2F..%2Fetc"],
    ["a broken encoding", "%E0%A4%A"],
    ["10 KB", "x".repeat(10_240)],
  ])("answers 404 to %s", async (_what, id) => {
    const { response, body } = await get(`/api/incidents/${id}`);
    expect(response.status).toBe(404);
    expect(body).toMatchObject({ code: "incident-not-found", fix: expect.stringContaining("list") });
  });
});

describe("who may read", () => {
  const refusals: [string, Made, Record<string, string>, string, string][] = [
    ["no token", {}, {}, "token-missing", 'Bearer realm="tollbreaker"'],
    ["a wrong token", {}, { Authorization: "Bearer x" }, "token-unknown", 'error="invalid_token"'],
    ["a right token, with no operators", { operators: undefined }, authorised, "token-unknown", "invalid_token"],
    ["a right token, with an empty list", { operators: "[]" }, authorised, "token-unknown", "invalid_token"],
    ["an expired token", { operators: expiredList() }, authorised, "token-expired", "invalid_token"],
  ];

  it("an expired token: since when, and what helps", async () => {
    const response = await api({ operators: expiredList() }).app.request("/api/incidents", { headers: authorised });
    const { detail, fix } = JSON.parse(await response.text());
    expect(detail).toMatch(/^This token expired at \d{4}-\d{2}-\d{2}T[\d:.]+Z\.$/);
    expect(fix).toContain('operators revoke "alice", then operators add "alice" --role operator');
  });

  it("another scheme: says that it is the scheme, and repeats no secret", async () => {
    const ask = async (Authorization: string) => {
      const response = await api().app.request("/api/incidents", { headers: { Authorization } });
      // RFC 6750, section 3.1: no error code for an unsupported method.
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="tollbreaker"');
      return { status: response.status, body: await response.json() };
    };
    expect(await ask("Basic YWxpY2U6c2VjcmV0")).toMatchObject({
      status: 401,
      body: { code: "scheme-unsupported", got: "the scheme Basic", fix: "send your token with the scheme Bearer" },
    });
    const bare = await ask(TOKEN);
    expect(bare).toMatchObject({ status: 401, body: { code: "scheme-unsupported" } });
    expect(JSON.stringify(bare)).not.toContain(TOKEN);
  });

  it("an unknown token: what helps, wherever the list of operators is kept", async () => {
    const response = await api().app.request("/api/incidents", { headers: { Authorization: "Bearer x" } });
    const { detail, fix } = JSON.parse(await response.text());
    expect(detail).toContain("revoked");
    expect(fix).toMatch(/operators add NAME --role ROLE.*in a local run each `npm start`/);
    expect(fix).not.toContain("OPERATORS");
  });

  it.each(refusals)("%s: 401", async (_what, made, headers, code, challenge) => {
    for (const path of ["/api/incidents", `/api/incidents/${ids[0]}`, "/api/other", "/api/incidents?limit=0"]) {
      const response = await api(made).app.request(path, { headers });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain(challenge);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await response.json()).toMatchObject({ code, status: 401 });
    }
  });

  it("two Authorization headers: 401", async () => {
    const headers = new Headers(authorised);
    headers.append("Authorization", `Bearer ${TOKEN}`);
    expect((await api().app.request("/api/incidents", { headers })).status).toBe(401);
  });

  it("logs who was refused and who was let in, and never a token", async () => {
    const { app, lines } = api();
    await app.request("/api/incidents", { headers: { Authorization: "Bearer s3cret" } });
    await app.request("/api/incidents", { headers: authorised });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: "WARN", event: "operator-refused", reason: "unknown-token" },
      { level: "INFO", event: "operator-request", operator: "alice", path: "/api/incidents", status: 200 },
    ]);
    expect(lines.join()).not.toMatch(/s3cret|token-of-alice/);
  });

  it("with a broken OPERATORS: 503 for everyone, and the reason in the log alone", async () => {
    const { response, text, lines } = await get("/api/incidents", { operators: '[{"name": "alice"}]' });
    expect(response.status).toBe(503);
    expect(text).not.toMatch(/alice|OPERATORS|sha256/);
    expect(lines.join()).toMatch(/operators-invalid.*entry 1/);
  });
});

describe("when the table can't be read", () => {
  it("answers 503 and says nothing about the inside", async () => {
    const made = { incidents: dynamoIncidentReader("no-such-table") };
    for (const path of ["/api/incidents", `/api/incidents/${ids[0]}`]) {
      const { response, text, body, lines } = await get(path, made);
      expect(response.status).toBe(503);
      expect(body).toMatchObject({ code: "unavailable" });
      expect(text).not.toMatch(/table|dynamo|resource|no-such/i);
      expect(lines.join()).toMatch(/incidents-unreadable/);
    }
  });
});

describe("everything else", () => {
  it("health needs no token", async () => {
    const response = await api().app.request("/health");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok" });
  });

  it.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("%s is not allowed", async (method) => {
    for (const path of ["/api/incidents", `/api/incidents/${ids[0]}`, "/api/brake", "/api/operators", "/health"]) {
      const response = await api().app.request(path, { method, headers: authorised });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("GET, HEAD");
      expect(await response.json()).toMatchObject({ code: "method-not-allowed" });
    }
  });

  it("HEAD answers as GET does, without a body", async () => {
    const response = await api().app.request("/api/incidents", { method: "HEAD", headers: authorised });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  it.each(["/", "/api", "/api/other", "/api/incidents/", "/api/incidents/x/delete", "/api/subaccounts", "/api/brake/"])(
    "there is nothing at %s",
    async (path) => {
      const { response, body } = await get(path);
      expect(response.status).toBe(404);
      expect(body).toMatchObject({ code: "route-not-found", got: JSON.stringify(path) });
      expect(body.expected).toContain("/api/subaccounts/{sid}/suspend");
    },
  );

  it.each(["/health", "/api/incidents", "/api/incidents/none"])(
    "%s is never cached, sniffed or framed",
    async (path) => {
      const { response } = await get(path);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(response.headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(response.headers.get("x-frame-options")).toBe("DENY");
    },
  );
});

function expiredList(): string {
  return JSON.stringify([{ name: "alice", sha256, role: "operator", expires: "2026-01-01T00:00:00Z" }]);
}
