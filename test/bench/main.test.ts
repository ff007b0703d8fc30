import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import * as z from "zod/mini";
import { EVERY_CASE } from "../support/every-case.ts";

const run = promisify(execFile);
const REPOSITORY = resolve(import.meta.dirname, "../..");
const bench = (...options: string[]) => run(process.execPath, ["bench/main.ts", ...options], { cwd: REPOSITORY });

const positive = z.number().check(z.positive());
const Rows = z.array(
  z.strictObject({
    measure: z.string().check(z.minLength(1)),
    unit: z.enum([
      "ms",
      "µs",
      "MB",
      "round trips",
      "requests",
      "messages",
      "a second",
      "per CPU second",
      "minutes",
      "of money",
      "a month",
    ]),
    ours: z.number(),
    peer: z.nullable(z.strictObject({ name: z.string(), value: positive })),
    ratio: z.nullable(positive),
    aim: z.nullable(z.record(z.enum(["atMost", "atLeast"]), z.optional(z.number()))),
    met: z.nullable(z.boolean()),
  }),
);

const MAY_BE_NONE: ReadonlySet<string> = new Set(["round trips", "a month", "requests", "messages"]);

// What is measured is up to the machine; that it is measured is not.
it.runIf(EVERY_CASE)("measures every row, and prints nothing but JSON", { timeout: 480_000 }, async () => {
  const { stdout } = await bench("--quick", "--json");
  const rows = z.parse(Rows, JSON.parse(stdout));
  const measured = rows.map(({ measure }) => measure);

  for (const file of await readdir(resolve(REPOSITORY, "handlers"))) {
    const name = file.replace(/\.ts$/, "");
    expect(measured).toContain(`cold start: import ${name}`);
    expect(measured).toContain(`cold start: process start to ${name} ready`);
  }
  expect(measured).toContain("cold start: import usage-trigger, first 403 answered");
  expect(measured).toContain("cold start: import usage-trigger, first 204 answered");
  expect(measured).toContain("webhook to suspend request: own work");
  expect(measured).toContain("webhooks verified on one core");
  for (const what of ["to the store", "to the inbox", "to Twilio", "all"]) {
    expect(measured).toContain(`webhook to suspend request: ${what}, in sequence`);
  }
  expect(rows.filter(({ aim }) => aim !== null)).toHaveLength(9);
  // Counts, not times: no machine is too slow for them.
  for (const what of ["to the store, in all", "in the inbox, in all"]) {
    const measure = `flood of errors of one account: ${what}`;
    expect(rows.find((row) => row.measure === measure)).toMatchObject({ met: true });
  }
  expect(measured).toContain("flood of errors of one account: own work for each");
  expect(measured).toContain("flood of errors of one account: its usage trigger's webhook to suspend request");
  for (const what of ["its own firing", "an operator's command", "another account's firing"]) {
    expect(measured).toContain(`200 forged webhooks a second of one account: ${what} to suspend request`);
  }
  const waiting = "200 forged webhooks a second of one account: waiting in the inbox, at most";
  expect(rows.find(({ measure }) => measure === waiting)).toMatchObject({ met: true });
  const behind = "three warnings and garbage, then a firing: to the suspend request";
  for (const measure of [behind, `${behind}, while SNS hangs`]) expect(measured).toContain(measure);
  expect(measured).toContain("12 accounts trip at the same time: webhook to suspend request");
  for (const body of ["32 KB, 100 parameters", "262 KB, 62,000 parameters"]) {
    expect(measured).toContain(`refusing a forged webhook: ${body}`);
  }
  expect(rows.find(({ measure }) => /^sweep of .*: to Twilio for each$/.test(measure))).toMatchObject({ met: true });
  for (const what of ["time for each", "own work for each", "memory", "to the store, in all"]) {
    expect(measured.some((measure) => measure.startsWith("sweep of") && measure.endsWith(what))).toBe(true);
  }
  for (const rule of ["rate", "spike"]) {
    expect(measured).toContain(`attack of 100 an hour: seen by ${rule} after`);
    expect(measured).toContain(`false alarms of an account: ${rule}`);
  }
  for (const { peer, ratio, ours } of rows) expect(ratio).toBe(peer === null ? null : ours / peer.value);
  for (const { unit, ours } of rows) if (!MAY_BE_NONE.has(unit)) expect(ours).toBeGreaterThan(0);
});

it("measures what it is asked for, and prints nothing but JSON", async () => {
  const { stdout } = await bench("--quick", "--json", "--only", "refusals", "--only", "what each kind of limit sees");
  const rows = z.parse(Rows, JSON.parse(stdout));
  const measured = rows.map(({ measure }) => measure);
  expect(measured).toContain("refusing a forged webhook: 262 KB, 62,000 parameters");
  expect(measured).toContain("attack of 100 an hour: seen by spike after");
  expect(measured.some((measure) => measure.startsWith("cold start"))).toBe(false);
  for (const { peer, ratio, ours } of rows) expect(ratio).toBe(peer === null ? null : ours / peer.value);
});

it("fails on a measure that it does not have, and says which there are", async () => {
  const stderr = expect.stringMatching(/--only speed: there is no such measure\. Expected one of: cold starts, /);
  await expect(bench("--quick", "--only", "speed")).rejects.toMatchObject({ code: 1, stderr });
});

it("fails on an option it does not know", async () => {
  await expect(bench("--fast")).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("--fast") });
});
