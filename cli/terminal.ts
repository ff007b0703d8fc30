import { styleText } from "node:util";

/** Where a command writes: data on standard output, everything meant for the person's eyes only on standard error. */
export interface Terminal {
  /** One line, or several, of data. The final newline is added. */
  print(text: string): void;
  /** A message beside the data. */
  tell(text: string): void;
  paint: Paint;
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

export function terminal(
  stdout: Output,
  stderr: Output,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  return {
    print: (text) => void stdout.write(`${text}\n`),
    tell: (text) => void stderr.write(`${text}\n`),
    paint: isColoured(stdout, environment) ? paintAlways : paintNever,
    columns: Math.min(Math.max(stdout.columns ?? WIDEST, NARROWEST), WIDEST),
  };
}

// https://no-color.org: set and not empty, whatever the value.
function isColoured({ isTTY }: Output, environment: Readonly<Record<string, string | undefined>>): boolean {
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
