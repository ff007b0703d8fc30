import type * as z from "zod/mini";
import { type Mistake, quote } from "../http/problem.ts";

type Shape = Readonly<Record<string, z.ZodMiniType>>;

/** All that is wrong with a query string: anything unknown, repeated or out of range. */
export function queryMistakes<S extends Shape>(
  given: URLSearchParams,
  shape: S,
  expected: Readonly<Record<keyof S & string, string>>,
): Mistake[] {
  const allowed = new Map<string, string>(Object.entries(expected));
  return [...new Set(given.keys())].flatMap((name) => {
    const schema = shape[name];
    const what = allowed.get(name);
    if (schema === undefined || what === undefined) return unknown(name, allowed);
    const values = given.getAll(name);
    if (values.length > 1) return repeated(name, values.length);
    return values.filter((value) => !schema.safeParse(value).success).map((value) => invalid(name, what, value));
  });
}

function invalid(parameter: string, expected: string, value: string): Mistake {
  return {
    code: `${parameter}-invalid`,
    detail: `The parameter "${parameter}" cannot be used.`,
    expected,
    got: quote(value),
    fix: `correct "${parameter}" or leave it out`,
  };
}

// A misspelt filter that was ignored would show every entry as if it matched.
function unknown(parameter: string, allowed: ReadonlyMap<string, string>): Mistake {
  return {
    code: "parameter-unknown",
    detail: `This list has no parameter ${quote(parameter)}.`,
    expected: [...allowed].map(([name, values]) => `${name} (${values})`).join("; "),
    got: quote(parameter),
    fix: "correct the parameter's name or leave it out",
  };
}

function repeated(parameter: string, count: number): Mistake {
  return {
    code: "parameter-repeated",
    detail: `The parameter "${parameter}" came more than once.`,
    expected: "each parameter at most once",
    got: `${quote(parameter)} ${count} times`,
    fix: "send it once; to see several states, make several requests",
  };
}
