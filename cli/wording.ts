import { decimal as grouped } from "../lib/alerts/amounts.ts";
import { isDecimal } from "../lib/decimal.ts";

/** How times, lags and amounts read to a person. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An ISO 8601 time as `2026-11-21 03:04:05Z`, always UTC; a text that is no time comes back as it is. */
export function time(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? iso : `${at.toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** How long before `now` that was: `12 s ago`, `3 min ago`. Empty for a text that is no time. */
export function age(iso: string, now: Date): string {
  const passed = now.getTime() - new Date(iso).getTime();
  if (Number.isNaN(passed)) return "";
  // Clocks differ a little; an incident of the next second is one of this moment.
  if (Math.abs(passed) < SECOND) return "just now";
  return passed < 0 ? `in ${roughly(-passed)}` : `${roughly(passed)} ago`;
}

function roughly(milliseconds: number): string {
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / SECOND)} s`;
  if (milliseconds < HOUR) return `${Math.floor(milliseconds / MINUTE)} min`;
  if (milliseconds < DAY) return `${Math.floor(milliseconds / HOUR)} h`;
  return `${Math.floor(milliseconds / DAY)} d`;
}

/** Milliseconds as `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`. Negative where two clocks disagree. */
export function lag(milliseconds: number): string {
  if (milliseconds < 0) return `-${lag(-milliseconds)}`;
  if (milliseconds < SECOND) return `${milliseconds} ms`;
  if (milliseconds < MINUTE) return `${(Math.floor(milliseconds / 100) / 10).toFixed(1)} s`;
  if (milliseconds < HOUR) return inTwo(milliseconds, MINUTE, "min", SECOND, "s");
  if (milliseconds < DAY) return inTwo(milliseconds, HOUR, "h", MINUTE, "min");
  return inTwo(milliseconds, DAY, "d", HOUR, "h");
}

function inTwo(milliseconds: number, unit: number, name: string, smaller: number, smallerName: string): string {
  return `${Math.floor(milliseconds / unit)} ${name} ${Math.floor((milliseconds % unit) / smaller)} ${smallerName}`;
}

/** A duration that a person chose, in milliseconds, exactly: `10 min`, `90 s`, `1 d`. */
export function span(milliseconds: number): string {
  const units = [
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "min"],
    [SECOND, "s"],
  ] as const;
  const [unit, name] = units.find(([length]) => milliseconds % length === 0) ?? [1, "ms"];
  return `${milliseconds / unit} ${name}`;
}

const NOT_SUSPENDED: ReadonlyMap<string, string> = new Map([
  ["rule", "a warning: the rule only alerts"],
  ["observe-mode", "not suspended: observe mode"],
  ["exempt", "not suspended: the policy exempts it"],
  ["parent-account", "not suspended: the parent account"],
  ["unconfirmed", "not suspended: its usage of the day did not confirm it"],
  ["brake", "not suspended: held by the brake, waits for an operator"],
]);

const SUSPENDED_BY: ReadonlyMap<string, string> = new Map([
  ["tollbreaker", "Tollbreaker"],
  ["already-suspended", "somebody else: it was suspended already"],
  ["suspended-by-twilio", "Twilio itself"],
  ["closed", "nobody: it is closed, which is final"],
]);

/** How an account came to be suspended, in words; a way that is new to this version as it is. */
export function suspendedBy(by: string): string {
  return SUSPENDED_BY.get(by) ?? by;
}

/** Why an account is only alerted about, in words; a reason that is new to this version as it is. */
export function notSuspended(because: string): string {
  return NOT_SUSPENDED.get(because) ?? `not suspended: ${because}`;
}

/** An account as nobody can mistake it for another one: its name is not unique, and was chosen by whoever made it. */
export function accountName({ friendlyName, accountSid }: { friendlyName: string | null; accountSid: string }): string {
  return `${friendlyName ?? "(no name)"} (${accountSid})`;
}

/** With a full stop, so that what follows begins a new one. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** `1 account`, `0 accounts`, `2 accounts`; of what takes an s. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** What belongs to a line of the history; what is empty says nothing. */
export function detailText(detail: Readonly<Record<string, string | number | boolean | null>>): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}: ${value ?? "unknown"}`)
    .join(", ");
}

/** A decimal as Twilio sends it, `1000.500000`, as `1,000.5`, every digit kept. Any other text comes back as it is. */
export function amount(decimal: string): string {
  return isDecimal(decimal) ? grouped(decimal) : decimal;
}

/** ` USD` behind the values of a trigger by price, once Usage Records have told the currency; else empty. */
export function unitOf({
  trip,
  evidence,
}: {
  trip: { triggerBy: string } | null;
  evidence: { currency: string } | null;
}): string {
  return trip?.triggerBy === "price" && evidence !== null ? ` ${evidence.currency}` : "";
}

/** A share as ` (+30.0 %)`, to follow an amount; empty where there is none. */
export function percent(share: string | null): string {
  if (share === null) return "";
  return ` (${share.startsWith("-") ? "" : "+"}${share} %)`;
}
