import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runProcess } from "../../../bench/processes/run.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-run-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function script(code: string): Promise<string> {
  const path = join(directory, "script.mjs");
  await writeFile(path, `import { writeSync } from "node:fs";\n${code}`);
  return path;
}

it("returns what the process reported, whatever it logged, from an environment of its own", async () => {
  const path = await script(`console.log("a log line"); writeSync(3, JSON.stringify([process.argv[2], process.env]));`);
  expect(await runProcess(path, ["parameter"], { ONLY: "this" })).toEqual(["parameter", { ONLY: "this" }]);
});

it("says what the process complained of", async () => {
  const path = await script(`throw new Error("no such thing");`);
  const failure = expect.objectContaining({
    code: "bench-process-failed",
    got: expect.stringContaining("no such thing"),
  });
  await expect(runProcess(path, [], {})).rejects.toEqual(failure);
});

it("takes silence for a failure", async () => {
  await expect(runProcess(await script(""), [], {})).rejects.toMatchObject({ code: "bench-process-failed" });
});
