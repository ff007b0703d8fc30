import type { Problem } from "../../http/problem.ts";
import type { Incident, IncidentState } from "../../incidents/incident.ts";

interface Situation {
  /** What is the case, in words for a person. */
  now: (incident: Incident) => string;
  /** What can be done instead. */
  instead: string;
}

const SITUATIONS: Readonly<Record<IncidentState, Situation>> = {
  open: {
    now: () => "The account is just being dealt with.",
    instead: "look at the incident again in a few seconds",
  },
  suspended: {
    now: () => "The account is suspended.",
    instead: "reactivate it (POST /api/incidents/{id}/reactivate)",
  },
  alerted: {
    now: () => "The account was not suspended, only alerted about.",
    instead: "suspend it (POST /api/subaccounts/{sid}/suspend), or dismiss the incident",
  },
  failed: {
    now: () => "The account could not be suspended.",
    instead: "suspend it (POST /api/subaccounts/{sid}/suspend), or dismiss the incident",
  },
  reactivating: {
    now: underWay,
    instead: "wait for its end: GET /api/incidents/{id} shows how far it is",
  },
  reactivated: {
    now: ({ reactivatedAt }) => `The account was reactivated at ${reactivatedAt ?? "an unknown time"}: this is over.`,
    instead: "look for a later incident of the account: GET /api/incidents?account={sid}",
  },
  dismissed: {
    now: ({ dismissal }) => `The incident was dismissed by ${dismissal?.operator ?? "an operator"}: it is over.`,
    instead: "look for a later incident of the account: GET /api/incidents?account={sid}",
  },
};

function underWay({ reactivation }: Incident): string {
  return `A reactivation is under way since ${reactivation?.at ?? "a moment ago"}, asked for by ${reactivation?.operator ?? "an operator"}.`;
}

export interface Needed {
  expected: string;
  /** Where the state's usual advice does not help. */
  fix?: string;
}

/** 409: the incident is in no state in which this can be asked for. */
export function stateConflict(incident: Incident, { expected, fix }: Needed): Problem {
  const { now, instead } = SITUATIONS[incident.state];
  return {
    status: 409,
    code: "state-conflict",
    title: "Not in this state",
    detail: now(incident),
    expected,
    got: incident.state,
    fix: fix ?? instead,
    state: incident.state,
  };
}
