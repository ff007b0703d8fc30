import { checked } from "../checked.ts";
import { IncidentListing, IncidentStory } from "../incident-view.ts";
import { pathOf } from "../incidents.ts";
import { readFrom } from "../request.ts";
import type { Server } from "../server.ts";
import { beganAt } from "./ending.ts";

/** @throws Failure, `incident-not-found` among others. */
export async function readIncident(server: Server, id: string, signal?: AbortSignal): Promise<IncidentStory> {
  return checked(IncidentStory, await readFrom(server, pathOf(id), signal), server);
}

/** A command that was just sent stands in one of the account's latest incidents. */
const MOST_SEARCHED = 3;

/**
 * The incident of the account whose history has a line of `command`: the one that the server named is made from the time
 * when it took the request, so a request that it had taken once before named another one. Undefined while there is none.
 */
export async function findTelling(
  server: Server,
  command: string,
  accountSid: string,
  signal?: AbortSignal,
): Promise<IncidentStory | undefined> {
  const query = new URLSearchParams({ account: accountSid, limit: String(MOST_SEARCHED) });
  const { incidents } = checked(IncidentListing, await readFrom(server, `/api/incidents?${query}`, signal), server);
  for (const { id } of incidents) {
    const story = await readIncident(server, id, signal);
    if (beganAt(story, command) !== undefined) return story;
  }
  return undefined;
}
