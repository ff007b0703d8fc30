import { EXIT, Failure } from "../failure.ts";
import { holdOf } from "../hold.ts";
import type { IncidentStory } from "../incident-view.ts";
import { pathOf } from "../incidents.ts";
import type { Server } from "../server.ts";
import type { Terminal } from "../terminal.ts";
import { conclude } from "./conclude.ts";
import { follow, type Pace } from "./follow.ts";
import { sendCommand } from "./send-command.ts";

/** An older reading is no ground for a decision: whoever has a key makes another one in seconds. */
const FRESH_MS = 5 * 60_000;

/** The incident with a check-list that was read a moment ago; asks for a reading where there is none like that. */
export async function withFreshChecklist(
  server: Server,
  incident: IncidentStory,
  terminal: Terminal,
  pace?: Pace,
): Promise<IncidentStory> {
  if (isFresh(incident, new Date())) return incident;
  terminal.tell("Reading the check-list anew.");
  return checkAnew(server, incident.id, terminal, pace);
}

/** @throws Failure when it could not be read. */
export async function checkAnew(server: Server, id: string, terminal: Terminal, pace?: Pace): Promise<IncidentStory> {
  const { command } = await sendCommand(server, `${pathOf(id)}/check`, {});
  const underWay = { command, incidentId: id, asked: "check" as const };
  const ending = await follow(server, underWay, terminal, () => {}, pace);
  conclude(ending, underWay);
  if (ending.kind === "done" && ending.incident.checklist !== null) return ending.incident;
  throw new Failure(EXIT.wentWrong, "checklist-unread", "The check-list was read, and is not on the incident.", {
    fix: `look at the incident: npm run -s tollbreaker -- incidents show ${id}`,
  });
}

// An account that was active may be suspended by now. This machine's clock may be wrong in either direction.
function isFresh(incident: IncidentStory, now: Date): boolean {
  const { checklist } = incident;
  if (checklist === null || holdOf(incident) === "active") return false;
  return Math.abs(now.getTime() - Date.parse(checklist.readAt)) < FRESH_MS;
}
