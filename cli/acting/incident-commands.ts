import { checklistLines } from "../checklist-lines.ts";
import { holdOf } from "../hold.ts";
import { whatNow } from "../incident-story.ts";
import { pathOf } from "../incidents.ts";
import { readFrom } from "../request.ts";
import type { Server } from "../server.ts";
import { printableJson, type Terminal } from "../terminal.ts";
import { carryOut, type Manner } from "./carry-out.ts";
import { checkAnew } from "./fresh-incident.ts";
import { requireReason } from "./reason.ts";

interface Reasoned {
  reason?: string;
}

/** `incidents dismiss`: nothing is to be done about it. */
export async function dismissIncident(
  server: Server,
  id: string,
  { reason }: Reasoned,
  terminal: Terminal,
  manner: Manner = {},
): Promise<void> {
  const json = { reason: await requireReason(reason, terminal) };
  await carryOut(server, { asked: "dismiss", path: `${pathOf(id)}/dismiss`, json }, terminal, manner);
}

/** `incidents restore-numbers`: gives the numbers back the webhooks that a clean-up took. */
export async function restoreNumbers(
  server: Server,
  id: string,
  { reason }: Reasoned,
  terminal: Terminal,
  manner: Manner = {},
): Promise<void> {
  const json = { reason: await requireReason(reason, terminal) };
  await carryOut(server, { asked: "restore-numbers", path: `${pathOf(id)}/restore-numbers`, json }, terminal, manner);
}

/** `incidents check`: reads the check-list anew, and shows it. */
export async function checkIncident(
  server: Server,
  id: string,
  terminal: Terminal,
  manner: Manner = {},
): Promise<void> {
  const incident = await checkAnew(server, id, terminal, manner.pace);
  if (manner.json) return terminal.print(printableJson(await readFrom(server, pathOf(id))));
  const { checklist } = incident;
  if (checklist !== null) terminal.print(checklistLines(checklist, terminal.paint).join("\n"));
  if (holdOf(incident) !== undefined) terminal.print(`\n${whatNow(incident, terminal.paint)}`);
}
