import type { EventEmitter } from "node:events";
import { createInterface } from "node:readline/promises";
import { EXIT, Failure } from "./failure.ts";

/** Where somebody may sit. Questions go beside the data, to standard error. */
export interface Seat {
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream & { isTTY?: boolean };
  /** Where SIGINT arrives while nothing is asked. */
  interrupts: Pick<EventEmitter, "on" | "off">;
}

/** Whoever sits in front of the command line. */
export interface Person {
  /** The answer, trimmed. Rejects with Failure `stopped` when the person pressed Ctrl-C or Ctrl-D instead. */
  ask(question: string): Promise<string>;
}

/** Undefined unless both ends are a terminal: nobody must be waited for who can't see the question, or answer it. */
export function personAt({ input, output }: Seat, beforeEach: () => void): Person | undefined {
  if (input.isTTY !== true || output.isTTY !== true) return undefined;
  const ask = async (question: string) => {
    beforeEach();
    const answer = await askOnce(question, { input, output });
    if (answer === undefined) {
      output.write("\n");
      throw stopped();
    }
    return answer.trim();
  };
  return { ask };
}

// An interface for each question: lines pasted along with an answer must not answer the next one, which nobody has seen.
async function askOnce(question: string, { input, output }: Pick<Seat, "input" | "output">) {
  const reader = createInterface({ input, output, terminal: true, historySize: 0 });
  const end = new AbortController();
  // Both end the question: without this, it would wait for ever.
  reader.once("SIGINT", () => end.abort());
  reader.once("close", () => end.abort());
  try {
    return await reader.question(question, { signal: end.signal });
  } catch (thrown) {
    if (end.signal.aborted) return undefined;
    throw thrown;
  } finally {
    reader.close();
  }
}

/** For whoever does not want it after all. */
export function stopped(): Failure {
  return new Failure(EXIT.refused, "stopped", "Stopped: nothing was asked for, and nothing was changed.");
}
