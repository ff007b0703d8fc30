import type { ReactivateCommand } from "../inbox/commands.ts";
import { compareMarks, type TokenMark } from "../twilio/token-mark.ts";
import {
  type Change,
  type Detail,
  type DueAlert,
  entryBy,
  type IncidentRecord,
  type KeyedEntry,
  move,
  touch,
  withAlert,
} from "./change.ts";
import type { Checklist, CleanupId } from "./checklist.ts";
import type { Reactivation, Wish } from "./incident.ts";
import { callsCorrected } from "./live-calls.ts";
import { causedBy, reasonIn, wishOf } from "./wish.ts";

/**
 * The changes of an incident on its account's way back. Each line of the history names the operator and carries the
 * command, so that whoever asked can follow it.
 */
export function reactivationAsked(record: IncidentRecord, command: ReactivateCommand, now: Date): Change {
  const at = now.toISOString();
  const { acknowledge, cleanup, countries, seen, reason } = command;
  const reactivation: Reactivation = {
    ...wishOf(command),
    ...{ acknowledge, cleanup, countries, seen },
    cleaned: [],
    guards: [],
    probationUntil: null,
    activatedAt: null,
    suspendedFor: null,
    failure: null,
  };
  const detail = { acknowledge: acknowledge.join(", "), cleanup: cleanup.join(", ") };
  return {
    record: move(
      { ...record, rotatingFrom: null, madeTokens: [], knownKeys: null, cleanedSoFar: {}, mayBeLiveSince: null },
      "reactivating",
      at,
      { reactivation, reason },
    ),
    entries: [line(reactivation, "reactivation-asked", at, reasonIn(reactivation), detail)],
  };
}

/** @param wish who asked for the reading; null when it was read right after containment. */
export function checklistRead(record: IncidentRecord, checklist: Checklist, wish: Wish | null): Change {
  const { readAt, items } = checklist;
  const answers = Object.fromEntries(items.map(({ id, answer }) => [id, answer]));
  const open = items.filter(({ answer }) => answer !== "done").length;
  const why = open === 0 ? "all is in order" : `not known to be in order: ${open} of ${items.length}`;
  const entry =
    wish === null
      ? entryBy("tollbreaker", `checked:${readAt}`, readAt, "checked", why, answers)
      : line(wish, "checked", readAt, why, answers);
  const read = touch(record, readAt, { checklist });
  return {
    record: answers["live-calls"] === "done" ? callsCorrected(withoutCalls(read), readAt) : read,
    entries: [entry],
  };
}

function withoutCalls(record: IncidentRecord): IncidentRecord {
  const { containment } = record.incident;
  if (containment === null) return record;
  return { ...record, incident: { ...record.incident, containment: { ...containment, callsLeft: 0 } } };
}

export interface Cleaned {
  id: CleanupId;
  /** The stable name of the history's line. */
  what: string;
  why: string;
  detail: Detail;
  /** How much of it this delivery did; earlier ones may have done more. */
  count?: number;
}

export function cleaned(record: IncidentRecord, { id, what, why, detail, count = 0 }: Cleaned, now: Date): Change {
  const at = now.toISOString();
  const reactivation = under(record);
  const all = [...reactivation.cleaned.filter((other) => other !== id), id];
  const callsDue = record.callsDue && id !== "live-calls";
  return {
    record: {
      ...touch(record, at, { reactivation: { ...reactivation, cleaned: all } }),
      callsDue,
      cleanedSoFar: withMore(record, id, count),
    },
    entries: [line(reactivation, what, at, why, detail)],
  };
}

/** A clean-up takes more than one delivery: how far it is, for whoever watches. */
export function cleaningGoesOn(
  record: IncidentRecord,
  { id, count, done }: { id: CleanupId; count: number; done: string },
  now: Date,
): Change {
  const at = now.toISOString();
  const reactivation = under(record);
  const { operator, command } = reactivation;
  const cleanedSoFar = withMore(record, id, count);
  const detail = { id, count: cleanedSoFar[id] ?? 0, ...causedBy(reactivation) };
  const why = `${done} so far; it goes on in a moment`;
  return {
    record: { ...touch(record, at, {}), cleanedSoFar },
    entries: [entryBy(operator, `cleaning:${command}:${id}:${at}`, at, "cleaning-goes-on", why, detail)],
  };
}

function withMore({ cleanedSoFar }: IncidentRecord, id: CleanupId, count: number): IncidentRecord["cleanedSoFar"] {
  return { ...cleanedSoFar, [id]: (cleanedSoFar[id] ?? 0) + count };
}

/** Which API keys it has before it can be active: those that come later are not its own. */
export function keysNoted(record: IncidentRecord, sids: readonly string[]): Change {
  return { record: { ...record, knownKeys: sids }, entries: [] };
}

export interface Armed {
  /** The SIDs of its usage triggers. */
  guards: readonly string[];
  until: Date;
  why: string;
  /** The auth token that it has now. */
  tokenMark: TokenMark | null;
  /** What had been used by then, by measure, and what its guards count from, by `guardKey`: decimal strings. */
  passed: Readonly<Record<string, string>>;
}

export function armed(record: IncidentRecord, { guards, until, why, tokenMark, passed }: Armed, now: Date): Change {
  const at = now.toISOString();
  const reactivation = { ...under(record), guards, probationUntil: until.toISOString() };
  const { operator, command } = reactivation;
  const detail = { guards: guards.length, until: until.toISOString(), ...causedBy(reactivation) };
  return {
    record: { ...touch(record, at, { reactivation }), rotatingFrom: record.rotatingFrom ?? tokenMark, passed },
    // Armed anew, with other guards, is another line.
    entries: [entryBy(operator, `armed:${command}:${guards[0] ?? ""}`, at, "armed", why, detail)],
  };
}

/** Before Twilio is asked to set it active: what fires from now on may be new, however late we learn of the activation. */
export function goingLive(record: IncidentRecord, now: Date): Change {
  const at = now.toISOString();
  return { record: { ...touch(record, at, {}), mayBeLiveSince: at }, entries: [] };
}

export function activated(record: IncidentRecord, why: string, now: Date): Change {
  const at = now.toISOString();
  const { suspendedAt } = record.incident;
  const suspendedFor = suspendedAt === null ? null : now.getTime() - Date.parse(suspendedAt);
  const reactivation = { ...under(record), activatedAt: at, suspendedFor };
  return {
    record: { ...touch(record, at, { reactivation }), mayBeLiveSince: record.mayBeLiveSince ?? at },
    entries: [line(reactivation, "activated", at, why, { suspendedFor })],
  };
}

/**
 * A new auth token was made for it, before it becomes the account's: a mark of it alone. Those made before are kept: any of
 * them may have become the account's, with an answer that was lost.
 */
export function rotating(record: IncidentRecord, tokenMark: TokenMark): Change {
  return { record: { ...record, madeTokens: [...record.madeTokens, tokenMark] }, entries: [] };
}

/** API keys that were not seen before it was active are gone: made since, or shown to the account itself alone. */
export function newKeysDeleted(
  record: IncidentRecord,
  { sids, why }: { sids: readonly string[]; why: string },
  now: Date,
): Change {
  const at = now.toISOString();
  const reactivation = under(record);
  const { operator, command } = reactivation;
  const key = `new-api-keys-deleted:${command}:${sids[0] ?? ""}`;
  const detail = { count: sids.length, ...causedBy(reactivation) };
  return {
    record: touch(record, at, {}),
    entries: [entryBy(operator, key, at, "new-api-keys-deleted", why, detail)],
  };
}

/** What somebody did while it was becoming active, and is undone. */
export interface Undone {
  what: "numbers-unrouted-anew" | "window-calls-ended";
  why: string;
  count: number;
}

export function undone(record: IncidentRecord, { what, why, count }: Undone, now: Date): Change {
  const at = now.toISOString();
  const reactivation = under(record);
  const { operator, command } = reactivation;
  const detail = { count, ...causedBy(reactivation) };
  return {
    record: touch(record, at, {}),
    entries: [entryBy(operator, `${what}:${command}:${at}`, at, what, why, detail)],
  };
}

/** None of its phone numbers calls a webhook, read once nobody could change them any more. */
export function numbersChecked(record: IncidentRecord, count: number, now: Date): Change {
  const at = now.toISOString();
  const reactivation = under(record);
  const why =
    count === 1 ? "its 1 phone number calls no webhook" : `none of its ${count} phone numbers calls a webhook`;
  return { record: touch(record, at, {}), entries: [line(reactivation, "numbers-checked", at, why, { count })] };
}

/** Usage triggers that somebody removed or changed while it was becoming active are there again. */
export function guardsRestored(
  record: IncidentRecord,
  { guards, created }: { guards: readonly string[]; created: number },
  now: Date,
): Change {
  const at = now.toISOString();
  const reactivation = { ...under(record), guards };
  const { operator, command } = reactivation;
  const why = `${created} usage triggers were removed or changed while it was becoming active, and made anew`;
  const detail = { count: created, ...causedBy(reactivation) };
  const key = `guards-restored:${command}:${guards.at(-1) ?? ""}`;
  return {
    record: touch(record, at, { reactivation }),
    entries: [entryBy(operator, key, at, "guards-restored", why, detail)],
  };
}

/** The end: active, armed and clean. */
export function reactivated(record: IncidentRecord, now: Date): Change {
  const at = now.toISOString();
  const reactivation = under(record);
  const { reason, activatedAt, suspendedFor } = reactivation;
  const reactivatedAt = record.mayBeLiveSince ?? activatedAt ?? at;
  const moved = move(record, "reactivated", at, { reactivatedAt, reason, failure: null });
  return {
    record: told(moved, reactivation, { about: "reactivated", at }),
    entries: [line(reactivation, "reactivated", at, reasonIn(reactivation), { suspendedFor })],
  };
}

/** Its reactivation goes wrong: before anything else is done, so that whoever picks it up goes on with going back. */
export function turningBack(record: IncidentRecord, why: string, now: Date): Change {
  const turning = touch(record, now.toISOString(), { reactivation: { ...under(record), failure: why } });
  return { record: turning, entries: [] };
}

/**
 * It may have been active: what the auth token is measured by from now on. One that it was given in that time counts as
 * another one only where we gave it; else it is the one that whoever comes next must change.
 * @param now of the token that it has as it is suspended again; null where that was not seen
 */
export function markedAnew(record: IncidentRecord, now: TokenMark | null): IncidentRecord {
  const { rotatingFrom, tokenMark } = record;
  if (now !== null && rotatingFrom !== null && compareMarks(rotatingFrom, now) === "same") return record;
  return { ...record, tokenMark: isOurs(record, now) ? (tokenMark ?? rotatingFrom) : now };
}

/** Whether our own request made it the account's: one of the same mark, promoted by somebody else, is known to him. */
function isOurs(record: IncidentRecord, now: TokenMark | null): boolean {
  const promoted = record.madeTokens.at(-1);
  if (now === null || promoted === undefined || !under(record).cleaned.includes("auth-token")) return false;
  return compareMarks(promoted, now) === "same";
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
  // What was read before was changed by the clean-up, or while it was active: the list is read anew.
  const checklist = kind === "refused" ? record.incident.checklist : null;
  const moved = move(record, "suspended", at, { reactivation, checklist, reason: why });
  return {
    record: told(moved, asked, { about: "not-reactivated", at }),
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

/** @param watched what watches the account from now on, in words; null where nothing has to: it is closed, or the parent */
export function dismissed(record: IncidentRecord, wish: Wish, watched: string | null, now: Date): Change {
  const at = now.toISOString();
  const moved = move(record, "dismissed", at, { dismissal: wish, reason: wish.reason, because: null });
  return {
    record: told(moved, wish, { about: "dismissed", note: watched, at }),
    entries: [
      ...(watched === null ? [] : [line(wish, "guarded", at, watched, {})]),
      line(wish, "dismissed", at, reasonIn(wish), {}),
    ],
  };
}

/** Of several that one request asked for, people are told in one summary. What is untrue by now is told no more either way. */
function told(record: IncidentRecord, { batch }: Pick<Wish, "batch">, due: DueAlert): IncidentRecord {
  const alerted = withAlert(record, due);
  if (batch === undefined) return alerted;
  const alerts = alerted.incident.alerts.slice(0, -1);
  return { ...alerted, incident: { ...alerted.incident, alerts } };
}

/** There are more of them than fit into one delivery: how far it is, for whoever watches. */
export function restoringGoesOn(
  record: IncidentRecord,
  wish: Wish,
  { count, of }: { count: number; of: number },
  now: Date,
): Change {
  const at = now.toISOString();
  const why = `${count} of ${of} phone numbers have their webhooks back so far; it goes on in a moment`;
  const detail = { count, of, ...causedBy(wish) };
  return {
    record: touch(record, at, {}),
    entries: [entryBy(wish.operator, `restoring:${wish.command}:${at}`, at, "restoring-goes-on", why, detail)],
  };
}

/** @param left the SIDs of those that somebody gave other webhooks meanwhile. */
export function numbersRestored(
  record: IncidentRecord,
  wish: Wish,
  { count, left }: { count: number; left: readonly string[] },
  now: Date,
): Change {
  const at = now.toISOString();
  const given =
    count === 1 ? "1 phone number has its webhooks back" : `${count} phone numbers have their webhooks back`;
  const others = left.length === 0 ? "" : `; left as they are, because they have other ones by now: ${left.join(", ")}`;
  const why = `${given}${others}`;
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
