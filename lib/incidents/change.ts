import type { TokenMark } from "../twilio/token-mark.ts";
import type {
  AlertDelivery,
  AlertedBecause,
  AlertSubject,
  Incident,
  IncidentState,
  TimelineEntry,
} from "./incident.ts";
import { assertMove } from "./transitions.ts";

/**
 * An incident with what the responder needs to carry on after an interruption. Changes are pure: each takes a record and
 * returns the next one with the lines it adds to the history; the store makes them durable.
 */
export interface IncidentRecord {
  incident: Incident;
  /** The signal that opened it, by its identity. */
  openedBy: string;
  /** The identities of signals that joined it: kept so that a repeated delivery counts once. */
  joined: readonly string[];
  /** Whether the account's live calls still have to be ended. */
  callsDue: boolean;
  /** When Twilio was last about to be asked to suspend the account, ISO 8601 UTC; null while it never was. */
  askedAt: string | null;
  /** When an operator last asked for the account to be suspended, ISO 8601 UTC: an older wish for its return is overtaken. */
  stopAskedAt: string | null;
  /** Until when somebody is at what is due (calls, evidence, alerts, check-list), ISO 8601 UTC; null while nobody is. */
  finishingUntil: string | null;
  /** A keyed fingerprint of the account's auth token when it was contained; null where it was not seen. */
  tokenMark: TokenMark | null;
  /** The same when the latest reactivation was armed: an account's credentials change nothing while it is suspended. */
  rotatingFrom: TokenMark | null;
  /** The same of each token that the latest reactivation made, the last one last, whether or not it became the account's. */
  madeTokens: readonly TokenMark[];
  /** How much the latest reactivation cleaned up until now, by clean-up. */
  cleanedSoFar: Readonly<Record<string, number>>;
  /** The SIDs of the API keys that it had then, where those were to stay; null where they were not listed. */
  knownKeys: readonly string[] | null;
  /**
   * From when on the account may be active, ISO 8601 UTC: written down before Twilio is asked for it. Null while the
   * latest reactivation has not asked, and once Twilio has refused all that it asked for.
   */
  mayBeLiveSince: string | null;
  /** What had been used by then, by measure, and what its guards count from, by `guardKey`: decimal strings. */
  passed: Readonly<Record<string, string>>;
  /** Grows by one with each write: two writers cannot both succeed. */
  version: number;
}

export interface Change {
  record: IncidentRecord;
  entries: readonly KeyedEntry[];
}

/** `key` names the step within the incident: the same step, done twice, is one line of the history. */
export interface KeyedEntry extends TimelineEntry {
  key: string;
}

export type Detail = TimelineEntry["detail"];

/** Nothing changes. */
export function unchanged(record: IncidentRecord): Change {
  return { record, entries: [] };
}

/** Two changes as one, so that they are written together. */
export function followedBy(first: Change, next: (record: IncidentRecord) => Change): Change {
  const second = next(first.record);
  return { record: second.record, entries: [...first.entries, ...second.entries] };
}

/** @throws TollbreakerError `transition-refused` for a move that is not allowed. */
export function move(
  record: IncidentRecord,
  to: IncidentState,
  at: string,
  changes: Partial<Incident>,
): IncidentRecord {
  assertMove(record.incident.state, to);
  return touch(record, at, { ...changes, state: to });
}

export function touch(record: IncidentRecord, at: string, changes: Partial<Incident>): IncidentRecord {
  return { ...record, incident: { ...record.incident, ...changes, updatedAt: at } };
}

export interface DueAlert {
  about: AlertSubject;
  at: string;
  rule?: string;
  because?: AlertedBecause | null;
  problem?: string | null;
  note?: string | null;
  /** Left out where whoever signs for the account has no say in it. */
  isNamed?: boolean;
}

export function withAlert(record: IncidentRecord, due: DueAlert): IncidentRecord {
  const { incident } = record;
  const { about, rule = incident.rule, because = null, problem = null, note = null, isNamed = true } = due;
  const at = firstFree(incident.alerts, due);
  const id = `${incident.id}:${about}:${at}`;
  const alert = { id, about, rule, because, problem, note, isNamed, at, saidCallsLive: false, publishedAt: null };
  const alerts = [...incident.alerts.filter((earlier) => isStillTrue(earlier, about)), alert];
  return { ...record, incident: { ...incident, alerts: kept(alerts, at) } };
}

/** The time goes into the alert's id: of two in the same millisecond, the second would be taken for the first. */
function firstFree(alerts: readonly AlertDelivery[], { about, at }: DueAlert): string {
  if (!alerts.some((alert) => alert.about === about && alert.at === at)) return at;
  return firstFree(alerts, { about, at: new Date(Date.parse(at) + 1).toISOString() });
}

/** What is told beside the state: it makes no other alert untrue. One more warning doesn't either. */
const ADDITIONS: ReadonlySet<AlertSubject> = new Set(["alerted", "not-understood", "reminder", "calls-ended"]);

// "Could not be suspended, act now" that was never sent must not wake anybody once the account is suspended. The
// brake's alert names other accounts, too.
function isStillTrue({ about, because, publishedAt }: AlertDelivery, next: AlertSubject): boolean {
  if (publishedAt !== null || about === "not-understood" || because === "brake") return true;
  // The newer one says how long it has waited by now.
  return ADDITIONS.has(next) && !(about === "reminder" && next === "reminder");
}

/** So many are kept with the incident, and travel with each alert; the history has them all. */
export const MOST_ALERTS = 50;

/** All that are due or of this day, by which it is known what was told in it; then the latest of those before. */
function kept(alerts: readonly AlertDelivery[], now: string): AlertDelivery[] {
  const isNeeded = ({ publishedAt, at }: AlertDelivery) => publishedAt === null || isSameDay(at, now);
  const others = alerts.filter((alert) => !isNeeded(alert));
  const room = Math.max(0, MOST_ALERTS - (alerts.length - others.length));
  const dropped = new Set(others.slice(0, Math.max(0, others.length - room)));
  return alerts.filter((alert) => !dropped.has(alert));
}

/** Whether two times, ISO 8601 UTC, are in the same GMT day. */
export function isSameDay(a: string, b: string): boolean {
  return a.slice(0, 10) === b.slice(0, 10);
}

/** One line of the history, by whoever acts. */
export function entryBy(who: string, key: string, at: string, what: string, why: string, detail: Detail): KeyedEntry {
  return { key, at, what, who, why, detail };
}

/** One line of the history, by ourselves. */
export function entry(key: string, at: string, what: string, why: string, detail: Detail): KeyedEntry {
  return entryBy("tollbreaker", key, at, what, why, detail);
}
