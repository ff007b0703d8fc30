import type { ReactivateCommand } from "../inbox/commands.ts";
import type { TokenMark } from "../twilio/token-mark.ts";
import {
  type Change,
  type Detail,
  entryBy,
  type IncidentRecord,
  type KeyedEntry,
  move,
  touch,
  withAlert,
} from "./change.ts";
import type { Checklist, CleanupId } from "./checklist.ts";
import type { Reactivation, Wish } from "./incident.ts";
import { causedBy, wishOf } from "./wish.ts";

/**
 * The changes of an incident on its account's way back. Each line of the history names the operator and carries the
 * command, so that whoever asked can follow it.
 */
export function reactivationAsked(record: IncidentRecord, command: ReactivateCommand, now: Date): Change {
  const at = now.toISOString();
  const { acknowledge, cleanup, countries, reason } = command;
  const reactivation: Reactivation = {
    ...wishOf(command),
    ...{ acknowledge, cleanup, countries },
    cleaned: [],
    guards: [],
    probationUntil: null,
    activatedAt: null,
    suspendedFor: null,
    failure: null,
  };
  const detail = { acknowledge: acknowledge.join(", "), cleanup: cleanup.join(", ") };
  return {
    record: move({ ...record, rotatingFrom: null }, "reactivating", at, { reactivation, reason }),
    entries: [line(reactivation, "reactivation-asked", at, reason, detail)],
  };
}

/** @param wish who asked for the reading; null when it was read right after containment. */
export function checklistRead(record: IncidentRecord, checklist: Checklist, wish: Wish | null): Change {
  const { readAt, items } = checklist;
  const answers = Object.fromEntries(items.map(({ id, answer }) => [id, answer]));
  const open = items.filter(({ answer }) => answer !== "done").length;
  const why = open === 0 ? "all is in order" : `${open} of ${items.length} are not known to be in order`;
  const entry =
    wish === null
      ? entryBy("tollbreaker", `checked:${readAt}`, readAt, "checked", why, answers)
      : line(wish, "checked", readAt, why, answers);
  return { record: touch(record, readAt, { checklist }), entries: [entry] };
}

export interface Cleaned {
  id: CleanupId;
  /** The stable name of the history's line. */
  what: string;
  why: string;
  detail: Detail;
}

export function cleaned(record: IncidentRecord, { id, what, why, detail }: Cleaned, now: Date): Change {
  const at = now.toISOString();
  const reactivation = under(record);
  const all = [...reactivation.cleaned.filter((other) => other !== id), id];
  return {
    record: touch(record, at, { reactivation: { ...reactivation, cleaned: all } }),
    entries: [line(reactivation, what, at, why, detail)],
  };
}

export interface Armed {
  /** The SIDs of its usage triggers. */
  guards: readonly string[];
  until: Date;
  why: string;
  /** The auth token that it has now. */
  tokenMark: TokenMark | null;
  /** What had been used by then of limits that were passed: decimal strings, by UsageTriggerSid or by limit. */
  passed: Readonly<Record<string, string>>;
}

export function armed(record: IncidentRecord, { guards, until, why, tokenMark, passed }: Armed, now: Date): Change {
  const at = now.toISOString();
  const reactivation = { ...under(record), guards, probationUntil: until.toISOString() };
  return {
    record: { ...touch(record, at, { reactivation }), rotatingFrom: tokenMark, passed },
    entries: [line(reactivation, "armed", at, why, { guards: guards.length, until: until.toISOString() })],
  };
}

export function activated(record: IncidentRecord, why: string, now: Date): Change {
  const at = now.toISOString();
  const { suspendedAt } = record.incident;
  const suspendedFor = suspendedAt === null ? null : now.getTime() - Date.parse(suspendedAt);
  const reactivation = { ...under(record), activatedAt: at, suspendedFor };
  return {
    record: touch(record, at, { reactivation }),
    entries: [line(reactivation, "activated", at, why, { suspendedFor })],
  };
}

/** The end: active, armed and clean. */
export function reactivated(record: IncidentRecord, now: Date): Change {
  const at = now.toISOString();
  const reactivation = under(record);
  const { reason, activatedAt, suspendedFor } = reactivation;
  const moved = move(record, "reactivated", at, { reactivatedAt: activatedAt ?? at, reason, failure: null });
  return {
    record: withAlert(moved, { about: "reactivated", at }),
    entries: [line(reactivation, "reactivated", at, reason, { suspendedFor })],
  };
}

/** Its reactivation goes wrong: before anything else is done, so that whoever picks it up goes on with going back. */
export function turningBack(record: IncidentRecord, why: string, now: Date): IncidentRecord {
  return touch(record, now.toISOString(), { reactivation: { ...under(record), failure: why } });
}

export interface NotReactivated {
  /** `refused`: nothing was changed at Twilio. */
  kind: "refused" | "failed";
  why: string;
  /** Whether it was active for a moment. */
  wasLive: boolean;
}

/** Suspended still, or again. */
export function notReactivated(record: IncidentRecord, { kind, why, wasLive }: NotReactivated, now: Date): Change {
  const at = now.toISOString();
  const { probationUntil, ...asked } = under(record);
  // Of an account that never was live, no probation is running, whatever it was armed with.
  const reactivation = { ...asked, probationUntil: wasLive ? probationUntil : null, failure: why };
  const moved = move(record, "suspended", at, { reactivation, reason: why });
  return {
    record: withAlert(moved, { about: "not-reactivated", at }),
    entries: [line(reactivation, `reactivation-${kind}`, at, why, {})],
  };
}

/** It had to be suspended again, and could not be. */
export function stuck(record: IncidentRecord, why: string, now: Date): Change {
  const at = now.toISOString();
  const reactivation = { ...under(record), failure: why };
  const failure = { twilioCode: null, message: why, retrying: false };
  const moved = move(record, "failed", at, { reactivation, failure, reason: why });
  return {
    record: withAlert(moved, { about: "failed", at }),
    entries: [line(reactivation, "failed", at, why, { retrying: false })],
  };
}

export function dismissed(record: IncidentRecord, wish: Wish, now: Date): Change {
  const at = now.toISOString();
  const moved = move(record, "dismissed", at, { dismissal: wish, reason: wish.reason });
  return {
    record: withAlert(moved, { about: "dismissed", at }),
    entries: [line(wish, "dismissed", at, wish.reason, {})],
  };
}

export function numbersRestored(record: IncidentRecord, wish: Wish, count: number, now: Date): Change {
  const at = now.toISOString();
  const why = `${count} phone numbers have their webhooks back`;
  return { record: touch(record, at, {}), entries: [line(wish, "numbers-restored", at, why, { count })] };
}

/** It could not be carried out, and changed nothing: the history says so, and why. */
export function commandRefused(record: IncidentRecord, wish: Wish, why: string, now: Date): Change {
  const at = now.toISOString();
  return { record: touch(record, at, {}), entries: [line(wish, "command-refused", at, why, {})] };
}

function line(wish: Wish, what: string, at: string, why: string, detail: Detail): KeyedEntry {
  return entryBy(wish.operator, `${what}:${wish.command}`, at, what, why, { ...detail, ...causedBy(wish) });
}

function under({ incident }: IncidentRecord): Reactivation {
  if (incident.reactivation === null) throw new TypeError(`Nobody asked for a reactivation of ${incident.id}.`);
  return incident.reactivation;
}
