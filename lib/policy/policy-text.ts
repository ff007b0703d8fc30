import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { messageOf } from "../errors.ts";
import { type Path, type Place, type Problem, quote } from "./policy-problem.ts";

/** YAML as plain data that remembers where each part of it stands. */
export type PolicyText = { kind: "data"; data: unknown; spots: Spots } | { kind: "wrong"; problems: Problem[] };

/** Where a value stands, and the key before it. */
interface Spot {
  key: Place;
  value: Place;
  /** A scalar as it is written in the file, without its quotes; "" for a map or a list. */
  source: string;
  /** What stands there, for people: `1e3`, `a list`, `nothing`. */
  came: string;
}

export interface Spots {
  /** The spot of exactly this path; undefined when the file has no such key. */
  at(path: Path): Spot | undefined;
}

const MOST_BYTES = 1024 * 1024;
// A policy is five levels deep. Aliases can make a small file large: each use counts.
const DEEPEST = 20;
const MOST_VALUES = 200_000;
const START: Place = { line: 1, column: 1 };

/**
 * Numbers other than plain whole ones come as the text in the file, because a number would lose digits (`0.10`), or
 * mean something else than it looks like (`1e3`). The rest is as YAML 1.2 says.
 */
export function readPolicyText(text: string): PolicyText {
  if (Buffer.byteLength(text) > MOST_BYTES) return wrong(START, "The file is larger than 1 MB. A policy is a page.");
  const lines = new LineCounter();
  const document = parse(text, lines);
  if (document instanceof Error) return wrong(START, `This is no YAML that can be read: ${messageOf(document)}.`);
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) return { kind: "wrong", problems: faults.map((fault) => fromYaml(fault, lines)) };
  if (document.contents === null || isNothing(document.contents)) return wrong(START, EMPTY);
  return new Reader(lines).read(document.contents);
}

const EMPTY = "The file is empty. Expected a policy: docs/policy.md shows one, and what each key means.";

// Unique keys are checked below: the parser compares each key with each other one, minutes for a file of 1 MB.
function parse(text: string, lineCounter: LineCounter): Document.Parsed | Error {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, version: "1.2" });
  } catch (error) {
    // The parser recurses, and its own guard is not everywhere.
    return error instanceof Error ? error : new Error(String(error));
  }
}

interface YamlFault {
  code: string;
  message: string;
  pos: [number, number];
}

function fromYaml({ code, message, pos }: YamlFault, lines: LineCounter): Problem {
  return { place: placeOf(lines, pos[0]), path: [], text: `${YAML_ADVICE[code] ?? sentence(message)}` };
}

const YAML_ADVICE: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "A tab stands where spaces must be. Indent with two spaces.",
  RESOURCE_EXHAUSTION: "This is nested too deeply. A policy is five levels deep.",
  MULTIPLE_DOCS: "A second document begins here. Expected one policy in the file: remove the `---`.",
};

function sentence(message: string): string {
  return `This is no valid YAML: ${quote(message)}.`;
}

function wrong(place: Place, text: string): PolicyText {
  return { kind: "wrong", problems: [{ place, path: [], text }] };
}

function isNothing(node: unknown): boolean {
  return isScalar(node) && sourceOf(node) === "" && node.value === null;
}

function placeOf(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  // An empty text has no lines.
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Turns one document into data. */
class Reader {
  readonly #lines: LineCounter;
  readonly #spots = new Map<string, Spot>();
  readonly #anchors = new Map<string, Node>();
  readonly #problems: Problem[] = [];
  #values = 0;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  read(root: Node): PolicyText {
    const data = this.#value(root, [], START);
    if (this.#problems.length > 0) return { kind: "wrong", problems: this.#problems };
    return { kind: "data", data, spots: { at: (path) => this.#spots.get(pathKey(path)) } };
  }

  #value(node: unknown, path: Path, key: Place): unknown {
    if (!this.#isWithinBounds(path, key)) return null;
    if (isAlias(node)) return this.#alias(node.source, path, key);
    this.#remember(node, path, key);
    if (isMap(node)) return this.#map(node, path);
    if (isSeq(node)) return this.#list(node, path);
    return isScalar(node) ? plain(node) : null;
  }

  /** Refuses once: what would follow is the same complaint again. */
  #isWithinBounds(path: Path, place: Place): boolean {
    this.#values++;
    if (path.length > DEEPEST) this.#refuse(place, [], "This is nested too deeply. A policy is five levels deep.");
    if (this.#values === MOST_VALUES) {
      this.#refuse(place, [], `There are more than ${MOST_VALUES} values up to here, counting each use of an alias.`);
    }
    return path.length <= DEEPEST && this.#values < MOST_VALUES;
  }

  #alias(name: string, path: Path, key: Place): unknown {
    const node = this.#anchors.get(name);
    if (node !== undefined) return this.#value(node, path, key);
    this.#refuse(key, path, `There is no anchor \`&${quote(name)}\` before this alias. Write the value itself.`);
    return null;
  }

  #remember(node: unknown, path: Path, key: Place): void {
    // Where nothing stands, the key is what a person can find.
    const value = isNothing(node) ? key : (this.#place(node) ?? key);
    const source = isScalar(node) ? sourceOf(node) : "";
    this.#spots.set(pathKey(path), { key: path.length === 0 ? value : key, value, source, came: nameOf(node) });
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor) this.#anchors.set(node.anchor, node);
  }

  #map(map: YAMLMap, path: Path): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    const seen = new Map<string, Place>();
    for (const pair of map.items) {
      const place = this.#place(pair.key) ?? START;
      const name = this.#name(pair.key, path, place);
      if (name === undefined || this.#isRepeated(name, seen, path, place)) continue;
      entries.push([name, this.#value(pair.value, [...path, name], place)]);
    }
    return Object.fromEntries(entries);
  }

  #list(list: YAMLSeq, path: Path): unknown[] {
    return list.items.map((item, index) => {
      const place = this.#place(item) ?? this.#place(list) ?? START;
      // `[a: 1]` is a list of one map.
      return isPair(item) ? null : this.#value(item, [...path, index], place);
    });
  }

  #name(key: unknown, path: Path, place: Place): string | undefined {
    const name = isScalar(key) ? sourceOf(key) : undefined;
    if (name === undefined) this.#refuse(place, path, "A key must be plain text: not a list, a map or an alias.");
    // No key of a policy, and in JavaScript not one like the others.
    if (name === "__proto__") this.#refuse(place, path, "There is no key `__proto__`.");
    return name === "__proto__" ? undefined : name;
  }

  #isRepeated(name: string, seen: Map<string, Place>, path: Path, place: Place): boolean {
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, place);
      return false;
    }
    this.#refuse(place, [...path, name], `This key stands here twice; the first is in line ${first.line}. Keep one.`);
    return true;
  }

  #place(node: unknown): Place | undefined {
    const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined;
    return range ? placeOf(this.#lines, range[0]) : undefined;
  }

  #refuse(place: Place, path: Path, text: string): void {
    this.#problems.push({ place, path, text });
  }
}

// Written out, so that no two paths share a key.
function pathKey(path: Path): string {
  return JSON.stringify(path);
}

const PLAIN_WHOLE = /^(0|[1-9]\d{0,14})$/;

function plain(scalar: Scalar): unknown {
  const { value } = scalar;
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  const source = sourceOf(scalar);
  return PLAIN_WHOLE.test(source) ? Number(source) : source;
}

function sourceOf({ source, value }: Scalar): string {
  return source ?? String(value ?? "");
}

function nameOf(node: unknown): string {
  if (isMap(node)) return node.items.length === 0 ? "a map without keys" : "a map";
  if (isSeq(node)) return node.items.length === 0 ? "an empty list" : "a list";
  const source = isScalar(node) ? sourceOf(node) : "";
  return source === "" ? "nothing" : quote(source);
}
