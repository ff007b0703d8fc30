import type { IncidentStory, IncidentView } from "./incident-view.ts";

/**
 * What keeps a suspended account from coming back, whatever is acknowledged: it is closed, Twilio itself suspended it, or
 * somebody set it active past Tollbreaker.
 */
export type Hold = "closed" | "twilio" | "active";

/** As far as it was read; undefined where nothing does. */
export function holdOf(incident: Pick<IncidentStory, "containment" | "checklist" | "timeline">): Hold | undefined {
  const { containment, checklist } = incident;
  if (containment?.by === "closed" || checklist?.account === "closed") return "closed";
  if (checklist?.account === "active" || isFoundActive(incident)) return "active";
  return isHeldByTwilio(incident) ? "twilio" : undefined;
}

function isHeldByTwilio({ containment, checklist }: Pick<IncidentView, "containment" | "checklist">): boolean {
  const read = checklist?.items.find(({ id }) => id === "suspended-by");
  return read === undefined ? containment?.by === "suspended-by-twilio" : read.answer === "not-done";
}

/** Whether the sweep found it active, and neither a suspension nor a reading says otherwise since. */
function isFoundActive({ timeline, checklist }: Pick<IncidentStory, "timeline" | "checklist">): boolean {
  const last = timeline.findLast(({ what }) => what === "found-active" || what === "suspended");
  if (last?.what !== "found-active") return false;
  return checklist?.account !== "suspended" || checklist.readAt < last.at;
}
