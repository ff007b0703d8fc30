import { createHash } from "node:crypto";
import { isDecimal, percentOf, subtract } from "../decimal.ts";
import type { AdoptCommand, SuspendCommand } from "../inbox/commands.ts";
import { identityOf, type NotUnderstoodSignal, type Signal } from "../inbox/messages.ts";
import type { DriveNudge, FoundSuspendedNudge, TamperedNudge } from "../inbox/nudges.ts";
import type { TokenMark } from "../twilio/token-mark.ts";
import {
  type Change,
  type Detail,
  entry,
  entryBy,
  followedBy,
  type IncidentRecord,
  isSameDay,
  type KeyedEntry,
  move,
  touch,
  withAlert,
} from "./change.ts";
import type {
  AlertDelivery,
  AlertedBecause,
  Containment,
  ErrorEvidence,
  Evidence,
  Failure,
  Incident,
  SpendRanking,
  Trip,
  Wish,
} from "./incident.ts";
import { callsCorrected, tellsOfLiveCalls } from "./live-calls.ts";
import { causedBy, wishOf } from "./wish.ts";

/** A flood of forged signals must not fill the table: beyond this many, further ones are counted, not listed. */
export const MOST_JOINED = 500;

/** The id is made from the signal, so that whoever opens the incident again after a crash gets the same one. */
export function incidentIdFor({
  accountSid,
  id,
  receivedAt,
}: Pick<Signal, "accountSid" | "id" | "receivedAt">): string {
  const twin = createHash("sha256").update(`${accountSid} ${id}`).digest("hex").slice(0, 8);
  return `${new Date(receivedAt).toISOString().replace(/[-:.Z]/g, "")}-${twin}`;
}

/** Why an account is to be suspended: something happened, a person wants it, or the sweep found it not done, or undone. */
export type Occasion = Signal | SuspendCommand | AdoptCommand | DriveNudge | TamperedNudge | FoundSuspendedNudge;

/** An occasion with what the policy, or the person, says of it. */
export interface Tripping {
  signal: Occasion;
  /** The rule's name. */
  rule: string;
  /** Whether the policy has a rule of this name: whoever signs for an account can make up others. */
  isNamed: boolean;
  reason: string;
}

/** @param friendlyName the account's, where it was ever seen. */
export function openIncident(id: string, tripping: Tripping, now: Date, friendlyName: string | null = null): Change {
  const { signal, reason } = tripping;
  const at = now.toISOString();
  const incident: Incident = {
    id,
    accountSid: signal.accountSid,
    friendlyName,
    state: "open",
    reason,
    ...whatTripped(tripping),
    openedAt: at,
    updatedAt: at,
    suspendedAt: null,
    reactivatedAt: null,
    containment: null,
    failure: null,
    evidence: null,
    because: null,
    ranking: null,
    signals: 1,
    alerts: [],
    checklist: null,
    suspension: signal.kind === "suspend" ? wishOf(signal) : null,
    reactivation: null,
    dismissal: null,
    recurrence: null,
  };
  const record = {
    incident,
    openedBy: identityOf(signal),
    joined: [],
    callsDue: false,
    askedAt: null,
    stopAskedAt: signal.kind === "suspend" ? signal.receivedAt : null,
    finishingUntil: null,
    tokenMark: null,
    rotatingFrom: null,
    madeTokens: [],
    cleanedSoFar: {},
    knownKeys: null,
    mayBeLiveSince: null,
    passed: {},
    version: 0,
  };
  return { record, entries: [arrival("opened", "opened", at, { signal, reason })] };
}

/** The first line that an occasion leaves in the history: of Twilio's, of the person who asked, or of our own. */
function arrival(key: string, what: string, at: string, { signal, reason }: Pick<Tripping, "signal" | "reason">) {
  const detail = detailOf(signal);
  switch (signal.kind) {
    case "suspend":
      return entryBy(signal.operator, key, at, what === "opened" ? what : "suspension-asked", reason, detail);
    case "adopt":
      return entryBy(signal.operator, key, at, "adoption-asked", reason, detail);
    case "drive":
      return entryBy("tollbreaker", key, at, "driven", reason, detail);
    case "tampered":
      return entryBy("tollbreaker", key, at, "found-active", reason, detail);
    case "found-suspended":
      return entryBy("tollbreaker", key, at, what === "opened" ? what : "found-suspended", reason, detail);
    default:
      return entryBy(isOfTwilio(signal) ? "twilio" : "tollbreaker", key, at, what, reason, detail);
  }
}

/** Whether Twilio told it; what the sweep found is our own finding. */
function isOfTwilio(signal: Signal): boolean {
  return signal.kind === "usage-trigger" ? signal.found === "webhook" : signal.kind !== "spend-rule";
}

/** Whether it says something of the account's spend, of its own; the others go by what is on record. */
function isNews(occasion: Occasion): occasion is Signal {
  return !["suspend", "adopt", "drive", "tampered", "found-suspended"].includes(occasion.kind);
}

export interface Suspended {
  by: Containment["by"];
  friendlyName: string | null;
  /** Who asked for it; left out where Tollbreaker decided. */
  wish?: Wish | null;
  /** Left out where Twilio did not show the account's token. */
  tokenMark?: TokenMark | null;
  reason: string;
  /** When Twilio said that it is. */
  now: Date;
}

export function suspended(record: IncidentRecord, suspension: Suspended): Change {
  const at = suspension.now.toISOString();
  const moved = move(record, "suspended", at, {});
  return contained(moved, suspension, suspendedLine("suspended", at, suspension.reason, suspension));
}

/** Somebody had set the account active, past us, and it tripped anew: no change of state, but people must know. */
export function suspendedAgain(record: IncidentRecord, tripping: Tripping, suspension: Suspended): Change {
  const { reason, now } = suspension;
  const at = now.toISOString();
  const key = `suspended-again:${identityOf(tripping.signal)}`;
  const line = suspendedLine(key, at, `was active again; ${reason}`, suspension);
  return contained(trippedBy(record, tripping), suspension, line);
}

/** Right before Twilio is asked to suspend it: who finds it suspended after that knows that it may have been us. */
export function suspensionAsked(record: IncidentRecord, now: Date): Change {
  return { record: { ...record, askedAt: now.toISOString() }, entries: [] };
}

/** A person asked for a suspension, and Twilio says that it is suspended: nothing changed, and the person must know. */
export function stillSuspended(record: IncidentRecord, command: SuspendCommand, now: Date): Change {
  const at = now.toISOString();
  const { id, operator } = command;
  const detail = causedBy(wishOf(command));
  const line = entryBy(operator, `still-suspended:${id}`, at, "suspended", "it was suspended already", detail);
  return { record: { ...touch(record, at, {}), stopAskedAt: command.receivedAt }, entries: [line] };
}

function suspendedLine(key: string, at: string, why: string, { by, wish = null }: Suspended): KeyedEntry {
  return wish === null
    ? entry(key, at, "suspended", why, { by })
    : entryBy(wish.operator, `${key}:${wish.command}`, at, "suspended", why, { by, ...causedBy(wish) });
}

function contained(record: IncidentRecord, suspension: Suspended, line: KeyedEntry): Change {
  const { by, friendlyName, reason, wish = null, tokenMark = null, now } = suspension;
  const at = now.toISOString();
  const { incident } = record;
  const next = touch(record, at, {
    friendlyName: friendlyName ?? incident.friendlyName,
    reason,
    suspendedAt: at,
    failure: null,
    because: null,
    // What was spent until a failed attempt is not what was spent until now.
    evidence: null,
    lags: {
      ...incident.lags,
      receivedToSuspended: lag(incident.receivedAt, at),
      firedToSuspended: lag(incident.firedAt, at),
    },
    containment: { by, callsEnded: incident.containment?.callsEnded ?? 0, callsLeft: null },
    suspension: wish,
    // What was in order when it was read may not be any more.
    checklist: null,
  });
  const stopAskedAt = wish === null ? record.stopAskedAt : wish.at;
  const marked = { ...next, callsDue: true, stopAskedAt, tokenMark };
  return { record: withAlert(marked, { about: "suspended", at }), entries: [line] };
}

/**
 * From now on the incident tells of this signal: where people were only told before, or the account had become active
 * again, the numbers and lags of the earlier signal say nothing about this containment.
 */
export function trippedBy(record: IncidentRecord, tripping: Tripping): IncidentRecord {
  // A person's decision has no numbers: those that made people look stay.
  if (!isNews(tripping.signal)) return record;
  return { ...record, incident: { ...record.incident, ...whatTripped(tripping), evidence: null, ranking: null } };
}

/**
 * @param wish who asked for the suspension; null where Tollbreaker decided.
 * @param seen the account's name, where it was read before the suspension failed.
 */
export function failed(
  record: IncidentRecord,
  failure: Failure,
  now: Date,
  wish: Wish | null = null,
  seen: string | null = null,
): Change {
  const at = now.toISOString();
  const { twilioCode, retrying, message } = failure;
  const key = `failed:${retrying}:${twilioCode}`;
  const detail = { twilioCode, retrying };
  const why =
    wish === null
      ? entry(key, at, "failed", message, detail)
      : entryBy(wish.operator, `${key}:${wish.command}`, at, "failed", message, { ...detail, ...causedBy(wish) });
  const friendlyName = seen ?? record.incident.friendlyName;
  const known = { failure, reason: failure.message, friendlyName };
  // A further failure changes no state, so nobody is told again.
  if (record.incident.state === "failed") return { record: touch(record, at, known), entries: [why] };
  const moved = move(record, "failed", at, { ...known, because: null });
  return { record: withAlert(moved, { about: "failed", at }), entries: [why] };
}

/** What keeps it from being suspended is no failure of Twilio's any more: its message need not come again. */
export function waitsInstead(record: IncidentRecord): Change {
  const { incident } = record;
  const { failure } = incident;
  if (failure === null || !failure.retrying) return { record, entries: [] };
  return { record: { ...record, incident: { ...incident, failure: { ...failure, retrying: false } } }, entries: [] };
}

export interface Alerted {
  about: "alerted" | "not-understood";
  because: AlertedBecause | null;
  problem: string | null;
  friendlyName: string | null;
  reason: string;
  now: Date;
}

export function alerted(record: IncidentRecord, { isNamed }: Tripping, alert: Alerted): Change {
  const { reason, friendlyName, now } = alert;
  const at = now.toISOString();
  const { because } = alert;
  const known = record.incident.friendlyName;
  const moved = move(record, "alerted", at, { reason, because, friendlyName: friendlyName ?? known });
  const due = { ...alert, ...dueFor(alert), isNamed, at };
  return { record: withAlert(moved, due), entries: [entry("alerted", at, "alerted", reason, {})] };
}

/**
 * A further signal of an account that people were alerted of, and that is still running. Each rule is told once in its
 * GMT day, so that a warning at half of a limit does not silence the one at the whole of it, and nothing is told 500
 * times.
 */
export function alertedAgain(record: IncidentRecord, tripping: Tripping, alert: Alerted): Change {
  const joining = joined(record, tripping.signal, tripping.reason, alert.now);
  return joining.record === record ? joining : followedBy(joining, (next) => toldAnew(next, tripping, alert));
}

/** The same for a signal that has joined already. */
export function toldAnew(record: IncidentRecord, tripping: Tripping, alert: Alerted): Change {
  const { signal, rule, isNamed } = tripping;
  const { about, because, reason, now } = alert;
  const at = now.toISOString();
  if (isTold(record.incident, tripping, alert)) return { record, entries: [] };
  const friendlyName = alert.friendlyName ?? record.incident.friendlyName;
  // What could not be read says nothing about the account: its incident goes on telling of what could.
  const telling =
    about === "not-understood"
      ? touch(record, at, { friendlyName })
      : touch(trippedBy(record, tripping), at, { reason, because, friendlyName });
  return {
    record: withAlert(telling, { ...dueFor(alert), rule, isNamed, at }),
    entries: [entry(`alerted:${identityOf(signal)}:${because}`, at, "alerted", reason, {})],
  };
}

/** Why it tripped goes with the alert: by the time that it is published, the incident may tell of another rule. */
function dueFor({ about, because, problem, reason }: Alerted) {
  return { about, because, problem, note: about === "alerted" ? reason.slice(0, MOST_NOTED) : null };
}

const MOST_NOTED = 300;

/**
 * Whoever can sign for an account can make up triggers that no limit names, each a rule of its own. As many are told in a
 * day, and wait to be told, all together: one after the other they would be a flood, and of one that is no flood, twenty
 * are enough to make people look. The policy's own rules are no part of it: each is told in its day, whatever else is.
 */
export const MOST_MADE_UP_A_DAY = 20;

function isTold({ alerts }: Incident, { rule, isNamed }: Tripping, { about, because, now }: Alerted): boolean {
  const earlier = alerts.filter((one) => one.about === about);
  if (about === "not-understood") return earlier.length > 0;
  // One that was not published yet will be.
  const told = earlier.filter((one) => one.publishedAt === null || isSameDay(one.at, now.toISOString()));
  if (told.some((one) => one.rule === rule && one.because === because)) return true;
  return !isNamed && because !== "brake" && told.filter((one) => !one.isNamed).length >= MOST_MADE_UP_A_DAY;
}

/** A later signal joins the story. Nothing changes when it has joined before, or is the one that opened it. */
export function joined(record: IncidentRecord, signal: Occasion, reason: string, now: Date): Change {
  const { openedBy, joined: others, incident } = record;
  // Twilio's IdempotencyToken can be guessed: another signal with the same one is another signal.
  const identity = identityOf(signal);
  if (identity === openedBy || others.includes(identity)) return { record, entries: [] };
  const at = now.toISOString();
  const counted = touch(record, at, { signals: incident.signals + (isNews(signal) ? 1 : 0) });
  if (others.length >= MOST_JOINED) return { record: counted, entries: [] };
  return {
    record: { ...counted, joined: [...others, identity] },
    entries: [arrival(`joined:${identity}`, "signal-joined", at, { signal, reason })],
  };
}

/** What could not be read is told once per incident, however often it comes. */
export function toldNotUnderstood(record: IncidentRecord, problem: string, now: Date): IncidentRecord {
  if (record.incident.alerts.some(({ about }) => about === "not-understood")) return record;
  return withAlert(record, { about: "not-understood", problem, rule: NOT_UNDERSTOOD, at: now.toISOString() });
}

const NOT_UNDERSTOOD = "signed, not understood";

/** The incident's alert was given by another one: the brake names all that wait in one. */
export function toldElsewhere(record: IncidentRecord, id: string, now: Date): Change {
  const { record: told } = alertPublished(record, id, now);
  const at = now.toISOString();
  return {
    record: told,
    entries: [entry(`published:${id}`, at, "alert-shared", "named in the brake's alert", { id })],
  };
}

export function spendRanked(record: IncidentRecord, ranking: SpendRanking): Change {
  const { readAt, total, currency, spenders, unread } = ranking;
  const [top] = spenders;
  const detail = { total, currency, unread, top: top?.accountSid ?? null, share: top?.share ?? null };
  return {
    record: touch(record, readAt, { ranking }),
    entries: [entry(`spend-ranked:${readAt}`, readAt, "spend-ranked", "today's spend by subaccount", detail)],
  };
}

export interface CallsEnded {
  ended: number;
  /** Still live when last looked at; null when that could not be read. */
  left: number | null;
  why: string;
  now: Date;
}

export function callsEnded(record: IncidentRecord, { ended, left, why, now }: CallsEnded): Change {
  const { containment } = record.incident;
  if (containment === null) return { record, entries: [] };
  const at = now.toISOString();
  const total = containment.callsEnded + ended;
  const next = touch(record, at, { containment: { ...containment, callsEnded: total, callsLeft: left } });
  const known = left === 0 ? callsCorrected(next, at) : next;
  return {
    record: { ...known, callsDue: left !== 0 },
    entries: [entry(`calls-ended:${at}`, at, "calls-ended", why, { ended, left })],
  };
}

export function evidenceRead(record: IncidentRecord, evidence: Evidence): Change {
  const { readAt, currency, categoryPriceToday, totalPriceToday } = evidence;
  return {
    record: touch(record, readAt, { evidence }),
    entries: [
      entry(`evidence-read:${readAt}`, readAt, "evidence-read", "today's spend, from Usage Records", {
        currency,
        categoryPriceToday,
        totalPriceToday,
      }),
    ],
  };
}

/** @param told the incident as the alert told of it, where it has changed meanwhile. */
export function alertPublished(
  record: IncidentRecord,
  id: string,
  now: Date,
  told: Incident = record.incident,
): Change {
  const at = now.toISOString();
  const { incident } = record;
  const about = incident.alerts.find((alert) => alert.id === id)?.about;
  const saidCallsLive = about !== undefined && tellsOfLiveCalls(about, told);
  const alerts = incident.alerts.map((alert) =>
    alert.id === id ? { ...alert, saidCallsLive, publishedAt: at } : alert,
  );
  const published = touch(record, at, { alerts });
  const isWrong = saidCallsLive && !tellsOfLiveCalls(about, incident);
  return {
    record: isWrong ? callsCorrected(published, at) : published,
    entries: [entry(`published:${id}`, at, "alert-published", "handed to SNS", { id })],
  };
}

export function alertsDue({ incident }: IncidentRecord): AlertDelivery[] {
  return incident.alerts.filter(({ publishedAt }) => publishedAt === null);
}

type WhatTripped = Pick<Incident, "rule" | "trip" | "errors" | "firedAt" | "receivedAt" | "lags">;

function whatTripped({ signal, rule }: Tripping): WhatTripped {
  const firedAt = signal.kind === "usage-trigger" ? signal.firedAt : null;
  return {
    rule,
    trip: tripOf(signal),
    errors: errorsOf(signal),
    firedAt,
    receivedAt: signal.receivedAt,
    lags: { firedToReceived: lag(firedAt, signal.receivedAt), receivedToSuspended: null, firedToSuspended: null },
  };
}

function errorsOf(signal: Occasion): ErrorEvidence | null {
  if (signal.kind !== "error-rule") return null;
  const { count, within, firstAt, lastAt, samples } = signal;
  return {
    count,
    within,
    firstAt,
    lastAt,
    samples: samples.map(({ sid, code, at, note }) => ({ sid, code, at, note })),
  };
}

function tripOf(signal: Occasion): Trip | null {
  if (signal.kind !== "usage-trigger") return null;
  const { usageTriggerSid, usageCategory, triggerBy, recurring, triggerValue, currentValue } = signal;
  const isKnown = isDecimal(currentValue) && isDecimal(triggerValue);
  const overshoot = isKnown ? subtract(currentValue, triggerValue) : "";
  const overshootPercent = isKnown ? percentOf(overshoot, triggerValue) : null;
  return {
    usageTriggerSid,
    usageCategory,
    triggerBy,
    recurring,
    triggerValue,
    currentValue,
    overshoot,
    overshootPercent,
  };
}

function detailOf(signal: Occasion): Detail {
  switch (signal.kind) {
    case "usage-trigger": {
      const { usageTriggerSid, usageCategory, triggerBy, triggerValue, currentValue, dateFired, found } = signal;
      return { usageTriggerSid, usageCategory, triggerBy, triggerValue, currentValue, dateFired, found };
    }
    case "not-understood":
      return { ...shownFields(signal), problem: signal.problem };
    case "error-rule": {
      const { rule, count, within, firstAt, lastAt, signedBy } = signal;
      const codes = [...new Set(signal.samples.map(({ code }) => code))].join(", ");
      return { rule, count, within, firstAt, lastAt, codes, signedBy };
    }
    case "top-spender": {
      const { price, currency, share } = signal;
      return { price, currency, share };
    }
    case "spend-rule": {
      const { rule, usageCategory, triggerBy, thisHour, usual } = signal;
      return { rule, usageCategory, triggerBy, thisHour, usual };
    }
    case "suspend":
    case "adopt":
      return causedBy(wishOf(signal));
    case "drive":
    case "tampered":
    case "found-suspended":
      return {};
  }
}

/** What a usage trigger's callback may hold: https://www.twilio.com/docs/usage/api/usage-trigger#webhook */
const DOCUMENTED = new Set([
  "AccountSid",
  "UsageTriggerSid",
  "DateFired",
  "Recurring",
  "UsageCategory",
  "TriggerBy",
  "TriggerValue",
  "CurrentValue",
  "UsageRecordUri",
  "IdempotencyToken",
]);

/** Another webhook of Twilio's, sent here by mistake, is rightly signed too, and full of phone numbers and messages. */
function shownFields({ fields }: NotUnderstoodSignal): Detail {
  const shown = Object.entries(fields).filter(([name]) => DOCUMENTED.has(name));
  const others = Object.keys(fields).length - shown.length;
  return { ...Object.fromEntries(shown), ...(others === 0 ? {} : { otherFields: others }) };
}

/** Whole milliseconds; null where one end is not known. Negative when the two clocks disagree: shown, not hidden. */
function lag(from: string | null, to: string): number | null {
  return from === null ? null : Date.parse(to) - Date.parse(from);
}
