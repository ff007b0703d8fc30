import type { BrakeView } from "./brake-view.ts";
import { typed } from "./next-step.ts";
import { plainTable } from "./plain-table.ts";
import { type Paint, printable } from "./terminal.ts";
import { age, span, time } from "./wording.ts";

/** The brake for a person: whether it holds, whom, and what to type then. */
export function brakeText(brake: BrakeView, paint: Paint, now: Date): string {
  const { suspensions, waiting, limit } = brake;
  const counted = new Set(suspensions.map(({ accountSid }) => accountSid)).size;
  const within = span(limit.withinSeconds * 1000);
  const state =
    waiting.length === 0 ? paint("green", "holds nobody") : paint("red", `holds ${accounts(waiting.length)}`);
  return [
    `The brake ${state}.`,
    `${counted} of ${limit.suspensions} accounts suspended within ${within} count now.`,
    ...(waiting.length === 0 ? [] : ["", waitingTable(brake, paint, now), "", ...advice()]),
  ].join("\n");
}

/** Who waits, longest first. */
export function waitingTable({ waiting }: BrakeView, paint: Paint, now: Date): string {
  const rows = waiting.map(({ accountSid, incidentId, since }) => [
    printable(accountSid),
    printable(incidentId),
    printable(`${time(since)}  ${age(since, now)}`),
  ]);
  return plainTable({ titles: ["ACCOUNT", "INCIDENT", "WAITS SINCE"], paint }, rows);
}

export function accounts(count: number): string {
  return count === 1 ? "1 account" : `${count} accounts`;
}

function advice(): string[] {
  return [
    "These accounts are running. Find out first whether this is an attack or a mistake (docs/runbook.md), then",
    `  ${typed("brake release --reason '...'")}`,
    `  ${typed("incidents dismiss ID --reason '...'")}`,
  ];
}
