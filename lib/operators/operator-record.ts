import * as z from "zod/mini";
import { TollbreakerError } from "../errors.ts";

const FORM = 'a JSON list of {"name", "sha256", "role", "expires" and "slack" (both may be left out)}';

// Without an `error` of their own the rules would only say "Invalid input".
const OperatorRecord = z.strictObject(
  {
    name: z.string('"name" must be a text').check(
      z.regex(/^\S(.{0,98}\S)?$/v, '"name" must have 1 to 100 characters'),
      // It stands in histories and alerts: nobody may look like somebody else there.
      z.regex(/^\P{C}*$/u, '"name" must have no control, invisible or direction-changing characters'),
    ),
    sha256: z
      .string('"sha256" must be a text')
      .check(z.regex(/^[0-9a-f]{64}$/i, '"sha256" must be the 64 hexadecimal digits of the token\'s SHA-256')),
    role: z.enum(["viewer", "operator"], '"role" must be "viewer" or "operator"'),
    expires: z.exactOptional(
      z.iso.datetime({ offset: true, error: '"expires" must be a time such as "2027-01-31T00:00:00Z"' }),
    ),
    slack: z.exactOptional(
      z
        .string('"slack" must be a text')
        .check(z.regex(/^[UW][A-Z0-9]{2,}$/, '"slack" must be a Slack user ID such as "U012ABCDEF"')),
    ),
  },
  { error: unknownOrNoObject },
);
const OperatorRecords = z.array(OperatorRecord, FORM);

/** One operator as stored in OPERATORS. */
export type OperatorRecord = z.infer<typeof OperatorRecord>;

/**
 * @param source where the list comes from, for the error's advice.
 * @throws TollbreakerError `operators-invalid`, naming each wrong entry; its message repeats no hash and no token.
 */
export function parseRecords(text: string, source = "OPERATORS"): OperatorRecord[] {
  const json = parseJson(text, source);
  const result = OperatorRecords.safeParse(json);
  if (!result.success) throw invalid(result.error.issues.map((issue) => describe(issue, json)).join("; "), source);
  const twins = twinsIn(result.data);
  if (twins !== undefined) throw invalid(twins, source);
  return result.data;
}

/** One record, as `operators add` prints it; or what is wrong with it, which repeats no hash and no token. */
export function readOneRecord(text: string): { kind: "record"; record: OperatorRecord } | { kind: "bad"; got: string } {
  const json = jsonIn(text);
  if (json === undefined) return { kind: "bad", got: text === "" ? "an empty text" : notJson(text) };
  const result = OperatorRecord.safeParse(json);
  if (result.success) return { kind: "record", record: result.data };
  return { kind: "bad", got: problemsOf(json).join("; ") };
}

/** What is wrong with one record; nothing where it can be stored. */
export function problemsOf(record: unknown): string[] {
  const result = OperatorRecord.safeParse(record);
  return result.success ? [] : result.error.issues.map(({ message }) => message);
}

// Two people behind one name, or two roles behind one token, would make the history's "who" a guess.
function twinsIn(records: readonly OperatorRecord[]): string | undefined {
  for (const [index, record] of records.entries()) {
    const what = sharedWith(record, records.slice(0, index));
    if (what !== undefined) return `${label(index, record)}: ${what}`;
  }
  return undefined;
}

/** What `record` has in common with one of `others`, though each must have its own. */
export function sharedWith(record: OperatorRecord, others: readonly OperatorRecord[]): string | undefined {
  const { name, sha256, slack } = record;
  if (others.some((other) => other.name === name)) return "the name is used twice";
  if (others.some((other) => other.sha256.toLowerCase() === sha256.toLowerCase()))
    return "another entry has the same token";
  if (slack !== undefined && others.some((other) => other.slack === slack))
    return "another entry has the same Slack user";
  return undefined;
}

function parseJson(text: string, source: string): unknown {
  const json = jsonIn(text);
  if (json === undefined) throw invalid(notJson(text), source);
  return json;
}

/** Undefined for no JSON: the parser's own message quotes the text, so it is not passed on. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notJson(text: string): string {
  return `${text.length} characters that are not JSON`;
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

function invalid(got: string, source: string): TollbreakerError {
  return new TollbreakerError("operators-invalid", "The list of operators cannot be used, so nobody is let in.", {
    expected: FORM,
    got,
    fix: `correct ${source}; \`tollbreaker operators add\` makes a token and its record`,
  });
}
