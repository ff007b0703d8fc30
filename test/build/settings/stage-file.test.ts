import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadStageFile, missingStageFile } from "../../../build/settings/stage-file.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-stages-"));
  await mkdir(join(directory, "stages"));
});
afterEach(() => rm(directory, { recursive: true }));

const put = (name: string, content: string | Buffer) => writeFile(join(directory, "stages", name), content);

test("is found by the name of the stage", async () => {
  await put("prod.yml", "mode: enforce\n");
  expect(loadStageFile(directory, "prod")).toEqual({ name: "stages/prod.yml", text: "mode: enforce\n" });
  expect(loadStageFile(directory, "staging")).toEqual({ name: "stages/staging.yml", text: undefined });
});

test("is not there where there is no directory either", () => {
  expect(loadStageFile(join(directory, "nowhere"), "prod").text).toBeUndefined();
});

test.each(["prod.yaml", "Prod.yml", "PROD.YAML"])("%s is not passed over in silence", async (name) => {
  await put(name, "mode: enforce\n");
  expect(() => loadStageFile(directory, "prod")).toThrow(
    `The settings of the stage prod are looked for in stages/prod.yml. Got: stages/${name}. Fix: mv stages/${name} stages/prod.yml.`,
  );
});

test("that is no UTF-8 text, or no file, is an error that names it", async () => {
  await put("prod.yml", Buffer.from([0xff, 0xfe]));
  await mkdir(join(directory, "stages/staging.yml"));
  expect(() => loadStageFile(directory, "prod")).toThrow("stages/prod.yml cannot be read: ");
  expect(() => loadStageFile(directory, "staging")).toThrow("stages/staging.yml cannot be read: EISDIR");
});

test("a deployment without it is told how to make it, and which stage was probably meant", async () => {
  await put("prod.yml", "");
  await put("prod.example.yml", "");
  expect(missingStageFile(directory, "prdo").message).toBe(
    "The stage prdo has no settings. Expected: a file stages/prdo.yml. " +
      "Got: there are files for: prod (did you mean --stage prod?). " +
      "Fix: cp stages/prod.example.yml stages/prdo.yml, say in it who gets the alerts, and keep it with the code.",
  );
});
