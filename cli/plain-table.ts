import Table from "cli-table3";
import type { Paint } from "./terminal.ts";

const GAP = 2;

export interface Columns {
  titles: readonly string[];
  /** Without the gap between two columns; a column without a width is as wide as its longest text. */
  widths?: readonly number[];
  paint: Paint;
  /** A blank line between two rows, where each fills several lines. */
  spaced?: boolean;
}

/** Rows in columns, without any lines. Every text must be printable; a line break begins a new line in its cell. */
export function plainTable({ titles, widths, paint, spaced = false }: Columns, rows: readonly string[][]): string {
  const table = new Table({
    head: titles.map((title) => paint("bold", title)),
    ...(widths && { colWidths: widths.map((width) => width + GAP), wordWrap: true }),
    chars: { ...NO_LINES, mid: spaced ? " " : "" },
    // The library's own colours would not know about NO_COLOR.
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP },
  });
  table.push(...rows);
  return table.toString().replaceAll(/ +$/gm, "");
}

const NO_LINES = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", right: "", "right-mid": "", middle: "" },
  ...{ mid: "", "mid-mid": "" },
};
