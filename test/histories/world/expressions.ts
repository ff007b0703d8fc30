import { isDeepStrictEqual } from "node:util";

/**
 * The expressions of DynamoDB that the project uses, over items as the document client gives them.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
 */
export type Item = Readonly<Record<string, unknown>>;

/** What an expression's `#names` and `:values` stand for. */
export interface Substitutes {
  names?: Readonly<Record<string, string>> | undefined;
  values?: Readonly<Record<string, unknown>> | undefined;
}

/** Whether `expression`, a condition, holds for `item`; an item that is not there has no attributes. */
export function holds(expression: string, item: Item, substitutes: Substitutes): boolean {
  return new Reader(expression, item, substitutes).condition();
}

/** What `expression`, an update, makes of `item`. */
export function updated(expression: string, item: Item, substitutes: Substitutes): Item {
  return new Reader(expression, item, substitutes).update();
}

const TOKEN = /\s*(<>|<=|>=|[=<>(),.+-]|\[\d+\]|[#:]?[A-Za-z_][A-Za-z0-9_]*)/gy;
const tokensOf = new Map<string, readonly string[]>();

function tokens(expression: string): readonly string[] {
  const known = tokensOf.get(expression);
  if (known !== undefined) return known;
  const found = [...expression.matchAll(TOKEN)].map(([, token = ""]) => token);
  if (found.join("") !== expression.replaceAll(/\s+/g, "")) throw new Error(`cannot be read: ${expression}`);
  tokensOf.set(expression, found);
  return found;
}

const COMPARISONS = ["=", "<>", "<", "<=", ">", ">="];
const SECTIONS = ["SET", "REMOVE", "ADD", "DELETE"];

class Reader {
  readonly #expression: string;
  readonly #tokens: readonly string[];
  readonly #item: Item;
  readonly #substitutes: Substitutes;
  #at = 0;

  constructor(expression: string, item: Item, substitutes: Substitutes) {
    this.#expression = expression;
    this.#tokens = tokens(expression);
    this.#item = item;
    this.#substitutes = substitutes;
  }

  condition(): boolean {
    const result = this.#either();
    if (this.#peek() !== undefined) throw this.#unknown();
    return result;
  }

  // Both sides are read whatever the first one says: reading is what moves on.
  #either(): boolean {
    let result = this.#both();
    while (this.#takes("OR")) {
      const other = this.#both();
      result = result || other;
    }
    return result;
  }

  #both(): boolean {
    let result = this.#one();
    while (this.#takes("AND")) {
      const other = this.#one();
      result = result && other;
    }
    return result;
  }

  #one(): boolean {
    if (this.#takes("NOT")) return !this.#one();
    if (this.#takes("(")) {
      const result = this.#either();
      this.#expect(")");
      return result;
    }
    if (this.#takes("attribute_exists")) return this.#ofPath() !== undefined;
    if (this.#takes("attribute_not_exists")) return this.#ofPath() === undefined;
    if (this.#takes("contains")) return this.#pair(contains);
    if (this.#takes("begins_with")) return this.#pair((whole, start) => String(whole ?? "").startsWith(String(start)));
    return this.#comparison(this.#operand());
  }

  #ofPath(): unknown {
    this.#expect("(");
    const value = this.#operand();
    this.#expect(")");
    return value;
  }

  #pair<T>(make: (one: unknown, other: unknown) => T): T {
    this.#expect("(");
    const one = this.#operand();
    this.#expect(",");
    const other = this.#operand();
    this.#expect(")");
    return make(one, other);
  }

  #comparison(left: unknown): boolean {
    if (this.#takes("BETWEEN")) {
      const from = this.#operand();
      this.#expect("AND");
      const to = this.#operand();
      return compares(left, ">=", from) && compares(left, "<=", to);
    }
    if (this.#takes("IN")) {
      this.#expect("(");
      const all = [this.#operand()];
      while (this.#takes(",")) all.push(this.#operand());
      this.#expect(")");
      return all.some((one) => compares(left, "=", one));
    }
    const comparison = this.#take();
    if (!COMPARISONS.includes(comparison)) throw this.#unknown();
    return compares(left, comparison, this.#operand());
  }

  update(): Item {
    const next: Record<string, unknown> = { ...this.#item };
    while (this.#peek() !== undefined) {
      const section = this.#take();
      if (!SECTIONS.includes(section)) throw this.#unknown();
      do this.#action(section, next);
      while (this.#takes(","));
    }
    return next;
  }

  #action(section: string, next: Record<string, unknown>): void {
    const path = this.#path();
    put(next, path, this.#valueFor(section, at(next, path)));
  }

  #valueFor(section: string, there: unknown): unknown {
    if (section === "REMOVE") return undefined;
    if (section === "SET") {
      this.#expect("=");
      return this.#operand();
    }
    return section === "ADD" ? added(there, this.#operand()) : without(there, this.#operand());
  }

  #operand(): unknown {
    const token = this.#peek() ?? "";
    if (token.startsWith(":")) {
      this.#take();
      const { values = {} } = this.#substitutes;
      if (!(token in values)) throw new Error(`there is no value ${token}: ${this.#expression}`);
      return values[token];
    }
    if (this.#takes("size")) return sizeOf(this.#ofPath());
    if (this.#takes("list_append")) return this.#pair((one, other) => [...listOf(one), ...listOf(other)]);
    if (this.#takes("if_not_exists")) return this.#pair((one, other) => one ?? other);
    return at(this.#item, this.#path());
  }

  #path(): string[] {
    const path = [this.#name()];
    for (;;) {
      if (this.#takes(".")) path.push(this.#name());
      else if (this.#peek()?.startsWith("[")) path.push(this.#take().slice(1, -1));
      else return path;
    }
  }

  #name(): string {
    const token = this.#take();
    if (!token.startsWith("#")) return token;
    const name = this.#substitutes.names?.[token];
    if (name === undefined) throw new Error(`there is no name ${token}: ${this.#expression}`);
    return name;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #take(): string {
    const token = this.#peek();
    if (token === undefined) throw this.#unknown();
    this.#at += 1;
    return token;
  }

  #takes(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#takes(token)) throw this.#unknown();
  }

  #unknown(): Error {
    return new Error(`test/histories does not know this at word ${this.#at + 1}: ${this.#expression}`);
  }
}

/** What is of two types is neither equal nor in any order. */
function compares(left: unknown, comparison: string, right: unknown): boolean {
  if (left === undefined || right === undefined) return false;
  if (comparison === "=") return isDeepStrictEqual(left, right);
  if (comparison === "<>") return !isDeepStrictEqual(left, right);
  const order = orderOf(left, right);
  if (order === undefined) return false;
  if (comparison === "<") return order < 0;
  if (comparison === "<=") return order <= 0;
  return comparison === ">" ? order > 0 : order >= 0;
}

function orderOf(left: unknown, right: unknown): number | undefined {
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (typeof left === "string" && typeof right === "string") return left < right ? -1 : Number(left > right);
  return undefined;
}

function contains(whole: unknown, part: unknown): boolean {
  if (whole instanceof Set) return whole.has(part);
  if (Array.isArray(whole)) return whole.includes(part);
  return typeof whole === "string" && whole.includes(String(part));
}

function sizeOf(value: unknown): number | undefined {
  if (value instanceof Set) return value.size;
  if (isItem(value)) return Object.keys(value).length;
  return typeof value === "string" || Array.isArray(value) ? value.length : undefined;
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error("DynamoDB appends lists to lists only");
}

function added(there: unknown, value: unknown): unknown {
  if (value instanceof Set) return new Set([...(there instanceof Set ? there : []), ...value]);
  if (typeof value !== "number") throw new Error("DynamoDB adds numbers and sets only");
  return (typeof there === "number" ? there : 0) + value;
}

/** DynamoDB knows no empty sets. */
function without(there: unknown, value: unknown): unknown {
  if (!(value instanceof Set)) throw new Error("DynamoDB deletes from sets only");
  const left = [...(there instanceof Set ? there : [])].filter((one) => !value.has(one));
  return left.length === 0 ? undefined : new Set(left);
}

function at(item: Item, [name = "", ...rest]: readonly string[]): unknown {
  const value = item[name];
  if (rest.length === 0) return value;
  return isItem(value) || Array.isArray(value) ? at({ ...value }, rest) : undefined;
}

function put(item: Record<string, unknown>, [name = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    if (value === undefined) delete item[name];
    else item[name] = value;
    return;
  }
  const inner = item[name];
  if (!isItem(inner)) throw new Error(`DynamoDB makes no map ${name} by itself`);
  // Not in place: the item before the update is still read.
  const next = { ...inner };
  item[name] = next;
  put(next, rest, value);
}

function isItem(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Set);
}
