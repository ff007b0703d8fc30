import type { Incident, IncidentState, TimelineEntry } from "./incident.ts";

/** Reads the record; changes nothing. Its methods reject when the store can't be read. */
export interface IncidentReader {
  /** Newest first. */
  list(query: IncidentQuery): Promise<IncidentPage>;
  /** The incident with its history, oldest entry first; undefined when there is none with this id. */
  get(id: string): Promise<{ incident: Incident; timeline: TimelineEntry[] } | undefined>;
  /** Without its history. */
  head(id: string): Promise<Incident | undefined>;
}

export interface IncidentQuery {
  state?: IncidentState;
  accountSid?: string;
  /** At most this many, 1 or more. */
  limit: number;
  /** An incident's id: only incidents older than it. It need not exist any more. */
  before?: string;
}

export interface IncidentPage {
  incidents: Incident[];
  /** What to pass as `before` for the next page; null at the end. */
  next: string | null;
}

/** An incident's id: when it was opened (UTC, to the millisecond), then a part that tells twins apart. */
export const INCIDENT_ID = /^\d{8}T\d{9}-[0-9a-z]{1,32}$/;
