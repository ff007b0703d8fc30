import type { Context, Hono } from "hono";
import type { DrillStore } from "../drills/drill-store.ts";
import { problemResponse, quote } from "../http/problem.ts";
import { DRILL_ID } from "../inbox/nudges.ts";
import type { OperatorVariables } from "./authentication.ts";
import { readRecord } from "./read-record.ts";

export interface DrillParts {
  drills: Pick<DrillStore, "read">;
}

export const DRILL_PATH = "/api/drills/:id";

/** Which stations a rehearsal has passed: none yet, for one that is on its way or that nobody sent. */
export function addDrillRoute(app: Hono<OperatorVariables>, parts: DrillParts): void {
  app.get(DRILL_PATH, (c) => showDrill(c, parts, c.req.param("id")));
}

async function showDrill(c: Context, { drills }: DrillParts, drillId: string): Promise<Response> {
  if (!DRILL_ID.test(drillId)) return problemResponse(noDrillId(drillId));
  return c.json({ drillId, stations: await readRecord(() => drills.read(drillId)) });
}

function noDrillId(id: string) {
  return {
    status: 404,
    code: "drill-not-found",
    title: "No such rehearsal",
    detail: "No rehearsal can have this id.",
    expected: "8 to 64 small letters, digits and dashes, as `tollbreaker drill` prints it",
    got: quote(id),
    fix: "correct the id",
  } as const;
}
