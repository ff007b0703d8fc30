import * as z from "zod/mini";
import { TollbreakerError } from "../errors.ts";

/** A person who may use Tollbreaker. We keep no token, only its hash. */
export interface Operator {
  /** Goes into the record of everything the operator does, so it is unique. */
  name: string;
  /** The 32 bytes of the token's SHA-256. */
  sha256: Buffer;
  /** A viewer reads; an operator also acts. */
  role: "viewer" | "operator";
  /** From this moment on the token is refused; null for never. */
  expires: Date | null;
}

/** Reads who may use Tollbreaker now. Rejects when that can't be known: then nobody may. */
export type Operators = () => Promise<readonly Operator[]>;

const FORM = 'a JSON list of {"name", "sha256", "role", "expires" (may be left out)}';
const HOW_TO_HASH = 'printf %s "$TOKEN" | sha256sum';

// Without an `error` of their own the rules would only say "Invalid input".
const Entry = z.strictObject(
  {
    name: z.string('"name" must be a text').check(z.regex(/^\S(.{0,98}\S)?$/v, '"name" must have 1 to 100 characters')),
    sha256: z
      .string('"sha256" must be a text')
      .check(z.regex(/^[0-9a-f]{64}$/i, '"sha256" must be the 64 hexadecimal digits of the token\'s SHA-256')),
    role: z.enum(["viewer", "operator"], '"role" must be "viewer" or "operator"'),
    expires: z.optional(
      z.iso.datetime({ offset: true, error: '"expires" must be a time such as "2027-01-31T00:00:00Z"' }),
    ),
  },
  { error: unknownOrNoObject },
);
const Entries = z.array(Entry, FORM);
type Entry = z.infer<typeof Entry>;

/**
 * Operators by what `read` returns each time, parsed again only when the text has changed.
 * Unset means that there are none. Rejects as `read` does, and with the errors of `parseOperators`.
 */
export function operatorsFrom(read: () => Promise<string | undefined>): Operators {
  let last: { text: string | undefined; operators: readonly Operator[] } | undefined;
  return async () => {
    const text = await read();
    if (last === undefined || last.text !== text) last = { text, operators: parseOperators(text) };
    return last.operators;
  };
}

/** @throws TollbreakerError `operators-invalid`, naming the entry; its message repeats no hash and no token. */
export function parseOperators(text: string | undefined): readonly Operator[] {
  if (text === undefined) return [];
  const json = parseJson(text);
  const result = Entries.safeParse(json);
  if (!result.success) throw invalid(result.error.issues.map((issue) => describe(issue, json)).join("; "));
  refuseTwins(result.data);
  return result.data.map(asOperator);
}

function asOperator({ name, sha256, role, expires }: Entry): Operator {
  return { name, sha256: Buffer.from(sha256, "hex"), role, expires: expires === undefined ? null : new Date(expires) };
}

// Two people behind one name, or two roles behind one token, would make the record's "who" a guess.
function refuseTwins(entries: readonly Entry[]): void {
  for (const [index, entry] of entries.entries()) {
    const earlier = entries.slice(0, index);
    if (earlier.some(({ name }) => name === entry.name))
      throw invalid(`${label(index, entry)}: the name is used twice`);
    if (earlier.some(({ sha256 }) => sha256.toLowerCase() === entry.sha256.toLowerCase()))
      throw invalid(`${label(index, entry)}: another entry has the same token`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, so it is not passed on.
    throw invalid(`${text.length} characters that are not JSON`);
  }
}

function describe(issue: z.core.$ZodIssue, json: unknown): string {
  const [index] = issue.path;
  if (typeof index !== "number") return "no list";
  return `${label(index, Array.isArray(json) ? json[index] : undefined)}: ${issue.message}`;
}

const Named = z.object({ name: z.string() });

function label(index: number, entry: unknown): string {
  const named = Named.safeParse(entry);
  return named.success ? `entry ${index + 1} (${JSON.stringify(named.data.name)})` : `entry ${index + 1}`;
}

// An unknown key is refused, because a misspelt "expires" would leave a token valid for ever.
function unknownOrNoObject(issue: z.core.$ZodRawIssue): string {
  if (issue.code !== "unrecognized_keys") return "must be an object";
  return `has the unknown key ${issue.keys.map((key) => JSON.stringify(key)).join(", ")}`;
}

function invalid(got: string): TollbreakerError {
  return new TollbreakerError("operators-invalid", "The list of operators cannot be used, so nobody is let in.", {
    expected: FORM,
    got,
    fix: `correct OPERATORS (the hash of a token: ${HOW_TO_HASH})`,
  });
}
