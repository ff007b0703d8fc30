import { serverOf } from "../drill.ts";
import { newDrill } from "../drill-account.ts";
import { lookAt, nameOf } from "../drill-stations.ts";
import { DRILL_PACE, firstBad, type Pace, rehearse } from "../rehearsal.ts";
import type { Environment } from "../server.ts";
import type { TwilioAccess } from "../twilio-access.ts";
import { lag } from "../wording.ts";
import { type Finding, good, open, wrong, wrongBy } from "./finding.ts";

const ABOUT = "topic and Slack";

export function notTried(): Finding {
  return open(ABOUT, "not tried", "`tollbreaker doctor --send` sends a rehearsal, of which people are told");
}

/** The topic and Slack can only be tried by telling people something: a rehearsal. */
export async function checkByRehearsal(
  access: TwilioAccess,
  environment: Environment,
  pace: Pace = DRILL_PACE,
): Promise<Finding> {
  try {
    const server = await serverOf(access, environment);
    const drill = await newDrill(access, undefined);
    const passed = await rehearse({ drill, server, watch: () => {}, pace });
    const bad = firstBad(passed);
    const last = passed.at(-1);
    if (bad === undefined && last !== undefined) {
      const took = lag(Date.parse(last.at) - drill.sentAt.getTime());
      return good(ABOUT, `a rehearsal passed every station in ${took} (${drill.drillId})`);
    }
    const stop = bad ?? "webhook-answered";
    const said = passed.find(({ station }) => station === stop)?.said ?? `not passed within ${lag(pace.atMost)}`;
    return wrong(ABOUT, `a rehearsal ended at "${nameOf(stop)}": ${said}`, `look at ${lookAt(stop)}`);
  } catch (thrown) {
    return wrongBy(ABOUT, thrown);
  }
}
