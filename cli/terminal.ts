import { styleText } from "node:util";
import { type Person, personAt, type Seat } from "./asking.ts";

/** Where a command writes: data on standard output, everything meant for the person's eyes only on standard error. */
export interface Terminal {
  /** One line, or several, of data. The final newline is added. */
  print(text: string): void;
  /** A message beside the data. */
  tell(text: string): void;
  /** What is being waited for, until the next line of anything. Shown only on a terminal; the empty text ends it. */
  status(text: string): void;
  /** For what is printed. */
  paint: Paint;
  /** For what is told. */
  shade: Paint;
  /** Undefined where nobody sits in front of it. */
  person: Person | undefined;
  /** Calls `listener` at Ctrl-C, instead of ending the process, until the function that it returns is called. */
  onInterrupt(listener: () => void): () => void;
  /** How many columns a line may fill. */
  columns: number;
}

export type Colour = "red" | "yellow" | "green" | "cyan" | "bold" | "dim";
export type Paint = (colour: Colour, text: string) => string;

interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

// Tables are made for these widths: a SID alone fills 34 columns.
const NARROWEST = 100;
const WIDEST = 120;

type Environment = Readonly<Record<string, string | undefined>>;

/** @param seat where to look for somebody to ask; nobody is there when left out. */
export function terminal(stdout: Output, stderr: Output, environment: Environment, seat?: Seat): Terminal {
  const line = statusLine(stderr, environment);
  const write = (output: Output, text: string) => {
    line.clear();
    output.write(`${text}\n`);
  };
  return {
    print: (text) => write(stdout, text),
    tell: (text) => write(stderr, text),
    status: (text) => line.show(text),
    paint: isColoured(stdout, environment) ? paintAlways : paintNever,
    shade: isColoured(stderr, environment) ? paintAlways : paintNever,
    person: seat && personAt(seat, line.clear),
    onInterrupt: (listener) => interruptible(seat, listener),
    columns: Math.min(Math.max(stdout.columns ?? WIDEST, NARROWEST), WIDEST),
  };
}

interface StatusLine {
  show(text: string): void;
  clear(): void;
}

/** One line at the bottom that is written over. */
function statusLine(stderr: Output, environment: Environment): StatusLine {
  if (stderr.isTTY !== true || environment["TERM"] === "dumb") return { show: () => {}, clear: () => {} };
  let isShown = false;
  const clear = () => {
    if (isShown) stderr.write("\r\u001b[K");
    isShown = false;
  };
  const show = (text: string) => {
    clear();
    isShown = text !== "";
    // A line that wraps could not be written over.
    if (isShown) stderr.write(text.slice(0, (stderr.columns ?? NARROWEST) - 1));
  };
  return { show, clear };
}

function interruptible(seat: Seat | undefined, listener: () => void): () => void {
  seat?.interrupts.on("SIGINT", listener);
  return () => void seat?.interrupts.off("SIGINT", listener);
}

// https://no-color.org: set and not empty, whatever the value.
function isColoured({ isTTY }: Output, environment: Environment): boolean {
  return isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
}

const paintAlways: Paint = (colour, text) => styleText(colour, text, { validateStream: false });
const paintNever: Paint = (_colour, text) => text;

// Control characters (escape sequences begin with one), invisible and direction-changing characters, line separators.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * `text` from outside, safe to print: what could move the cursor, hide text or start a new line is shown as `\u{1b}`.
 * Names of accounts are chosen by whoever made the account.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** `value` as one line of JSON, in which every unprintable character is a JSON escape: the same value, safe to print. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(UNPRINTABLE, (character) =>
    [...Array(character.length).keys()].map((index) => jsonEscape(character.charCodeAt(index))).join(""),
  );
}

function jsonEscape(codeUnit: number): string {
  return `\\u${codeUnit.toString(16).padStart(4, "0")}`;
}
