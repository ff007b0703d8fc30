import Table from "cli-table3";
import type { Aim, Row } from "./row.ts";

/** For people. */
export function asTable(rows: readonly Row[]): string {
  const table = new Table({
    head: ["measure", "ours", "peer", "ratio", "aim", "met?"],
    colAligns: ["left", "right", "left", "right", "left", "left"],
    style: { head: [], border: [], compact: true },
  });
  for (const one of rows) table.push(cells(one));
  return table.toString();
}

/** For machines: the same rows, numbers as measured. */
export function asJson(rows: readonly Row[]): string {
  return JSON.stringify(rows, null, 2);
}

function cells({ measure, unit, ours, peer, ratio, aim, met }: Row): string[] {
  return [
    measure,
    amount(ours, unit),
    peer === null ? "-" : `${amount(peer.value, unit)}, ${peer.name}`,
    ratio === null ? "-" : ratio.toFixed(2),
    aim === null ? "-" : aimInWords(aim),
    met === null ? "-" : met ? "yes" : "NO",
  ];
}

const DIGITS: Partial<Record<Row["unit"], number>> = { ms: 1, µs: 1, "a month": 2 };

function amount(value: number, unit: Row["unit"]): string {
  const digits = DIGITS[unit] ?? 0;
  return `${value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`;
}

function aimInWords(aim: Aim): string {
  return "atMost" in aim ? `at most ${aim.atMost}` : `at least ${aim.atLeast}`;
}
