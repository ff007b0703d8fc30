import { flagsFor } from "../checklist-words.ts";
import { EXIT, Failure } from "../failure.ts";
import type { IncidentStory } from "../incident-view.ts";
import { afterReactivation } from "../next-step.ts";
import { accountName } from "../wording.ts";
import type { Ending } from "./ending.ts";
import type { UnderWay } from "./follow.ts";

/** The good end of a command in words, with what is left to do; every other end is thrown. @throws Failure */
export function conclude(ending: Ending, underWay: UnderWay): string[] {
  switch (ending.kind) {
    case "done":
      return doneLines(ending.what, ending.incident);
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

/** With a full stop, so that what follows begins a new one. */
function sentence(why: string): string {
  return /[.!?]$/.test(why) ? why : `${why}.`;
}

function doneLines(what: string, incident: IncidentStory): string[] {
  const account = accountName(incident);
  switch (what) {
    case "reactivated":
      return [`${account} is active again, and guarded.`, ...afterReactivation(incident)];
    case "suspended":
      return [`${account} is suspended.`];
    case "dismissed":
      return [`The incident of ${account} is over; nothing was changed on the account.`];
    case "numbers-restored":
      return [`The phone numbers of ${account} have their webhooks back.`];
    default:
      return [];
  }
}

/** What the fresh reading found open, and how to answer it: only where the list was what it was refused for. */
function openNotes({ checklist, reactivation, state }: IncidentStory): string[] {
  if (checklist === null || reactivation === null || state !== "suspended") return [];
  const answered = new Set([...reactivation.acknowledge, ...reactivation.cleanup]);
  return checklist.items
    .filter(({ id, answer }) => answer !== "done" && !answered.has(id))
    .map(({ id, why }) => `${id} (${why}): ${flagsFor(id)}`);
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
