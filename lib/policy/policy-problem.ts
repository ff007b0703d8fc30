/** A place in the policy file, from 1. Columns count UTF-16 code units. */
export interface Place {
  line: number;
  column: number;
}

/** Something wrong in the policy file, in words for the person who wrote it. */
export interface Problem {
  place: Place;
  /** The keys from the top to the wrong one; empty for the file as a whole. */
  path: readonly (string | number)[];
  /** Whole sentences. */
  text: string;
}

export type Path = Problem["path"];

// What a person could not see, or what would move the cursor of a terminal.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const LONGEST_QUOTE = 60;

/** `policy.yml:7:23 limits.daily-spend.at: Expected ...`: editors and terminals make the beginning a link. */
export function describe({ place, path, text }: Problem, fileName: string): string {
  const where = `${fileName}:${place.line}:${place.column}`;
  return path.length === 0 ? `${where} ${text}` : `${where} ${keyPath(path)}: ${text}`;
}

function keyPath(path: Path): string {
  const steps = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${quote(step)}`));
  return steps.join("").replace(/^\./, "");
}

/** What stands in the file, short and on one line. */
export function quote(text: string): string {
  const visible = text.slice(0, LONGEST_QUOTE).replaceAll(INVISIBLE, codePoint);
  return text.length > LONGEST_QUOTE ? `${visible}...` : visible;
}

/** In the order of the file. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((one, other) => one.place.line - other.place.line || one.place.column - other.place.column);
}

function codePoint(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
