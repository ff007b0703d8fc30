import type { Context, Hono, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cut } from "../cut.ts";
import { type Problem, problemResponse } from "../http/problem.ts";
import { type Accepted, acceptCommand, type CommandParts, roleRefusal } from "./accept-command.ts";
import type { OperatorVariables } from "./authentication.ts";
import {
  readAdoption,
  readCheck,
  readDismissal,
  readDismissals,
  readRaise,
  readRaiseEnd,
  readReactivation,
  readReactivations,
  readRelease,
  readRestoration,
  readSuspension,
  type WishReader,
} from "./commands/read-wish.ts";
import { readHeaders, roadOf } from "./commands/request-headers.ts";
import type { Wished } from "./commands/wished.ts";
import { RAISES_PATH } from "./raises-route.ts";

/** Each can be posted to, and reads what it asks for from the body; what it concerns is the id or SID in the path. */
const READERS = {
  "/api/incidents/:id/reactivate": readReactivation,
  "/api/incidents/:id/dismiss": readDismissal,
  "/api/incidents/:id/check": readCheck,
  "/api/incidents/:id/restore-numbers": readRestoration,
  "/api/incidents/reactivate": readReactivations,
  "/api/incidents/dismiss": readDismissals,
  "/api/subaccounts/:sid/suspend": readSuspension,
  "/api/subaccounts/:sid/limits/:limit/raise": readRaise,
  "/api/subaccounts/:sid/limits/:limit/end-raise": readRaiseEnd,
  "/api/subaccounts/:sid/adopt": readAdoption,
  "/api/brake/release": readRelease,
} as const satisfies Record<string, WishReader>;

export const COMMAND_PATHS = Object.keys(READERS);

const MOST_BYTES = 16 * 1024;

/** What changes something: may they ─ read what they want ─ accept it ─ say where it can be followed. */
export function addCommandRoutes(app: Hono<OperatorVariables>, parts: CommandParts, publicUrl: string): void {
  const base = publicUrl.replace(/\/+$/, "");
  const limit = bodyLimit({ maxSize: MOST_BYTES, onError: (c) => refuse(c, parts, TOO_LARGE) });
  for (const [path, read] of Object.entries(READERS)) {
    app.post(path, operatorsOnly(parts), limit, (c) => command(c, { parts, read, base }));
  }
}

// Before the body is read: nobody learns of its mistakes who could not have it carried out.
function operatorsOnly(parts: CommandParts): MiddlewareHandler<OperatorVariables> {
  return async (c, next) => {
    const refusal = roleRefusal(c.get("operator"));
    if (refusal !== undefined) return refuse(c, parts, refusal.problem);
    await next();
    return undefined;
  };
}

interface CommandRoute {
  parts: CommandParts;
  read: WishReader;
  /** The public URL without a slash at its end. */
  base: string;
}

async function command(c: Context<OperatorVariables>, { parts, read, base }: CommandRoute): Promise<Response> {
  const headers = readHeaders(c);
  if (headers.kind === "refused") return refuse(c, parts, headers.problem);
  const { road, requestId } = headers;
  const wished = await read(c, c.req.param("id") ?? c.req.param("sid") ?? "");
  if (wished.kind === "refused") return refuse(c, parts, wished.problem);
  const wish = requestId === undefined ? wished.wish : { ...wished.wish, requestId };
  const outcome = await acceptCommand(parts, { operator: c.get("operator"), road, wish });
  const place = `${base}${placeOf(wish)}`;
  return outcome.kind === "accepted" ? accepted(c, outcome, { base, place }) : problemResponse(outcome.problem);
}

/** Where what is about no incident can be followed. */
function placeOf(wish: Wished): string {
  const isRaise = wish.kind === "raise-limit" || wish.kind === "end-raise";
  return isRaise ? `${RAISES_PATH}?account=${encodeURIComponent(wish.accountSid)}` : "/api/brake";
}

function accepted(
  c: Context,
  { command, incidentId, batch }: Accepted,
  { base, place }: { base: string; place: string },
): Response {
  if (batch !== undefined) return c.json({ command, ...batch }, 202, { Location: `${base}/api/incidents` });
  const incident = incidentId === null ? null : `${base}/api/incidents/${incidentId}`;
  return c.json({ command, incidentId, incident }, 202, { Location: incident ?? place });
}

/** What never became a wish is logged here; the rest where it is judged. */
function refuse(c: Context, { log }: CommandParts, problem: Problem): Response {
  const { name } = c.get("operator");
  const event = problem.status === 403 ? "operator-refused" : "command-refused";
  log.warn(event, { operator: name, road: roadOf(c) ?? null, path: cut(c.req.path, 200), code: problem.code });
  return problemResponse(problem);
}

const TOO_LARGE: Problem = {
  status: 413,
  code: "body-too-large",
  title: "Too large",
  detail: "The body is larger than any command.",
  expected: "16 KB at most",
  fix: "shorten the reason; release a long list of accounts in several requests, or all at once without `accounts`",
};
