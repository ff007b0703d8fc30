import { recurrenceInWords } from "../../lib/incidents/recurrence.ts";
import type { IncidentStory } from "../incident-view.ts";
import { lagsOf, type Suspensions, suspensionsOf } from "../suspensions.ts";
import { accountName, amount, counted, lag, notSuspended, percent, sentence, span, unitOf } from "../wording.ts";
import { code, facts, plain } from "./markdown.ts";
import { exact, exactOrNull } from "./times.ts";

/** What happened, in a few sentences and a table of the moments. */
export function summary(incident: IncidentStory): string {
  return [
    [tripped(incident), recurs(incident), contained(incident), ended(incident)].filter((text) => text !== "").join(" "),
    moments(incident),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function tripped(incident: IncidentStory): string {
  const { rule, trip, errors, firedAt, receivedAt } = incident;
  const at = exact(firedAt ?? receivedAt);
  if (errors !== null)
    return `The rule ${code(rule)} counted ${counted(errors.count, "error")} within ${span(errors.within)} at ${at}.`;
  if (trip !== null) {
    const over = `${amount(trip.currentValue)} of ${amount(trip.triggerValue)}${unitOf(incident)}${percent(trip.overshootPercent)}`;
    return `The rule ${code(rule)} tripped at ${at}: ${plain(`${trip.usageCategory} by ${trip.triggerBy}, ${over}`)}.`;
  }
  // No name begins the paragraph: one such as "# x" would make a heading of it.
  const asked = firstAsked(incident);
  if (asked !== null) return `The suspension was asked for at ${exact(asked.at)} by ${plain(asked.who)}.`;
  return `The rule ${code(rule)} tripped at ${at}.`;
}

/** A guard fired: the account tripped before. */
function recurs({ recurrence }: IncidentStory): string {
  return recurrence === null ? "" : `It is the ${plain(recurrenceInWords(recurrence))}.`;
}

/** The incident keeps the last request alone; whoever suspended it first has a line of the history. */
function firstAsked({ timeline, suspension }: IncidentStory): { at: string; who: string } | null {
  if (suspension === null) return null;
  const line = timeline.find(({ what, detail }) => ASKING.has(what) && typeof detail["command"] === "string");
  return line ?? { at: suspension.at, who: suspension.operator };
}

const ASKING: ReadonlySet<string> = new Set(["opened", "suspension-asked", "suspended"]);

function contained(incident: IncidentStory): string {
  const { state, containment, because, failure } = incident;
  const suspensions = suspensionsOf(incident);
  if (suspensions.first !== null)
    return `${suspended(incident, suspensions)}${suspendedAgain(suspensions)}${calls(containment)}`;
  if (because !== null) return `The account was ${plain(notSuspended(because))}.`;
  if (failure !== null) return `The account could not be suspended: ${plain(sentence(failure.message))}`;
  return `The account was not suspended; the incident is ${plain(state)}.`;
}

function suspended(incident: IncidentStory, { first, again }: Suspensions): string {
  const { firedToSuspended } = lagsOf(incident);
  // After a later signal the lag is that one's, not the first suspension's.
  const isOfFirst = again.length === 0 || (first ?? "") >= incident.receivedAt;
  const after = firedToSuspended === null || !isOfFirst ? "" : `, ${lag(firedToSuspended)} after it fired`;
  const asked = firstAsked(incident);
  const by = asked === null || asked.at > (first ?? "") ? "" : `, as ${plain(asked.who)} asked`;
  return `The account was suspended at ${exact(first ?? "")}${after}${by}.`;
}

function suspendedAgain({ foundActive, again }: Suspensions): string {
  const found =
    foundActive.length === 0
      ? ""
      : ` It was found active, set so past Tollbreaker, at ${foundActive.map(exact).join(", ")}.`;
  return `${found}${again.length === 0 ? "" : ` It was suspended again at ${again.map(exact).join(", ")}.`}`;
}

function calls(containment: IncidentStory["containment"]): string {
  if (containment === null) return "";
  const left =
    containment.callsLeft === null ? "how many were left is not known" : `${were(containment.callsLeft)} left`;
  const { callsEnded } = containment;
  return ` ${counted(callsEnded, "live call")} ${callsEnded === 1 ? "was" : "were"} ended, ${left}.`;
}

function were(count: number): string {
  return `${count} ${count === 1 ? "was" : "were"}`;
}

function ended({ state, reactivation, reactivatedAt, dismissal }: IncidentStory): string {
  if (dismissal !== null)
    return `${plain(dismissal.operator)} dismissed the incident at ${exact(dismissal.at)}: ${plain(sentence(dismissal.reason))}`;
  if (reactivatedAt !== null && reactivation !== null) {
    const after = reactivation.suspendedFor === null ? "" : ` after ${lag(reactivation.suspendedFor)}`;
    return `${plain(reactivation.operator)} brought it back at ${exact(reactivatedAt)}${after}: ${plain(sentence(reactivation.reason))}`;
  }
  return `The incident is not over: ${plain(state)}.`;
}

function moments(incident: IncidentStory): string {
  const { accountSid, state, openedAt, firedAt, receivedAt, reactivatedAt, reactivation } = incident;
  const suspendedFor = reactivation?.suspendedFor ?? null;
  return facts([
    ["Account", plain(accountName(incident))],
    ["AccountSid", code(accountSid)],
    ["State", plain(state)],
    ["First detected (incident opened)", `${exact(openedAt)}${openedByAnother(incident)}`],
    ["Trigger fired", exactOrNull(firedAt)],
    ["Received", exact(receivedAt)],
    ...suspensionRows(incident),
    ["Reactivated", exactOrNull(reactivatedAt)],
    ["Suspended for", suspendedFor === null ? null : lag(suspendedFor)],
  ]);
}

/** A warning may have opened the incident before the rule tripped that it is named after. */
function openedByAnother({ rule, alerts, timeline }: IncidentStory): string {
  const first = alerts[0]?.rule ?? rule;
  if (first === rule) return "";
  const why = timeline.find(({ what }) => what === "opened")?.why ?? "";
  return `, by the rule ${code(first)}${why === "" ? "" : `: ${plain(why)}`}`;
}

function suspensionRows(incident: IncidentStory): (readonly [name: string, value: string | null])[] {
  const { first, again, foundActive } = suspensionsOf(incident);
  return [
    [again.length === 0 ? "Suspended" : "Suspended first", exactOrNull(first)],
    ["Found active, set so past Tollbreaker", foundActive.map(exact).join(", ")],
    ["Suspended again", again.map(exact).join(", ")],
  ];
}
