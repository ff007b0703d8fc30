import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { attemptsKey } from "../../../lib/incidents/keys.ts";
import { jsonLog } from "../../../lib/log.ts";
import { attemptsStore } from "../../../lib/operators/attempts-store.ts";
import { failedAttempts } from "../../../lib/operators/failed-attempts.ts";
import { clockAt } from "../../local/twilio/webhook.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";
import { startLocalTable } from "../../support/local-table.ts";

let table: Awaited<ReturnType<typeof startLocalTable>>;
let proxy: FaultProxy;
let client: DynamoDBDocumentClient;
const clock = clockAt("2026-11-21T03:00:00Z");
const lines: string[] = [];
let sources = 0;
let source: string;

beforeAll(async () => {
  table = await startLocalTable();
  proxy = await startFaultProxy(process.env["AWS_ENDPOINT_URL_DYNAMODB"] ?? "");
  client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: proxy.url, maxAttempts: 1 }));
});
beforeEach(() => {
  clock.set("2026-11-21T03:00:00Z");
  sources += 1;
  source = `192.0.2.${sources}`;
  lines.length = 0;
});
afterEach(() => proxy.clear());
afterAll(async () => {
  client.destroy();
  await proxy.close();
  await table.close();
});

/** Longer than this machine needs for an answer of the table, however much else it has to do. */
const PATIENT_MS = 20_000;

/** One warm function. */
const functionAlone = ({ withStore = true, patienceMs = PATIENT_MS } = {}) =>
  failedAttempts({
    ...{ store: withStore ? attemptsStore(client, table.tableName) : undefined, clock, patienceMs },
    log: jsonLog((line) => lines.push(line)),
  });
const stored = async () =>
  (await table.client.send(new GetCommand({ TableName: table.tableName, Key: attemptsKey(source) }))).Item;
const second = (seconds: number) => clock.set(new Date(Date.UTC(2026, 10, 21, 3, 0, seconds)).toISOString());

describe.each([
  ["in the table", true],
  ["in this process alone", false],
])("counted %s", (_where, withStore) => {
  test("ten count, and the eleventh within the minute is too many", async () => {
    const attempts = functionAlone({ withStore });
    for (let failures = 1; failures <= 10; failures += 1) {
      second(failures);
      expect(await attempts.fail(source)).toEqual({ kind: "counted", failures });
    }
    second(20);
    expect(await attempts.fail(source)).toEqual({ kind: "too-many", failures: 10, retryAfterSeconds: 41 });
  });

  test("there is room again as the old ones grow older than a minute, one by one", async () => {
    const attempts = functionAlone({ withStore });
    for (let failures = 1; failures <= 10; failures += 1) {
      second(failures);
      await attempts.fail(source);
    }
    second(60);
    expect(await attempts.fail(source)).toMatchObject({ kind: "too-many", retryAfterSeconds: 1 });
    second(61);
    expect(await attempts.fail(source)).toEqual({ kind: "counted", failures: 10 });
    expect((await attempts.fail(source)).kind).toBe("too-many");
    second(200);
    expect(await attempts.fail(source)).toEqual({ kind: "counted", failures: 1 });
  });

  test("of thirty at the same moment ten count", async () => {
    const attempts = functionAlone({ withStore });
    const answers = await Promise.all(Array.from({ length: 30 }, () => attempts.fail(source)));
    expect(answers.filter(({ kind }) => kind === "counted")).toHaveLength(10);
  });

  test("another source is not slowed", async () => {
    const attempts = functionAlone({ withStore });
    for (let failures = 0; failures < 11; failures += 1) await attempts.fail(source);
    expect(await attempts.fail(`${source}0`)).toEqual({ kind: "counted", failures: 1 });
  });
});

describe("in the table", () => {
  test("all functions count together", async () => {
    for (let failures = 1; failures <= 10; failures += 1)
      expect(await functionAlone().fail(source)).toEqual({ kind: "counted", failures });
    expect(await functionAlone().fail(source)).toMatchObject({ kind: "too-many", failures: 10 });
  });

  test("a flood costs neither writes nor reads", async () => {
    const attempts = functionAlone();
    for (let failures = 0; failures < 10; failures += 1) await attempts.fail(source);
    const before = proxy.requests().length;
    for (let failures = 0; failures < 200; failures += 1) expect((await attempts.fail(source)).kind).toBe("too-many");
    expect(proxy.requests()).toHaveLength(before);
  });

  test("another function learns of a flood once, and writes nothing", async () => {
    for (let failures = 0; failures < 10; failures += 1) await functionAlone().fail(source);
    const item = await stored();
    const other = functionAlone();
    const before = proxy.requests().length;
    for (let failures = 0; failures < 50; failures += 1) await other.fail(source);
    expect(proxy.requests().length - before).toBe(2);
    expect(await stored()).toEqual(item);
  });

  test("of thirty at the same moment in thirty functions ten count", async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => functionAlone().fail(source)));
    expect(answers.filter(({ kind }) => kind === "counted")).toHaveLength(10);
  });

  test("a slow answer is waited for, each as long as the first", async () => {
    for (let failures = 0; failures < 10; failures += 1) await functionAlone().fail(source);
    proxy.fail({ do: "delay", milliseconds: 1_700 });
    const before = proxy.requests().length;
    expect((await functionAlone({ patienceMs: 3_000 }).fail(source)).kind).toBe("too-many");
    expect(proxy.requests().length - before).toBe(2);
    expect(lines).toEqual([]);
  });

  test("an answer that comes late takes nothing from what is known by then", async () => {
    const attempts = functionAlone();
    const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const hook = () => {
      asked.resolve();
      return released.promise;
    };
    proxy.fail({ do: "call", when: "after", times: 1, hook });
    const first = attempts.fail(source);
    await asked.promise;
    for (let failures = 2; failures <= 10; failures += 1)
      expect(await attempts.fail(source)).toEqual({ kind: "counted", failures });
    released.resolve();
    expect(await first).toEqual({ kind: "counted", failures: 1 });
    const before = proxy.requests().length;
    expect((await attempts.fail(source)).kind).toBe("too-many");
    expect(proxy.requests()).toHaveLength(before);
  });

  test("TTL removes it, well after it has stopped to count", async () => {
    await functionAlone().fail(source);
    expect(await stored()).toMatchObject({ expiresAt: Date.UTC(2026, 10, 21, 3, 10, 0) / 1000 });
  });
});

describe("when the table fails", () => {
  test.each([
    ["refuses", { do: "answer", status: 500 }],
    ["cuts", { do: "cut" }],
    ["never answers", { do: "hang" }],
  ] as const)("and %s: this function counts by itself, and says so", async (_what, fault) => {
    proxy.fail(fault);
    const attempts = functionAlone({ patienceMs: 100 });
    expect(await attempts.fail(source)).toEqual({ kind: "counted", failures: 1 });
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(["attempts-uncounted"]);
    expect(lines.join()).not.toContain(source);
  });

  test("ten are still the most, one by one", async () => {
    proxy.fail({ do: "cut" });
    const attempts = functionAlone();
    for (let failures = 0; failures < 10; failures += 1) await attempts.fail(source);
    expect((await attempts.fail(source)).kind).toBe("too-many");
  });

  test("ten are still the most, all at once", async () => {
    proxy.fail({ do: "hang" });
    const attempts = functionAlone({ patienceMs: 100 });
    const answers = await Promise.all(Array.from({ length: 30 }, () => attempts.fail(source)));
    expect(answers.filter(({ kind }) => kind === "counted")).toHaveLength(10);
    expect(proxy.requests().filter(({ body }) => body.includes(`#${source}"`))).toHaveLength(10);
  });
});

test("what a function remembers is bounded: forgotten sources are looked up again", async () => {
  const attempts = functionAlone({ withStore: false });
  for (let failures = 0; failures < 10; failures += 1) await attempts.fail(source);
  for (let other = 0; other < 999; other += 1) await attempts.fail(`other ${other}`);
  expect((await attempts.fail(source)).kind).toBe("too-many");
  await attempts.fail("one more");
  expect(await attempts.fail(source)).toEqual({ kind: "counted", failures: 1 });
});
