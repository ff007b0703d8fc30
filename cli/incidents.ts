import * as z from "zod/mini";
import { checked } from "./checked.ts";
import { incidentStory } from "./incident-story.ts";
import { incidentTable } from "./incident-table.ts";
import { IncidentListing, IncidentStory } from "./incident-view.ts";
import { readFrom } from "./request.ts";
import type { Server } from "./server.ts";
import { printable, printableJson, type Terminal } from "./terminal.ts";

export interface ListOptions {
  state?: string;
  account?: string;
  limit?: string;
  cursor?: string;
  /** Follow the cursor to the end instead of showing one page. */
  all?: true;
  json?: true;
}

/** `incidents list`: one page, or every page with `--all`. */
export async function listIncidents(server: Server, options: ListOptions, terminal: Terminal): Promise<void> {
  const body = options.all ? await readAllPages(server, options) : await readPage(server, options);
  if (options.json) return terminal.print(printableJson(body));
  showTable(checked(IncidentListing, body, server), options, terminal);
}

/** `incidents show`: one incident with its timeline. */
export async function showIncident(server: Server, id: string, json: boolean, terminal: Terminal): Promise<void> {
  const body = await readFrom(server, pathOf(id));
  if (json) return terminal.print(printableJson(body));
  terminal.print(incidentStory(checked(IncidentStory, body, server), terminal.paint, new Date()));
}

/** Where the operator API has an incident. */
export function pathOf(id: string): string {
  return `/api/incidents/${encodeURIComponent(id)}`;
}

function showTable({ incidents, next }: IncidentListing, options: ListOptions, terminal: Terminal): void {
  if (incidents.length === 0) {
    terminal.tell(noneFound(options));
    return;
  }
  terminal.print(incidentTable(incidents, { paint: terminal.paint, columns: terminal.columns, now: new Date() }));
  if (next !== null) terminal.tell(`\nThere are more: add --cursor ${printable(next)}, or --all for every incident.`);
}

function noneFound({ state, account, cursor }: ListOptions): string {
  return (state ?? account ?? cursor) ? "No incident matches." : "There are no incidents.";
}

// In a page of --json nothing but the paging is read, so nothing is lost on the way to a program.
const Page = z.looseObject({ incidents: z.array(z.unknown()), next: z.nullable(z.string()) });
type Page = z.infer<typeof Page>;

const LARGEST_PAGE = "100";

async function readAllPages(server: Server, options: ListOptions): Promise<Page> {
  const incidents: unknown[] = [];
  let cursor = options.cursor;
  do {
    const page = await readPage(server, { ...options, limit: LARGEST_PAGE, ...(cursor !== undefined && { cursor }) });
    incidents.push(...page.incidents);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return { incidents, next: null };
}

async function readPage(server: Server, { state, account, limit, cursor }: ListOptions): Promise<Page> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ state, account, limit, cursor }))
    if (value !== undefined) query.set(name, value);
  return checked(Page, await readFrom(server, `/api/incidents?${query}`), server);
}
