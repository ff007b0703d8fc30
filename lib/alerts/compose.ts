import type { AlertedBecause, AlertSubject, Incident, Spender, Trip } from "../incidents/incident.ts";
import type { Alert, Fact, Severity } from "./alert.ts";
import { categoryOf, factsOf, nameOf, timesOf } from "./facts.ts";
import { nextStep } from "./next-step.ts";
import { ascii, oneLine } from "./plain-text.ts";
import { utc } from "./times.ts";

export interface AlertOccasion {
  about: AlertSubject;
  incident: Incident;
  /** When the state changed, ISO 8601 UTC: the recorded time, not the time of sending, because it is part of the id. */
  at: string;
  incidentUrl: string;
  /** Why the account was not suspended; only for `alerted`. */
  because?: AlertedBecause | null;
  /** What could not be read; only for `not-understood`. */
  problem?: string | null;
  /** The accounts that the brake keeps waiting; only where `because` is `brake`. */
  waiting?: readonly WaitingAccount[];
}

/** An account that tripped and was not suspended because of the brake. */
export interface WaitingAccount {
  accountSid: string;
  friendlyName: string | null;
}

/**
 * What people and machines are told about one change of an incident. Pure: the same occasion gives the same alert, so
 * a repeated publish carries the same id and can be dropped by whoever receives it.
 */
export function composeAlert(occasion: AlertOccasion): Alert {
  const { about, at, incidentUrl, because = null, problem = null, waiting = [] } = occasion;
  const incident = showable(occasion.incident);
  const said = {
    headline: because === "brake" ? brakeHeadline(waiting) : headlineOf(about, incident, because),
    facts: factsOf(about, incident, { problem, waiting }),
    times: [...timesOf(about, incident), `alerted for the change of ${utc(at)}`],
    nextStep: nextStep(about, incident, because),
    incidentUrl,
  };
  return {
    id: `${incident.id}:${about}:${at}`,
    about,
    severity: severityOf(about, incident, because),
    subject: because === "brake" ? brakeSubject(waiting) : subjectOf(about, incident, because),
    text: letter(said),
    ...said,
    incident,
    at,
  };
}

// SNS takes 256 KB for all the forms of one message together; free texts are the only parts without a bound.
function showable(incident: Incident): Incident {
  const { friendlyName, failure, trip, errors, ranking } = incident;
  return {
    ...incident,
    friendlyName: friendlyName === null ? null : oneLine(friendlyName, 200),
    rule: oneLine(incident.rule, 1000),
    reason: oneLine(incident.reason, 1000),
    trip: trip === null ? null : showableTrip(trip),
    errors: errors && { ...errors, samples: errors.samples.map((one) => ({ ...one, note: oneLine(one.note, 200) })) },
    ranking: ranking && { ...ranking, spenders: ranking.spenders.map(showableSpender) },
    failure: failure === null ? null : { ...failure, message: oneLine(failure.message, 1000) },
    alerts: incident.alerts.map((alert) => ({
      ...alert,
      rule: oneLine(alert.rule, 200),
      problem: alert.problem && oneLine(alert.problem, 1000),
    })),
  };
}

function showableSpender(spender: Spender): Spender {
  return { ...spender, friendlyName: oneLine(spender.friendlyName, 64) };
}

function showableTrip(trip: Trip): Trip {
  const short = (text: string) => oneLine(text, 100);
  return {
    usageTriggerSid: short(trip.usageTriggerSid),
    usageCategory: short(trip.usageCategory),
    triggerBy: short(trip.triggerBy),
    recurring: short(trip.recurring),
    triggerValue: short(trip.triggerValue),
    currentValue: short(trip.currentValue),
    overshoot: short(trip.overshoot),
    overshootPercent: trip.overshootPercent === null ? null : short(trip.overshootPercent),
  };
}

function severityOf(about: AlertSubject, { failure }: Incident, because: AlertedBecause | null): Severity {
  switch (about) {
    case "suspended":
    case "failed":
      return "critical";
    case "alerted":
      return failure !== null || (because !== null && CRITICAL.has(because)) ? "critical" : "warning";
    case "not-understood":
      return "warning";
  }
}

/** Money that nothing will stop unless a person does. */
const CRITICAL: ReadonlySet<AlertedBecause> = new Set(["parent-account", "brake", "exempt"]);

const SUBJECTS = {
  suspended: "Suspended",
  alerted: "NOT suspended",
  failed: "FAILED to suspend",
  "not-understood": "Webhook not understood",
} as const satisfies Record<AlertSubject, string>;

// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: less than 100 characters, ASCII, no line breaks. The
// longest is 22 + 2 + 34 + 37 = 95: the SID is never cut off, because it is what an operator searches for.
function subjectOf(
  about: AlertSubject,
  { friendlyName, accountSid }: Incident,
  because: AlertedBecause | null,
): string {
  const name = ascii(friendlyName ?? "", 34);
  const readable = /[A-Za-z0-9]/.test(name) ? `${name} ` : "";
  return `${because === "rule" ? "Warning" : SUBJECTS[about]}: ${readable}${ascii(accountSid, 36)}`;
}

function brakeSubject(waiting: readonly WaitingAccount[]): string {
  return `THE BRAKE HOLDS: ${accounts(waiting.length)} NOT suspended`;
}

function brakeHeadline(waiting: readonly WaitingAccount[]): string {
  const held =
    waiting.length === 1
      ? "1 account tripped and was NOT suspended. It may still be losing money, and it waits for a person."
      : `${accounts(waiting.length)} tripped and were NOT suspended. They may still be losing money, and they wait for a person.`;
  return `Too many accounts tripped in a short time, so the brake holds: ${held}`;
}

function accounts(count: number): string {
  return count === 1 ? "1 account" : `${count} accounts`;
}

function headlineOf(about: AlertSubject, incident: Incident, because: AlertedBecause | null): string {
  const name = nameOf(incident);
  switch (about) {
    case "suspended":
      return `${name} ${howSuspended(incident)}${moneyAfterSuspension(incident)}.`;
    case "alerted":
      return because === "rule"
        ? `${name} tripped on ${whatTripped(incident)}: a warning, nothing was suspended.`
        : `${name} tripped on ${whatTripped(incident)} and was NOT suspended${whyNot(because)}: it may still be losing money.`;
    case "failed":
      return `${name} tripped on ${whatTripped(incident)} and could NOT be suspended: it may still be losing money, and ${whoActs(incident)}.`;
    case "not-understood":
      return `A webhook that Twilio signed for ${name} could not be understood: nothing was done because of it, and whether money is being lost is not known.`;
  }
}

function howSuspended({ trip, errors, rule, containment }: Incident): string {
  const on = trip === null ? errors && oneLine(rule, 80) : categoryOf(trip);
  const what = trip === null ? `the errors of ${on}` : `its trigger on ${on}`;
  switch (containment?.by) {
    case "closed":
      return on === null ? "is closed" : `tripped on ${on} although it is closed`;
    case "already-suspended":
    case "suspended-by-twilio":
      return on === null ? "was already suspended" : `was already suspended when ${what} came in`;
    case undefined:
    case "tollbreaker":
      return on === null ? "was suspended" : `was suspended after tripping on ${on}`;
  }
}

function moneyAfterSuspension({ containment }: Incident): string {
  const left = containment?.callsLeft ?? null;
  if (left === null) return ", but calls may still be live and losing money";
  if (left === 1) return ", but 1 call is still live and losing money";
  return left > 1
    ? `, but ${left} calls are still live and losing money`
    : ": no call is left, and the loss has stopped";
}

function whatTripped({ trip, errors, rule }: Incident): string {
  if (errors !== null) return `${errors.count} errors of the rule ${oneLine(rule, 80)}`;
  return trip === null ? oneLine(rule, 80) || "an unnamed rule" : categoryOf(trip);
}

function whyNot(because: AlertedBecause | null): string {
  switch (because) {
    case null:
    case "rule":
    case "brake":
      return "";
    case "exempt":
      return " because the policy exempts it";
    case "unconfirmed":
      return " because its usage of today does not confirm it";
    case "observe-mode":
      return " because Tollbreaker runs in observe mode";
    case "parent-account":
      return " because it is the parent account";
  }
}

function whoActs({ failure }: Incident): string {
  return failure?.retrying === true ? "Tollbreaker goes on trying" : "a person must act now";
}

function letter(said: Pick<Alert, "headline" | "facts" | "times" | "nextStep" | "incidentUrl">): string {
  return [
    said.headline,
    "",
    ...said.facts.map(line),
    ...said.times.map((value, index) => line({ label: index === 0 ? "Times" : "", value })),
    "",
    `Incident: ${said.incidentUrl}`,
    `Next: ${said.nextStep}`,
  ].join("\n");
}

function line({ label, value }: Fact): string {
  return `${label.padEnd(12)} ${value}`;
}
