import { type IncidentRecord, withAlert } from "./change.ts";
import type { AlertSubject, Incident } from "./incident.ts";
import { wentLive } from "./went-live.ts";

/**
 * Whether an alert about this says that calls of the account are live, or that nothing is known of them. Whoever was told
 * so must also be told once they are ended.
 */
export function tellsOfLiveCalls(about: AlertSubject, incident: Incident): boolean {
  const { state, containment, checklist, reactivation } = incident;
  const areLeft = containment?.callsLeft !== 0;
  switch (about) {
    case "suspended":
      return areLeft;
    case "reminder":
      return state === "suspended" && areLeft;
    case "not-reactivated":
      // Nothing was changed: what it says of calls is what the check-list says.
      if (wentLive(reactivation) !== "no") return areLeft;
      return checklist?.items.find(({ id }) => id === "live-calls")?.answer !== "done";
    case "alerted":
    case "failed":
    case "not-understood":
    case "reactivated":
    case "dismissed":
    case "tampered":
    case "calls-ended":
      return false;
  }
}

/** No call is left: whoever was told that calls were live, or might be, is told so, once for all that they were told. */
export function callsCorrected(record: IncidentRecord, at: string): IncidentRecord {
  const { incident } = record;
  const wrong = incident.alerts.findLast(({ saidCallsLive }) => saidCallsLive);
  if (wrong === undefined) return record;
  const alerts = incident.alerts.map((alert) => ({ ...alert, saidCallsLive: false }));
  const note = `the alert of ${wrong.at.slice(0, 19).replace("T", " ")} UTC, which said that calls were live, or might be`;
  return withAlert({ ...record, incident: { ...incident, alerts } }, { about: "calls-ended", note, at });
}
