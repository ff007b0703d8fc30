import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { secretReader } from "../../lib/secrets.ts";
import { LOCAL_CREDENTIALS } from "../../local/aws.ts";
import { type Listening, serve } from "../cli/command-line.ts";
import { clockAt } from "../local/twilio/webhook.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";

// Parameter Store as the SDK speaks to it: real HTTP, one parameter or none.

let value: string | undefined;
let store: Listening;
let proxy: FaultProxy;
const saved = { ...process.env };

beforeAll(async () => {
  store = await serve((_, response) => {
    const answer = value === undefined ? { __type: "ParameterNotFound" } : { Parameter: { Value: value } };
    response.writeHead(value === undefined ? 400 : 200, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(answer));
  });
});
beforeEach(async () => {
  value = "first";
  proxy = await startFaultProxy(store.url);
  Object.assign(process.env, LOCAL_CREDENTIALS, { AWS_ENDPOINT_URL_SSM: proxy.url });
});
afterEach(async () => {
  await proxy.close();
  process.env = { ...saved };
});
afterAll(() => store.close());

const clock = clockAt("2026-10-04T12:00:00Z");
const reader = () => {
  clock.set("2026-10-04T12:00:00Z");
  return secretReader({ TOKEN_PARAMETER: "/tollbreaker/token" }, "TOKEN", clock);
};
const asked = () => proxy.requests().length;

describe("without Parameter Store", () => {
  test.each([
    ["the variable itself", { TOKEN: "value", TOKEN_PARAMETER: "/ignored" }, "value"],
    ["nothing configured", {}, undefined],
    ["both empty", { TOKEN: "", TOKEN_PARAMETER: "" }, undefined],
  ])("%s", async (_, environment, expected) => {
    expect(await secretReader(environment, "TOKEN")()).toBe(expected);
    expect(asked()).toBe(0);
  });
});

test("a parameter is read decrypted, once, however many ask", async () => {
  const read = reader();
  expect(await Promise.all([read(), read(), read()])).toEqual(["first", "first", "first"]);
  expect(await read()).toBe("first");
  expect(proxy.requests().map(({ body, operation }) => ({ operation, ...JSON.parse(body) }))).toEqual([
    { operation: "GetParameter", Name: "/tollbreaker/token", WithDecryption: true },
  ]);
});

test("a parameter that does not exist reads as undefined, and is not asked for again at once", async () => {
  value = undefined;
  const read = reader();
  expect([await read(), await read()]).toEqual([undefined, undefined]);
  expect(asked()).toBe(1);
});

test("a changed value is seen after five minutes, not before", async () => {
  const read = reader();
  await read();
  value = "second";
  clock.set("2026-10-04T12:04:59Z");
  expect(await read()).toBe("first");
  clock.set("2026-10-04T12:05:00Z");
  expect(await read()).toBe("second");
});

test("an outage keeps the old value, without waiting for each request; the new one is seen soon after", async () => {
  const read = reader();
  await read();
  proxy.fail({ do: "answer", status: 500 });
  clock.set("2026-10-04T12:10:00Z");
  expect(await read()).toBe("first");
  const afterFirst = asked();
  expect(await read()).toBe("first");
  expect(asked()).toBe(afterFirst);
  proxy.clear();
  value = "second";
  clock.set("2026-10-04T12:10:30Z");
  expect(await read()).toBe("second");
});

test.each([
  ["no rights", { do: "answer", status: 400, body: '{"__type":"AccessDeniedException"}' }],
  ["cut connections", { do: "cut" }],
  ["no answer at all", { do: "hang" }],
] as const)(
  "with nothing known: an error that says what to do, within seconds; then it works again (%s)",
  async (_, fault) => {
    const read = reader();
    proxy.fail(fault);
    const started = performance.now();
    await expect(read()).rejects.toMatchObject({
      code: "secret-unreadable",
      message: expect.stringMatching(
        /^TOKEN could not be read from Parameter Store\. Expected: .*\/tollbreaker\/token.* Fix: /,
      ),
    });
    expect(performance.now() - started).toBeLessThan(8_000);
    proxy.clear();
    expect(await read()).toBe("first");
  },
);
