import type { NamedBrake } from "./brake-names.ts";
import { typed } from "./next-step.ts";
import { plainTable } from "./plain-table.ts";
import { type Paint, printable } from "./terminal.ts";
import { accountName, age, amount, counted, span, time } from "./wording.ts";

type Waits = NamedBrake["waiting"][number];

/** The brake for a person: whether it holds, whom, and what to type then. */
export function brakeText(brake: NamedBrake, paint: Paint, now: Date): string {
  const { suspensions, waiting, limit } = brake;
  const passed = new Set(suspensions.map(({ accountSid }) => accountSid)).size;
  const within = span(limit.withinSeconds * 1000);
  const state =
    waiting.length === 0 ? paint("green", "holds nobody") : paint("red", `holds ${accounts(waiting.length)}`);
  return [
    `The brake ${state}.`,
    `${passed} of ${counted(limit.suspensions, "account")} suspended within ${within} count now.`,
    ...(waiting.length === 0 ? [] : ["", waitingTable(brake, paint, now), "", ...advice()]),
  ].join("\n");
}

/** Who waits, longest first. */
export function waitingTable({ waiting }: NamedBrake, paint: Paint, now: Date): string {
  const rows = waiting.map(({ friendlyName, accountSid, incidentId, since, counted: tripped }) => [
    printable(friendlyName ?? ""),
    printable(accountSid),
    printable(incidentId),
    printable(tripped === null ? "" : reached(tripped)),
    printable(`${time(since)}  ${age(since, now)}`),
  ]);
  return plainTable({ titles: ["NAME", "ACCOUNT", "INCIDENT", "REACHED", "WAITS SINCE"], paint }, rows);
}

/** `130.25 of 100 USD totalprice`. */
function reached({ currentValue, triggerValue, currency, usageCategory }: NonNullable<Waits["counted"]>): string {
  const unit = currency === null ? "" : ` ${currency}`;
  return `${amount(currentValue)} of ${amount(triggerValue)}${unit} ${usageCategory}`;
}

/** As nobody can mistake it for another one; the SID alone where no name could be read. */
export function waitingName(one: Waits): string {
  return one.friendlyName === null ? one.accountSid : accountName(one);
}

export function accounts(count: number): string {
  return counted(count, "account");
}

function advice(): string[] {
  return [
    "These accounts are running. Find out first whether this is an attack or a mistake (docs/runbook.md), then",
    `  ${typed("brake release --reason '...'")}`,
    `  ${typed("incidents dismiss ID --reason '...'")}`,
  ];
}
