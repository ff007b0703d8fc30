import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startParameterStore } from "../../bench/parameter-store.ts";
import { secretReaders } from "../../lib/secrets.ts";
import { LOCAL_CREDENTIALS } from "../../local/aws.ts";
import type { Listening } from "../../local/listening.ts";
import { clockAt } from "../local/twilio/webhook.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";

// Parameter Store as the SDK speaks to it, over real HTTP.

const parameters: Record<string, string | undefined> = {};
let store: Listening;
let proxy: FaultProxy;
const saved = { ...process.env };

beforeAll(async () => {
  store = await startParameterStore(parameters);
});
beforeEach(async () => {
  Object.assign(parameters, { "/tollbreaker/token": "first", "/tollbreaker/operators": "[]" });
  clock.set(START);
  proxy = await startFaultProxy(store.url);
  Object.assign(process.env, LOCAL_CREDENTIALS, { AWS_ENDPOINT_URL_SSM: proxy.url });
});
afterEach(async () => {
  await proxy.close();
  process.env = { ...saved };
});
afterAll(() => store.close());

const START = "2026-10-04T12:00:00.000Z";
const clock = clockAt(START);
const clockAfter = (milliseconds: number) => clock.set(new Date(Date.parse(START) + milliseconds).toISOString());
const set = (value: string | undefined) => {
  parameters["/tollbreaker/token"] = value;
};
const ENVIRONMENT = {
  TOKEN_PARAMETER: "/tollbreaker/token",
  OPERATORS_PARAMETER: "/tollbreaker/operators",
  PLAIN: "plain",
};
const readers = () =>
  secretReaders(ENVIRONMENT, ["TOKEN", "OPERATORS", "PLAIN"], {
    clock,
    ages: { OPERATORS: { freshMs: 30_000, keptMs: 60_000 } },
  });
const reader = () => secretReaders({ TOKEN_PARAMETER: "/tollbreaker/token" }, ["TOKEN"], { clock })("TOKEN");
const asked = () => proxy.requests().length;
const NO_RIGHTS = { do: "answer", status: 400, body: '{"__type":"AccessDeniedException"}' } as const;
const UNREADABLE = { code: "secret-unreadable" };

describe("without Parameter Store", () => {
  test.each([
    ["the variable itself", { TOKEN: "value", TOKEN_PARAMETER: "/ignored" }, "value"],
    ["nothing configured", {}, undefined],
    ["both empty", { TOKEN: "", TOKEN_PARAMETER: "" }, undefined],
  ])("%s", async (_, environment, expected) => {
    const read = secretReaders(environment, ["TOKEN"])("TOKEN");
    expect([await read(), await read({ not: "value" })]).toEqual([expected, expected]);
    expect(asked()).toBe(0);
  });
});

test("all of a function's parameters are read with one request, decrypted, once, however many ask", async () => {
  const secret = readers();
  const names = ["TOKEN", "OPERATORS", "TOKEN", "PLAIN"] as const;
  expect(await Promise.all(names.map((name) => secret(name)()))).toEqual(["first", "[]", "first", "plain"]);
  expect(await secret("OPERATORS")()).toBe("[]");
  expect(proxy.requests().map(({ body, operation }) => ({ operation, ...JSON.parse(body) }))).toEqual([
    {
      operation: "GetParameters",
      Names: ["/tollbreaker/token", "/tollbreaker/operators"],
      WithDecryption: true,
    },
  ]);
});

test("a parameter that does not exist reads as undefined, and keeps no other from being read", async () => {
  set(undefined);
  const secret = readers();
  expect([await secret("TOKEN")(), await secret("TOKEN")(), await secret("OPERATORS")()]).toEqual([
    undefined,
    undefined,
    "[]",
  ]);
  expect(asked()).toBe(1);
});

test.each([
  [
    "by its ARN",
    "arn:aws:ssm:eu-west-1:123456789012:parameter/token",
    { Name: "/token", ARN: "arn:aws:ssm:eu-west-1:123456789012:parameter/token" },
  ],
  ["with a version", "/token:3", { Name: "/token", Selector: ":3" }],
])("a parameter is found %s", async (_, parameter, answer) => {
  const body = JSON.stringify({ Parameters: [{ ...answer, Value: "there" }], InvalidParameters: [] });
  proxy.fail({ do: "answer", status: 200, body });
  expect(await secretReaders({ TOKEN_PARAMETER: parameter }, ["TOKEN"], { clock })("TOKEN")()).toBe("there");
});

test("an answer that does not mention the parameter is none: it may be there", async () => {
  proxy.fail({ do: "answer", status: 200, body: "{}" });
  await expect(reader()()).rejects.toMatchObject(UNREADABLE);
});

test("a changed value is seen after five minutes, not before; each secret has an age of its own", async () => {
  const secret = readers();
  const [read, other] = [secret("TOKEN"), secret("OPERATORS")];
  await read();
  set("second");
  clockAfter(29_999);
  expect([await read(), await other(), asked()]).toEqual(["first", "[]", 1]);
  clockAfter(30_000);
  expect([await other(), await read(), asked()]).toEqual(["[]", "second", 2]);
  set("third");
  clockAfter(330_000 - 1);
  expect(await read()).toBe("second");
  clockAfter(330_000);
  expect(await read()).toBe("third");
});

test("an outage keeps the old value, without waiting for each request; the new one is seen soon after", async () => {
  const read = reader();
  await read();
  proxy.fail(NO_RIGHTS);
  clockAfter(600_000);
  expect([await read(), await read(), await read()]).toEqual(["first", "first", "first"]);
  expect(asked()).toBe(2);
  proxy.clear();
  set("second");
  clockAfter(629_999);
  expect(await read()).toBe("first");
  clockAfter(630_000);
  expect(await read()).toBe("second");
});

test("what may be kept for a while only is unknown after it", async () => {
  const read = readers()("OPERATORS");
  await read();
  proxy.fail(NO_RIGHTS);
  clockAfter(59_999);
  expect(await read()).toBe("[]");
  clockAfter(60_000);
  await expect(read()).rejects.toMatchObject(UNREADABLE);
});

describe("while nothing is known", () => {
  test.each([
    ["no rights", NO_RIGHTS],
    ["cut connections", { do: "cut" }],
    ["no answer at all", { do: "hang" }],
  ] as const)("an error says what to do, within seconds; soon it works again (%s)", async (_, fault) => {
    const read = reader();
    proxy.fail(fault);
    const started = performance.now();
    await expect(read()).rejects.toMatchObject({
      ...UNREADABLE,
      message: expect.stringMatching(
        /^Secrets could not be read from Parameter Store\. Expected: .*\/tollbreaker\/token.* Fix: /,
      ),
    });
    expect(performance.now() - started).toBeLessThan(8_000);
    proxy.clear();
    clockAfter(200);
    expect(await read()).toBe("first");
  });

  test("it is asked after 0.2 s, 0.4 s and so on up to 5 s; whoever asks in between is told at once", async () => {
    const read = reader();
    proxy.fail(NO_RIGHTS);
    const pauses = [200, 400, 800, 1600, 3200, 5000, 5000, 5000];
    let [at, requests] = [0, 0];
    for (const pause of pauses) {
      await expect(read()).rejects.toMatchObject(UNREADABLE);
      requests += 1;
      clockAfter(at + pause - 1);
      await Promise.all(Array.from({ length: 100 }, () => expect(read()).rejects.toMatchObject(UNREADABLE)));
      expect(asked()).toBe(requests);
      at += pause;
      clockAfter(at);
    }
    proxy.clear();
    expect(await read()).toBe("first");
  });

  test("a thousand forged requests a second for a minute cost a dozen readings", async () => {
    const read = reader();
    proxy.fail(NO_RIGHTS);
    for (let at = 0; at < 60_000; at += 1) {
      clockAfter(at);
      await read().catch(() => undefined);
    }
    expect(asked()).toBeLessThan(18);
  });

  test("after it has worked again, the pauses are short again", async () => {
    const read = readers()("OPERATORS");
    proxy.fail(NO_RIGHTS);
    for (const at of [0, 200, 600]) {
      clockAfter(at);
      await expect(read()).rejects.toMatchObject(UNREADABLE);
    }
    proxy.clear();
    clockAfter(10_000);
    expect(await read()).toBe("[]");
    proxy.fail(NO_RIGHTS);
    clockAfter(80_000);
    await expect(read()).rejects.toMatchObject(UNREADABLE);
    proxy.clear();
    clockAfter(80_200);
    expect(await read()).toBe("[]");
  });
});

describe("a value that was refused", () => {
  test("is read again at once, with one request for all who ask", async () => {
    const read = reader();
    await read();
    set("second");
    expect(await Promise.all([1, 2, 3].map(() => read({ not: "first" })))).toEqual(["second", "second", "second"]);
    expect(asked()).toBe(2);
    expect(await read()).toBe("second");
  });

  test("that was replaced meanwhile is not read again", async () => {
    const read = reader();
    await read();
    expect(await read({ not: "an older one" })).toBe("first");
    expect(asked()).toBe(1);
  });

  test("is read at most once in five seconds, and the newest known value is given", async () => {
    const read = reader();
    await read();
    for (const at of [0, 1000, 4999]) {
      clockAfter(at);
      expect(await read({ not: "first" })).toBe("first");
    }
    expect(asked()).toBe(2);
    set("second");
    clockAfter(5000);
    expect(await read({ not: "first" })).toBe("second");
    expect(asked()).toBe(3);
  });

  test("is given all the same while Parameter Store is out", async () => {
    const read = reader();
    await read();
    proxy.fail(NO_RIGHTS);
    expect(await read({ not: "first" })).toBe("first");
    expect(await read()).toBe("first");
  });

  test("that nobody has read yet is read", async () => {
    expect(await reader()({ not: "of another function" })).toBe("first");
  });
});
