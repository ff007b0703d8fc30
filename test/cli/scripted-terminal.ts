import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { run } from "../../cli/program.ts";
import { terminal } from "../../cli/terminal.ts";

export interface Screen {
  code: number;
  stdout: string;
  /** What was told, and every question. */
  stderr: string;
}

export interface Script {
  /** What the person types at each question, in order; left out, nobody sits there. */
  answers?: readonly string[];
  /** Called with each line that is written, so that a test can act in the middle. */
  onOutput?: (text: string, interrupt: () => void) => void;
}

/** Runs a command line in this process, with streams for a terminal. Every answer is typed once its question is there. */
export async function runAt(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  { answers, onOutput = () => {} }: Script = {},
): Promise<Screen> {
  const isTTY = answers !== undefined;
  const interrupts = new EventEmitter();
  const written = { stdout: "", stderr: "" };
  const left = [...(answers ?? [])];
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = (name: "stdout" | "stderr", asks: boolean) => {
    const stream = Object.assign(new PassThrough(), { isTTY: isTTY && asks, columns: 200 });
    stream.on("data", (chunk: Buffer) => {
      written[name] += chunk.toString();
      onOutput(chunk.toString(), () => void interrupts.emit("SIGINT"));
      if (asks && isQuestion(chunk.toString())) input.write(left.shift() ?? "\u0004");
    });
    return stream;
  };
  const [stdout, stderr] = [output("stdout", false), output("stderr", true)];
  const seat = { input, output: stderr, interrupts };
  const code = await run(words, environment, terminal(stdout, stderr, { ...environment, TERM: "dumb" }, seat));
  return { code, ...written };
}

// The line editor writes each question in one piece.
function isQuestion(text: string): boolean {
  return /(\? |: )$/.test(text);
}
