import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import policyPlugin from "../../build/policy-plugin.cjs";
import { loadPolicy } from "../../lib/policy/load-policy.ts";

const REPOSITORY = resolve(import.meta.dirname, "../..");
const CURRENT = join(REPOSITORY, "lib/policy/current-policy.ts");

/** Serverless's own error, which it shows without a stack. */
class ServerlessError extends Error {
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}
const pluginsFor = (serviceDir: string): Plugin[] => policyPlugin({ serviceDir, classes: { Error: ServerlessError } });

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-plugin-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test("a bundle holds the checked policy, and neither YAML nor the schema", async () => {
  const outfile = join(directory, "bundle.mjs");
  const { metafile } = await build({
    entryPoints: [CURRENT],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    metafile: true,
    plugins: pluginsFor(REPOSITORY),
  });
  expect(Object.keys(metafile.inputs)).toEqual(["lib/policy/current-policy.ts"]);
  // In a process of its own, and elsewhere: the bundle reads no file.
  const script = `import { policy } from ${JSON.stringify(pathToFileURL(outfile).href)}; console.log(JSON.stringify(policy));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    cwd: directory,
  });
  expect(JSON.parse(stdout)).toEqual(loadPolicy({}));
});

test("a wrong policy stops the packaging with every problem, as an error that Serverless shows plainly", async () => {
  await writeFile(join(directory, "policy.yml"), "mode: no\nunlisted: no\n");
  expect(() => pluginsFor(directory)).toThrowError(
    expect.objectContaining({
      constructor: ServerlessError,
      code: "POLICY_INVALID",
      message: expect.stringMatching(
        /cannot be used: 2 problems\.\n.*policy\.yml:1:7 mode: .*\n.*policy\.yml:2:11 unlisted: /,
      ),
    }),
  );
});

test("a missing policy stops it too", () => {
  expect(() => pluginsFor(join(directory, "nowhere"))).toThrowError(/cannot be read: ENOENT/);
});
