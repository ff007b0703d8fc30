import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startParameterStore } from "../../../bench/parameter-store.ts";
import { configuredOperators, OPERATORS_AGE } from "../../../lib/operators/configured-operators.ts";
import { makeToken } from "../../../lib/operators/operator-token.ts";
import { secretReaders } from "../../../lib/secrets.ts";
import { LOCAL_CREDENTIALS } from "../../../local/aws.ts";
import type { Listening } from "../../../local/listening.ts";
import { clockAt } from "../../local/twilio/webhook.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";

// Parameter Store as the SDK speaks to it, and files on the disk.

const listOf = (...names: string[]) =>
  JSON.stringify(names.map((name) => ({ name, sha256: makeToken().sha256, role: "operator" })));
const namesBy = async (operators: ReturnType<typeof configuredOperators>) =>
  (await operators()).map(({ name }) => name);

const PARAMETER = "/tollbreaker/operators";
const parameters: Record<string, string> = {};
let store: Listening;
let proxy: FaultProxy;
let directory: string;
const saved = { ...process.env };

beforeAll(async () => {
  store = await startParameterStore(parameters);
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-configured-"));
  proxy = await startFaultProxy(store.url);
  Object.assign(process.env, LOCAL_CREDENTIALS, { AWS_ENDPOINT_URL_SSM: proxy.url });
});
afterEach(async () => {
  await proxy.close();
  await rm(directory, { recursive: true });
  process.env = { ...saved };
});
afterAll(() => store.close());

const clock = clockAt("2026-10-04T12:00:00Z");
const onAws = () => {
  clock.set("2026-10-04T12:00:00Z");
  const environment = { OPERATORS_PARAMETER: PARAMETER };
  const secret = secretReaders(environment, ["OPERATORS"], { clock, ages: { OPERATORS: OPERATORS_AGE } });
  return configuredOperators(environment, secret("OPERATORS"));
};

describe("on AWS", () => {
  test("a warm function knows within half a minute that somebody is revoked", async () => {
    const operators = onAws();
    parameters[PARAMETER] = listOf("alice", "mallory");
    expect(await namesBy(operators)).toEqual(["alice", "mallory"]);
    parameters[PARAMETER] = listOf("alice");
    clock.set("2026-10-04T12:00:29Z");
    expect(await namesBy(operators)).toEqual(["alice", "mallory"]);
    expect(proxy.requests()).toHaveLength(1);
    clock.set("2026-10-04T12:00:30Z");
    expect(await namesBy(operators)).toEqual(["alice"]);
  });

  test("the list goes on through an outage of less than a quarter of an hour, and not of more", async () => {
    const operators = onAws();
    parameters[PARAMETER] = listOf("alice");
    await operators();
    proxy.fail({ do: "answer", status: 400, body: '{"__type":"AccessDeniedException"}' });
    for (const at of ["12:01:00", "12:10:00", "12:14:59"]) {
      clock.set(`2026-10-04T${at}Z`);
      expect(await namesBy(operators)).toEqual(["alice"]);
    }
    clock.set("2026-10-04T12:15:00Z");
    await expect(operators()).rejects.toMatchObject({ code: "secret-unreadable" });
    proxy.clear();
    clock.set("2026-10-04T12:15:05Z");
    expect(await namesBy(operators)).toEqual(["alice"]);
  });

  test("the quarter of an hour begins when the list was read, not when the outage was seen", async () => {
    const operators = onAws();
    parameters[PARAMETER] = listOf("alice");
    await operators();
    proxy.fail({ do: "answer", status: 400, body: '{"__type":"AccessDeniedException"}' });
    clock.set("2026-10-04T12:20:00Z");
    await expect(operators()).rejects.toMatchObject({ code: "secret-unreadable" });
  });
});

describe("locally", () => {
  test("a file is read at each request", async () => {
    const file = join(directory, "operators.json");
    const operators = configuredOperators({ OPERATORS: "", OPERATORS_FILE: file });
    await writeFile(file, listOf("local"));
    expect(await namesBy(operators)).toEqual(["local"]);
    await writeFile(file, listOf("local", "bob"));
    expect(await namesBy(operators)).toEqual(["local", "bob"]);
    await rm(file);
    await expect(operators()).rejects.toMatchObject({ code: "operators-unreadable" });
  });

  test("OPERATORS itself comes first", async () => {
    const operators = configuredOperators({
      OPERATORS: listOf("alice"),
      OPERATORS_FILE: join(directory, "none.json"),
      OPERATORS_PARAMETER: PARAMETER,
    });
    expect(await namesBy(operators)).toEqual(["alice"]);
  });

  test("nothing configured: nobody", async () => {
    expect(await configuredOperators({})()).toEqual([]);
  });
});
