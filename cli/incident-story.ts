import { recurrenceInWords } from "../lib/incidents/recurrence.ts";
import { withCode } from "../lib/twilio/failures.ts";
import { checklistLines } from "./checklist-lines.ts";
import { type Hold, holdOf } from "./hold.ts";
import { stateColour } from "./incident-table.ts";
import type {
  ErrorsView,
  IncidentStory,
  IncidentView,
  ReactivationView,
  TimelineView,
  WishView,
} from "./incident-view.ts";
import { nextSteps, typed } from "./next-step.ts";
import { spendTable } from "./spend-table.ts";
import { lagsOf, suspensionsOf } from "./suspensions.ts";
import { type Paint, printable } from "./terminal.ts";
import {
  accountName,
  age,
  amount,
  counted,
  detailText,
  lag,
  notSuspended,
  percent,
  span,
  suspendedBy,
  time,
  unitOf,
} from "./wording.ts";

type Fact = readonly [name: string, value: string | null];

/** One incident for a person: what happened to whom, the numbers, how long it took, and its history. */
export function incidentStory(incident: IncidentStory, paint: Paint, now: Date): string {
  return [
    head(incident, paint),
    section("What tripped", tripFacts(incident), paint),
    section("When (UTC)", timeFacts(incident, now), paint),
    section("How long it took", lagFacts(incident), paint),
    section("What was done", containmentFacts(incident), paint),
    ...[checklist(incident, paint, now), section("Asked by people (UTC)", wishFacts(incident), paint)],
    section("What it has cost", evidenceFacts(incident), paint),
    incident.ranking === null ? "" : spendTable(incident.ranking, paint),
    section("Who was told (UTC)", alertFacts(incident), paint),
    timeline(incident.timeline, paint),
    whatNow(incident, paint),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function head(incident: IncidentStory, paint: Paint): string {
  const { id, state, because, rule, reason, signals, recurrence } = incident;
  const title = `${paint("bold", printable(id))}  ${paint(stateColour(state), printable(state))}`;
  const facts: Fact[] = [
    ["Account", accountName(incident)],
    ["Rule", rule],
    ["Follows", recurrence && recurrenceInWords(recurrence)],
    ["Outcome", because === null ? null : notSuspended(because)],
    ["At Twilio", state === "suspended" ? atTwilio(holdOf(incident)) : null],
    ["Reason", reason],
    ["Signals", String(signals)],
  ];
  return [title, ...factLines(facts)].join("\n");
}

/** Where its state at Twilio is not what the incident's own leads one to expect. */
function atTwilio(hold: Hold | undefined): string | null {
  switch (hold) {
    case "active":
      return "ACTIVE, set so past Tollbreaker: it may be spending";
    case "closed":
      return "closed, which is final";
    case "twilio":
      return "suspended by Twilio itself";
    case undefined:
      return null;
  }
}

function tripFacts(incident: IncidentView): Fact[] {
  const { trip, errors } = incident;
  if (errors !== null) return errorFacts(errors);
  if (trip === null) return [];
  return [
    ["Usage trigger", trip.usageTriggerSid],
    ["Category", `${trip.usageCategory}, by ${trip.triggerBy}, ${trip.recurring || "once"}`],
    ["Trigger value", `${amount(trip.triggerValue)}${unitOf(incident)}`],
    ["Current value", `${amount(trip.currentValue)}${unitOf(incident)}`],
    ["Overshoot", `${amount(trip.overshoot)}${unitOf(incident)}${percent(trip.overshootPercent)}`],
  ];
}

function errorFacts({ count, within, firstAt, lastAt, samples }: ErrorsView): Fact[] {
  return [
    ["Errors", `${count} within ${span(within)}`],
    ["First and last", `${time(firstAt)} and ${time(lastAt)}`],
    ["Codes", codesOf(samples)],
    ["Samples", samples.length === 0 ? null : samples.map(({ sid }) => sid).join(", ")],
  ];
}

/** Each code once, with what Twilio says of it: https://www.twilio.com/docs/api/errors */
function codesOf(samples: ErrorsView["samples"]): string | null {
  const notes = new Map(samples.map(({ code, note }) => [code, note]));
  const codes = [...notes].map(([code, note]) => (note === "" ? `${code}` : `${code} (${note})`));
  return codes.length === 0 ? null : codes.join(", ");
}

function timeFacts(incident: IncidentStory, now: Date): Fact[] {
  const { firedAt, receivedAt, openedAt, reactivatedAt } = incident;
  const { first, again, foundActive } = suspensionsOf(incident);
  const moment = (at: string | null) => (at === null ? null : `${time(at)}  ${age(at, now)}`);
  return [
    ["Fired", moment(firedAt)],
    ["Received", moment(receivedAt)],
    ["Opened", moment(openedAt)],
    ["Suspended", moment(first)],
    ["Found active", moment(foundActive.at(-1) ?? null)],
    ["Suspended again", moment(again.at(-1) ?? null)],
    ["Reactivated", moment(reactivatedAt)],
  ];
}

function lagFacts(incident: IncidentStory): Fact[] {
  const lags = lagsOf(incident);
  const duration = (milliseconds: number | null) => (milliseconds === null ? null : lag(milliseconds));
  return [
    ["Fired to received", duration(lags.firedToReceived)],
    ["Received to suspended", duration(lags.receivedToSuspended)],
    ["Fired to suspended", duration(lags.firedToSuspended)],
  ];
}

function containmentFacts({ containment, failure }: IncidentView): Fact[] {
  return [
    ["Suspended by", containment === null ? null : suspendedBy(containment.by)],
    ["Calls ended", containment === null ? null : String(containment.callsEnded)],
    [
      "Calls left",
      containment === null ? null : (containment.callsLeft?.toString() ?? "unknown: they could not be listed"),
    ],
    ["Failed", failure === null ? null : failureText(failure)],
  ];
}

function failureText({ twilioCode, message, retrying }: NonNullable<IncidentView["failure"]>): string {
  return `${withCode(message, twilioCode)}; ${retrying ? "still trying" : "a person is needed"}`;
}

function checklist({ checklist: list }: IncidentView, paint: Paint, now: Date): string {
  if (list === null) return "";
  const title = `${paint("bold", "Check-list before it may come back")}, read ${printable(age(list.readAt, now))}`;
  return [title, ...checklistLines(list, paint)].join("\n");
}

function wishFacts({ suspension, reactivation, dismissal }: IncidentView): Fact[] {
  const asked = (wish: WishView | null) =>
    wish && `${wish.operator}, ${time(wish.at)}, by ${wish.road}: ${wish.reason}`;
  return [
    ["Suspension", asked(suspension)],
    ["Reactivation", asked(reactivation)],
    ...(reactivation === null ? [] : reactivationFacts(reactivation)),
    ["Dismissal", asked(dismissal)],
  ];
}

function reactivationFacts(reactivation: ReactivationView): Fact[] {
  const { acknowledge, cleanup, cleaned, countries, guards, probationUntil, suspendedFor, failure } = reactivation;
  const undone = cleanup.filter((id) => !cleaned.includes(id));
  return [
    ["  acknowledged", listed(acknowledge)],
    ["  cleaned up", listed(cleaned)],
    ["  still to clean up", listed(undone)],
    ["  countries", listed(countries)],
    [
      "  guards",
      probationUntil === null ? null : `${counted(guards.length, "usage trigger")}, until ${time(probationUntil)}`,
    ],
    ["  suspended for", suspendedFor === null ? null : lag(suspendedFor)],
    ["  it failed", failure],
  ];
}

function listed(names: readonly string[]): string | null {
  return names.length === 0 ? null : names.join(", ");
}

function evidenceFacts({ evidence }: IncidentView): Fact[] {
  if (evidence === null) return [];
  const price = (decimal: string | null) => (decimal === null ? null : `${amount(decimal)} ${evidence.currency}`);
  return [
    ["Category today (GMT)", price(evidence.categoryPriceToday)],
    ["All of today (GMT)", price(evidence.totalPriceToday)],
    ["Read", time(evidence.readAt)],
  ];
}

function alertFacts({ alerts }: IncidentView): Fact[] {
  return alerts.map(({ about, rule, because, publishedAt }) => [
    `Alert: ${printable(about)}`,
    `${publishedAt === null ? "not sent yet" : `published ${time(publishedAt)}`}, ${rule}${because === null ? "" : `, ${because}`}`,
  ]);
}

function section(title: string, facts: readonly Fact[], paint: Paint): string {
  const lines = factLines(facts);
  return lines.length === 0 ? "" : [paint("bold", title), ...lines].join("\n");
}

const NAME_WIDTH = 23;

function factLines(facts: readonly Fact[]): string[] {
  return facts.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(NAME_WIDTH)}${printable(value)}`]));
}

function timeline(entries: readonly TimelineView[], paint: Paint): string {
  return [paint("bold", "Timeline (UTC)"), ...entries.flatMap((entry) => entryLines(entry, paint))].join("\n");
}

function entryLines({ at, what, who, why, detail }: TimelineView, paint: Paint): string[] {
  const line = `  ${printable(time(at))}  ${paint("bold", printable(what))} by ${printable(who)}`;
  return [line, ...[why, detailText(detail)].filter((text) => text !== "").map((text) => `      ${printable(text)}`)];
}

/** The next commands to type. */
export function whatNow(incident: IncidentStory, paint: Paint): string {
  const steps = nextSteps(incident).map(({ when, command }) => `  ${when}:\n      ${printable(typed(command))}`);
  return steps.length === 0 ? "" : [paint("bold", "What now"), ...steps].join("\n");
}
