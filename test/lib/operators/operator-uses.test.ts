import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { jsonLog } from "../../../lib/log.ts";
import { operatorListing } from "../../../lib/operators/operator-listing.ts";
import { makeToken } from "../../../lib/operators/operator-token.ts";
import { operatorUses } from "../../../lib/operators/operator-uses.ts";
import type { Operator } from "../../../lib/operators/operators.ts";
import { clockAt } from "../../local/twilio/webhook.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";
import { startLocalTable } from "../../support/local-table.ts";

let table: Awaited<ReturnType<typeof startLocalTable>>;
let proxy: FaultProxy;
let client: DynamoDBDocumentClient;
const clock = clockAt("2026-11-21T03:00:00Z");
const lines: string[] = [];
let made = 0;

beforeAll(async () => {
  table = await startLocalTable();
  proxy = await startFaultProxy(process.env["AWS_ENDPOINT_URL_DYNAMODB"] ?? "");
  client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: proxy.url, maxAttempts: 1 }));
});
beforeEach(() => {
  clock.set("2026-11-21T03:00:00Z");
  lines.length = 0;
});
afterEach(() => proxy.clear());
afterAll(async () => {
  client.destroy();
  await proxy.close();
  await table.close();
});

const functionAlone = (tableName = table.tableName) =>
  operatorUses({ client, tableName, clock, log: jsonLog((line) => lines.push(line)) });
function operator(changes: Partial<Operator> = {}): Operator {
  const sha256 = Buffer.from(makeToken().sha256, "hex");
  made += 1;
  return { name: `operator ${made}`, sha256, role: "viewer", expires: null, slack: null, ...changes };
}
const lastUse = async (known: Operator) => (await functionAlone().lastUses([known])).get(known.name);
const writes = () => proxy.requests().filter(({ operation }) => operation === "UpdateItem").length;

describe("noting", () => {
  test("at most once a minute, and then again", async () => {
    const [uses, alice] = [functionAlone(), operator()];
    const before = writes();
    for (const at of ["03:00:00", "03:00:01", "03:00:59.999"]) {
      clock.set(`2026-11-21T${at}Z`);
      await uses.note(alice);
    }
    expect(writes() - before).toBe(1);
    expect(await lastUse(alice)).toBe("2026-11-21T03:00:00.000Z");
    clock.set("2026-11-21T03:01:00Z");
    await uses.note(alice);
    expect(await lastUse(alice)).toBe("2026-11-21T03:01:00.000Z");
  });

  test("of two functions the later time stays", async () => {
    const alice = operator();
    clock.set("2026-11-21T03:00:20Z");
    await functionAlone().note(alice);
    clock.set("2026-11-21T03:00:10Z");
    await functionAlone().note(alice);
    expect(await lastUse(alice)).toBe("2026-11-21T03:00:20.000Z");
    expect(lines).toEqual([]);
  });

  test("the use of an earlier token under the same name says nothing of the present one", async () => {
    const uses = functionAlone();
    const earlier = operator();
    await uses.note(earlier);
    const present = operator({ name: earlier.name });
    expect(await lastUse(present)).toBeUndefined();
    clock.set("2026-11-21T03:00:01Z");
    await uses.note(present);
    expect(await lastUse(present)).toBe("2026-11-21T03:00:01.000Z");
  });

  test.each([
    ["refuses", { do: "answer", status: 500 }],
    ["cuts", { do: "cut" }],
    ["never answers", { do: "hang" }],
  ] as const)(
    "a table that %s delays nobody for long, fails nobody, and is tried once a minute",
    async (_what, fault) => {
      proxy.fail(fault);
      const [uses, alice] = [functionAlone(), operator()];
      const started = performance.now();
      for (let requests = 0; requests < 20; requests += 1) await uses.note(alice);
      expect(performance.now() - started).toBeLessThan(1_500);
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { event: "operator-use-not-noted", operator: alice.name },
      ]);
    },
  );
});

describe("the listing", () => {
  test("tells name, role, expiry, whether there is a Slack user, and the last use; no hash, no Slack ID", async () => {
    const alice = operator({ role: "operator", slack: "U012ABCDEF" });
    const bob = operator({ expires: new Date("2027-01-31T00:00:00Z") });
    const uses = functionAlone();
    await uses.note(alice);
    const listing = await operatorListing([alice, bob], uses);
    expect(listing).toEqual({
      operators: [
        { name: alice.name, role: "operator", expires: null, slack: true, lastUsedAt: "2026-11-21T03:00:00.000Z" },
        { name: bob.name, role: "viewer", expires: "2027-01-31T00:00:00.000Z", slack: false, lastUsedAt: null },
      ],
    });
  });

  test("reads more than a hundred", async () => {
    const operators = Array.from({ length: 230 }, () => operator());
    const last = operators.at(-1) ?? operator();
    await functionAlone().note(last);
    expect([...(await functionAlone().lastUses(operators)).keys()]).toEqual([last.name]);
  });

  test("of nobody asks nobody", async () => {
    expect(await operatorListing([], functionAlone("no-such-table"))).toEqual({ operators: [] });
  });

  test("a table that can't be read is not 'never used'", async () => {
    await expect(functionAlone("no-such-table").lastUses([operator()])).rejects.toMatchObject({
      code: "operator-uses-unreadable",
    });
  });

  test("an answer that leaves something out is not 'never used'", async () => {
    const alice = operator();
    const UnprocessedKeys = { [table.tableName]: { Keys: [{ pk: { S: `OPERATOR#${alice.name}` } }] } };
    proxy.fail({ do: "answer", status: 200, body: JSON.stringify({ Responses: {}, UnprocessedKeys }) });
    await expect(functionAlone().lastUses([alice])).rejects.toMatchObject({ code: "operator-uses-unreadable" });
  });
});
