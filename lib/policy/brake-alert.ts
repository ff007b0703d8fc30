/**
 * When people are told of the accounts that wait at the brake. Accounts that trip together are named together, in one loud
 * alert; whoever comes later is named in another one, and those are few.
 */
export interface BrakeAlert {
  /** The incident that makes an alert for all: nobody else does before `until`, ISO 8601 UTC. */
  maker: { incidentId: string; until: string } | null;
  /** The last one that was published: whose it was, when (ISO 8601 UTC), and how many accounts waited then. */
  last: { incidentId: string; at: string; waiting: number } | null;
  /** Nobody needs to look before whether another one is due, ISO 8601 UTC. */
  notBefore: string | null;
}

export const NO_BRAKE_ALERT: BrakeAlert = { maker: null, last: null, notBefore: null };

/** Longer than it takes to gather, to read names and to publish: then its maker is gone. */
const MAKING_MS = 30_000;
/** Another alert comes not sooner than this after one, */
const LEAST_BETWEEN_MS = 60_000;
/** and, unless twice as many accounts wait by then, not sooner than this. */
const MOST_BETWEEN_MS = 600_000;
/** Whoever waits for another's alert looks again after this time, or earlier. */
const LOOK_AGAIN_MS = 10_000;

export type AlertClaim =
  | { kind: "make"; next: BrakeAlert }
  /** Whoever published it was cut before the incident knew. */
  | { kind: "published"; next: BrakeAlert }
  | { kind: "later"; ms: number; next: BrakeAlert };

/** Whether this incident's alert is to be made now, for all that wait and that no alert has named. */
export function claimAlert(alert: BrakeAlert, { incidentId, now }: { incidentId: string; now: Date }): AlertClaim {
  const { maker, last, notBefore } = alert;
  if (last?.incidentId === incidentId) return { kind: "published", next: alert };
  const at = now.getTime();
  // Its own one, too: whoever was cut may still be at it.
  const makes = maker === null ? 0 : Date.parse(maker.until);
  if (makes > at) return { kind: "later", ms: Math.min(makes - at, LOOK_AGAIN_MS), next: alert };
  const free = Math.max(last === null ? 0 : Date.parse(last.at) + LEAST_BETWEEN_MS, Date.parse(notBefore ?? "") || 0);
  if (free > at) return { kind: "later", ms: free - at, next: alert };
  return { kind: "make", next: { ...alert, maker: { incidentId, until: new Date(at + MAKING_MS).toISOString() } } };
}

/** Whether so many waiting accounts are worth another alert. */
export function isAlertDue({ last }: BrakeAlert, waiting: number, now: Date): boolean {
  if (last === null) return true;
  return waiting >= 2 * last.waiting || now.getTime() >= Date.parse(last.at) + MOST_BETWEEN_MS;
}

/** Too few have come: somebody looks again in a minute. */
export function postponeAlert(alert: BrakeAlert, incidentId: string, now: Date): BrakeAlert {
  const soon = now.getTime() + LEAST_BETWEEN_MS;
  const due = alert.last === null ? soon : Date.parse(alert.last.at) + MOST_BETWEEN_MS;
  return { ...withoutMaker(alert, incidentId), notBefore: new Date(Math.min(soon, due)).toISOString() };
}

export function alertPublished(
  alert: BrakeAlert,
  { incidentId, waiting, now }: { incidentId: string; waiting: number; now: Date },
): BrakeAlert {
  return { ...withoutMaker(alert, incidentId), last: { incidentId, at: now.toISOString(), waiting }, notBefore: null };
}

/** It was not published: the next to look makes it. */
export function withoutMaker(alert: BrakeAlert, incidentId: string): BrakeAlert {
  return alert.maker?.incidentId === incidentId ? { ...alert, maker: null } : alert;
}
