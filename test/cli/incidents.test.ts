import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { getRequestListener } from "@hono/node-server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dynamoIncidentReader } from "../../lib/incidents/dynamo-reader.ts";
import { jsonLog } from "../../lib/log.ts";
import { operatorApi } from "../../lib/operators/operator-api.ts";
import { operatorsFrom } from "../../lib/operators/operators.ts";
import { discoveryFile, writeDiscovery } from "../../local/discovery.ts";
import { readingParts } from "../lib/operators/api-parts.ts";
import {
  ACCOUNT,
  OTHER_ACCOUNT,
  type RecordOfIncidents,
  recordOfIncidents,
} from "../lib/operators/record-of-incidents.ts";
import { type Listening, MAIN, serve, tollbreaker } from "./command-line.ts";

const TOKEN = "token-of-alice";
const sha256 = createHash("sha256").update(TOKEN).digest("hex");
// Clears the screen, sets the window's title, forges a row, reverses the direction, and uses the one-byte CSI.
const HOSTILE =
  "\u001b[2J\u001b]0;owned\u0007Acme\nsuspended 20991231T000000000-ffffffff\r\u202eevil\u009b31m\u{e0041}";

let record: RecordOfIncidents;
let server: Listening;
let environment: Record<string, string>;
let oldest: string;
let newest: string;

beforeAll(async () => {
  record = await recordOfIncidents();
  oldest = await record.add({ at: "2026-11-21T03:04:05.123Z" });
  newest = await record.add({ at: "2026-11-22T00:00:00.000Z", accountSid: OTHER_ACCOUNT, friendlyName: HOSTILE });
  const app = apiOver(record.tableName);
  server = await serve(getRequestListener(app.fetch));
  environment = { TOLLBREAKER_URL: server.url, TOLLBREAKER_TOKEN: TOKEN };
});
afterAll(async () => {
  await server.close();
  await record.close();
});

function apiOver(tableName: string) {
  const operators = operatorsFrom(async () => JSON.stringify([{ name: "alice", sha256, role: "viewer" }]));
  return operatorApi(readingParts({ incidents: dynamoIncidentReader(tableName), operators, log: jsonLog(() => {}) }));
}

async function fromApi(path: string): Promise<unknown> {
  const response = await fetch(`${server.url}${path}`, { headers: { Authorization: `Bearer ${TOKEN}` } });
  return response.json();
}

describe("incidents list", () => {
  it("shows a table, newest first, no wider than 120 columns", async () => {
    const { code, stdout, stderr } = await tollbreaker(["incidents", "list"], environment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.indexOf(newest)).toBeGreaterThan(0);
    expect(stdout.indexOf(oldest)).toBeGreaterThan(stdout.indexOf(newest));
    for (const part of [
      "STATE",
      "suspended",
      "Acme Messaging",
      ACCOUNT,
      "2026-11-21 03:04:05Z",
      "1,300.5 of 1,000 (+30.1 %)",
    ])
      expect(stdout).toContain(part);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it("--json is the API's JSON and nothing else", async () => {
    const { code, stdout, stderr } = await tollbreaker(["incidents", "list", "--json"], environment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(await fromApi("/api/incidents"));
  });

  it("filters", async () => {
    const { stdout } = await tollbreaker(
      ["incidents", "list", "--account", ACCOUNT, "--state", "suspended"],
      environment,
    );
    expect(stdout).toContain(oldest);
    expect(stdout).not.toContain(newest);
  });

  it("says where to go on, and goes on there", async () => {
    const first = await tollbreaker(["incidents", "list", "--limit", "1"], environment);
    const cursor = /--cursor (\S+),/.exec(first.stderr)?.[1] ?? "none";
    const second = await tollbreaker(["incidents", "list", "--limit", "1", "--cursor", cursor], environment);
    expect([first.stdout.includes(newest), second.stdout.includes(oldest)]).toEqual([true, true]);
    expect(second.stdout).not.toContain(newest);
  });

  it("says so when there is nothing, on standard error", async () => {
    const { code, stdout, stderr } = await tollbreaker(["incidents", "list", "--state", "dismissed"], environment);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "No incident matches.\n" });
  });

  it("never lets a name act on the terminal", async () => {
    for (const words of [
      ["incidents", "list"],
      ["incidents", "show", newest],
      ["incidents", "list", "--json"],
    ]) {
      const { stdout } = await tollbreaker(words, environment);
      expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(stdout).not.toMatch(/^suspended 20991231/m);
      expect(stdout).toMatch(/\\u\{?(00)?1b\}?\[2J/);
    }
  });

  it("ends well when the reader has seen enough", async () => {
    const child = spawn(process.execPath, [MAIN, "incidents", "list"], {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.destroy();
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("keeps the exact name in --json", async () => {
    const { stdout } = await tollbreaker(["incidents", "list", "--json", "--limit", "1"], environment);
    expect(JSON.parse(stdout).incidents[0].friendlyName).toBe(HOSTILE);
  });
});

describe("incidents show", () => {
  it("tells the story of one incident", async () => {
    const { code, stdout, stderr } = await tollbreaker(["incidents", "show", oldest], environment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const part of [
      new RegExp(`^${oldest}  suspended$`, "m"),
      /^ {2}Account +Acme Messaging \(ACa1/m,
      /^ {2}Trigger value +1,000$/m,
      /^ {2}Current value +1,300\.5$/m,
      /^ {2}Overshoot +300\.5 \(\+30\.1 %\)$/m,
      /^ {2}Fired to received +2\.0 s$/m,
      /^ {2}Received to suspended +1\.5 s$/m,
      /^ {2}Suspended by +Tollbreaker$/m,
      /^ {2}Calls ended +0$/m,
      /^ {2}2026-11-21 03:04:05Z {2}opened by twilio$/m,
      /^ {2}2026-11-21 03:04:06Z {2}suspended by tollbreaker$/m,
    ])
      expect(stdout).toMatch(part);
  });

  it("--json is the API's JSON and nothing else", async () => {
    const { stdout } = await tollbreaker(["incidents", "show", oldest, "--json"], environment);
    expect(JSON.parse(stdout)).toEqual(await fromApi(`/api/incidents/${oldest}`));
  });

  it("an unknown id: exit 4", async () => {
    const { code, stdout, stderr } = await tollbreaker(["incidents", "show", "../../health"], environment);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toMatch(/no incident with this id.*Fix: list the incidents.*\(incident-not-found\)/);
  });
});

describe("incidents list --all", () => {
  it("follows the cursor to the end", async () => {
    const many = await recordOfIncidents();
    const ids: string[] = [];
    for (let second = 0; second < 205; second += 1)
      ids.push(await many.add({ at: new Date(Date.UTC(2026, 10, 21) + second * 1000).toISOString(), state: "open" }));
    const app = apiOver(many.tableName);
    const busy = await serve(getRequestListener(app.fetch));
    const words = ["incidents", "list", "--all", "--json"];
    const { code, stdout } = await tollbreaker(words, { ...environment, TOLLBREAKER_URL: busy.url });
    const body: { incidents: { id: string }[]; next: unknown } = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(body.incidents.map(({ id }) => id)).toEqual(ids.toReversed());
    expect(body.next).toBeNull();
    await busy.close();
    await many.close();
  });
});

describe("a local run, found by its file", () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-"));
  });
  afterEach(() => rm(dataDir, { recursive: true }));
  const local = (token: string | null = TOKEN, url = server.url) =>
    writeDiscovery(dataDir, { url, token, simulatorUrl: null, pid: process.pid });

  it("needs nothing else", async () => {
    await local();
    const { code, stdout } = await tollbreaker(["incidents", "list"], { DATA_DIR: dataDir });
    expect(code).toBe(0);
    expect(stdout).toContain(newest);
  });

  it("takes a token from the environment where the run doesn't know one", async () => {
    await local(null);
    expect((await tollbreaker(["incidents", "list"], { DATA_DIR: dataDir })).code).toBe(5);
    const { code } = await tollbreaker(["incidents", "list"], { DATA_DIR: dataDir, TOLLBREAKER_TOKEN: TOKEN });
    expect(code).toBe(0);
  });

  it("gives the local token to no other server", async () => {
    await local();
    const { code, stderr } = await tollbreaker(["incidents", "list"], {
      DATA_DIR: dataDir,
      TOLLBREAKER_URL: server.url,
    });
    expect(code).toBe(5);
    expect(stderr).toContain("TOLLBREAKER_TOKEN");
  });

  it("that isn't running: exit 3, and what to do", async () => {
    const { code, stderr } = await tollbreaker(["incidents", "list"], { DATA_DIR: dataDir });
    expect(code).toBe(3);
    expect(stderr).toMatch(/No Tollbreaker was found.*npm start/);
  });

  it("that has ended without a word: exit 3, and what to do", async () => {
    const gone = await serve(() => {});
    await gone.close();
    await local(TOKEN, gone.url);
    const { code, stderr } = await tollbreaker(["incidents", "list"], { DATA_DIR: dataDir });
    expect(code).toBe(3);
    expect(stderr).toMatch(/cannot be reached.*ECONNREFUSED.*is `npm start` running/);
  });

  it("with a file that is no discovery: exit 1, and what to do", async () => {
    await writeFile(discoveryFile(dataDir), '{"url": "not an address"');
    const { code, stderr } = await tollbreaker(["incidents", "list"], { DATA_DIR: dataDir });
    expect(code).toBe(1);
    expect(stderr).toMatch(/local\.json cannot be understood.*delete the file/);
  });
});

describe("wrong usage: exit 2", () => {
  it.each([
    ["no command", []],
    ["an unknown command", ["incident"]],
    ["an unknown option", ["incidents", "list", "--stat", "open"]],
    ["an unknown state", ["incidents", "list", "--state", "closed"]],
    ["no id", ["incidents", "show"]],
    ["one argument too many", ["incidents", "show", "a", "b"]],
    ["--limit with --all", ["incidents", "list", "--all", "--limit", "5"]],
    ["a limit the API refuses", ["incidents", "list", "--limit", "1000"]],
    ["an account the API refuses", ["incidents", "list", "--account", "AC1"]],
    ["a cursor the API refuses", ["incidents", "list", "--cursor", "abc"]],
  ])("%s", async (_what, words) => {
    const { code, stdout, stderr } = await tollbreaker(words, environment);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toBe("");
  });

  it("an address that is none", async () => {
    const { code, stderr } = await tollbreaker(["incidents", "list"], {
      ...environment,
      TOLLBREAKER_URL: "localhost:3000",
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/TOLLBREAKER_URL cannot be used.*localhost:3000/);
  });

  it("the API's advice is shown", async () => {
    const { stderr } = await tollbreaker(["incidents", "list", "--limit", "1000"], environment);
    expect(stderr).toMatch(/Expected: a whole number from 1 to 100\. Got: "1000"\. Fix: /);
  });
});

describe("not authorised: exit 5", () => {
  it.each([
    ["an unknown token", "token-of-mallory"],
    ["a token that no header can hold", "token\nof alice"],
    ["an empty token", ""],
  ])("%s", async (_what, TOLLBREAKER_TOKEN) => {
    const { code, stderr } = await tollbreaker(["incidents", "list"], { ...environment, TOLLBREAKER_TOKEN });
    expect(code).toBe(5);
    expect(stderr).toContain("TOLLBREAKER_TOKEN");
    expect(stderr).not.toContain("mallory");
  });

  it("two Authorization headers over a real connection", async () => {
    const { port } = new URL(server.url);
    const headers = ["Authorization", `Bearer ${TOKEN}`, "Authorization", "Bearer other", "Host", "127.0.0.1"];
    const status = await new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, path: "/api/incidents", headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sent.on("error", reject).end();
    });
    expect(status).toBe(401);
  });
});

describe("a server that is not Tollbreaker: exit 1", () => {
  it.each([
    ["a page", 200, "text/html", "<html>\u001b[2J</html>"],
    ["other JSON", 200, "application/json", '{"incidents": 5}'],
    ["an incident of another shape", 200, "application/json", '{"incidents": [{"id": 1}], "next": null}'],
    ["a gateway's error", 502, "text/html", "Bad gateway"],
    [
      "a problem of the inside",
      503,
      "application/problem+json",
      '{"code": "unavailable", "detail": "Not \\u001b[2J now."}',
    ],
  ])("%s", async (_what, status, type, body) => {
    const other = await serve((_request, response) => response.writeHead(status, { "Content-Type": type }).end(body));
    const { code, stdout, stderr } = await tollbreaker(["incidents", "list"], {
      ...environment,
      TOLLBREAKER_URL: other.url,
    });
    await other.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/answer-not-understood|unavailable/);
    expect(stderr).not.toContain("\u001b");
  });

  it("a redirect is not followed, so the token stays here", async () => {
    const seen: (string | undefined)[] = [];
    const thief = await serve((message, response) => {
      seen.push(message.headers.authorization);
      response.end("{}");
    });
    const other = await serve((_request, response) => response.writeHead(307, { Location: thief.url }).end());
    const { code } = await tollbreaker(["incidents", "list"], { ...environment, TOLLBREAKER_URL: other.url });
    await Promise.all([other.close(), thief.close()]);
    expect({ code, seen }).toEqual({ code: 1, seen: [] });
  });
});

describe("--help", () => {
  it.each([[["--help"]], [["incidents", "list", "--help"]]])("%j documents the exit codes", async (words) => {
    const { code, stdout } = await tollbreaker(words);
    expect(code).toBe(0);
    for (const line of [
      "0  done",
      "3  the server cannot be reached",
      "5  not authorised",
      "6  nothing was changed",
      "8  not known yet",
    ])
      expect(stdout).toContain(line);
  });
});
