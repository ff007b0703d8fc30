import type { IncidentStory, TimelineView } from "../incident-view.ts";

/** How a command ended. The names are those of the history's last line of it. */
export type Ending =
  | { kind: "done" | "refused" | "failed"; what: string; why: string; incident: IncidentStory }
  /** It goes on, or never began: nobody waited long enough to see. */
  | { kind: "unknown"; because: "time-out" | "interrupt" };

const KINDS: ReadonlyMap<string, "done" | "refused" | "failed"> = new Map([
  ["reactivated", "done"],
  ["dismissed", "done"],
  ["suspended", "done"],
  ["adopted", "done"],
  ["numbers-restored", "done"],
  ["reactivation-refused", "refused"],
  ["command-refused", "refused"],
  ["reactivation-failed", "failed"],
  ["failed", "failed"],
]);

/** Whether a line of this name ends a command. */
export function isEnd(what: string): boolean {
  return KINDS.has(what);
}

/** What was asked for: it decides which lines end it. */
export type Asked = "reactivate" | "dismiss" | "suspend" | "adopt" | "check" | "restore-numbers";

/** The end of `command` in the incident's history; undefined while it is under way. */
export function endingOf(incident: IncidentStory, command: string, asked: Asked): Ending | undefined {
  const line = incident.timeline.findLast((entry) => isOwn(entry, command) && kindOf(entry, asked) !== undefined);
  const end = line ?? endWithoutName(incident, command, asked);
  if (end === undefined) return undefined;
  return { kind: kindOf(end, asked) ?? "failed", what: end.what, why: end.why, incident };
}

export function isOwn({ detail }: TimelineView, command: string): boolean {
  return detail["command"] === command;
}

/** When the command left its first line; undefined before it did. */
export function beganAt({ timeline }: IncidentStory, command: string): string | undefined {
  return timeline.find((entry) => isOwn(entry, command))?.at;
}

function kindOf({ what, detail }: TimelineView, asked: Asked) {
  // People are told of a failure before the last try: the account may be suspended yet.
  if (what === "failed" && detail["retrying"] === true) return undefined;
  // In the middle of a reactivation the list is checked, too.
  return what === "checked" && asked === "check" ? "done" : KINDS.get(what);
}

/**
 * Two ends do not bear the command's name: Twilio's refusal of a suspension, and a suspension that somebody else asked
 * for in the middle of a reactivation.
 */
function endWithoutName(incident: IncidentStory, command: string, asked: Asked): TimelineView | undefined {
  const began = beganAt(incident, command);
  if (began === undefined) return undefined;
  const later = incident.timeline.filter((entry) => entry.at >= began && entry.detail["command"] !== command);
  if (asked === "suspend")
    return later.findLast(({ what, detail }) => what === "failed" && detail["retrying"] === false);
  const cut = asked === "reactivate" ? later.findLast(({ what }) => what === "suspended") : undefined;
  return cut && { ...cut, what: "cut-short", why: `somebody suspended the account meanwhile: ${cut.why}` };
}
