import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { Clock } from "../clock.ts";
import { type Problem, problemResponse } from "../http/problem.ts";
import type { Log } from "../log.ts";
import { type Identity, identify } from "./identify.ts";
import type { Operator, Operators } from "./operators.ts";

export interface OperatorVariables {
  Variables: { operator: Operator };
}

/** Lets a request through once it is known whose it is; `c.get("operator")` tells. Everyone else gets 401. */
export function authenticated(operators: Operators, clock: Clock, log: Log): MiddlewareHandler<OperatorVariables> {
  return createMiddleware<OperatorVariables>(async (c, next) => {
    const identity = identify(c.req.header("Authorization"), await operators(), clock.now());
    if (identity.kind !== "operator") return refuse(identity, log);
    c.set("operator", identity.operator);
    await next();
    log.info("operator-request", { operator: identity.operator.name, path: c.req.path, status: c.res.status });
    return;
  });
}

type Refused = Exclude<Identity, { kind: "operator" }>;

function refuse(identity: Refused, log: Log): Response {
  log.warn("operator-refused", { reason: identity.kind, operator: knownName(identity) });
  return problemResponse(problemOf(identity), { "WWW-Authenticate": challenge(identity) });
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
