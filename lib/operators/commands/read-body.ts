import type { Context } from "hono";
import * as z from "zod/mini";
import { type Mistake, type Problem, quote, together } from "../../http/problem.ts";
import { nearest } from "../../policy/nearest.ts";

export type Body<T> = { kind: "body"; body: T } | { kind: "refused"; problem: Problem };

/** An object whose members are all known; each has its `expected` as the error message of its schema. */
type Schema = z.ZodMiniObject<z.core.$ZodLooseShape, z.core.$strict>;

/** Reads JSON by `schema`. No body at all reads as `{}`: what is missing then is said by whoever needs it. */
export async function readBody<T extends Schema>(c: Context, schema: T): Promise<Body<z.output<T>>> {
  const bytes = await c.req.arrayBuffer();
  if (bytes.byteLength > 0 && !isJson(c.req.header("Content-Type"))) {
    return { kind: "refused", problem: unsupported(c.req.header("Content-Type")) };
  }
  const parsed = parse(bytes);
  if (parsed.kind === "refused") return parsed;
  const result = z.safeParse(schema, parsed.body);
  return result.success
    ? { kind: "body", body: result.data }
    : {
        kind: "refused",
        problem: invalid(result.error.issues.flatMap((issue) => mistakesOf(issue, parsed.body, schema))),
      };
}

function isJson(contentType = ""): boolean {
  const [mediaType = ""] = contentType.split(";");
  return mediaType.trim().toLowerCase() === "application/json";
}

function parse(bytes: ArrayBuffer): Body<unknown> {
  if (bytes.byteLength === 0) return { kind: "body", body: {} };
  try {
    return { kind: "body", body: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) };
  } catch (error) {
    // V8's message may repeat a part of the text: of the sender's own, and only a few characters of it.
    const got = error instanceof SyntaxError ? error.message : "bytes that are not UTF-8";
    return { kind: "refused", problem: invalid([{ ...NO_JSON, got }]) };
  }
}

const REFUSAL = { status: 400, title: "The body cannot be used" } as const;
const CODE = "body-invalid";
const NO_JSON = {
  code: CODE,
  detail: "The body is no JSON.",
  expected: "a JSON object in UTF-8",
  fix: "correct its syntax",
};

function invalid(mistakes: readonly Mistake[]): Problem {
  return { ...REFUSAL, ...(together(mistakes) ?? NO_JSON) };
}

function mistakesOf(issue: z.core.$ZodIssue, body: unknown, schema: Schema): Mistake[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownMember(key, Object.keys(schema.shape)));
  const got = shown(valueAt(body, issue.path));
  if (issue.path.length === 0)
    return [{ ...NO_JSON, detail: "The body is no JSON object.", got, fix: "send an object: {...}" }];
  const member = quote(issue.path.join("."));
  const meant = issue.code === "invalid_value" ? suggestion(valueAt(body, issue.path), issue.values) : undefined;
  const fix = meant === undefined ? correction(issue.path, member) : `did you mean ${quote(meant)}?`;
  return [{ code: CODE, detail: `${member} cannot be used.`, expected: issue.message, got, fix }];
}

/** What every command that has it needs: left out, it would be missed next. */
const NEEDED: ReadonlySet<PropertyKey> = new Set(["reason"]);

function correction([top = ""]: readonly PropertyKey[], member: string): string {
  return NEEDED.has(top) ? `correct ${member}: it is needed` : `correct ${member} or leave it out`;
}

// A misspelt member that was ignored would be taken for consent to something else.
function unknownMember(key: string, known: readonly string[]): Mistake {
  const meant = nearest(key, known);
  return {
    code: CODE,
    detail: `The body has no member ${quote(key)}.`,
    expected: known.length === 0 ? "an empty object" : `no other members than ${known.join(", ")}`,
    got: quote(key),
    fix: meant === undefined ? "leave it out" : `did you mean ${quote(meant)}?`,
  };
}

function suggestion(value: unknown, allowed: readonly unknown[]): string | undefined {
  return typeof value === "string" ? nearest(value, allowed.map(String)) : undefined;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value);
}

function isRecord(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === "object" && value !== null;
}

function shown(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return "a list";
  return isRecord(value) ? "an object" : String(value);
}

function unsupported(contentType: string | undefined): Problem {
  return {
    status: 415,
    code: "content-type-unsupported",
    title: "Not JSON",
    detail: "The body is not said to be JSON.",
    expected: "Content-Type: application/json",
    got: contentType === undefined ? "none" : quote(contentType),
    fix: "send that header with a JSON body",
  };
}
