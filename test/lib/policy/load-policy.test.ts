import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { policy } from "../../../lib/policy/current-policy.ts";
import { loadPolicy, loadPolicyFile } from "../../../lib/policy/load-policy.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-policy-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(directory, name), content);
  return join(directory, name);
}

test("without POLICY_FILE, or with an empty one, it is the project's own", () => {
  expect(loadPolicy({})).toEqual(loadPolicy({ POLICY_FILE: "" }));
  expect(Object.keys(loadPolicy({}).limits)).toContain("daily-spend");
  expect(loadPolicyFile().name).toBe("policy.yml");
});

test("the policy of this run is that of its environment", () => {
  expect(policy).toEqual(loadPolicy(process.env));
});

test("POLICY_FILE names another", async () => {
  const path = await file("observe.yml", "mode: observe");
  expect(loadPolicy({ POLICY_FILE: path }).mode).toBe("observe");
});

test("a byte order mark is no part of the policy", async () => {
  expect(loadPolicy({ POLICY_FILE: await file("bom.yml", "\ufeffmode: observe") }).mode).toBe("observe");
});

test("a policy that is not there is an error that says where it was looked for", () => {
  const missing = join(directory, "missing.yml");
  expect(() => loadPolicy({ POLICY_FILE: missing })).toThrowError(
    expect.objectContaining({ code: "policy-unreadable", message: expect.stringContaining(missing) }),
  );
});

test.each([
  ["a directory", async () => directory, "it is no file"],
  ["UTF-16", () => file("utf16.yml", Buffer.from("\ufeffmode: observe", "utf16le")), "it is not UTF-8 text"],
])("%s is no policy", async (_what, path, reason) => {
  const POLICY_FILE = await path();
  expect(() => loadPolicy({ POLICY_FILE })).toThrowError(
    expect.objectContaining({ code: "policy-unreadable", message: expect.stringContaining(reason) }),
  );
});
