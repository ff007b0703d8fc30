import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DebuggerEnv, NotifyEnv, OperatorApiEnv, RespondEnv, UsageTriggerEnv } from "../../lib/config.ts";

const DOCUMENT = join(import.meta.dirname, "../../docs/configuration.md");

test("docs/configuration.md has a row for every variable that a function reads, and none twice", async () => {
  const text = await readFile(DOCUMENT, "utf8");
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
  const read = [UsageTriggerEnv, DebuggerEnv, RespondEnv, NotifyEnv, OperatorApiEnv].flatMap(({ shape }) =>
    Object.keys(shape),
  );
  expect(rows).toEqual(expect.arrayContaining([...new Set(read)]));
  expect(new Set(rows).size).toBe(rows.length);
});
