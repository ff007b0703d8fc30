import { plainTable } from "./plain-table.ts";
import type { RaiseView } from "./raise-view.ts";
import { type Paint, printable } from "./terminal.ts";
import { amount, time } from "./wording.ts";

/** Limits that somebody raised for a while, for a person. */
export function raisesText(raises: readonly RaiseView[], paint: Paint): string {
  if (raises.length === 0) return "No limit is raised, and none was lately.";
  const rows = raises.map((raise) => [
    printable(raise.accountSid),
    printable(raise.limit),
    `${printable(amount(raise.from))} to ${printable(amount(raise.to))}`,
    stateOf(raise, paint),
    printable(`${raise.operator}: ${raise.reason}`),
  ]);
  return plainTable({ titles: ["ACCOUNT", "LIMIT", "RAISED", "STATE", "BY, WHY"], paint }, rows);
}

function stateOf({ state, until, ended, why }: RaiseView, paint: Paint): string {
  switch (state) {
    case "raised":
      return paint("yellow", `until ${time(until)}`);
    case "ending":
      return paint("yellow", `over since ${time(until)}, the sweep ends it`);
    case "resting":
      return paint("yellow", restOf(ended));
    case "ended":
      return `ended ${time(ended?.at ?? until)}${ended?.operator ? ` by ${printable(ended.operator)}` : ""}`;
    case "refused":
      return `refused: ${printable(why ?? "")}`;
  }
}

function restOf(ended: RaiseView["ended"]): string {
  if (ended?.rest == null) return "ended";
  return `ended; ${printable(amount(ended.rest.to))} until ${time(ended.rest.until)}`;
}

/** One line: what the limit is now. */
export function raisedLine({
  to,
  until,
  ended,
  operator,
}: Pick<RaiseView, "to" | "until" | "ended" | "operator">): string {
  return ended === null
    ? `raised to ${amount(to)} by ${operator} until ${time(until)}`
    : `was raised by ${operator}; ${restOf(ended)}`;
}
