import { compare } from "../../lib/decimal.ts";
import { plainTable } from "../plain-table.ts";
import { type Colour, type Paint, printable } from "../terminal.ts";
import { accountName, age, amount, time } from "../wording.ts";
import { type AccountStatus, byUrgency, isArmed, type LimitState, type LimitStatus } from "./status.ts";

/** Beyond this many accounts a reader learns nothing more. */
const MOST_SHOWN = 50;

/** What each account carries, for a person: what needs a look first. */
export function statusText(accounts: readonly AccountStatus[], paint: Paint, now: Date): string {
  const shown = accounts.toSorted(byUrgency).slice(0, MOST_SHOWN);
  const rest = accounts.length - shown.length;
  const more = rest === 0 ? [] : [`... and ${rest} more accounts (--json shows them all)`];
  const table = shown.length === 0 ? [] : [statusTable(shown, paint, now), ...more, ""];
  return [...table, armedLine(accounts)].join("\n");
}

/** Every account has the policy's limits, so one without any tells that there are none. */
function armedLine(accounts: readonly AccountStatus[]): string {
  const armed = accounts.filter(isArmed).length;
  const total = accounts.length === 1 ? "1 account" : `${accounts.length} accounts`;
  const line = `${armed} of ${total} armed`;
  if (!accounts.some(({ limits }) => limits.length === 0)) return `${line}.`;
  const left = accounts.reduce((sum, one) => sum + one.left, 0);
  const leftOver = left === 0 ? "" : `; ${left === 1 ? "1 trigger of ours is" : `${left} triggers of ours are`} left`;
  return `${line}: the policy has no limits for Twilio to watch${leftOver}.`;
}

function statusTable(accounts: readonly AccountStatus[], paint: Paint, now: Date): string {
  const rows = accounts.flatMap((account) => {
    const lines = account.limits.map((limit) => rowOf(limit, paint, now));
    const cells = lines.length === 0 ? [["(no limits)", "", "", "", "", ""]] : lines;
    const names = nameLines(account);
    return Array.from({ length: Math.max(cells.length, names.length) }, (_, index) => [
      names[index] ?? "",
      ...(cells[index] ?? ["", "", "", "", "", ""]),
    ]);
  });
  return plainTable({ titles: ["ACCOUNT", "LIMIT", "STATE", "NOW / AT", "USED", "LAST FIRED", ""], paint }, rows);
}

function nameLines({ guards, left, others, otherTollbreakers, status, ...account }: AccountStatus): string[] {
  const about = [
    ...(status === "active" ? [] : [status]),
    ...(guards > 0 ? [`${guards} guard it`] : []),
    ...(left > 0 ? [`${left} of no limit`] : []),
    ...(others > 0 ? [`${others} not ours`] : []),
    ...otherTollbreakers.map((url) => `another Tollbreaker: ${url}`),
  ];
  return [printable(accountName(account)), ...(about.length === 0 ? [] : [`  ${printable(about.join(", "))}`])];
}

const COLOURS: Readonly<Record<LimitState, Colour>> = {
  armed: "green",
  guarded: "yellow",
  unguarded: "red",
  missing: "red",
  foreign: "red",
  outdated: "yellow",
  spent: "yellow",
};

function rowOf(
  { limit, state, currentValue, at, percent, dateFired, differs, raised, ...status }: LimitStatus,
  paint: Paint,
  now: Date,
): string[] {
  return [
    printable(limit),
    paint(COLOURS[state], state),
    `${currentValue === null ? "?" : printable(amount(currentValue))} / ${printable(amount(at))}`,
    percent === null ? "" : usedOf(percent, paint),
    dateFired === null ? "never" : printable(age(dateFired, now) || dateFired),
    printable([differs ?? watchInWords({ state, ...status }), raised].filter((text) => text).join("; ")),
  ];
}

/** Of a limit that has fired: what watches it now, and from which value on. */
export function watchInWords({
  state,
  silentUntil,
  guard,
}: Pick<LimitStatus, "state" | "silentUntil" | "guard">): string {
  const silent = silentUntil === null ? "silent for good" : `silent until ${time(silentUntil)} UTC`;
  if (guard !== null) return `${silent}; its guard fires after ${amount(guard.left)} more`;
  return state === "unguarded" ? `${silent}; nothing guards it` : "";
}

function usedOf(percent: string, paint: Paint): string {
  const text = `${percent} %`;
  if (compare(percent, "100") >= 0) return paint("red", text);
  return compare(percent, "80") >= 0 ? paint("yellow", text) : text;
}
