import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { TollbreakerError } from "../../lib/errors.ts";

/** A process that takes longer is stuck. */
const LONGEST_MS = 60_000;

/**
 * Runs `script` in a fresh Node with nothing but `environment`, and waits for it to end.
 * @returns what it reported: JSON on file descriptor 3, because handlers log on standard output.
 * @throws TollbreakerError `bench-process-failed`
 */
export async function runProcess(
  script: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<unknown> {
  const child = spawn(process.execPath, [script, ...parameters], {
    env: { ...environment },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    timeout: LONGEST_MS,
  });
  const [report, complaint, [code]] = await Promise.all([
    text(outputOf(child.stdio[3])),
    text(outputOf(child.stderr)),
    once(child, "exit"),
  ]);
  if (code !== 0 || report === "") throw failed(script, code, complaint);
  return JSON.parse(report);
}

function outputOf(stream: unknown): NodeJS.ReadableStream {
  if (isReadable(stream)) return stream;
  throw new TypeError("A pipe of the process is missing.");
}

function isReadable(stream: unknown): stream is NodeJS.ReadableStream {
  return typeof stream === "object" && stream !== null && "read" in stream;
}

function failed(script: string, code: unknown, complaint: string): TollbreakerError {
  return new TollbreakerError("bench-process-failed", `A process of the bench failed: ${script}.`, {
    expected: `a report within ${LONGEST_MS / 1000} seconds, and exit code 0`,
    got: `exit code ${code}, ${complaint.trim().slice(-2000) || "nothing on standard error"}`,
    fix: "mend what standard error says; nothing was measured",
  });
}
