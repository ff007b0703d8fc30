import type { IncidentStory } from "../incident-view.ts";
import { accountName, amount, lag, notSuspended, percent, span } from "../wording.ts";
import { code, facts, plain } from "./markdown.ts";
import { exact, exactOrNull } from "./times.ts";

/** What happened, in a few sentences and a table of the moments. */
export function summary(incident: IncidentStory): string {
  return [
    [tripped(incident), contained(incident), ended(incident)].filter((text) => text !== "").join(" "),
    moments(incident),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function tripped({ rule, trip, errors, suspension, firedAt, receivedAt }: IncidentStory): string {
  const at = exact(firedAt ?? receivedAt);
  if (errors !== null)
    return `The rule ${code(rule)} counted ${errors.count} errors within ${span(errors.within)} at ${at}.`;
  if (trip !== null) {
    const over = `${amount(trip.currentValue)} of ${amount(trip.triggerValue)}${percent(trip.overshootPercent)}`;
    return `The rule ${code(rule)} tripped at ${at}: ${plain(`${trip.usageCategory} by ${trip.triggerBy}, ${over}`)}.`;
  }
  // No name begins the paragraph: one such as "# x" would make a heading of it.
  if (suspension !== null)
    return `The suspension was asked for at ${exact(suspension.at)} by ${plain(suspension.operator)}.`;
  return `The rule ${code(rule)} tripped at ${at}.`;
}

function contained({ state, suspendedAt, suspension, lags, containment, because, failure }: IncidentStory): string {
  if (suspendedAt !== null) {
    const after = lags.firedToSuspended === null ? "" : `, ${lag(lags.firedToSuspended)} after it fired`;
    const by = suspension === null ? "" : `, as ${plain(suspension.operator)} asked`;
    return `The account was suspended at ${exact(suspendedAt)}${after}${by}.${calls(containment)}`;
  }
  if (because !== null) return `The account was ${plain(notSuspended(because))}.`;
  if (failure !== null) return `The account could not be suspended: ${plain(failure.message)}.`;
  return `The account was not suspended; the incident is ${plain(state)}.`;
}

function calls(containment: IncidentStory["containment"]): string {
  if (containment === null) return "";
  const left =
    containment.callsLeft === null ? "how many were left is not known" : `${containment.callsLeft} were left`;
  return ` ${containment.callsEnded} live calls were ended, ${left}.`;
}

function ended({ state, reactivation, reactivatedAt, dismissal }: IncidentStory): string {
  if (dismissal !== null)
    return `${plain(dismissal.operator)} dismissed the incident at ${exact(dismissal.at)}: ${plain(dismissal.reason)}`;
  if (reactivatedAt !== null && reactivation !== null) {
    const after = reactivation.suspendedFor === null ? "" : ` after ${lag(reactivation.suspendedFor)}`;
    return `${plain(reactivation.operator)} brought it back at ${exact(reactivatedAt)}${after}: ${plain(reactivation.reason)}`;
  }
  return `The incident is not over: ${plain(state)}.`;
}

function moments(incident: IncidentStory): string {
  const { accountSid, state, openedAt, firedAt, receivedAt, suspendedAt, reactivatedAt, reactivation } = incident;
  const suspendedFor = reactivation?.suspendedFor ?? null;
  return facts([
    ["Account", plain(accountName(incident))],
    ["AccountSid", code(accountSid)],
    ["State", plain(state)],
    ["First detected (incident opened)", exact(openedAt)],
    ["Trigger fired", exactOrNull(firedAt)],
    ["Received", exact(receivedAt)],
    ["Suspended", exactOrNull(suspendedAt)],
    ["Reactivated", exactOrNull(reactivatedAt)],
    ["Suspended for", suspendedFor === null ? null : lag(suspendedFor)],
  ]);
}
