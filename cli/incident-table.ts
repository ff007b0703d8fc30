import { recurrenceInWords } from "../lib/incidents/recurrence.ts";
import type { IncidentView } from "./incident-view.ts";
import { plainTable } from "./plain-table.ts";
import { type Colour, type Paint, printable } from "./terminal.ts";
import { age, amount, counted, notSuspended, percent, span, time, unitOf } from "./wording.ts";

// What the columns need for the longest text they must hold: a state, an incident's id, a SID. The rest is the last
// column's.
const WIDTHS = [12, 27, 34];
const GAP = 2;

interface Style {
  paint: Paint;
  columns: number;
  now: Date;
}

/** The incidents as a table, two lines each or more: the state above the age, the account's name above its SID, ... */
export function incidentTable(incidents: readonly IncidentView[], { paint, columns, now }: Style): string {
  const last = columns - WIDTHS.reduce((sum, width) => sum + width + GAP, 0) - GAP;
  const titles = ["STATE", "INCIDENT", "ACCOUNT", "TRIPPED BY"];
  const rows = incidents.map((incident) => row(incident, paint, now));
  return plainTable({ titles, widths: [...WIDTHS, last], paint, spaced: true }, rows);
}

function row(incident: IncidentView, paint: Paint, now: Date): string[] {
  const { id, state, because, friendlyName, accountSid, openedAt, rule, recurrence } = incident;
  return [
    lines(paint(stateColour(state), printable(state)), age(openedAt, now)),
    lines(printable(id), printable(time(openedAt))),
    lines(paint("bold", printable(friendlyName ?? "(no name)")), printable(accountSid)),
    lines(
      printable(rule),
      numbers(incident),
      followsOf(recurrence),
      because === null ? "" : printable(notSuspended(because)),
    ),
  ];
}

function followsOf(recurrence: IncidentView["recurrence"]): string {
  return recurrence === null ? "" : printable(recurrenceInWords(recurrence));
}

/** Red where money may still flow, yellow where a person should look, green where it is settled. */
export function stateColour(state: string): Colour {
  switch (state) {
    case "open":
    case "failed":
      return "red";
    case "alerted":
    case "reactivating":
      return "yellow";
    default:
      return state === "suspended" ? "cyan" : "green";
  }
}

function numbers(incident: IncidentView): string {
  const { trip, errors } = incident;
  if (errors !== null) return printable(`${counted(errors.count, "error")} within ${span(errors.within)}`);
  if (trip === null) return "";
  return printable(
    `${amount(trip.currentValue)} of ${amount(trip.triggerValue)}${unitOf(incident)}${percent(trip.overshootPercent)}`,
  );
}

function lines(...texts: string[]): string {
  return texts.filter((text) => text !== "").join("\n");
}
