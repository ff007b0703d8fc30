import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { jsonLog } from "../../lib/log.ts";
import { authenticated, type OperatorVariables } from "../../lib/operators/authentication.ts";
import { configuredOperators } from "../../lib/operators/configured-operators.ts";
import { operatorListing } from "../../lib/operators/operator-listing.ts";
import { parseRecords } from "../../lib/operators/operator-record.ts";
import { watchInTable } from "../../lib/operators/watch.ts";
import { writeDiscovery } from "../../local/discovery.ts";
import { keepLocalOperator } from "../../local/operators.ts";
import { startLocalTable } from "../support/local-table.ts";
import { type Listening, serve, tollbreaker } from "./command-line.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const alice = { name: "alice", sha256: sha256("token of alice"), role: "operator" };

let dataDir: string;
let file: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-cli-operators-"));
  file = join(dataDir, "list.json");
  await writeFile(file, JSON.stringify([alice]));
});
afterEach(() => rm(dataDir, { recursive: true }));

const operators = (words: string[], environment: Record<string, string> = {}) =>
  tollbreaker(["operators", ...words], { DATA_DIR: dataDir, ...environment });
const listed = async () => parseRecords(await readFile(file, "utf8"));

describe("operators add", () => {
  test("prints the token and its record, and says how to store it on AWS", async () => {
    const { code, stdout, stderr } = await operators(["add", "bob", "--role", "viewer"]);
    expect(code).toBe(0);
    const [token = "", record = "", end] = stdout.split("\n");
    expect(token).toMatch(/^tb_[\w-]{43}$/);
    expect(JSON.parse(record)).toEqual({ name: "bob", sha256: sha256(token), role: "viewer" });
    expect(end).toBe("");
    expect(stderr).not.toContain(token);
    expect(stderr).toMatch(
      /aws ssm get-parameter --with-decryption --name \/tollbreaker\/prod\/operators .*> operators/,
    );
    expect(stderr).toContain(`operators store '${record}' --file operators.json`);
    expect(stderr).toMatch(
      /aws ssm put-parameter --overwrite --type SecureString --name .* --value file:\/\/operators/,
    );
  });

  test("names the parameter that OPERATORS_PARAMETER names", async () => {
    const environment = { OPERATORS_PARAMETER: "/mine/operators" };
    const { stderr } = await operators(["add", "bob", "--role", "viewer"], environment);
    expect(stderr.match(/--name \S+/g)).toEqual(["--name /mine/operators", "--name /mine/operators"]);
  });

  test("adds to a list, keeping everyone in it", async () => {
    const words = ["add", "bob", "--role", "operator", "--slack", "U012ABCDEF", "--expires", "2099-01-31T00:00:00Z"];
    const { code, stdout, stderr } = await operators([...words, "--file", file]);
    expect(code).toBe(0);
    const bob = { name: "bob", sha256: sha256(stdout.split("\n")[0] ?? ""), role: "operator" };
    expect(await listed()).toEqual([alice, { ...bob, expires: "2099-01-31T00:00:00Z", slack: "U012ABCDEF" }]);
    expect(stderr).toContain(`--value file://${file}`);
    expect(stderr).not.toContain("--tier");
  });

  test("--json is for programs", async () => {
    const words = ["add", "bob", "--role", "viewer", "--expires-in", "90d", "--file", file, "--json"];
    const started = Date.now();
    const { code, stdout, stderr } = await operators(words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { token, record, storedIn } = JSON.parse(stdout);
    expect(record).toMatchObject({ name: "bob", sha256: sha256(token) });
    expect(record.expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Math.abs(Date.parse(record.expires) - started - 90 * 24 * 3_600_000)).toBeLessThan(60_000);
    expect({ storedIn, list: await listed() }).toEqual({ storedIn: file, list: [alice, record] });
  });

  test("says when the list has outgrown a standard parameter", async () => {
    const many = Array.from({ length: 40 }, (_, index) => ({
      ...{ name: `operator ${index}`, sha256: sha256(`${index}`), role: "viewer" },
    }));
    await writeFile(file, JSON.stringify(many));
    expect((await operators(["add", "bob", "--role", "viewer", "--file", file])).stderr).toContain("--tier Advanced");
  });

  test.each([
    ["no name", ["--role", "viewer"]],
    ["no role", ["bob"]],
    ["another role", ["bob", "--role", "admin"]],
    ["an empty name", ["", "--role", "viewer"]],
    ["a name with a line break", ["a\nb", "--role", "viewer"]],
    ["a date without a time", ["bob", "--role", "viewer", "--expires", "2099-01-31"]],
    ["a time that has passed", ["bob", "--role", "viewer", "--expires", "2020-01-31T00:00:00Z"]],
    ["a span without a unit", ["bob", "--role", "viewer", "--expires-in", "90"]],
    ["a span of nothing", ["bob", "--role", "viewer", "--expires-in", "0d"]],
    ["both", ["bob", "--role", "viewer", "--expires-in", "9d", "--expires", "2099-01-31T00:00:00Z"]],
    ["a Slack name", ["bob", "--role", "viewer", "--slack", "@bob"]],
  ])("%s: exit 2, no token, the list as it was", async (_what, words) => {
    const { code, stdout, stderr } = await operators(["add", ...words, "--file", file]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toBe("");
    expect(await listed()).toEqual([alice]);
  });

  test.each([
    ["the name is taken", JSON.stringify([alice]), "alice", "operator-exists"],
    ["the list is broken", '[{"name": "alice"}]', "bob", "operators-invalid"],
  ])("%s: exit 1, no token, the list as it was", async (_what, text, name, reason) => {
    await writeFile(file, text);
    const { code, stdout, stderr } = await operators(["add", name, "--role", "viewer", "--file", file]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(reason);
    expect(await readFile(file, "utf8")).toBe(text);
  });

  test("a list that isn't there is no empty list: exit 1", async () => {
    const { code, stderr } = await operators(["add", "bob", "--role", "viewer", "--file", `${file}.other`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot be read.*echo '\[\]' >/);
  });
});

describe("operators store", () => {
  test("adds a record that was made elsewhere, quotes and all", async () => {
    const { stdout } = await operators(["add", "o'bob", "--role", "viewer"]);
    const record = stdout.split("\n")[1] ?? "";
    const { code, stdout: answer } = await operators(["store", record, "--file", file]);
    expect({ code, answer }).toEqual({ code: 0, answer: `o'bob is in ${file}.\n` });
    expect(await listed()).toEqual([alice, JSON.parse(record)]);
  });

  test.each([
    ["no JSON", "bob", 2, /The record was not added; the list is as it was.*Got: 3 characters that are not JSON/],
    ["a token instead of its hash", '{"name": "bob", "sha256": "tb_5ecret", "role": "viewer"}', 2, /64 hexadecimal/],
    ["half a record", '{"name": "bob"}', 2, /not added; .*"sha256" must be a text; "role" must be/],
    ["nothing", "", 2, /not added; .*an empty text/],
    ["two", `[${JSON.stringify({ ...alice, name: "a" })}]`, 2, /not added; .*must be an object/],
    ["alice's token under another name", JSON.stringify({ ...alice, name: "bob" }), 1, /another entry has the same/],
  ])("refuses %s, and says that the list is as it was", async (_what, record, exit, why) => {
    const { code, stderr } = await operators(["store", record, "--file", file]);
    expect(code).toBe(exit);
    expect(stderr).toMatch(why);
    expect(stderr).not.toContain("nobody is let in");
    expect(stderr).not.toContain("5ecret");
    expect(await listed()).toEqual([alice]);
  });
});

describe("operators revoke", () => {
  test("takes one out and keeps the others", async () => {
    await operators(["add", "bob", "--role", "viewer", "--file", file]);
    const { code, stdout, stderr } = await operators(["revoke", "alice", "--file", file]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `alice is out of ${file}.\n` });
    expect(stderr).toMatch(/within 30 seconds.*put-parameter/s);
    expect((await listed()).map(({ name }) => name)).toEqual(["bob"]);
  });

  test("says when nobody is left", async () => {
    expect((await operators(["revoke", "alice", "--file", file])).stderr).toContain("nobody is let in");
  });

  test("somebody who isn't there: exit 4, with who is", async () => {
    const { code, stderr } = await operators(["revoke", "Alice", "--file", file]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/Expected: alice\. Got: "Alice"/);
  });

  test("without a list: exit 2", async () => {
    const { code, stderr } = await operators(["revoke", "alice"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--file");
  });
});

describe("with a server", () => {
  let table: Awaited<ReturnType<typeof startLocalTable>>;
  let server: Listening;
  let localToken: string;

  beforeAll(async () => {
    table = await startLocalTable();
  });
  afterAll(() => table.close());

  // What a local run does: a list of its own in its data folder, and where to find it.
  beforeEach(async () => {
    const local = await keepLocalOperator(dataDir);
    localToken = local.token;
    const known = configuredOperators({ OPERATORS_FILE: local.file });
    const log = jsonLog(() => {});
    const watch = watchInTable(table.tableName, systemClock, log);
    const app = new Hono<OperatorVariables>()
      .use("/api/*", authenticated(known, systemClock, log, watch))
      .get("/api/operators", async (c) => c.json(await operatorListing(await known(), watch.uses)));
    server = await serve(getRequestListener(app.fetch));
    await writeDiscovery(dataDir, { url: server.url, token: localToken, simulatorUrl: null, pid: process.pid });
  });
  afterEach(() => server.close());
  const statusOf = async (token: string) =>
    (await fetch(`${server.url}/api/operators`, { headers: { Authorization: `Bearer ${token}` } })).status;

  test("whoever is added to a local run is let in at once, and whoever is revoked is not", async () => {
    const { stdout, stderr } = await operators(["add", "bob", "--role", "viewer"]);
    const [token = ""] = stdout.split("\n");
    expect(stderr).toMatch(/operators\.json\. The local run goes by it from now on/);
    expect([await statusOf(token), await statusOf(localToken)]).toEqual([200, 200]);
    expect((await operators(["revoke", "bob"])).code).toBe(0);
    expect([await statusOf(token), await statusOf(localToken)]).toEqual([401, 200]);
  });

  test("whoever revokes the token that the command line uses is told how it mends itself", async () => {
    await operators(["add", "bob", "--role", "viewer"]);
    expect((await operators(["revoke", "bob"])).stderr).not.toContain("this command line uses");
    const { code, stderr } = await operators(["revoke", "local"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/the token that this command line uses itself.*next `npm start` makes a new one/s);
    expect(await statusOf(localToken)).toBe(401);
  });

  test("the same of a token that was given", async () => {
    const { stdout } = await operators(["add", "bob", "--role", "operator", "--file", file]);
    const environment = { TOLLBREAKER_URL: server.url, TOLLBREAKER_TOKEN: stdout.split("\n")[0] ?? "" };
    const { stderr } = await operators(["revoke", "bob", "--file", file], environment);
    expect(stderr).toContain("That was the token in TOLLBREAKER_TOKEN");
    expect((await operators(["revoke", "alice", "--file", file], environment)).stderr).not.toContain("That was");
  });

  test("a new start makes a new token for the operator local, and keeps everyone else", async () => {
    const { stdout } = await operators(["add", "bob", "--role", "viewer"]);
    const again = await keepLocalOperator(dataDir);
    expect(await statusOf(stdout.split("\n")[0] ?? "")).toBe(200);
    expect([await statusOf(localToken), await statusOf(again.token)]).toEqual([401, 200]);
  });

  test("a run whose operators came with its environment has no list to change", async () => {
    await writeDiscovery(dataDir, { url: server.url, token: null, simulatorUrl: null, pid: process.pid });
    expect((await operators(["revoke", "local"])).code).toBe(2);
    const { stderr } = await operators(["add", "bob", "--role", "viewer"]);
    expect(stderr).toContain("Elsewhere: add it to OPERATORS");
  });

  test("TOLLBREAKER_URL: the local run's list is left alone", async () => {
    const environment = { TOLLBREAKER_URL: "https://tollbreaker.example.com" };
    const { stderr } = await operators(["add", "bob", "--role", "viewer"], environment);
    expect(stderr).toContain("aws ssm get-parameter");
    expect((await operators(["revoke", "local"], environment)).code).toBe(2);
  });

  test("list shows who may, until when, and who came last", async () => {
    await operators(["add", "bob", "--role", "viewer", "--expires", "2099-01-31T00:00:00Z", "--slack", "U012ABCDEF"]);
    const eve = await operators(["add", "\u001b[2Jeve", "--role", "viewer"]);
    expect(eve).toMatchObject({ code: 2, stderr: expect.stringContaining("no control, invisible or") });
    await operators(["list"]);
    const { code, stdout, stderr } = await operators(["list"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [titles = "", local = "", bob = "", ...more] = stdout.split("\n");
    expect(titles).toMatch(/^NAME +ROLE +EXPIRES +SLACK +LAST USED$/);
    expect(local).toMatch(/^local +operator +never +no +20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ/);
    expect(bob).toMatch(/^bob +viewer +2099-01-31 00:00:00Z {2}in \d+ d +yes +never$/);
    expect(more).toEqual([""]);
  });

  test("list --json is the API's JSON", async () => {
    const { stdout } = await operators(["list", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ operators: [{ name: "local", role: "operator", slack: false }] });
  });

  test("list with another token: exit 5", async () => {
    const { code, stderr } = await operators(["list"], { TOLLBREAKER_TOKEN: "tb_wrong" });
    expect(code).toBe(5);
    expect(stderr).toContain("token-unknown");
  });

  test("list from a server that answers something else: exit 1", async () => {
    const other = await serve((_request, response) => response.end('{"operators": [{"name": 5}]}'));
    const environment = { TOLLBREAKER_URL: other.url, TOLLBREAKER_TOKEN: "tb_any" };
    const { code, stderr } = await operators(["list"], environment);
    await other.close();
    expect(code).toBe(1);
    expect(stderr).toContain("answer-not-understood");
  });
});
