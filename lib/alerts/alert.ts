import type { Incident } from "../incidents/incident.ts";

/** What is published once per change of an incident's state; also the JSON form that machines receive. */
export interface Alert {
  /** The same for each redelivery of the same change, so that receivers can drop repeats. */
  id: string;
  /** What happened: the incident's new state, or `not-understood` for a signed webhook that could not be read. */
  about: "suspended" | "alerted" | "failed" | "not-understood";
  severity: Severity;
  /** At most 100 printable ASCII characters: SNS's rule for a subject. */
  subject: string;
  /** Plain text for e-mail. */
  text: string;
  incident: Incident;
  /** Where the incident can be read. */
  incidentUrl: string;
  /** When the change happened, ISO 8601 UTC. */
  at: string;
}

export type Severity = "critical" | "warning" | "info";
