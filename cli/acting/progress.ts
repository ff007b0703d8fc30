import type { IncidentStory, TimelineView } from "../incident-view.ts";
import { type Paint, printable } from "../terminal.ts";
import { lag } from "../wording.ts";
import { beganAt, isOwn } from "./ending.ts";

const TIME_WIDTH = 11;
const WHAT_WIDTH = 26;

/** What each reading of the incident adds: a line for each entry of its history since the command began. */
export function progress(
  command: string,
  paint: Paint,
  say: (line: string) => void,
): (incident: IncidentStory) => void {
  const said = new Set<string>();
  return (incident) => {
    const began = beganAt(incident, command);
    if (began === undefined) return;
    for (const entry of incident.timeline.filter(({ at }) => at >= began)) {
      const identity = JSON.stringify(entry);
      if (!said.has(identity)) say(line(entry, { command, began }, paint));
      said.add(identity);
    }
  };
}

interface Since {
  command: string;
  began: string;
}

function line(entry: TimelineView, { command, began }: Since, paint: Paint): string {
  const { at, what, who, why } = entry;
  const passed = `+${lag(Math.max(0, Date.parse(at) - Date.parse(began)) || 0)}`;
  // Whoever asked knows; somebody else in the middle of it is news.
  const by = isOwn(entry, command) || who === "tollbreaker" ? "" : ` (${printable(who)})`;
  const name = printable(what).padEnd(WHAT_WIDTH);
  return `  ${paint("dim", passed.padEnd(TIME_WIDTH))}${paint("bold", name)}${printable(why)}${by}`.trimEnd();
}
