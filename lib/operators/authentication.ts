import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { Clock } from "../clock.ts";
import { type Problem, problemResponse } from "../http/problem.ts";
import type { Log } from "../log.ts";
import type { Attempt } from "./failed-attempts.ts";
import { identify, type Unidentified } from "./identify.ts";
import type { Operator, Operators } from "./operators.ts";
import { type Source, sourceOf } from "./request-source.ts";
import { type Watch, watchInMemory } from "./watch.ts";

export interface OperatorVariables {
  Variables: { operator: Operator };
}

/**
 * Lets a request through once it is known whose it is; `c.get("operator")` tells. Everyone else gets 401, and after too
 * many wrong tokens 429. A right token always gets in: nobody can lock out an operator behind the same address.
 * @param watch without it, this process alone counts.
 */
export function authenticated(
  operators: Operators,
  clock: Clock,
  log: Log,
  watch: Watch = watchInMemory(clock, log),
): MiddlewareHandler<OperatorVariables> {
  return createMiddleware<OperatorVariables>(async (c, next) => {
    const identity = identify(c.req.header("Authorization"), await operators(), clock.now());
    if (identity.kind !== "operator") return refuse(identity, sourceOf(c), watch, log);
    const { operator } = identity;
    c.set("operator", operator);
    // Beside the request, and waited for only at its end: Lambda stops a function that has answered.
    const noted = watch.uses.note(operator);
    await next();
    await noted;
    log.info("operator-request", { operator: operator.name, path: c.req.path, status: c.res.status });
    return;
  });
}

async function refuse(identity: Unidentified, source: Source, { attempts }: Watch, log: Log): Promise<Response> {
  // Without a token nothing was tried, so there is nothing to count.
  const attempt = identity.kind === "no-token" ? UNTRIED : await attempts.fail(source.name);
  log.warn("operator-refused", {
    reason: identity.kind,
    operator: knownName(identity),
    source: source.prefix,
    failures: attempt.failures,
    slowed: attempt.kind === "too-many",
  });
  if (attempt.kind === "too-many") return slowDown(attempt);
  return problemResponse(problemOf(identity), { "WWW-Authenticate": challenge(identity) });
}

const UNTRIED: Attempt = { kind: "counted", failures: 0 };

function slowDown({ failures, retryAfterSeconds }: Extract<Attempt, { kind: "too-many" }>): Response {
  const problem: Problem = {
    status: 429,
    code: "too-many-attempts",
    title: "Too many attempts",
    detail: "Too many wrong tokens came from this address; a right one is still let in.",
    expected: "at most 10 wrong tokens within a minute",
    got: `${failures}, and this one`,
    fix: `check your token, and wait ${retryAfterSeconds} s before you try another`,
  };
  return problemResponse(problem, { "Retry-After": String(retryAfterSeconds) });
}

function knownName(identity: Unidentified): string | undefined {
  return identity.kind === "expired-token" ? identity.operator.name : undefined;
}

const EXPECTED = "the header `Authorization: Bearer <token>`";
const LOCALLY = "in a local run each `npm start` makes the command line a new one";

function problemOf(identity: Unidentified): Problem {
  return { status: 401, title: "Not authorised", expected: EXPECTED, ...refusalOf(identity) };
}

function refusalOf(identity: Unidentified): Pick<Problem, "code" | "detail" | "got" | "fix"> {
  switch (identity.kind) {
    case "no-token":
      return { code: "token-missing", detail: "No token came with this request.", fix: "send your token" };
    case "other-scheme": {
      const got = identity.scheme === null ? "no scheme that is known" : `the scheme ${identity.scheme}`;
      const detail = "The Authorization header has another scheme than Bearer.";
      return { code: "scheme-unsupported", detail, got, fix: "send your token with the scheme Bearer" };
    }
    case "unknown-token": {
      const detail = "This token belongs to no operator: it was mistyped, or it was revoked.";
      const anew = "ask whoever runs Tollbreaker for a new one (tollbreaker operators add NAME --role ROLE)";
      return { code: "token-unknown", detail, fix: `send the whole token; if that does not help, ${anew}; ${LOCALLY}` };
    }
    case "expired-token":
      return expired(identity.operator);
  }
}

// Its owner has shown the token, so the name is no secret.
function expired({ name, role, expires }: Operator): Pick<Problem, "code" | "detail" | "fix"> {
  const since = expires === null ? "" : ` at ${expires.toISOString()}`;
  const operator = JSON.stringify(name);
  return {
    code: "token-expired",
    detail: `This token expired${since}.`,
    fix: `ask whoever runs Tollbreaker for a new one: tollbreaker operators revoke ${operator}, then operators add ${operator} --role ${role}`,
  };
}

// RFC 6750, section 3.1: a request without a token, or with an unsupported scheme, gets no error code.
function challenge({ kind }: Unidentified): string {
  return kind === "no-token" || kind === "other-scheme"
    ? 'Bearer realm="tollbreaker"'
    : 'Bearer realm="tollbreaker", error="invalid_token"';
}
