import type { IncidentStory, TimelineView } from "../incident-view.ts";
import { isSuspension } from "../suspensions.ts";
import { plain, table } from "./markdown.ts";
import { exact } from "./times.ts";

/** What was done to the account, in the words of a report. Other lines of the history changed nothing there, nor does one that finds it suspended already. */
const ACTIONS: ReadonlyMap<string, string> = new Map([
  ["suspended", "Account suspended"],
  ["found-active", "Found active, set so past Tollbreaker"],
  ["calls-ended", "Live calls ended"],
  ["api-keys-deleted", "API keys deleted"],
  ["triggers-restored", "Usage triggers put back"],
  ["numbers-unrouted", "Webhooks taken off its phone numbers"],
  ["armed", "Guards set up"],
  ["activated", "Account set active"],
  ["auth-token-rotated", "Auth token replaced"],
  ["new-api-keys-deleted", "API keys made meanwhile, or not seen before, deleted"],
  ["guards-restored", "Guards put back"],
  ["numbers-unrouted-anew", "Webhooks set meanwhile taken off its phone numbers"],
  ["window-calls-ended", "Calls begun meanwhile ended"],
  ["voice-countries-narrowed", "Countries that may be called narrowed"],
  ["reactivated", "Reactivation completed"],
  ["reactivation-failed", "Reactivation failed: account suspended"],
  ["numbers-restored", "Webhooks of its phone numbers put back"],
]);

export function actions({ timeline }: IncidentStory): string {
  const rows = timeline.flatMap((entry) => {
    const isNothing = entry.what === "suspended" && !isSuspension(entry);
    const name = isNothing ? undefined : ACTIONS.get(entry.what);
    return name === undefined ? [] : [row(name, entry)];
  });
  return rows.length === 0 ? "Nothing was changed on the account." : table(["When", "Action", "By", "Notes"], rows);
}

function row(name: string, { at, who, why }: TimelineView): string[] {
  return [exact(at), name, plain(who), plain(why)];
}
