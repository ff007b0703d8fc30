import type { IncidentStory, TimelineView } from "../incident-view.ts";
import { detailText } from "../wording.ts";
import { code, plain, table } from "./markdown.ts";
import { exact } from "./times.ts";

/** Every line of the history: whoever reads the report has nothing else to look it up in. */
export function timeline({ timeline: entries }: IncidentStory): string {
  return table(["Time", "What", "Who", "Why", "Details"], entries.map(row));
}

function row({ at, what, who, why, detail }: TimelineView): string[] {
  return [exact(at), code(what), plain(who), plain(why), plain(detailText(detail))];
}
