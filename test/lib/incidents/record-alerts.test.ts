import { describe, expect, test } from "vitest";
import { type IncidentRecord, MOST_ALERTS } from "../../../lib/incidents/change.ts";
import type { AlertedBecause } from "../../../lib/incidents/incident.ts";
import {
  alerted,
  alertedAgain,
  alertPublished,
  alertsDue,
  incidentIdFor,
  MOST_TOLD_A_DAY,
  openIncident,
  suspended,
  toldAnew,
} from "../../../lib/incidents/record.ts";
import { firing, tripping } from "../../support/signals.ts";

// Which alerts an incident owes, over days and many signals.

const ACCOUNT = `AC${"1".repeat(32)}`;
const at = (minutes: number) => new Date(Date.parse("2026-11-21T00:00:00.000Z") + minutes * 60_000);

function told(because: AlertedBecause, now: Date) {
  return { about: "alerted", because, problem: null, friendlyName: null, reason: because, now } as const;
}

function warned(rule = "half"): IncidentRecord {
  const first = firing(ACCOUNT);
  const { record } = openIncident(incidentIdFor(first), tripping(first, { rule }), at(0));
  return alerted(record, told("rule", at(0))).record;
}

function publishAll(record: IncidentRecord, now: Date): IncidentRecord {
  return alertsDue(record).reduce((next, { id }) => alertPublished(next, id, now).record, record);
}

describe("an alert that was never sent", () => {
  const suspend = (record: IncidentRecord) =>
    suspended(record, { by: "tollbreaker", friendlyName: null, reason: "", now: at(5) }).record;

  test("is not sent any more once the account is suspended", () => {
    expect(alertsDue(suspend(warned())).map(({ about }) => about)).toEqual(["suspended"]);
  });

  test("and that names all who wait at the brake is sent all the same: nobody else names them", () => {
    const held = toldAnew(warned(), tripping(firing(ACCOUNT), { rule: "all" }), told("brake", at(1))).record;
    expect(alertsDue(suspend(held)).map(({ about, because }) => [about, because])).toEqual([
      ["alerted", "brake"],
      ["suspended", null],
    ]);
  });
});

describe("many different rules in a day", () => {
  function flooded(times: number, begin: number): IncidentRecord {
    let record = publishAll(warned(), at(0));
    for (let nth = 0; nth < times; nth++) {
      const now = at(begin + nth);
      const made = tripping(firing(ACCOUNT), { rule: `made up ${nth}` });
      record = publishAll(alertedAgain(record, made, told("rule", now)).record, now);
    }
    return record;
  }

  test("are told so often and no oftener; each still joins", () => {
    const { incident } = flooded(100, 1);
    expect(incident.alerts).toHaveLength(MOST_TOLD_A_DAY);
    expect(incident.signals).toBe(101);
  });

  test("never silence the brake", () => {
    const held = toldAnew(flooded(100, 1), tripping(firing(ACCOUNT), { rule: "all" }), told("brake", at(200))).record;
    expect(alertsDue(held)).toMatchObject([{ because: "brake", rule: "all" }]);
    expect(held.incident).toMatchObject({ because: "brake", rule: "all" });
  });

  test("are told again the next day; the incident keeps the last ones", () => {
    let record = warned();
    for (let day = 0; day < 10; day++) {
      for (let nth = 0; nth < MOST_TOLD_A_DAY; nth++) {
        const now = at(day * 24 * 60 + nth + 1);
        const made = tripping(firing(ACCOUNT), { rule: `made up ${nth}` });
        record = publishAll(alertedAgain(record, made, told("rule", now)).record, now);
      }
    }
    expect(record.incident.alerts).toHaveLength(MOST_ALERTS);
    expect(record.incident.alerts.at(-1)?.at.slice(0, 10)).toBe("2026-11-30");
    // SNS takes 256 KB for an alert in four forms.
    expect(JSON.stringify(record.incident).length).toBeLessThan(50_000);
  });
});
