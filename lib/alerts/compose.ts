import type { Counted } from "../incidents/counted.ts";
import type { AlertedBecause, AlertSubject, Incident, Spender, Trip, Wish } from "../incidents/incident.ts";
import { wentLive } from "../incidents/went-live.ts";
import type { Alert, Severity } from "./alert.ts";
import { timesOf } from "./course.ts";
import { factsOf } from "./facts.ts";
import { brakeHeadline, headlineOf } from "./headline.ts";
import { letter } from "./letter.ts";
import { nextStep } from "./next-step.ts";
import { oneLine } from "./plain-text.ts";
import { brakeSubject, subjectOf } from "./subject.ts";
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
  /** What else there is to say; only for `tampered`, `reminder` and `calls-ended`. */
  note?: string | null;
  /** The accounts that the brake keeps waiting; only where `because` is `brake`. */
  waiting?: readonly WaitingAccount[];
}

/** An account that tripped and was not suspended because of the brake. */
export interface WaitingAccount {
  accountSid: string;
  friendlyName: string | null;
  /** What tripped; null or left out where that is not known, or was no usage trigger. */
  counted?: Counted | null;
}

/**
 * What people and machines are told about one change of an incident. Pure: the same occasion gives the same alert, so
 * a repeated publish carries the same id and can be dropped by whoever receives it. Whoever tells people uses `alertOf`,
 * which tells them even where this throws.
 */
export function composeAlert(occasion: AlertOccasion): Alert {
  const { about, at, incidentUrl, because = null, problem = null, note = null, waiting = [] } = occasion;
  const incident = showable(occasion.incident);
  const said = {
    headline: because === "brake" ? brakeHeadline(waiting.length) : headlineOf(about, incident, { because, note, at }),
    facts: factsOf(about, incident, { problem, note, waiting }),
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
    shortened: false,
  };
}

// As they came, but for their length: machines want what others show defanged.
function showable(incident: Incident): Incident {
  const { friendlyName, failure, trip, errors, ranking, checklist, suspension, reactivation, dismissal } = incident;
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
      note: alert.note && oneLine(alert.note, 300),
    })),
    checklist: checklist && {
      ...checklist,
      items: checklist.items.map((one) => ({ ...one, why: oneLine(one.why, 300) })),
    },
    suspension: suspension && showableWish(suspension),
    reactivation: reactivation && {
      ...showableWish(reactivation),
      failure: reactivation.failure && oneLine(reactivation.failure, 1000),
    },
    dismissal: dismissal && showableWish(dismissal),
  };
}

function showableWish<W extends Wish>(wish: W): W {
  return { ...wish, operator: oneLine(wish.operator, 100), reason: oneLine(wish.reason, 500) };
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

function severityOf(
  about: AlertSubject,
  { failure, reactivation }: Incident,
  because: AlertedBecause | null,
): Severity {
  switch (about) {
    case "suspended":
    case "failed":
    case "tampered":
      return "critical";
    case "alerted":
      return failure !== null || (because !== null && CRITICAL.has(because)) ? "critical" : "warning";
    case "not-understood":
    case "reminder":
      return "warning";
    // Money may have been lost, and it was not Tollbreaker's intention.
    case "not-reactivated":
      return wentLive(reactivation) === "no" ? "warning" : "critical";
    case "reactivated":
    case "dismissed":
    case "calls-ended":
      return "info";
  }
}

/** Money that nothing will stop unless a person does. */
const CRITICAL: ReadonlySet<AlertedBecause> = new Set(["parent-account", "brake", "exempt"]);
