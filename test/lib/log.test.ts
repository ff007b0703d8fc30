import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { jsonLog } from "../../lib/log.ts";

afterEach(() => vi.unstubAllEnvs());

function linesOf(write: (log: ReturnType<typeof jsonLog>) => void) {
  const lines: string[] = [];
  write(jsonLog((line) => lines.push(line)));
  return lines;
}

test("one JSON object a line: level, time, event, and the fields", () => {
  const lines = linesOf((log) => {
    log.info("signal-stored", { id: "1", list: ["a"], nothing: undefined });
    log.warn("slow", { ms: 12 });
    log.error("broken", { reason: "first\nsecond" });
  });
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: "INFO", timestamp: expect.any(String), event: "signal-stored", id: "1", list: ["a"] },
    { level: "WARN", timestamp: expect.any(String), event: "slow", ms: 12 },
    { level: "ERROR", timestamp: expect.any(String), event: "broken", reason: "first\nsecond" },
  ]);
  for (const line of lines) expect(line).not.toContain("\n");
});

test("a count is a metric in CloudWatch's embedded format, with fields that do not split it", () => {
  const [line = ""] = linesOf((log) => log.count("WebhooksRefused", 2, { why: "unsigned" }));
  expect(JSON.parse(line)).toEqual({
    _aws: {
      Timestamp: expect.any(Number),
      CloudWatchMetrics: [
        { Namespace: "tollbreaker", Dimensions: [[]], Metrics: [{ Name: "WebhooksRefused", Unit: "Count" }] },
      ],
    },
    WebhooksRefused: 2,
    why: "unsigned",
  });
});

test("METRICS_NAMESPACE names the namespace of the metrics", () => {
  vi.stubEnv("METRICS_NAMESPACE", "tollbreaker-staging");
  const lines = linesOf((log) => {
    log.count("Signals", 1);
    log.measure("ContainmentTime", 12, "Milliseconds");
  });
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(line).toContain('"Namespace":"tollbreaker-staging"');
});

test("LOG_FILE names a file to append to", () => {
  const directory = mkdtempSync(join(tmpdir(), "tollbreaker-log-"));
  const file = join(directory, "log");
  vi.stubEnv("LOG_FILE", file);
  jsonLog().info("one");
  jsonLog().info("two");
  expect(readFileSync(file, "utf8")).toMatch(/^\{.*"one"\}\n\{.*"two"\}\n$/);
  rmSync(directory, { recursive: true });
});
