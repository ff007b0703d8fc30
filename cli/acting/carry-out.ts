import type { IncidentStory } from "../incident-view.ts";
import { pathOf } from "../incidents.ts";
import { readFrom } from "../request.ts";
import type { Server } from "../server.ts";
import { printable, printableJson, type Terminal } from "../terminal.ts";
import { conclude } from "./conclude.ts";
import type { Asked, Ending } from "./ending.ts";
import { follow, type Pace, type UnderWay } from "./follow.ts";
import { progress } from "./progress.ts";
import { sendCommand } from "./send-command.ts";

/** What to ask for, and where. */
export interface Order {
  asked: Asked;
  path: string;
  json: unknown;
  /** Where the command may open an incident: whose it is then. */
  accountSid?: string;
}

export interface Manner {
  /** The outcome as JSON on standard output; what is for the eyes goes to standard error then. */
  json?: boolean;
  pace?: Pace;
}

/**
 * Sends a command, shows how it goes, and says how it ended.
 * @returns the incident as it is then.
 * @throws Failure for every end but a good one, after it was shown.
 */
export async function carryOut(
  server: Server,
  order: Order,
  terminal: Terminal,
  manner: Manner,
): Promise<IncidentStory | undefined> {
  const { command, incidentId } = await sendCommand(server, order.path, order.json);
  // Only the brake's release has no incident of its own.
  if (incidentId === null) return undefined;
  const { asked, accountSid } = order;
  const underWay = { command, incidentId, asked, ...(accountSid !== undefined && { accountSid }) };
  const say = manner.json ? terminal.tell : terminal.print;
  const paint = manner.json ? terminal.shade : terminal.paint;
  const ending = await follow(server, underWay, terminal, progress(command, paint, say), manner.pace);
  if (manner.json) terminal.print(await asJson(server, underWay, ending));
  for (const line of conclude(ending, underWay)) say(printable(line));
  return "incident" in ending ? ending.incident : undefined;
}

/** `outcome`: `done`, `refused`, `failed` or `unknown`. `incident`: as the API has it; null while it is not known. */
async function asJson(server: Server, { command, incidentId }: UnderWay, ending: Ending): Promise<string> {
  const { kind: outcome } = ending;
  if (outcome === "unknown")
    return printableJson({ command, incidentId, outcome, why: ending.because, incident: null });
  const { why, incident } = ending;
  const whole = await readFrom(server, pathOf(incident.id));
  return printableJson({ command, incidentId: incident.id, outcome, why, incident: whole });
}
