import type { Incident, TimelineEntry } from "../../incidents/incident.ts";
import type { IncidentReader } from "../../incidents/incident-reader.ts";
import { readRecord } from "../read-record.ts";
import { stateConflict } from "./state-conflict.ts";
import { type Refused, refused } from "./verdict.ts";

/** An incident with its history. */
export interface Found {
  incident: Incident;
  timeline: readonly TimelineEntry[];
}

/** Whether there can be no webhooks to give back; undefined when there may be. */
export async function restorationConflict(incidents: IncidentReader, found: Found): Promise<Refused | undefined> {
  const { incident } = found;
  const { state } = incident;
  if (state !== "suspended" && state !== "reactivated")
    return refused(stateConflict(incident, { expected: "suspended or reactivated" }));
  if (mayKeepWebhooks(found) || (await mayAnotherKeepThem(incidents, incident))) return undefined;
  return refused({ ...NOTHING_UNROUTED, state });
}

const NOTHING_UNROUTED = {
  status: 409,
  code: "nothing-unrouted",
  title: "Nothing to give back",
  detail: "No phone number of this account lost its webhooks: no reactivation on record has unrouted one.",
  expected: "an account with a reactivation whose clean-up `unroute-numbers` stopped the webhooks of a number",
  got: "none",
  fix: "nothing; where a number calls the wrong address, correct it in Twilio's Console",
} as const;

/** Only a reactivation unroutes. One that was asked to, and left no line of it, may have been cut in the middle. */
function mayKeepWebhooks({ timeline }: Pick<Found, "timeline">): boolean {
  const asked = timeline.filter(({ what, detail }) => what === "reactivation-asked" && asksToUnroute(detail));
  return asked.some(({ detail: { command } }) => {
    const line = timeline.find(({ what, detail }) => what === "numbers-unrouted" && detail["command"] === command);
    return line === undefined || line.detail["count"] !== 0;
  });
}

function asksToUnroute({ cleanup }: TimelineEntry["detail"]): boolean {
  return typeof cleanup === "string" && cleanup.split(", ").includes("unroute-numbers");
}

/** Beyond these nobody looks: the responder does. */
const MOST_READ = 25;

/** What one incident of the account took can be given back from another. */
async function mayAnotherKeepThem(incidents: IncidentReader, { id, accountSid }: Incident): Promise<boolean> {
  const page = await readRecord(() => incidents.list({ accountSid, limit: MOST_READ }));
  if (page.next !== null) return true;
  const others = page.incidents.filter((other) => other.id !== id && other.reactivation !== null);
  const stories = await Promise.all(others.map((other) => readRecord(() => incidents.get(other.id))));
  return stories.some((story) => story !== undefined && mayKeepWebhooks(story));
}
