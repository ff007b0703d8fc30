import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OperatorRecord } from "../../../lib/operators/operator-record.ts";
import { makeToken } from "../../../lib/operators/operator-token.ts";
import { changeOperatorsFile, readOperatorsFile } from "../../../lib/operators/operators-file.ts";

const record = (name: string): OperatorRecord => ({ name, sha256: makeToken().sha256, role: "viewer" });
const alice = record("alice");
const bob = record("bob");

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-operators-"));
  file = join(directory, "operators.json");
});
afterEach(() => rm(directory, { recursive: true }));

const listed = async (): Promise<OperatorRecord[]> => JSON.parse(await readOperatorsFile(file));
const add = (added: OperatorRecord) => changeOperatorsFile(file, (records) => [...records, added]);

describe("changeOperatorsFile", () => {
  test("keeps everyone else, one a line, readable only by the owner", async () => {
    await writeFile(file, JSON.stringify([alice]));
    await chmod(file, 0o644);
    await add(bob);
    expect(await listed()).toEqual([alice, bob]);
    expect((await readFile(file, "utf8")).trimEnd().split("\n")).toHaveLength(4);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(["operators.json"]);
  });

  test("loses none of twenty changes at once", async () => {
    await writeFile(file, "[]");
    const records = Array.from({ length: 20 }, (_, index) => record(`operator ${index}`));
    await Promise.all(records.map(add));
    expect((await listed()).map(({ name }) => name).toSorted()).toEqual(records.map(({ name }) => name).toSorted());
  });

  test("is never seen half done", async () => {
    await writeFile(file, JSON.stringify([alice]));
    const names = new Set<number>();
    const adding = Promise.all(Array.from({ length: 10 }, (_, index) => add(record(`operator ${index}`))));
    for (let reads = 0; reads < 200; reads += 1) names.add((await listed()).length);
    await adding;
    expect(Math.min(...names)).toBeGreaterThanOrEqual(1);
  });

  test.each([
    ["a list that can't be used", '[{"name": "alice"}]', "operators-invalid"],
    ["text that is no JSON", "alice", "operators-invalid"],
  ])("leaves %s as it was, and names the file", async (_what, text, code) => {
    await writeFile(file, text);
    await expect(add(bob)).rejects.toMatchObject({ code, fix: expect.stringContaining(file) });
    expect(await readFile(file, "utf8")).toBe(text);
    expect(await readdir(directory)).toEqual(["operators.json"]);
  });

  test("leaves the list as it was when the change is refused", async () => {
    await writeFile(file, JSON.stringify([alice]));
    const refused = changeOperatorsFile(file, () => {
      throw new Error("no");
    });
    await expect(refused).rejects.toThrow("no");
    expect(await listed()).toEqual([alice]);
    await add(bob);
    expect(await listed()).toEqual([alice, bob]);
  });

  test.each([
    ["no such file", "nobody.json"],
    ["no such folder", "nowhere/operators.json"],
  ])("makes no list out of nothing: %s", async (_what, name) => {
    const missing = join(directory, name);
    await expect(changeOperatorsFile(missing, () => [alice])).rejects.toMatchObject({
      code: "operators-unreadable",
      fix: expect.stringContaining("echo '[]'"),
    });
    expect(await readdir(directory)).toEqual([]);
  });

  test("waits for another change, then gives up and says so", async () => {
    await writeFile(file, "[]");
    await writeFile(`${file}.draft`, "");
    await expect(add(bob)).rejects.toMatchObject({ code: "operators-busy" });
    expect(await listed()).toEqual([]);
  });

  test("takes over from one that was killed", async () => {
    await writeFile(file, "[]");
    await writeFile(`${file}.draft`, "");
    const longAgo = Date.now() / 1000 - 60;
    await utimes(`${file}.draft`, longAgo, longAgo);
    await add(bob);
    expect(await listed()).toEqual([bob]);
  });

  // Two that find it abandoned at slightly other moments: the later must not remove what the earlier has made by then.
  test("of many that find it abandoned one after the other, loses none", async () => {
    for (let round = 0; round < 6; round += 1) {
      await writeFile(file, "[]");
      await writeFile(`${file}.draft`, "");
      const longAgo = Date.now() / 1000 - 60;
      await utimes(`${file}.draft`, longAgo, longAgo);
      const records = Array.from({ length: 10 }, (_, index) => record(`operator ${index}`));
      await Promise.all(records.map((one, index) => turns(index).then(() => add(one))));
      expect((await listed()).map(({ name }) => name).toSorted()).toEqual(records.map(({ name }) => name).toSorted());
      expect(await readdir(directory)).toEqual(["operators.json"]);
    }
  });
});

async function turns(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed += 1) await nextTurn();
}
