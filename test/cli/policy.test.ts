import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { policyJsonSchema } from "../../lib/policy/policy-json-schema.ts";
import { tollbreaker } from "./command-line.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-cli-policy-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function policy(text: string): Promise<string> {
  const path = join(directory, `${crypto.randomUUID()}.yml`);
  await writeFile(path, text);
  return path;
}

test("the project's policy is fine, and what is in it is counted", async () => {
  const { code, stdout, stderr } = await tollbreaker(["policy", "check"]);
  expect(stdout).toBe(
    "policy.yml is fine: mode enforce, 3 limits, 1 hourly rule, 2 error rules, 0 exemptions, 0 accounts with values of their own.\n",
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

test("what may not be meant is noted beside the answer", async () => {
  const path = await policy("mode: observe");
  expect(await tollbreaker(["policy", "check", path])).toEqual({
    code: 0,
    stdout: `${path} is fine: mode observe, 0 limits, 0 hourly rules, 0 error rules, 0 exemptions, 0 accounts with values of their own.\n`,
    stderr: "Note: mode is observe: nothing is suspended.\n",
  });
});

test("a wrong policy is exit code 1, each problem on a line of its own", async () => {
  const path = await policy("mode: no\nunlisted: no\n");
  expect(await tollbreaker(["policy", "check", path])).toEqual({
    code: 1,
    stdout: "",
    stderr: [
      `${path}:1:7 mode: Expected \`enforce\` or \`observe\`, for example \`mode: enforce\`. Got: no.`,
      `${path}:2:11 unlisted: Expected \`alert\` or \`suspend\`, for example \`unlisted: suspend\`. Got: no.`,
      `tollbreaker: ${path} cannot be used: 2 problems. (policy-invalid)\n`,
    ].join("\n"),
  });
});

test("POLICY_FILE names the policy to check, unless the command does", async () => {
  const [wrong, right] = [await policy("mode: no"), await policy("mode: enforce")];
  expect((await tollbreaker(["policy", "check"], { POLICY_FILE: wrong })).code).toBe(1);
  expect((await tollbreaker(["policy", "check", right], { POLICY_FILE: wrong })).code).toBe(0);
});

test("a policy that is not there is exit code 1, with where it was looked for", async () => {
  const { code, stderr } = await tollbreaker(["policy", "check", join(directory, "none.yml")]);
  expect(code).toBe(1);
  expect(stderr).toContain("none.yml cannot be read: ENOENT");
});

test("the schema is JSON on standard output", async () => {
  const { code, stdout } = await tollbreaker(["policy", "schema"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(policyJsonSchema());
});
