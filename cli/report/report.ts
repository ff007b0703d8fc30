import { writeFile } from "node:fs/promises";
import { messageOf } from "../../lib/errors.ts";
import { checked } from "../checked.ts";
import { EXIT, Failure } from "../failure.ts";
import { IncidentStory } from "../incident-view.ts";
import { pathOf } from "../incidents.ts";
import { readFrom } from "../request.ts";
import type { Server } from "../server.ts";
import { printable, type Terminal } from "../terminal.ts";
import { incidentReport } from "./document.ts";

/** `incidents report`: one incident as Markdown, on standard output or in the file `out`. */
export async function reportIncident(
  server: Server,
  id: string,
  out: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const report = incidentReport(checked(IncidentStory, await readFrom(server, pathOf(id)), server));
  // The last newline is the terminal's.
  if (out === undefined) return terminal.print(report.trimEnd());
  await write(out, report);
  terminal.tell(`Written to ${printable(out)}.`);
}

async function write(path: string, report: string): Promise<void> {
  try {
    await writeFile(path, report);
  } catch (cause) {
    throw new Failure(EXIT.failed, "report-not-written", `${path} could not be written.`, {
      got: messageOf(cause),
      fix: "choose another --out, or leave it out and redirect standard output",
      cause,
    });
  }
}
