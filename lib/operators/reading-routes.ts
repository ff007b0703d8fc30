import type { Context, Hono } from "hono";
import pLimit from "p-limit";
import { problemResponse } from "../http/problem.ts";
import { countedOf } from "../incidents/counted.ts";
import type { Incident } from "../incidents/incident.ts";
import { INCIDENT_ID } from "../incidents/incident-reader.ts";
import type { RaiseReader } from "../incidents/raise-store.ts";
import { within } from "../policy/brake.ts";
import type { CommandParts } from "./accept-command.ts";
import type { OperatorVariables } from "./authentication.ts";
import { shown } from "./commands/judge-reactivation.ts";
import { encodeCursor } from "./cursor.ts";
import { readListQuery, readWaitingQuery } from "./list-query.ts";
import { noSuchIncident } from "./no-such-incident.ts";
import { operatorListing } from "./operator-listing.ts";
import type { OperatorUses } from "./operator-uses.ts";
import type { Operators } from "./operators.ts";
import { RAISES_PATH, showRaises } from "./raises-route.ts";
import { readRecord } from "./read-record.ts";

export interface ReadingParts extends Pick<CommandParts, "incidents" | "brake" | "policy" | "clock"> {
  operators: Operators;
  uses: OperatorUses;
  raises: RaiseReader;
}

/** What everyone with a token may see. */
export function addReadingRoutes(app: Hono<OperatorVariables>, parts: ReadingParts): void {
  app.get("/api/incidents", (c) => listIncidents(c, parts));
  app.get("/api/incidents/:id", (c) => showIncident(c, parts, c.req.param("id")));
  app.get("/api/brake", (c) => showBrake(c, parts));
  app.get(RAISES_PATH, (c) => showRaises(c, parts));
  app.get("/api/operators", async (c) => c.json(await operatorListing(await parts.operators(), parts.uses)));
}

export const READING_PATHS = ["/api/incidents", "/api/incidents/:id", "/api/brake", RAISES_PATH, "/api/operators"];

async function listIncidents(c: Context, { incidents }: ReadingParts): Promise<Response> {
  const read = readListQuery(new URL(c.req.url).searchParams);
  if (read.kind === "refused") return problemResponse(read.problem);
  const page = await readRecord(() => incidents.list(read.query));
  return c.json({
    incidents: page.incidents.map(withDigest),
    next: page.next === null ? null : encodeCursor(page.next),
  });
}

async function showIncident(c: Context, { incidents }: ReadingParts, id: string): Promise<Response> {
  // What can't be an id isn't worth a read.
  const found = INCIDENT_ID.test(id) ? await readRecord(() => incidents.get(id)) : undefined;
  if (found === undefined) return problemResponse(noSuchIncident(id));
  return c.json({ ...withDigest(found.incident), timeline: found.timeline });
}

/** Whoever acknowledges something on the check-list says by the digest which one it was. */
function withDigest(incident: Incident) {
  const { checklist } = incident;
  return { ...incident, checklist: checklist === null ? null : shown(checklist) };
}

const HEADS_AT_ONCE = 25;

async function showBrake(c: Context, { brake, incidents, policy, clock }: ReadingParts): Promise<Response> {
  const read = readWaitingQuery(new URL(c.req.url).searchParams);
  if (read.kind === "refused") return problemResponse(read.problem);
  const [{ suspensions }, page] = await readRecord(() => Promise.all([brake.state(), brake.waiting(read.query)]));
  const waiting = await readRecord(() =>
    pLimit(HEADS_AT_ONCE).map(page.waiting, async ({ accountSid, incidentId, since }) => {
      const incident = await incidents.head(incidentId);
      return { accountSid, incidentId, since, counted: incident === undefined ? null : countedOf(incident) };
    }),
  );
  return c.json({
    suspensions: within(policy.brake, suspensions, clock.now()),
    waiting,
    next: page.next === null ? null : encodeCursor(page.next),
    limit: { suspensions: policy.brake.suspensions, withinSeconds: policy.brake.within / 1000 },
  });
}
