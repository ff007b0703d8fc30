import type { Incident, Wish } from "../incidents/incident.ts";
import type { Alert } from "./alert.ts";
import { letter } from "./letter.ts";
import type { Notice } from "./notice.ts";
import { oneLine } from "./plain-text.ts";

/**
 * What an alert loses until it fits, in this order: what nobody reads in an alert first, the words for people last. Each
 * step comes on top of those before it. What is left out is empty or null, so that the shape stays, and the incident
 * itself, behind the alert's address, has all of it:
 *
 * 1. the incident's earlier alerts
 * 2. the samples of its errors
 * 3. the ranking of the spenders
 * 4. the words of the check-list
 * 5. all but the beginning of its long texts
 * 6. all of it but its core: which account, what state, by which rule, when
 * 7. all but the beginning of each line for people
 */
export const ALERT_STEPS: readonly ((alert: Alert) => Alert)[] = [
  ofIncident((incident) => ({ ...incident, alerts: [] })),
  ofIncident((incident) => ({ ...incident, errors: incident.errors && { ...incident.errors, samples: [] } })),
  ofIncident((incident) => ({ ...incident, ranking: null })),
  ofIncident(withoutCheckWords),
  ofIncident(withShortTexts),
  ofIncident(coreOf),
  (alert) => withShortLines(alert),
];

/** Of a notice: all but the beginning of each line. */
export const NOTICE_STEPS: readonly ((notice: Notice) => Notice)[] = [(notice) => withShortLines(notice)];

/** Characters of a text that is cut to its beginning. */
const BEGINNING = 100;
const LONGEST_LINE = 500;
/** An alert has at most ten facts and four times, a notice fewer. */
const MOST_LINES = 20;

function ofIncident(shed: (incident: Incident) => Incident): (alert: Alert) => Alert {
  return (alert) => ({ ...alert, incident: shed(alert.incident), shortened: true });
}

function withoutCheckWords(incident: Incident): Incident {
  const { checklist, reactivation } = incident;
  return {
    ...incident,
    checklist: checklist && { ...checklist, items: checklist.items.map((item) => ({ ...item, why: "" })) },
    reactivation: reactivation && { ...reactivation, seen: [] },
  };
}

function withShortTexts(incident: Incident): Incident {
  const { trip, failure, suspension, reactivation, dismissal } = incident;
  return {
    ...incident,
    rule: beginning(incident.rule),
    reason: beginning(incident.reason),
    trip: trip && {
      usageTriggerSid: beginning(trip.usageTriggerSid),
      usageCategory: beginning(trip.usageCategory),
      triggerBy: beginning(trip.triggerBy),
      recurring: beginning(trip.recurring),
      triggerValue: beginning(trip.triggerValue),
      currentValue: beginning(trip.currentValue),
      overshoot: beginning(trip.overshoot),
      overshootPercent: trip.overshootPercent && beginning(trip.overshootPercent),
    },
    failure: failure && { ...failure, message: beginning(failure.message) },
    suspension: suspension && wishCore(suspension),
    reactivation: reactivation && {
      ...reactivation,
      ...wishCore(reactivation),
      failure: reactivation.failure && beginning(reactivation.failure),
    },
    dismissal: dismissal && wishCore(dismissal),
  };
}

/**
 * The least that a machine needs, whatever the incident holds: made of cut strings, numbers and words of ours, so that it
 * fits, and can be written, always.
 */
export function coreOf(incident: Incident): Incident {
  const { friendlyName, state, because, lags, signals, containment, failure } = incident;
  const { suspension, reactivation, dismissal, recurrence } = incident;
  return {
    id: beginning(incident.id),
    accountSid: beginning(incident.accountSid),
    friendlyName: friendlyName && beginning(friendlyName),
    state,
    rule: beginning(incident.rule),
    reason: "",
    trip: null,
    openedAt: beginning(incident.openedAt),
    updatedAt: beginning(incident.updatedAt),
    firedAt: incident.firedAt && beginning(incident.firedAt),
    receivedAt: beginning(incident.receivedAt),
    suspendedAt: incident.suspendedAt && beginning(incident.suspendedAt),
    reactivatedAt: incident.reactivatedAt && beginning(incident.reactivatedAt),
    lags,
    containment,
    failure: failure && { ...failure, message: "" },
    evidence: null,
    because,
    errors: null,
    ranking: null,
    signals,
    alerts: [],
    checklist: null,
    recurrence: recurrence && {
      limit: beginning(recurrence.limit),
      first: beginning(recurrence.first),
      previous: beginning(recurrence.previous),
      nth: recurrence.nth,
    },
    suspension: suspension && wishCore(suspension),
    reactivation: reactivation && {
      ...wishCore(reactivation),
      ...{ acknowledge: [], cleanup: [], countries: [], seen: [], cleaned: [], guards: [] },
      probationUntil: reactivation.probationUntil && beginning(reactivation.probationUntil),
      activatedAt: reactivation.activatedAt && beginning(reactivation.activatedAt),
      suspendedFor: reactivation.suspendedFor,
      failure: null,
    },
    dismissal: dismissal && wishCore(dismissal),
  };
}

function wishCore({ command, operator, road, reason, at }: Wish): Wish {
  return {
    command: beginning(command),
    operator: beginning(operator),
    road,
    reason: beginning(reason),
    at: beginning(at),
  };
}

// What is no text here is a defect of ours, which must not keep people from being told.
function beginning(text: string): string {
  return typeof text === "string" ? oneLine(text, BEGINNING) : "";
}

/** The words for people, line by line; their plain text is made anew of them. */
function withShortLines<T extends Alert | Notice>(told: T): T {
  const short = (line: string) => oneLine(line, LONGEST_LINE);
  const times = "times" in told ? told.times.slice(0, MOST_LINES).map(short) : [];
  const lines = {
    headline: short(told.headline),
    facts: told.facts.slice(0, MOST_LINES).map(({ label, value }) => ({ label: short(label), value: short(value) })),
    nextStep: short(told.nextStep),
    ...("times" in told ? { times, incidentUrl: short(told.incidentUrl) } : {}),
  };
  return { ...told, ...lines, text: letter(lines), shortened: true };
}
