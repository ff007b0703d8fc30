import { type Context, Hono, type MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { Clock } from "../clock.ts";
import { messageOf, TollbreakerError } from "../errors.ts";
import { type Problem, problemResponse, quote } from "../http/problem.ts";
import { INCIDENT_ID, type IncidentReader } from "../incidents/incident-reader.ts";
import type { Log } from "../log.ts";
import { authenticated, type OperatorVariables } from "./authentication.ts";
import { encodeCursor } from "./cursor.ts";
import { readListQuery } from "./list-query.ts";
import type { Operators } from "./operators.ts";

export interface OperatorApiParts {
  incidents: IncidentReader;
  operators: Operators;
  clock: Clock;
  log: Log;
}

type Api = Hono<OperatorVariables>;

/** The operator API: the record of incidents for people with a token, and `/health` for everyone. See docs/api.md. */
export function operatorApi({ incidents, operators, clock, log }: OperatorApiParts): Api {
  const app: Api = new Hono();
  app.use("/api/*", headers, neverCached, authenticated(operators, clock, log));
  app.use("/health", headers, neverCached);
  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/api/incidents", (c) => listIncidents(c, incidents));
  app.get("/api/incidents/:id", (c) => showIncident(c, incidents, c.req.param("id")));
  for (const path of ["/health", "/api/incidents", "/api/incidents/:id"]) app.all(path, readOnly);
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

async function listIncidents(c: Context, incidents: IncidentReader): Promise<Response> {
  const read = readListQuery(new URL(c.req.url).searchParams);
  if (read.kind === "refused") return problemResponse(read.problem);
  const page = await readRecord(() => incidents.list(read.query));
  return c.json({ incidents: page.incidents, next: page.next === null ? null : encodeCursor(page.next) });
}

async function showIncident(c: Context, incidents: IncidentReader, id: string): Promise<Response> {
  // What can't be an id isn't worth a read.
  const found = INCIDENT_ID.test(id) ? await readRecord(() => incidents.get(id)) : undefined;
  if (found === undefined) return problemResponse(noSuchIncident(id));
  return c.json({ ...found.incident, timeline: found.timeline });
}

async function readRecord<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new TollbreakerError("incidents-unreadable", "The incidents could not be read from the table.", {
      got: messageOf(cause),
      fix: "check TABLE_NAME, the function's permission to read the table and its indexes, and the state of DynamoDB",
      cause,
    });
  }
}

/** The reason goes to the log; the answer says only that there is one. */
function failed(error: Error, log: Log): Response {
  const known = error instanceof TollbreakerError;
  log.error("operator-api-failed", { code: known ? error.code : "unexpected", message: error.message });
  return problemResponse(known ? UNAVAILABLE : INTERNAL);
}

const FIX = "try again in a moment; if it goes on, whoever runs Tollbreaker finds the reason in the operator API's log";

const UNAVAILABLE: Problem = {
  status: 503,
  code: "unavailable",
  title: "Not available now",
  detail: "Tollbreaker cannot answer this now.",
  fix: FIX,
};

const INTERNAL: Problem = {
  status: 500,
  code: "internal",
  title: "Something is broken",
  detail: "Tollbreaker failed on this request.",
  fix: FIX,
};

function noSuchIncident(id: string): Problem {
  return {
    status: 404,
    code: "incident-not-found",
    title: "No such incident",
    detail: "There is no incident with this id.",
    expected: "an id from GET /api/incidents, such as 20261121T030405123-1f3a9c2e",
    got: quote(id),
    fix: "list the incidents to find its id",
  };
}

function nothingHere(c: Context): Response {
  return problemResponse({
    status: 404,
    code: "route-not-found",
    title: "Nothing here",
    detail: "There is nothing at this address.",
    expected: "GET /api/incidents, GET /api/incidents/{id} or GET /health",
    got: quote(c.req.path),
    fix: "correct the path",
  });
}

function readOnly(c: Context): Response {
  const problem: Problem = {
    status: 405,
    code: "method-not-allowed",
    title: "Method not allowed",
    detail: "This address can only be read.",
    expected: "GET or HEAD",
    got: quote(c.req.method),
    fix: "use GET",
  };
  return problemResponse(problem, { Allow: "GET, HEAD" });
}
