import Table from "cli-table3";
import type { IncidentView } from "./incident-view.ts";
import { type Colour, type Paint, printable } from "./terminal.ts";
import { age, amount, percent, time } from "./wording.ts";

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
  const table = new Table({
    head: ["STATE", "INCIDENT", "ACCOUNT", "TRIPPED BY"].map((title) => paint("bold", title)),
    colWidths: columnWidths(columns),
    wordWrap: true,
    chars: NO_LINES,
    // The library's own colours would not know about NO_COLOR.
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP },
  });
  table.push(...incidents.map((incident) => row(incident, paint, now)));
  return withoutTrailingSpaces(table.toString());
}

const NO_LINES = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", right: "", "right-mid": "", middle: "" },
  // A blank line between two incidents: each fills several lines.
  ...{ mid: " ", "mid-mid": "" },
};

function columnWidths(columns: number): number[] {
  const fixed = WIDTHS.map((width) => width + GAP);
  return [...fixed, columns - fixed.reduce((sum, width) => sum + width)];
}

function row(incident: IncidentView, paint: Paint, now: Date): string[] {
  const { id, state, friendlyName, accountSid, openedAt, rule } = incident;
  return [
    lines(paint(stateColour(state), printable(state)), age(openedAt, now)),
    lines(printable(id), printable(time(openedAt))),
    lines(paint("bold", printable(friendlyName ?? "(no name)")), printable(accountSid)),
    lines(printable(rule), numbers(incident)),
  ];
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

function numbers({ trip }: IncidentView): string {
  if (trip === null) return "";
  return printable(`${amount(trip.currentValue)} of ${amount(trip.triggerValue)}${percent(trip.overshootPercent)}`);
}

function lines(...texts: string[]): string {
  return texts.join("\n");
}

function withoutTrailingSpaces(text: string): string {
  return text.replaceAll(/ +$/gm, "");
}
