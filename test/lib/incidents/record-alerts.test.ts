import { describe, expect, test } from "vitest";
import { type IncidentRecord, MOST_ALERTS } from "../../../lib/incidents/change.ts";
import type { AlertedBecause } from "../../../lib/incidents/incident.ts";
import {
  alerted,
  alertedAgain,
  alertPublished,
  alertsDue,
  callsEnded,
  failed,
  incidentIdFor,
  MOST_MADE_UP_A_DAY,
  openIncident,
  suspended,
  suspendedAgain,
  toldAnew,
} from "../../../lib/incidents/record.ts";
import { foundActive, reminded } from "../../../lib/incidents/watched.ts";
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
  return alerted(record, tripping(first, { rule }), told("rule", at(0))).record;
}

function publishAll(record: IncidentRecord, now: Date): IncidentRecord {
  return alertsDue(record).reduce((next, { id }) => alertPublished(next, id, now).record, record);
}

describe("an alert that was never sent", () => {
  const suspend = (record: IncidentRecord) =>
    suspended(record, { by: "tollbreaker", friendlyName: null, reason: "", now: at(5) }).record;

  test("is still sent when another rule trips: nobody else tells of it", () => {
    const next = toldAnew(warned("half"), tripping(firing(ACCOUNT), { rule: "most" }), told("rule", at(1))).record;
    expect(alertsDue(next).map(({ rule, note }) => [rule, note])).toEqual([
      ["half", "rule"],
      ["most", "rule"],
    ]);
  });

  test("and one more in the same millisecond have an id each", () => {
    const next = toldAnew(warned("half"), tripping(firing(ACCOUNT), { rule: "most" }), told("rule", at(0))).record;
    expect(new Set(alertsDue(next).map(({ id }) => id)).size).toBe(2);
  });

  test("is not told once more on another day: it will be, with what is known by then", () => {
    const nextDay = at(2 * 24 * 60);
    const again = toldAnew(warned("half"), tripping(firing(ACCOUNT), { rule: "half" }), told("rule", nextDay)).record;
    expect(alertsDue(again)).toHaveLength(1);
  });

  test("that somebody waits is not told twice: the later reminder says for how long", () => {
    const twice = reminded(reminded(warned(), "1", "for 1 hour", at(60)).record, "2", "for 1 day", at(1440)).record;
    expect(alertsDue(twice).map(({ about, note }) => [about, note])).toEqual([
      ["alerted", "rule"],
      ["reminder", "for 1 day"],
    ]);
  });

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
  const MADE_UP = { isNamed: false };

  function flooded(times: number, begin: number): IncidentRecord {
    let record = publishAll(warned(), at(0));
    for (let nth = 0; nth < times; nth++) {
      const now = at(begin + nth);
      const made = tripping(firing(ACCOUNT), { rule: `made up ${nth}`, ...MADE_UP });
      record = publishAll(alertedAgain(record, made, told("rule", now)).record, now);
    }
    return record;
  }

  test("are told so often and no oftener; each still joins", () => {
    const { incident } = flooded(100, 1);
    expect(incident.alerts.filter(({ isNamed }) => !isNamed)).toHaveLength(MOST_MADE_UP_A_DAY);
    expect(incident.signals).toBe(101);
  });

  test.each(["rule", "exempt", "observe-mode", "unconfirmed", "parent-account"] as const)(
    "never silence a rule of the policy: %s",
    (because) => {
      const named = tripping(firing(ACCOUNT), { rule: "daily-spend" });
      const record = toldAnew(flooded(100, 1), named, told(because, at(200))).record;
      expect(alertsDue(record)).toMatchObject([{ rule: "daily-spend", because }]);
      // And the other way round.
      expect(toldAnew(record, named, told(because, at(201))).entries).toEqual([]);
    },
  );

  test("of the policy are each told, however many, and are no part of what the made-up ones share", () => {
    let record = publishAll(warned(), at(0));
    for (let nth = 0; nth < 80; nth++) {
      record = alertedAgain(record, tripping(firing(ACCOUNT), { rule: `limit-${nth}` }), told("rule", at(1))).record;
      record = publishAll(record, at(1));
    }
    expect(new Set(record.incident.alerts.map(({ rule }) => rule)).size).toBe(81);
    const madeUp = tripping(firing(ACCOUNT), { rule: "made up", ...MADE_UP });
    expect(alertsDue(alertedAgain(record, madeUp, told("rule", at(2))).record)).toMatchObject([{ rule: "made up" }]);
    // Told in this day is told, although more were told since than an incident keeps of other days.
    const first = tripping(firing(ACCOUNT), { rule: "limit-0" });
    expect(alertsDue(alertedAgain(record, first, told("rule", at(3))).record)).toEqual([]);
  });

  test("that were sent go before one that was not, however old it is", () => {
    const named = tripping(firing(ACCOUNT), { rule: "daily-spend" });
    const held = toldAnew(warned(), named, told("exempt", at(0))).record;
    const unsent = new Set(alertsDue(held).map(({ id }) => id));
    let record = held;
    for (let nth = 0; nth < 10 * MOST_MADE_UP_A_DAY; nth++) {
      const now = at(1440 + nth * 72);
      const made = tripping(firing(ACCOUNT), { rule: `made up ${nth}`, ...MADE_UP });
      record = alertedAgain(record, made, told("rule", now)).record;
      for (const { id } of alertsDue(record)) {
        if (!unsent.has(id)) record = alertPublished(record, id, now).record;
      }
    }
    expect(record.incident.alerts).toHaveLength(MOST_ALERTS);
    expect(alertsDue(record)).toMatchObject([{ rule: "half" }, { rule: "daily-spend", because: "exempt" }]);
  });

  test("made up while SNS is down, for a month, push out nothing that is due, and wait in no endless line", () => {
    const named = tripping(firing(ACCOUNT), { rule: "daily-spend" });
    let record = toldAnew(warned(), named, told("exempt", at(0))).record;
    for (let nth = 0; nth < 30 * 40; nth++) {
      const now = at(nth * 36);
      const made = tripping(firing(ACCOUNT), { rule: `made up ${nth}`, ...MADE_UP });
      record = alertedAgain(record, made, told("rule", now)).record;
    }
    const due = alertsDue(record);
    expect(due.slice(0, 2)).toMatchObject([{ rule: "half" }, { rule: "daily-spend", because: "exempt" }]);
    expect(due).toHaveLength(2 + MOST_MADE_UP_A_DAY);
  });

  test("never silence the brake", () => {
    const held = toldAnew(flooded(100, 1), tripping(firing(ACCOUNT), { rule: "all" }), told("brake", at(200))).record;
    expect(alertsDue(held)).toMatchObject([{ because: "brake", rule: "all" }]);
    expect(held.incident).toMatchObject({ because: "brake", rule: "all" });
  });

  test("are told again the next day; the incident keeps the last ones", () => {
    let record = warned();
    for (let day = 0; day < 10; day++) {
      for (let nth = 0; nth < MOST_MADE_UP_A_DAY; nth++) {
        const now = at(day * 24 * 60 + nth + 1);
        const made = tripping(firing(ACCOUNT), { rule: `made up ${nth}`, ...MADE_UP });
        record = publishAll(alertedAgain(record, made, told("rule", now)).record, now);
      }
    }
    expect(record.incident.alerts).toHaveLength(MOST_ALERTS);
    expect(record.incident.alerts.at(-1)?.at.slice(0, 10)).toBe("2026-11-30");
    // SNS takes 256 KB for an alert in four forms.
    expect(JSON.stringify(record.incident).length).toBeLessThan(50_000);
  });
});

describe("an alert that said that calls were live", () => {
  const open = openIncident(incidentIdFor(firing(ACCOUNT)), tripping(firing(ACCOUNT)), at(0)).record;
  const contain = (record: IncidentRecord, now = at(0)) =>
    suspended(record, { by: "tollbreaker", friendlyName: "Acme", reason: "", now }).record;
  const again = (record: IncidentRecord, now: Date) => {
    const anew = { by: "tollbreaker", friendlyName: null, reason: "", now } as const;
    return suspendedAgain(record, tripping(firing(ACCOUNT)), anew).record;
  };
  const ended = (record: IncidentRecord, left: number | null, now: Date) =>
    callsEnded(record, { ended: 1, left, why: "", now }).record;
  const dueIn = (record: IncidentRecord) => alertsDue(record).map(({ about }) => about);

  test.each([
    ["3 are", 3],
    ["nothing is known of them", null],
  ])("%s: is corrected once when they are ended", (_, left) => {
    const told = publishAll(ended(contain(open), left, at(1)), at(2));
    expect(dueIn(ended(told, 2, at(3)))).toEqual([]);
    const corrected = ended(told, 0, at(4));
    expect(alertsDue(corrected)).toMatchObject([
      {
        about: "calls-ended",
        note: "the alert of 2026-11-21 00:00:00 UTC, which said that calls were live, or might be",
        at: at(4).toISOString(),
      },
    ]);
    expect(dueIn(ended(publishAll(corrected, at(5)), 0, at(6)))).toEqual([]);
  });

  test("and none that was right, or never sent", () => {
    expect(dueIn(ended(contain(open), 0, at(1)))).toEqual(["suspended"]);
    expect(dueIn(ended(publishAll(ended(contain(open), 0, at(1)), at(2)), 0, at(3)))).toEqual([]);
  });

  test("two that were wrong are corrected by one, and a later one by another", () => {
    const first = publishAll(contain(open), at(1));
    const second = publishAll(again(first, at(2)), at(3));
    const corrected = ended(second, 0, at(4));
    expect(dueIn(corrected)).toEqual(["calls-ended"]);
    const third = publishAll(again(publishAll(corrected, at(5)), at(6)), at(7));
    expect(dueIn(ended(third, 0, at(8)))).toEqual(["calls-ended"]);
  });

  test("is corrected although its calls were ended while it was on its way out", () => {
    const composed = contain(open);
    const [due] = alertsDue(composed);
    const meanwhile = ended(composed, 0, at(1));
    const { record } = alertPublished(meanwhile, due?.id ?? "", at(2), composed.incident);
    expect(dueIn(record)).toEqual(["calls-ended"]);
  });

  test("is corrected by a reminder as little as by what says that the account is active again", () => {
    const told = publishAll(contain(open), at(1));
    const noticed = foundActive(reminded(told, "1", "it waits", at(2)).record, "2", at(3)).record;
    expect(dueIn(ended(noticed, 0, at(4)))).toContain("calls-ended");
  });
});

test("a failure that people were told of, with a promise to go on, is followed by the suspension", () => {
  const open = openIncident(incidentIdFor(firing(ACCOUNT)), tripping(firing(ACCOUNT)), at(0)).record;
  const retrying = { twilioCode: 20500, message: "no", retrying: true };
  const told = publishAll(failed(open, retrying, at(1)).record, at(1));
  const done = suspended(told, { by: "tollbreaker", friendlyName: null, reason: "", now: at(2) }).record;
  expect(alertsDue(done)).toMatchObject([{ about: "suspended" }]);
});
