import type { Check, Checklist } from "../../incidents/checklist.ts";
import type { IncidentState } from "../../incidents/incident.ts";

/** As much of an incident as says what can be asked for. The same for every road, and for what Slack offers. */
export interface Standing {
  state: IncidentState;
  containment: { by: string } | null;
  /** Null where it was not read, or is not known. */
  checklist: Checklist | null;
}

export function mayReactivate(standing: Standing): boolean {
  return standing.state === "suspended" && !isClosed(standing) && holdOf(standing) === undefined;
}

/** Of an account that is suspended only where it may be closed. The responder looks, and dismisses nothing that is not. */
export function mayDismiss(standing: Standing): boolean {
  const { state } = standing;
  if (state === "alerted" || state === "failed") return true;
  return state === "suspended" && (isClosed(standing) || mayBeClosed(standing));
}

/** Somebody else holds it, and its status could not be read. */
function mayBeClosed(standing: Standing): boolean {
  return standing.checklist?.account === undefined && holdOf(standing) !== undefined;
}

/** Closed for good, already when it was contained, or when the check-list was read. */
export function isClosed({ containment, checklist }: Pick<Standing, "containment" | "checklist">): boolean {
  return containment?.by === "closed" || checklist?.account === "closed";
}

/** The item of the check-list that says that the suspension is not ours to lift; undefined where none does. */
export function holdOf({ checklist }: Pick<Standing, "checklist">): Check | undefined {
  return checklist?.items.find(({ id, answer }) => id === "suspended-by" && answer === "not-done");
}
