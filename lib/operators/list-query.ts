import * as z from "zod/mini";
import { type Mistake, type Problem, quote, together } from "../http/problem.ts";
import { INCIDENT_STATES } from "../incidents/incident.ts";
import type { IncidentQuery } from "../incidents/incident-reader.ts";
import { ACCOUNT_SID } from "../twilio/sids.ts";
import { decodeCursor } from "./cursor.ts";

export type ListQuery = { kind: "query"; query: IncidentQuery } | { kind: "refused"; problem: Problem };

const DEFAULT_LIMIT = 25;
const ONE_TO_100 = /^(?:[1-9]\d?|100)$/;

const Parameters = z.strictObject({
  state: z.exactOptional(z.enum(INCIDENT_STATES)),
  account: z.exactOptional(z.string().check(z.regex(ACCOUNT_SID))),
  limit: z._default(z.pipe(z.string().check(z.regex(ONE_TO_100)), z.transform(Number)), DEFAULT_LIMIT),
  cursor: z.exactOptional(z.string().check(z.refine((cursor) => decodeCursor(cursor) !== undefined))),
});
type Parameters = z.infer<typeof Parameters>;

const EXPECTED = {
  state: `one of ${INCIDENT_STATES.join(", ")}`,
  account: "an AccountSid: AC and 32 hexadecimal digits",
  limit: "a whole number from 1 to 100",
  cursor: "the `next` of an earlier answer, unchanged",
} as const satisfies Record<keyof Parameters, string>;

const REFUSAL = { status: 400, title: "The list cannot be read like this" } as const;

/** Reads the query string of a list. Anything unknown, repeated or out of range is refused, with what is allowed. */
export function readListQuery(given: URLSearchParams): ListQuery {
  const mistake = together(mistakesIn(given));
  if (mistake !== undefined) return { kind: "refused", problem: { ...REFUSAL, ...mistake } };
  return { kind: "query", query: asQuery(Parameters.parse(Object.fromEntries(given))) };
}

const Name = z.keyof(Parameters);

function mistakesIn(given: URLSearchParams): Mistake[] {
  return [...new Set(given.keys())].flatMap((parameter) => {
    const name = Name.safeParse(parameter).data;
    if (name === undefined) return unknown(parameter);
    const values = given.getAll(name);
    if (values.length > 1) return repeated(name, values.length);
    return values
      .filter((value) => !Parameters.shape[name].safeParse(value).success)
      .map((value) => invalid(name, value));
  });
}

function asQuery({ state, account, limit, cursor }: Parameters): IncidentQuery {
  const before = cursor === undefined ? undefined : decodeCursor(cursor);
  return {
    limit,
    ...(state !== undefined && { state }),
    ...(account !== undefined && { accountSid: account }),
    ...(before !== undefined && { before }),
  };
}

function invalid(parameter: keyof Parameters, value: string): Mistake {
  return {
    code: `${parameter}-invalid`,
    detail: `The parameter "${parameter}" cannot be used.`,
    expected: EXPECTED[parameter],
    got: quote(value),
    fix: `correct "${parameter}" or leave it out`,
  };
}

// A misspelt filter that was ignored would show every incident as if it matched.
function unknown(parameter: string): Mistake {
  return {
    code: "parameter-unknown",
    detail: `This list has no parameter ${quote(parameter)}.`,
    expected: Object.entries(EXPECTED)
      .map(([name, values]) => `${name} (${values})`)
      .join("; "),
    got: quote(parameter),
    fix: "correct the parameter's name or leave it out",
  };
}

function repeated(parameter: keyof Parameters, count: number): Mistake {
  return {
    code: "parameter-repeated",
    detail: `The parameter "${parameter}" came more than once.`,
    expected: "each parameter at most once",
    got: `${quote(parameter)} ${count} times`,
    fix: "send it once; to see several states, make several requests",
  };
}
