import { run } from "../../cli/program.ts";
import { terminal } from "../../cli/terminal.ts";
import type { Ended } from "./command-line.ts";

/** As `tollbreaker()`, in this process: faster, and with a hand at Ctrl-C. */
export async function inProcess(
  words: readonly string[],
  environment: Record<string, string>,
  { isTTY = false, interrupts }: { isTTY?: boolean; interrupts?: NodeJS.EventEmitter } = {},
): Promise<Ended> {
  const written = { stdout: "", stderr: "" };
  const output = (name: keyof typeof written) => ({
    isTTY,
    write: (text: string) => {
      written[name] += text;
      return true;
    },
  });
  const person = interrupts && { input: process.stdin, output: process.stderr, interrupts };
  const screen = terminal(output("stdout"), output("stderr"), environment, person);
  const code = await run(words, environment, screen);
  return { code, ...written };
}
