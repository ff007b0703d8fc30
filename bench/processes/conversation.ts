import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { TollbreakerError } from "../../lib/errors.ts";

/** A process of the bench that answers each message with one of its own. */
export interface Conversation {
  /** @throws TollbreakerError `bench-process-failed` when it ends, or says nothing for a minute. */
  ask(message: unknown): Promise<unknown>;
  /** What it says unasked, once. */
  hear(): Promise<unknown>;
  close(): void;
}

interface Child {
  script: string;
  parameters: readonly string[];
  environment: Readonly<Record<string, string>>;
}

/** A process that is silent for longer is stuck. */
const LONGEST_MS = 300_000;

/** Starts `script` with nothing but `environment`. What it logs on standard output is dropped. */
export function converse({ script, parameters, environment }: Child): Conversation {
  const stdio = ["ignore", "ignore", "inherit", "ipc"] as const;
  const child = fork(script, [...parameters], { stdio: [...stdio], env: { ...environment } });
  return {
    ask(message) {
      // First the ear, then the question: the answer may be quick.
      const answer = messageFrom(child);
      child.send({ message });
      return answer;
    },
    hear: () => messageFrom(child),
    close() {
      // It may have failed, and be gone already.
      if (child.connected) child.disconnect();
    },
  };
}

async function messageFrom(child: ChildProcess): Promise<unknown> {
  const settled = new AbortController();
  const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(LONGEST_MS)]);
  try {
    const message = once(child, "message", { signal }).then(([sent]) => sent);
    return await Promise.race([message, once(child, "exit", { signal }).then(([code]) => Promise.reject(ended(code)))]);
  } catch (error) {
    throw signal.aborted ? silent() : error;
  } finally {
    settled.abort();
  }
}

const EXPECTED = `an answer within ${LONGEST_MS / 1000} seconds`;
const FIX = "mend what it wrote to standard error; nothing was measured";

function ended(code: unknown): TollbreakerError {
  const about = { expected: EXPECTED, got: `exit code ${code}`, fix: FIX };
  return new TollbreakerError("bench-process-failed", "A process of the bench ended before its time.", about);
}

function silent(): TollbreakerError {
  const about = { expected: EXPECTED, got: "nothing", fix: FIX };
  return new TollbreakerError("bench-process-failed", "A process of the bench is stuck.", about);
}
