import { type OperatorRecord, problemsOf } from "../lib/operators/operator-record.ts";
import { makeToken } from "../lib/operators/operator-token.ts";
import { EXIT, Failure } from "./failure.ts";

export interface NewOperatorOptions {
  role: "viewer" | "operator";
  /** ISO 8601, with its offset from UTC. */
  expires?: string;
  /** From now on, such as `90d`. */
  expiresIn?: string;
  /** A Slack user ID. */
  slack?: string;
}

/** A token, and the record that lets its owner in. @throws Failure that names what can't be used. */
export function newOperator(name: string, options: NewOperatorOptions, now: Date) {
  const { role, slack } = options;
  const { token, sha256 } = makeToken();
  const expires = expiryOf(options, now);
  const record: OperatorRecord = {
    ...{ name, sha256, role },
    ...(expires !== undefined && { expires }),
    ...(slack !== undefined && { slack }),
  };
  const [problem] = problemsOf(record);
  if (problem !== undefined) throw unusable(problem);
  return { token, record };
}

function expiryOf({ expires, expiresIn }: NewOperatorOptions, now: Date): string | undefined {
  if (expiresIn !== undefined) return withoutFraction(new Date(now.getTime() + millisecondsIn(expiresIn)));
  // A text that is no time is left to the rules of the record.
  if (expires !== undefined && new Date(expires) <= now) throw inThePast(expires, now);
  return expires;
}

const UNITS = { m: 60_000, h: 3_600_000, d: 24 * 3_600_000 } as const;
const SPAN = /^(?<count>[1-9]\d{0,4})(?<unit>[mhd])$/;

function millisecondsIn(text: string): number {
  const { count, unit } = SPAN.exec(text)?.groups ?? {};
  if (unit === "m" || unit === "h" || unit === "d") return Number(count) * UNITS[unit];
  throw new Failure(EXIT.usage, "expiry-invalid", "--expires-in cannot be used.", {
    expected: "a whole number with its unit, m, h or d, such as 90d",
    got: JSON.stringify(text),
    fix: "correct it, or give a time with --expires",
  });
}

function withoutFraction(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, "Z");
}

function inThePast(expires: string, now: Date): Failure {
  return new Failure(EXIT.usage, "expiry-invalid", "--expires has passed already: the token would never be let in.", {
    expected: `a time after ${withoutFraction(now)}`,
    got: JSON.stringify(expires),
    fix: "give a later time, or --expires-in",
  });
}

function unusable(problem: string): Failure {
  return new Failure(EXIT.usage, "operator-invalid", "An operator cannot be made of this.", {
    got: problem,
    fix: "correct it; `tollbreaker operators add --help` shows the options",
  });
}
