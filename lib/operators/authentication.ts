import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { Clock } from "../clock.ts";
import { type Problem, problemResponse } from "../http/problem.ts";
import type { Log } from "../log.ts";
import type { Attempt } from "./failed-attempts.ts";
import { type Identity, identify } from "./identify.ts";
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

type Refused = Exclude<Identity, { kind: "operator" }>;

async function refuse(identity: Refused, source: Source, { attempts }: Watch, log: Log): Promise<Response> {
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

function knownName(identity: Refused): string | undefined {
  return identity.kind === "expired-token" ? identity.operator.name : undefined;
}

const ASK_FOR_TOKEN = "ask whoever runs Tollbreaker to put the SHA-256 of your token into OPERATORS";

const REFUSALS = {
  "no-token": { code: "token-missing", detail: "No token came with this request.", fix: "send your token" },
  "unknown-token": { code: "token-unknown", detail: "This token belongs to no operator.", fix: ASK_FOR_TOKEN },
  "expired-token": { code: "token-expired", detail: "This token has expired.", fix: ASK_FOR_TOKEN },
} as const satisfies Record<Refused["kind"], Pick<Problem, "code" | "detail" | "fix">>;

function problemOf({ kind }: Refused): Problem {
  const expected = "the header `Authorization: Bearer <token>`";
  return { status: 401, title: "Not authorised", expected, ...REFUSALS[kind] };
}

// RFC 6750, section 3: a request without a token gets no error code.
function challenge({ kind }: Refused): string {
  return kind === "no-token" ? 'Bearer realm="tollbreaker"' : 'Bearer realm="tollbreaker", error="invalid_token"';
}
