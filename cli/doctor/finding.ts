import { TollbreakerError } from "../../lib/errors.ts";
import { type Colour, type Paint, printable } from "../terminal.ts";

/** One thing that was looked at. */
export interface Finding {
  about: string;
  /** `open`: only a live account, or somebody's say-so, can answer it. */
  grade: "good" | "warn" | "wrong" | "open";
  seen: string;
  /** What to do about it; null where nothing is to be done. */
  mend: string | null;
}

export const good = (about: string, seen: string): Finding => ({ about, grade: "good", seen, mend: null });
export const warn = (about: string, seen: string, mend: string): Finding => ({ about, grade: "warn", seen, mend });
export const wrong = (about: string, seen: string, mend: string): Finding => ({ about, grade: "wrong", seen, mend });
export const open = (about: string, seen: string, mend: string): Finding => ({ about, grade: "open", seen, mend });

/** What a command would have ended with, as something that was seen. @throws whatever was not thrown on purpose. */
export function wrongBy(about: string, thrown: unknown): Finding {
  if (!(thrown instanceof TollbreakerError)) throw thrown;
  const { message, fix = "see docs/errors.md", code } = thrown;
  return wrong(about, `${message.replace(` Fix: ${fix}.`, "")} (${code})`, fix);
}

const MARKS: Readonly<Record<Finding["grade"], readonly [mark: string, colour: Colour]>> = {
  good: ["✓", "green"],
  warn: ["!", "yellow"],
  wrong: ["✗", "red"],
  open: ["?", "cyan"],
};

const ABOUT_WIDTH = 16;

/** One line, whatever was seen. */
export function lineOf({ about, grade, seen, mend }: Finding, paint: Paint): string {
  const [mark, colour] = MARKS[grade];
  const advice = mend === null ? "" : ` ${paint("dim", "→")} ${printable(mend)}`;
  return `${paint(colour, mark)} ${about.padEnd(ABOUT_WIDTH)} ${printable(seen)}${advice}`;
}
