import type { ReactivateCommand } from "../inbox/commands.ts";
import type { DriveNudge } from "../inbox/nudges.ts";
import type { IncidentRecord } from "../incidents/change.ts";
import type { Reactivation } from "../incidents/incident.ts";
import { enforce } from "./enforce.ts";
import { reactivate } from "./reactivate.ts";
import type { Recollection } from "./recollect.ts";
import type { Errand, Responder } from "./responder.ts";

interface Driven {
  record: IncidentRecord;
  again?: string | undefined;
}

/**
 * Goes on with an incident whose message was lost: its deliveries are used up, or somebody emptied the queue. Alerts,
 * calls and the check-list that are due are finished afterwards, whatever the state.
 */
export async function drive(
  responder: Responder,
  { nudge, ...turn }: Errand<DriveNudge>,
  current: Recollection & { known: IncidentRecord },
): Promise<Driven> {
  const { known } = current;
  const { state, reactivation, rule, failure } = known.incident;
  if (state === "reactivating" && reactivation !== null) {
    return reactivate(responder, { command: commandOf(known, reactivation), ...turn }, known);
  }
  if (state === "open" || (state === "failed" && failure?.retrying === true)) {
    const tripping = { signal: nudge, rule, isNamed: true, reason: "it was not finished: taken up again by the sweep" };
    return { record: await enforce(responder, { signal: nudge, ...turn }, current, tripping) };
  }
  return { record: known };
}

/** The command, as it was accepted. */
function commandOf({ incident }: IncidentRecord, reactivation: Reactivation): ReactivateCommand {
  const { command, operator, road, reason, at, acknowledge, cleanup, countries, seen } = reactivation;
  return {
    kind: "reactivate",
    id: command,
    accountSid: incident.accountSid,
    incidentId: incident.id,
    receivedAt: at,
    ...{ operator, road, reason },
    acknowledge: [...acknowledge],
    cleanup: [...cleanup],
    countries: [...countries],
    seen: [...seen],
  };
}
