import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as YAML from "yaml";
import * as z from "zod/mini";
import {
  DebuggerEnv,
  NotifyEnv,
  OperatorApiEnv,
  RespondEnv,
  SlackEnv,
  SweepEnv,
  SweepShardEnv,
  UsageTriggerEnv,
} from "../../lib/config.ts";

const read = (path: string) => readFileSync(join(import.meta.dirname, "../..", path), "utf8");
const page = read("docs/configuration.md");
const SCHEMAS = [
  ...[UsageTriggerEnv, DebuggerEnv, RespondEnv, SweepEnv, SweepShardEnv, NotifyEnv, OperatorApiEnv, SlackEnv],
];
const variables = [...new Set(SCHEMAS.flatMap(({ shape }) => Object.keys(shape)))];

/** The cells of each row of a table whose first one is a variable. */
const rows = page
  .split("\n")
  .filter((line) => /^\| `[A-Z_]+` \|/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")));

// Intrinsic functions (`!Ref`) stay as they are written: only names are read.
const Variables = z.record(z.string(), z.unknown());
const Template = z.object({
  provider: z.object({ environment: Variables }),
  functions: z.record(z.string(), z.object({ handler: z.string(), environment: Variables })),
});
const { functions, provider } = z.parse(Template, YAML.parse(read("serverless.yml"), { logLevel: "silent" }));
const settings = Object.values(functions).map(({ handler, environment }) => ({
  name: handler.replace(/^handlers\/(.*)\.handler$/, "$1"),
  variables: Object.keys(environment),
}));

describe("docs/configuration.md", () => {
  test("has a row for every variable that a function reads, and none twice", () => {
    const names = rows.map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(variables));
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(Object.keys(provider.environment))("says that every function is given %s on AWS", (variable) => {
    expect(rows.find(([, name]) => name === variable)?.[5]).toMatch(/^every function: /);
  });

  test("knows of each function", () => {
    expect(settings).toHaveLength(SCHEMAS.length);
  });

  test.each(variables)("says which functions are given %s on AWS", (variable) => {
    const [, , , , , onAws = ""] = rows.find(([, name]) => name === variable) ?? [];
    const told = onAws.replace(/:.*/, "").split(", ");
    const given = settings.filter((one) => one.variables.includes(variable)).map(({ name }) => name);
    expect(told).toEqual(given.length === 0 ? ["not set"] : given);
  });
});
