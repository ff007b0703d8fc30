import { type Context, Hono, type MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { TollbreakerError } from "../errors.ts";
import { type Problem, problemResponse, quote } from "../http/problem.ts";
import type { RaiseReader } from "../incidents/raise-store.ts";
import type { Log } from "../log.ts";
import type { CommandParts } from "./accept-command.ts";
import { authenticated, type OperatorVariables } from "./authentication.ts";
import { addCommandRoutes, COMMAND_PATHS } from "./command-routes.ts";
import { addDrillRoute, DRILL_PATH, type DrillParts } from "./drill-route.ts";
import type { Operators } from "./operators.ts";
import { addReadingRoutes, READING_PATHS } from "./reading-routes.ts";
import { INTERNAL, UNAVAILABLE } from "./unavailable.ts";
import type { Watch } from "./watch.ts";

export interface OperatorApiParts extends CommandParts, DrillParts {
  /** The base of the addresses in answers. */
  publicUrl: string;
  operators: Operators;
  watch: Watch;
  raises: RaiseReader;
}

/** The operator API, for people with a token, and `/health` for everyone. See docs/api.md. */
export function operatorApi(parts: OperatorApiParts): Hono<OperatorVariables> {
  const { operators, watch, clock, log } = parts;
  const app = new Hono<OperatorVariables>();
  app.use("/api/*", headers, neverCached, authenticated(operators, clock, log, watch));
  app.use("/health", headers, neverCached);
  app.get("/health", (c) => c.json({ status: "ok" }));
  // Before those that read: `/api/incidents/reactivate` is no incident's id.
  addCommandRoutes(app, parts, parts.publicUrl);
  for (const path of COMMAND_PATHS) app.all(path, (c) => otherMethod(c, "POST"));
  addReadingRoutes(app, { ...parts, uses: watch.uses });
  addDrillRoute(app, parts);
  for (const path of ["/health", ...READING_PATHS, DRILL_PATH]) app.all(path, (c) => otherMethod(c, "GET, HEAD"));
  app.all("/api/*", nothingHere);
  app.notFound(nothingHere);
  app.onError((error) => failed(error, log));
  return app;
}

// `default-src 'none'`: no answer of this API is a page, so a browser that is shown one runs and loads nothing of it.
const headers = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: "DENY",
});

const neverCached: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("Cache-Control", "no-store");
};

/** The reason goes to the log; the answer says only that there is one. */
function failed(error: Error, log: Log): Response {
  const known = error instanceof TollbreakerError;
  log.error("operator-api-failed", { code: known ? error.code : "unexpected", message: error.message });
  return problemResponse(known ? UNAVAILABLE : INTERNAL);
}

function nothingHere(c: Context): Response {
  return problemResponse({
    status: 404,
    code: "route-not-found",
    title: "Nothing here",
    detail: "There is nothing at this address.",
    expected: `one of ${["/health", ...READING_PATHS, DRILL_PATH, ...COMMAND_PATHS].map(withBraces).join(", ")}`,
    got: quote(c.req.path),
    fix: "correct the path",
  });
}

function withBraces(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}

function otherMethod(c: Context, allowed: string): Response {
  const problem: Problem = {
    status: 405,
    code: "method-not-allowed",
    title: "Method not allowed",
    detail: `This address does not take this method.`,
    expected: allowed,
    got: quote(c.req.method),
    fix: `use ${allowed.replace(", ", " or ")}`,
  };
  return problemResponse(problem, { Allow: allowed });
}
