import type { Incident } from "../../incidents/incident.ts";
import { wordsForCode } from "../../twilio/refusals.ts";
import { holdOf, isClosed } from "./standing.ts";
import { type Refused, refused } from "./verdict.ts";

/**
 * 409 where neither a reactivation nor a dismissal helps: somebody else has to act first. Undefined where the check-list
 * on record says nothing of the kind. The responder would refuse it too, whatever is acknowledged.
 */
export function holdConflict(incident: Incident, expected: string): Refused | undefined {
  const why = holdOf(incident)?.why ?? heldWhenContained(incident);
  if (why === undefined || isClosed(incident)) return undefined;
  const { state, checklist } = incident;
  const kind = checklist?.account === "active" ? ACTIVE : NOT_OURS;
  return refused({ ...kind, status: 409, detail: `${why}.`, expected, state });
}

/** Before the check-list was read. */
function heldWhenContained({ containment, checklist }: Incident): string | undefined {
  return checklist === null && containment?.by === "suspended-by-twilio" ? wordsForCode(21478) : undefined;
}

const ACTIVE = {
  code: "account-active",
  title: "Active past Tollbreaker",
  fix: "suspend it (POST /api/subaccounts/{sid}/suspend)",
};

const NOT_OURS = {
  code: "suspension-not-ours",
  title: "Not ours to lift",
  fix: "only Twilio's support can lift it: send them the report (tollbreaker incidents report ID); once it is lifted or closed, read the check-list anew (POST /api/incidents/{id}/check)",
};
