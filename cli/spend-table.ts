import type { RankingView } from "./incident-view.ts";
import { plainTable } from "./plain-table.ts";
import { type Paint, printable } from "./terminal.ts";
import { amount, counted, time } from "./wording.ts";

/** Who spent most of a day (GMT), highest first. */
export function spendTable({ spenders, total, currency, unread, readAt }: RankingView, paint: Paint): string {
  const rows = spenders.map(({ accountSid, friendlyName, price, share }) => [
    `  ${printable(friendlyName || "(no name)")}`,
    printable(accountSid),
    printable(`${amount(price)} ${currency}`),
    share === null ? "" : printable(`${share} %`),
  ]);
  const missing = unread === 0 ? "" : `; ${counted(unread, "account")} could not be read`;
  const sum = printable(`  In all ${amount(total)} ${currency}`.trimEnd());
  return [
    ...[paint("bold", "Who spent most today (GMT)"), ...(rows.length === 0 ? [] : [table(rows, paint)])],
    `${sum}, read ${printable(time(readAt))}${missing}`,
  ].join("\n");
}

function table(rows: string[][], paint: Paint): string {
  return plainTable({ titles: ["  Account", "SID", "Spent", "Share"], paint }, rows);
}
