import { expect, it } from "vitest";
import { incidentTable } from "../../cli/incident-table.ts";
import type { IncidentView } from "../../cli/incident-view.ts";
import { openIncident } from "../../lib/incidents/record.ts";
import { errorsCounted, firing, tripping } from "../support/signals.ts";

const ACCOUNT = `AC${"a".repeat(32)}`;
const AT = new Date("2026-11-21T03:04:05.000Z");
const style = { paint: (_colour: string, text: string) => text, columns: 120, now: new Date("2026-11-21T03:07:05Z") };

function table(changes: Partial<IncidentView>, signal: Parameters<typeof tripping>[0] = firing(ACCOUNT)): string[] {
  const { incident } = openIncident("20261121T030405000-1f3a9c2e", tripping(signal), AT).record;
  return incidentTable([{ ...incident, friendlyName: "Northwind", ...changes }], style).split("\n");
}

it("shows the rule, and the numbers of a usage trigger", () => {
  expect(table({ state: "suspended" })).toEqual([
    "STATE         INCIDENT                     ACCOUNT                             TRIPPED BY",
    "",
    `suspended     20261121T030405000-1f3a9c2e  Northwind                           daily-spend`,
    `3 min ago     2026-11-21 03:04:05Z         ${ACCOUNT}  130.25 of 100 (+30.3 %)`,
  ]);
});

it("shows how many errors tripped a rule on errors", () => {
  const [, , , numbers = ""] = table({}, errorsCounted(ACCOUNT, { count: 23, within: 600_000 }));
  expect(numbers).toMatch(/ {2}23 errors within 10 min$/);
});

it("says why an account was not suspended", () => {
  const shown = table({ state: "alerted", because: "brake" }).slice(1).join(" ").replaceAll(/\s+/g, " ");
  expect(shown).toContain("130.25 of 100 (+30.3 %) not suspended: held by the brake, waits for an operator");
});

it("lets no rule and no reason act on the terminal", () => {
  const text = table({ rule: "a\u001b[2J\nb", because: "\u001b]0;x\u0007" }).join("");
  expect(text).not.toMatch(/\p{Cc}/u);
  expect(text).toContain("a\\u{1b}[2J\\u{a}b");
});
