import { isMap, isScalar, LineCounter, type Pair, parseDocument } from "yaml";
import { describe, type Place, quote } from "../../lib/policy/policy-problem.ts";

/** One line `key: value` of a stage file. */
export interface StageLine {
  key: string;
  /** As it is written, without quotes; undefined where no plain value stands. */
  value: string | undefined;
  /** What stands there, for people. */
  came: string;
  /** Where: `stages/prod.yml:3:7`. */
  where: { key: string; value: string };
}

export type StageText = { kind: "lines"; lines: StageLine[] } | { kind: "wrong"; problems: string[] };

const START: Place = { line: 1, column: 1 };
const FLAT = "Expected settings, each on a line of its own, for example `mode: observe`.";

/** A stage file's lines, unchecked. A file of comments alone has none. */
export function readStageFile(text: string, fileName: string): StageText {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, version: "1.2" });
  const placeAt = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problem = (place: Place, what: string) => describe({ place, path: [], text: what }, fileName);
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    const problems = faults.map(({ pos, message }) => problem(placeAt(pos[0]), `This is no valid YAML: ${message}.`));
    return { kind: "wrong", problems };
  }
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return { kind: "lines", lines: [] };
  if (!isMap(contents)) return { kind: "wrong", problems: [problem(START, FLAT)] };
  const where = (node: unknown) => {
    const { line, column } = placeAt(offsetOf(node));
    return `${fileName}:${line}:${column}`;
  };
  return { kind: "lines", lines: contents.items.map((pair) => lineOf(pair, where)) };
}

function lineOf({ key, value }: Pair, where: (node: unknown) => string): StageLine {
  const text = textOf(value);
  return {
    key: textOf(key) ?? "(not a plain word)",
    value: text,
    came: text === undefined ? nameOf(value) : quote(text),
    where: { key: where(key), value: where(text === undefined ? key : value) },
  };
}

function textOf(node: unknown): string | undefined {
  if (!isScalar(node) || node.source === undefined || node.source === "") return undefined;
  return node.source;
}

function nameOf(node: unknown): string {
  if (node === null || isScalar(node)) return "nothing";
  return isMap(node) ? "a map" : "a list, or something else than a plain value";
}

function offsetOf(node: unknown): number {
  return isScalar(node) ? (node.range?.[0] ?? 0) : 0;
}
