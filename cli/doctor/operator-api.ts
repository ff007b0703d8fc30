import * as z from "zod/mini";
import { serverOf } from "../drill.ts";
import { OperatorListing } from "../operator-table.ts";
import { readFrom } from "../request.ts";
import type { Environment } from "../server.ts";
import type { TwilioAccess } from "../twilio-access.ts";
import { type Finding, good, warn, wrongBy } from "./finding.ts";

const ABOUT = "operator API";

/** Whether it lets this token in, and whether there is anybody who may act. */
export async function checkOperatorApi(access: TwilioAccess, environment: Environment, now: Date): Promise<Finding> {
  try {
    const server = await serverOf(access, environment);
    const listing = z.safeParse(OperatorListing, await readFrom(server, "/api/operators"));
    if (!listing.success)
      return warn(ABOUT, `${server.url} lists no operators`, "deploy the version of this command line");
    const acting = listing.data.operators.filter(({ role, expires }) => role === "operator" && !isOver(expires, now));
    const seen = `${server.url} lets your token in`;
    if (acting.length > 0) return good(ABOUT, `${seen}; ${acting.length} may act`);
    return warn(ABOUT, `${seen}; nobody may act`, "`tollbreaker operators add NAME --role operator` makes one who may");
  } catch (thrown) {
    return wrongBy(ABOUT, thrown);
  }
}

function isOver(expires: string | null | undefined, now: Date): boolean {
  return typeof expires === "string" && new Date(expires) <= now;
}
