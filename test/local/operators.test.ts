import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseRecords } from "../../lib/operators/operator-record.ts";
import { hashOf, makeToken } from "../../lib/operators/operator-token.ts";
import { keepLocalOperator, operatorsFileIn } from "../../local/operators.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-local-operators-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

const listed = async () => parseRecords(await readFile(operatorsFileIn(dataDir), "utf8"));
const local = (token: string) => ({ name: "local", sha256: hashOf(token).toString("hex"), role: "operator" });

test("the first start makes the list, readable only by who started it", async () => {
  const { token, file } = await keepLocalOperator(dataDir);
  expect(file).toBe(join(dataDir, "operators.json"));
  expect(await listed()).toEqual([local(token)]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("each start makes a new token, and keeps everyone else", async () => {
  const bob = { name: "bob", sha256: makeToken().sha256, role: "viewer" };
  await writeFile(operatorsFileIn(dataDir), JSON.stringify([bob]));
  const first = await keepLocalOperator(dataDir);
  const second = await keepLocalOperator(dataDir);
  expect(second.token).not.toBe(first.token);
  expect(await listed()).toEqual([local(second.token), bob]);
});

test("a list that can't be used is left alone, and named", async () => {
  await writeFile(operatorsFileIn(dataDir), "oops");
  await expect(keepLocalOperator(dataDir)).rejects.toMatchObject({
    code: "operators-invalid",
    fix: expect.stringContaining(operatorsFileIn(dataDir)),
  });
  expect(await readFile(operatorsFileIn(dataDir), "utf8")).toBe("oops");
});
