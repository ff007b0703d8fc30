import { withoutTrailingZeros } from "../../lib/decimal.ts";
import { plainTable } from "../plain-table.ts";
import { type Colour, type Paint, printable } from "../terminal.ts";
import { accountName, amount } from "../wording.ts";
import type { Change, Summary } from "./changes.ts";
import type { PlanView } from "./plan.ts";

/** Beyond this many accounts a reader learns nothing more. */
const MOST_SHOWN = 50;

/** A plan for a person: what is to be done, account by account, and a line that sums it up. */
export function planText({ accounts, summary }: PlanView, paint: Paint): string {
  const shown = accounts.slice(0, MOST_SHOWN);
  const rest = accounts.length - shown.length;
  const more = rest === 0 ? [] : [`... and ${rest} more accounts (--json shows them all)`];
  if (accounts.length === 0) return summaryLine(summary);
  return [planTable(shown, paint), ...more, "", summaryLine(summary)].join("\n");
}

function planTable(accounts: PlanView["accounts"], paint: Paint): string {
  const rows = accounts.flatMap(({ changes, problem, ...account }) => {
    const name = printable(accountName(account));
    const lines = [
      ...changes.map((change) => rowOf(change, paint)),
      ...(problem === null ? [] : [cannot(problem, paint)]),
    ];
    return lines.map((cells, index) => [index === 0 ? name : "", ...cells]);
  });
  return plainTable({ titles: ["ACCOUNT", "", "LIMIT", "AT", ""], paint }, rows);
}

const COLOURS: Readonly<Record<Change["kind"], Colour>> = {
  create: "green",
  replace: "yellow",
  update: "yellow",
  remove: "red",
};

function rowOf(change: Change, paint: Paint): string[] {
  return [paint(COLOURS[change.kind], change.kind), printable(change.limit), valueIn(change), noteOf(change, paint)];
}

function valueIn(change: Change): string {
  const value = shown(change.value);
  return change.kind === "replace" ? `${shown(change.old)} -> ${value}` : value;
}

function noteOf(change: Change, paint: Paint): string {
  switch (change.kind) {
    case "create":
    case "replace":
      return change.reached === null ? "" : paint("red", `fires at once: it is ${shown(change.reached)} now`);
    case "update":
      return printable(change.differs);
    case "remove":
      return "";
  }
}

function cannot(problem: string, paint: Paint): string[] {
  return [paint("red", "cannot"), "", "", printable(problem)];
}

function shown(value: string): string {
  return printable(amount(withoutTrailingZeros(value)));
}

function summaryLine({ accounts, inOrder, unread, problems, ...counts }: Summary): string {
  const isNothing = Object.values(counts).every((count) => count === 0);
  const parts = [
    isNothing
      ? "Nothing to do"
      : `${counts.create} to create, ${counts.replace} to replace, ${counts.update} to update, ${counts.remove} to remove`,
    `${inOrder} of ${accounts === 1 ? "1 account" : `${accounts} accounts`} in order`,
    ...(problems > 0 ? [`${problems} cannot be brought in order`] : []),
    ...(unread > 0 ? [`${unread} not read`] : []),
  ];
  return `${parts.join("; ")}.`;
}
