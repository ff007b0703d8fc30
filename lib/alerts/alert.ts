import type { AlertSubject, Incident } from "../incidents/incident.ts";

/** What is published once per change of an incident's state; also the JSON form that machines receive. */
export interface Alert {
  /** The same for each redelivery of the same change, so that receivers can drop repeats. */
  id: string;
  /** What happened: the incident's new state, or `not-understood` for a signed webhook that could not be read. */
  about: AlertSubject;
  severity: Severity;
  /** At most 99 printable ASCII characters: SNS's rule for a subject. */
  subject: string;
  /** One sentence: what happened, and whether money is still being lost. */
  headline: string;
  /** What is known, most urgent first: each channel shows these same lines. */
  facts: Fact[];
  /** When it fired, came in and was suspended, each with its lag, in words. */
  times: string[];
  /** What a person should do now. */
  nextStep: string;
  /** Plain text for e-mail. */
  text: string;
  /** The incident; its free texts are made one line and cut. */
  incident: Incident;
  /** Where the incident can be read. */
  incidentUrl: string;
  /** When the change happened, ISO 8601 UTC. */
  at: string;
  /** Whether something was left out, empty or null, so that it fits into one message: the incident has all of it. */
  shortened: boolean;
}

/** One line of what is known; neither part is empty, neither has a line break. */
export interface Fact {
  label: string;
  value: string;
}

export type Severity = "critical" | "warning" | "info";
