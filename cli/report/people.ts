import { isEnd } from "../acting/ending.ts";
import type { IncidentStory, TimelineView } from "../incident-view.ts";
import { code, plain, table } from "./markdown.ts";
import { exact } from "./times.ts";

/** Who asked for what, by which road, why, and what came of it: each request once, in the order of their first lines. */
export function people({ timeline, suspension, reactivation, dismissal }: IncidentStory): string {
  const reasons = new Map(
    [suspension, reactivation, dismissal].flatMap((wish) => (wish === null ? [] : [[wish.command, wish.reason]])),
  );
  const requests = Map.groupBy(timeline.filter(isAsked), ({ detail }) => detail["command"]);
  const rows = [...requests.values()].map((lines) => row(lines, reasons));
  const titles = ["When", "Who", "Road", "What", "Why", "Came to"];
  return rows.length === 0 ? "Nobody: Tollbreaker acted by itself." : table(titles, rows);
}

function isAsked({ detail }: TimelineView): boolean {
  return typeof detail["command"] === "string";
}

function row(lines: readonly TimelineView[], reasons: ReadonlyMap<string, string>): string[] {
  const [first, last] = [lines[0], lines.findLast(({ what }) => isEnd(what)) ?? lines.at(-1)];
  if (first === undefined || last === undefined) return [];
  const { command, road } = first.detail;
  return [
    exact(first.at),
    plain(first.who),
    plain(String(road ?? "")),
    ASKED.get(first.what) ?? plain(first.what),
    plain(reasons.get(String(command)) ?? first.why),
    code(last.what),
  ];
}

/** What the first line of a request says about what was asked for. */
const ASKED: ReadonlyMap<string, string> = new Map([
  ["reactivation-asked", "reactivate"],
  ["opened", "suspend"],
  ["suspension-asked", "suspend"],
  ["suspended", "suspend"],
  ["dismissed", "dismiss"],
  ["checked", "read the check-list"],
  ["numbers-restored", "give the numbers their webhooks back"],
  ["command-refused", "refused"],
]);
