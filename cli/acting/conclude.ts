import { listLines, seenOtherwise } from "../checklist-words.ts";
import { EXIT, Failure } from "../failure.ts";
import { holdOf } from "../hold.ts";
import type { CheckView, IncidentStory, ReactivationView } from "../incident-view.ts";
import { afterReactivation, nextSteps, typed } from "../next-step.ts";
import { isSuspension } from "../suspensions.ts";
import { accountName, sentence } from "../wording.ts";
import { type Ending, isOwn } from "./ending.ts";
import type { UnderWay } from "./follow.ts";

/** The good end of a command in words, with what is left to do; every other end is thrown. @throws Failure */
export function conclude(ending: Ending, underWay: UnderWay): string[] {
  switch (ending.kind) {
    case "done":
      return doneLines(ending.what, ending.incident, underWay);
    case "refused":
      throw new Failure(EXIT.refused, ending.what, `It was refused, and nothing was changed: ${sentence(ending.why)}`, {
        notes: openNotes(ending.incident),
      });
    case "failed":
      throw new Failure(EXIT.wentWrong, ending.what, `It went wrong: ${sentence(ending.why)}`, {
        got: `the incident is ${ending.incident.state} now`,
        fix: `read its last lines (incidents show ${ending.incident.id}); docs/runbook.md says what to do`,
      });
    case "unknown":
      throw unknown(ending.because, underWay);
  }
}

function doneLines(what: string, incident: IncidentStory, { command }: UnderWay): string[] {
  const account = accountName(incident);
  switch (what) {
    case "reactivated":
      return [`${account} is active again, and guarded.`, ...afterReactivation(incident)];
    case "suspended":
      return suspendedLines(incident, command);
    case "adopted":
      return [
        `${account} has an incident now: it is suspended, and not by Tollbreaker. Nothing was changed.`,
        ...nextSteps(incident).map(({ when, command: next }) => `${when}: ${typed(next)}`),
      ];
    case "dismissed":
      return [`The incident of ${account} is over; the account goes on as it is.`, ...watchedLines(incident, command)];
    case "numbers-restored":
      return [`The phone numbers of ${account} have their webhooks back.`];
    default:
      return [];
  }
}

/** What watches the account from now on. */
function watchedLines({ timeline }: IncidentStory, command: string): string[] {
  const line = timeline.findLast((entry) => entry.what === "guarded" && isOwn(entry, command));
  return line === undefined ? [] : [sentence(line.why)];
}

/** A closed account can't be suspended, and an old suspension of Twilio's own stays theirs: the history calls both suspended. */
function suspendedLines(incident: IncidentStory, command: string): string[] {
  const account = accountName(incident);
  const steps = nextSteps(incident).map(({ when, command }) => `${when}: ${typed(command)}`);
  switch (holdOf(incident)) {
    case "closed":
      return [`${account} is closed, which is final: nothing can be spent there.`, ...steps];
    case "twilio":
      return [`${account} is suspended, and by Twilio itself.`, ...steps];
    default:
      return wasSuspended(incident, command)
        ? [
            `${account} was not active: nothing was changed.`,
            `whether it is closed by now: ${typed(`incidents check ${incident.id}`)}`,
          ]
        : [`${account} is suspended.`];
  }
}

/** The incident was suspended before, and Twilio did not call the account active: its line does not say by whom. */
function wasSuspended({ timeline }: IncidentStory, command: string): boolean {
  const line = timeline.findLast((entry) => entry.what === "suspended" && isOwn(entry, command));
  return line !== undefined && !isSuspension(line);
}

/** What the fresh reading found open, and how to answer it: only where the list was what it was refused for. */
function openNotes({ checklist, reactivation, state }: IncidentStory): string[] {
  if (checklist === null || reactivation === null || state !== "suspended") return [];
  return listLines({ ...checklist, items: checklist.items.filter((item) => isUnanswered(item, reactivation)) });
}

/** Also what was acknowledged, where it says something else by now. */
function isUnanswered(item: CheckView, reactivation: ReactivationView): boolean {
  const { id, answer } = item;
  if (answer === "done" || reactivation.cleanup.includes(id)) return false;
  return !reactivation.acknowledge.includes(id) || seenOtherwise(item, reactivation) !== undefined;
}

function unknown(because: "time-out" | "interrupt", { incidentId, accountSid }: UnderWay): Failure {
  // The incident that was named beforehand may never come to be; the list has whichever did.
  const look = accountSid === undefined ? `show ${incidentId}` : `list --account ${accountSid}`;
  const what =
    because === "interrupt"
      ? "You stopped watching. The command goes on."
      : "Nobody saw its end yet. The command may still be under way.";
  return new Failure(EXIT.unknown, because === "interrupt" ? "not-watched" : "not-over-yet", what, {
    fix: `look what came of it: npm run -s tollbreaker -- incidents ${look}`,
  });
}
