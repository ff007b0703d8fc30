import { TollbreakerError } from "../errors.ts";
import type { Incident, IncidentState } from "./incident.ts";

/** The only moves there are. An incident in a state without moves is over. */
const TRANSITIONS: Readonly<Record<IncidentState, readonly IncidentState[]>> = {
  // Dismissed only where a person asked for what cannot be: of an account that is not ours.
  open: ["suspended", "alerted", "failed", "dismissed"],
  // Dismissed only once the account is closed for good.
  suspended: ["reactivating", "dismissed"],
  alerted: ["suspended", "failed", "dismissed"],
  failed: ["suspended", "dismissed"],
  // Failed: it went live, had to be suspended again, and Twilio did not do it.
  reactivating: ["reactivated", "suspended", "failed"],
  reactivated: [],
  dismissed: [],
};

export function mayMove(from: IncidentState, to: IncidentState): boolean {
  return TRANSITIONS[from].includes(to);
}

export function isOver(state: IncidentState): boolean {
  return TRANSITIONS[state].length === 0;
}

/** Whether the brake keeps its account from being suspended, so that a person has to decide. */
export function waitsAtBrake({ state, because }: Pick<Incident, "state" | "because">): boolean {
  return because === "brake" && !isOver(state);
}

/** @throws TollbreakerError `transition-refused` for a move that the table does not have. */
export function assertMove(from: IncidentState, to: IncidentState): void {
  if (mayMove(from, to)) return;
  throw new TollbreakerError("transition-refused", `An incident cannot go from ${from} to ${to}.`, {
    expected: TRANSITIONS[from].length === 0 ? "no move: it is over" : `one of ${TRANSITIONS[from].join(", ")}`,
    got: to,
  });
}
