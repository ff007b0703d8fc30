import { describe, expect, test } from "vitest";
import { type Change, followedBy, type IncidentRecord, MOST_ALERTS } from "../../../lib/incidents/change.ts";
import { INCIDENT_ID } from "../../../lib/incidents/incident-reader.ts";
import {
  type Alerted,
  alerted,
  alertedAgain,
  alertPublished,
  alertsDue,
  callsEnded,
  evidenceRead,
  failed,
  incidentIdFor,
  joined,
  MOST_JOINED,
  MOST_MADE_UP_A_DAY,
  openIncident,
  spendRanked,
  suspended,
  suspendedAgain,
  toldAnew,
  toldElsewhere,
  toldNotUnderstood,
  trippedBy,
} from "../../../lib/incidents/record.ts";
import fc from "../../support/fast-check.ts";
import { errorsCounted, firing, notUnderstood, topSpender, tripping } from "../../support/signals.ts";

const ACCOUNT = `AC${"1".repeat(32)}`;
const ID = "20261121T030405123-1f3a9c2e";
const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 3, 4, second));
const signal = firing(ACCOUNT, {
  id: "first",
  firedAt: "2026-11-21T03:03:30.000Z",
  receivedAt: "2026-11-21T03:04:00.250Z",
  triggerValue: "1000.000000",
  currentValue: "1000.0000001",
});
const opened = () => openIncident(ID, tripping(signal), at(1)).record;
const contained = (record = opened()) =>
  suspended(record, { by: "tollbreaker", friendlyName: "Northwind", reason: "because", now: at(2) }).record;

describe("an incident's id", () => {
  test("is the time of receipt and a part made from the signal: the same for each delivery", () => {
    expect(incidentIdFor(signal)).toMatch(/^20261121T030400250-[0-9a-f]{8}$/);
    expect(incidentIdFor({ ...signal })).toBe(incidentIdFor(signal));
    expect(incidentIdFor({ ...signal, id: "second" })).not.toBe(incidentIdFor(signal));
    expect(incidentIdFor({ ...signal, accountSid: `AC${"2".repeat(32)}` })).not.toBe(incidentIdFor(signal));
  });

  test("has the same form however precise the time was written", () => {
    for (const receivedAt of ["2026-11-21T03:04:00Z", "2026-11-21T03:04:00.1Z", "2026-11-21T03:04:00.123456Z"]) {
      expect(incidentIdFor({ ...signal, receivedAt })).toMatch(INCIDENT_ID);
    }
  });

  test("sorts by time", () => {
    const time = fc.date({ min: new Date("2000-01-01"), max: new Date("2099-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(time, time, (one, other) => {
        const idOf = (date: Date) => incidentIdFor({ ...signal, receivedAt: date.toISOString() });
        expect(idOf(one) < idOf(other)).toBe(one < other || (+one === +other && idOf(one) < idOf(other)));
      }),
    );
  });
});

describe("an opened incident", () => {
  test("has exact numbers and says what tripped", () => {
    expect(opened().incident).toMatchObject({
      state: "open",
      rule: "daily-spend",
      reason: "because",
      trip: {
        triggerValue: "1000.000000",
        currentValue: "1000.0000001",
        overshoot: "0.0000001",
        overshootPercent: "0.0",
      },
      lags: { firedToReceived: 30_250, receivedToSuspended: null, firedToSuspended: null },
      openedAt: "2026-11-21T03:04:01.000Z",
      signals: 1,
      alerts: [],
    });
  });

  test("of a limit of zero has no percentage", () => {
    const { incident } = openIncident(ID, tripping({ ...signal, triggerValue: "0", currentValue: "5" }), at(1)).record;
    expect(incident.trip).toMatchObject({ overshoot: "5", overshootPercent: null });
  });

  test("of a firing without a readable time has no lag from it; of clocks that disagree it has a negative one", () => {
    const unread = openIncident(ID, tripping({ ...signal, firedAt: null }), at(1)).record;
    expect(unread.incident.lags.firedToReceived).toBeNull();
    const early = openIncident(ID, tripping({ ...signal, firedAt: "2026-11-21T03:04:02.250Z" }), at(1)).record;
    expect(early.incident.lags.firedToReceived).toBe(-2000);
  });
});

describe("an incident opened by errors", () => {
  const errors = errorsCounted(ACCOUNT, {
    count: 23,
    receivedAt: "2026-11-21T03:04:00.250Z",
    firstAt: "2026-11-21T03:01:00.000Z",
    lastAt: "2026-11-21T03:04:00.000Z",
  });
  const change = openIncident(ID, tripping(errors, { rule: "sms-pumping" }), at(1));

  test("says how many came within which time, and has no numbers of a trigger", () => {
    expect(change.record.incident).toMatchObject({
      rule: "sms-pumping",
      trip: null,
      firedAt: null,
      lags: { firedToReceived: null, receivedToSuspended: null, firedToSuspended: null },
      errors: {
        count: 23,
        within: 600_000,
        firstAt: "2026-11-21T03:01:00.000Z",
        lastAt: "2026-11-21T03:04:00.000Z",
        samples: [
          { sid: `NO${"1".repeat(32)}`, code: 30450, note: "Message delivery blocked" },
          { sid: `NO${"2".repeat(32)}`, code: 60410 },
        ],
      },
    });
  });

  test("names the codes and whose token had signed them in its history", () => {
    expect(change.entries).toMatchObject([
      { what: "opened", detail: { rule: "sms-pumping", count: 23, codes: "30450, 60410", signedBy: "subaccount" } },
    ]);
  });

  test("tells of a trigger when that suspends it", () => {
    expect(trippedBy(change.record, tripping(signal)).incident).toMatchObject({
      rule: "daily-spend",
      errors: null,
      trip: { currentValue: "1000.0000001" },
    });
  });
});

test("an incident opened by the share of the spend has that in its history", () => {
  const change = openIncident(ID, tripping(topSpender(ACCOUNT), { rule: "parent: suspend-top" }), at(1));
  expect(change.record.incident).toMatchObject({ rule: "parent: suspend-top", trip: null, errors: null });
  expect(change.entries).toMatchObject([{ detail: { price: "812.50", currency: "USD", share: "81.3" } }]);
});

test("the account's name that any reading showed stays with it", () => {
  expect(openIncident(ID, tripping(signal), at(1), "Acme").record.incident.friendlyName).toBe("Acme");
  const failure = { twilioCode: 20003, message: "no", retrying: true };
  const refused = failed(opened(), failure, at(2), null, "Acme");
  expect(refused.record.incident).toMatchObject({ state: "failed", friendlyName: "Acme" });
  // Neither a further failure nor a suspension whose answer did not show it takes it away; a newer name replaces it.
  const further = failed(refused.record, failure, at(3)).record;
  expect(further.incident.friendlyName).toBe("Acme");
  expect(failed(further, failure, at(4), null, "Acme Europe").record.incident.friendlyName).toBe("Acme Europe");
  const done = suspended(further, { by: "suspended-by-twilio", friendlyName: null, reason: "", now: at(5) });
  expect(done.record.incident.friendlyName).toBe("Acme");
});

describe("an account that is only alerted about", () => {
  const because = (reason: Alerted["because"], now = at(5)): Alerted => {
    return { about: "alerted", because: reason, problem: null, friendlyName: null, reason: "further", now };
  };
  const warned = alerted(
    openIncident(ID, tripping(signal, { rule: "half" }), at(1)).record,
    tripping(signal, { rule: "half" }),
    because("rule", at(2)),
  ).record;
  const rulesOf = ({ incident }: IncidentRecord) => incident.alerts.map(({ rule, because }) => [rule, because]);
  const again = (record: IncidentRecord, rule: string, reason: Alerted["because"] = "rule", now = at(5)) =>
    alertedAgain(record, tripping(firing(ACCOUNT), { rule, isNamed: !rule.includes(" by ") }), because(reason, now));

  test("says why", () => {
    expect(warned.incident).toMatchObject({ state: "alerted", because: "rule", reason: "further" });
    expect(alertsDue(warned)).toMatchObject([{ about: "alerted", rule: "half", because: "rule" }]);
  });

  test("is told of once in its day for each rule: a warning does not silence the next step of the ladder", () => {
    const told = again(warned, "half").record;
    expect(rulesOf(told)).toEqual([["half", "rule"]]);
    expect(told.incident.signals).toBe(2);
    const next = again(told, "most");
    expect(next.record.incident).toMatchObject({ signals: 3, rule: "most", because: "rule", reason: "further" });
    expect(next.entries.map(({ what }) => what)).toEqual(["signal-joined", "alerted"]);
    // The first is still to be sent: the second does not tell of it.
    expect(alertsDue(next.record)).toMatchObject([{ rule: "half" }, { rule: "most" }]);
    expect(rulesOf(again(next.record, "most").record)).toEqual(rulesOf(next.record));
  });

  test("is told of anew on the next day, in GMT", () => {
    const published = alertPublished(warned, warned.incident.alerts[0]?.id ?? "", at(3)).record;
    const lateThatDay = new Date("2026-11-21T23:59:59.999Z");
    expect(rulesOf(again(published, "half", "rule", lateThatDay).record)).toHaveLength(1);
    const nextDay = new Date("2026-11-22T00:00:00.000Z");
    expect(rulesOf(again(published, "half", "rule", nextDay).record)).toHaveLength(2);
  });

  test("is told of for another reason at once: the same rule, held by the brake", () => {
    const published = alertPublished(warned, warned.incident.alerts[0]?.id ?? "", at(3)).record;
    const held = again(published, "half", "brake").record;
    expect(rulesOf(held)).toEqual([
      ["half", "rule"],
      ["half", "brake"],
    ]);
    expect(held.incident).toMatchObject({ state: "alerted", because: "brake" });
  });

  test("is not told of a signal that is delivered again", () => {
    const second = tripping(firing(ACCOUNT), { rule: "most" });
    const once = alertedAgain(warned, second, because("rule")).record;
    const nextDay = because("rule", new Date("2026-11-22T00:00:00.000Z"));
    expect(alertedAgain(once, second, nextDay)).toEqual({ record: once, entries: [] });
    expect(alertedAgain(warned, tripping(signal, { rule: "half" }), nextDay).record).toBe(warned);
  });

  test("is told of for a signal that has joined before it was decided", () => {
    const second = firing(ACCOUNT);
    const known = joined(warned, second, "", at(4)).record;
    const change = toldAnew(known, tripping(second, { rule: "all" }), because("brake"));
    expect(change.record.incident).toMatchObject({ signals: 2, rule: "all", because: "brake" });
    expect(change.entries.map(({ what }) => what)).toEqual(["alerted"]);
    expect(toldAnew(change.record, tripping(second, { rule: "all" }), because("brake"))).toEqual({
      record: change.record,
      entries: [],
    });
  });

  test("is told of what was not understood without losing what was", () => {
    const problem = { ...because(null), about: "not-understood" as const, problem: "a problem" };
    const unread = tripping(notUnderstood(ACCOUNT), { rule: "signed, not understood" });
    const { record } = alertedAgain(warned, unread, problem);
    expect(record.incident).toMatchObject({ because: "rule", rule: "half", trip: { currentValue: "1000.0000001" } });
    expect(alertsDue(record)).toMatchObject([
      { about: "alerted", rule: "half" },
      { about: "not-understood", rule: "signed, not understood", problem: "a problem" },
    ]);
    expect(alertsDue(alertedAgain(record, tripping(notUnderstood(ACCOUNT)), problem).record)).toHaveLength(2);
  });

  test("is not told of without end, whatever rules somebody makes up; the brake's alert still is", () => {
    let record = warned;
    for (let nth = 0; nth < MOST_MADE_UP_A_DAY + 30; nth++) {
      record = again(record, `sms by price, daily, at ${nth}`).record;
      record = alertPublished(record, record.incident.alerts.at(-1)?.id ?? "", at(6)).record;
    }
    expect(record.incident.alerts.filter(({ isNamed }) => !isNamed)).toHaveLength(MOST_MADE_UP_A_DAY);
    expect(alertsDue(again(record, "all", "brake").record)).toMatchObject([
      { rule: "half" },
      { rule: "all", because: "brake" },
    ]);
  });

  test("keeps the last alerts with it, not all of a year", () => {
    let record = warned;
    for (let day = 0; day < MOST_ALERTS + 10; day++) {
      record = again(record, "half", "rule", new Date(Date.UTC(2027, 0, 1 + day))).record;
      record = alertPublished(record, record.incident.alerts.at(-1)?.id ?? "", at(6)).record;
    }
    expect(record.incident.alerts).toHaveLength(MOST_ALERTS);
    expect(record.incident.alerts.at(-1)?.at).toBe(new Date(Date.UTC(2027, 0, MOST_ALERTS + 10)).toISOString());
  });

  test("and was named in another account's alert needs none of its own", () => {
    const held = again(warned, "all", "brake").record;
    const [due] = alertsDue(held).filter(({ because }) => because === "brake");
    const change = toldElsewhere(held, due?.id ?? "", at(9));
    expect(alertsDue(change.record).filter(({ because }) => because === "brake")).toEqual([]);
    expect(change.entries).toMatchObject([{ what: "alert-shared", detail: { id: due?.id } }]);
  });

  test("has no such reason any more once it is suspended, or could not be", () => {
    const held = again(warned, "all", "brake").record;
    expect(contained(held).incident).toMatchObject({ state: "suspended", because: null });
    const refused = { twilioCode: null, message: "no", retrying: false };
    expect(failed(held, refused, at(9)).record.incident).toMatchObject({ state: "failed", because: null });
  });
});

describe("a ranking of today's spend", () => {
  const ranking = {
    currency: "USD",
    total: "100",
    spenders: [{ accountSid: ACCOUNT, friendlyName: "Northwind", price: "81.3", share: "81.3" }],
    unread: 2,
    readAt: at(7).toISOString(),
  };

  test("is kept, and the first of it is in the history", () => {
    const change = spendRanked(opened(), ranking);
    expect(change.record.incident.ranking).toEqual(ranking);
    expect(change.entries).toMatchObject([
      { what: "spend-ranked", detail: { total: "100", currency: "USD", unread: 2, top: ACCOUNT, share: "81.3" } },
    ]);
  });

  test("of nothing has no first", () => {
    const change = spendRanked(opened(), { ...ranking, spenders: [] });
    expect(change.entries).toMatchObject([{ detail: { top: null, share: null } }]);
  });

  test("belongs to the firing that it was read for", () => {
    const ranked = spendRanked(opened(), ranking).record;
    expect(trippedBy(ranked, tripping(firing(ACCOUNT))).incident.ranking).toBeNull();
  });
});

describe("a suspension", () => {
  test("carries its lags, owes an alert, and the end of the calls", () => {
    const record = contained();
    expect(record.callsDue).toBe(true);
    expect(record.incident).toMatchObject({
      state: "suspended",
      friendlyName: "Northwind",
      suspendedAt: "2026-11-21T03:04:02.000Z",
      lags: { firedToReceived: 30_250, receivedToSuspended: 1750, firedToSuspended: 32_000 },
      containment: { by: "tollbreaker", callsEnded: 0, callsLeft: null },
    });
    expect(alertsDue(record)).toMatchObject([{ id: `${ID}:suspended:2026-11-21T03:04:02.000Z` }]);
  });

  test("after a failure clears it, and takes back the alert that was never sent", () => {
    const refused = { twilioCode: 20429, message: "Too Many Requests", retrying: true };
    const record = contained(failed(opened(), refused, at(1)).record);
    expect(record.incident).toMatchObject({ failure: null, reason: "because" });
    expect(record.incident.alerts.map(({ about }) => about)).toEqual(["suspended"]);
  });

  test("after a failure that people were told of keeps that in the list", () => {
    const { record } = failed(opened(), { twilioCode: null, message: "no", retrying: true }, at(1));
    const [due] = alertsDue(record);
    const told = alertPublished(record, due?.id ?? "", at(1)).record;
    expect(contained(told).incident.alerts).toMatchObject([
      { about: "failed", publishedAt: "2026-11-21T03:04:01.000Z" },
      { about: "suspended", publishedAt: null },
    ]);
  });

  test("anew counts the calls on, and tells of the newer firing", () => {
    const first = callsEnded(contained(), { ended: 3, left: 0, why: "", now: at(3) }).record;
    const second = firing(ACCOUNT, { id: "second", usageCategory: "sms", receivedAt: "2026-11-21T03:10:00.000Z" });
    const change = suspendedAgain(first, tripping(second), {
      by: "tollbreaker",
      friendlyName: null,
      reason: "anew",
      now: at(59),
    });
    expect(change.record.incident).toMatchObject({
      state: "suspended",
      friendlyName: "Northwind",
      receivedAt: second.receivedAt,
      trip: { usageCategory: "sms" },
      containment: { callsEnded: 3, callsLeft: null },
      evidence: null,
    });
    expect(change.entries).toMatchObject([{ what: "suspended", why: "was active again; anew" }]);
    // The first was never sent: the second says all that it would have said.
    expect(alertsDue(change.record)).toMatchObject([{ at: "2026-11-21T03:04:59.000Z" }]);
  });
});

describe("a failure", () => {
  const refusal = { twilioCode: 21476, message: "Parent account is suspended", retrying: false };

  test("owes one alert, however often it is repeated", () => {
    const once = failed(opened(), refusal, at(1)).record;
    const twice = failed(once, { ...refusal, twilioCode: null, message: "another" }, at(2));
    expect(twice.record.incident).toMatchObject({
      state: "failed",
      failure: { message: "another" },
      reason: "another",
    });
    expect(alertsDue(twice.record)).toHaveLength(1);
    expect(twice.entries).toHaveLength(1);
  });
});

describe("a signal that joins", () => {
  test("counts once, whatever is delivered again", () => {
    const second = firing(ACCOUNT, { id: "second" });
    const once = joined(opened(), second, "later", at(2));
    expect(once.record.incident.signals).toBe(2);
    expect(once.entries).toMatchObject([{ what: "signal-joined", who: "twilio", why: "later" }]);
    expect(joined(once.record, second, "later", at(3))).toEqual({ record: once.record, entries: [] });
    const opener = opened();
    expect(joined(opener, signal, "later", at(3)).record).toBe(opener);
  });

  test("counts as another when only its IdempotencyToken is the same: that can be guessed", () => {
    const forged = firing(ACCOUNT, { id: signal.id, idempotencyToken: signal.idempotencyToken });
    expect(joined(opened(), forged, "later", at(2)).record.incident.signals).toBe(2);
  });

  test("beyond the most is counted, not listed", () => {
    let record = opened();
    for (let nth = 0; nth < MOST_JOINED + 3; nth++) {
      const change = joined(record, firing(ACCOUNT, { id: `signal-${nth}` }), "", at(2));
      expect(change.entries).toHaveLength(nth < MOST_JOINED ? 1 : 0);
      record = change.record;
    }
    expect(record.joined).toHaveLength(MOST_JOINED);
    expect(record.incident.signals).toBe(MOST_JOINED + 4);
  });

  test("takes over the head where people had only been told before", () => {
    const unread = openIncident(ID, tripping(notUnderstood(ACCOUNT)), at(1)).record;
    expect(trippedBy(unread, tripping(signal, { rule: "monthly-spend" })).incident).toMatchObject({
      rule: "monthly-spend",
      receivedAt: signal.receivedAt,
      firedAt: signal.firedAt,
      lags: { firedToReceived: 30_250 },
      trip: { currentValue: "1000.0000001" },
    });
  });
});

describe("what was not understood", () => {
  test("is told once for each incident", () => {
    const once = toldNotUnderstood(contained(), "a problem", at(3));
    expect(alertsDue(once).map(({ about, problem }) => [about, problem])).toEqual([
      ["suspended", null],
      ["not-understood", "a problem"],
    ]);
    expect(toldNotUnderstood(once, "another problem", at(4))).toBe(once);
  });

  test("is not taken back by a later change of state", () => {
    const told = { about: "not-understood", because: null, problem: "a problem", friendlyName: null } as const;
    const { record } = alerted(opened(), tripping(signal), { ...told, reason: "", now: at(1) });
    expect(alertsDue(contained(record)).map(({ about }) => about)).toEqual(["not-understood", "suspended"]);
  });

  test("cannot overwrite its own description, nor show more than a usage trigger's fields", () => {
    const fields = { problem: "hidden", CurrentValue: "lots", Body: "secret" };
    const { entries } = openIncident(ID, tripping(notUnderstood(ACCOUNT, { problem: "real", fields })), at(1));
    expect(entries[0]?.detail).toEqual({ problem: "real", CurrentValue: "lots", otherFields: 2 });
  });
});

describe("ended calls", () => {
  test("add up over deliveries, each of which is a line; none left means none due", () => {
    const first = callsEnded(contained(), { ended: 40, left: 20, why: "the time was over", now: at(3) });
    expect(first.record).toMatchObject({
      callsDue: true,
      incident: { containment: { callsEnded: 40, callsLeft: 20 } },
    });
    const second = callsEnded(first.record, { ended: 20, left: 0, why: "no call is left", now: at(33) });
    expect(second.record).toMatchObject({
      callsDue: false,
      incident: { containment: { callsEnded: 60, callsLeft: 0 } },
    });
    expect(first.entries[0]?.key).not.toBe(second.entries[0]?.key);
  });

  test("that could not be listed stay due", () => {
    expect(callsEnded(contained(), { ended: 0, left: null, why: "", now: at(3) }).record.callsDue).toBe(true);
  });
});

test("an alert is struck off by its id; the others stay due", () => {
  const record = toldNotUnderstood(contained(), "a problem", at(3));
  const [first, second] = alertsDue(record);
  const change = alertPublished(record, first?.id ?? "", at(4));
  expect(alertsDue(change.record)).toEqual([second]);
  expect(change.entries).toMatchObject([{ what: "alert-published", detail: { id: first?.id } }]);
});

test("two changes become one write", () => {
  const change = followedBy(openIncident(ID, tripping(signal), at(1)), (record) =>
    suspended(record, { by: "closed", friendlyName: null, reason: "because", now: at(2) }),
  );
  expect(change.entries.map(({ what }) => what)).toEqual(["opened", "suspended"]);
  expect(change.record.incident.state).toBe("suspended");
});

test("no change alters the record that it is made from", () => {
  const frozen = deepFreeze(contained());
  const now = at(5);
  const evidence = { currency: "USD", categoryPriceToday: "1", totalPriceToday: "2", readAt: now.toISOString() };
  const changes: ((record: IncidentRecord) => Change)[] = [
    (record) => joined(record, firing(ACCOUNT), "", now),
    (record) => callsEnded(record, { ended: 1, left: 0, why: "", now }),
    (record) => evidenceRead(record, evidence),
    (record) => alertPublished(record, record.incident.alerts[0]?.id ?? "", now),
    (record) => suspendedAgain(record, tripping(signal), { by: "tollbreaker", friendlyName: null, reason: "", now }),
    (record) => ({ record: toldNotUnderstood(record, "", now), entries: [] }),
    (record) => toldElsewhere(record, record.incident.alerts[0]?.id ?? "", now),
    (record) =>
      spendRanked(record, { currency: "USD", total: "0", spenders: [], unread: 0, readAt: now.toISOString() }),
  ];
  for (const change of changes) {
    const { record } = change(frozen);
    expect(record).not.toBe(frozen);
    expect(record.incident.updatedAt >= frozen.incident.updatedAt).toBe(true);
    expect(record.version).toBe(frozen.version);
  }
});

test("a move that the table does not have is refused", () => {
  const told = { about: "alerted", because: null, problem: null, friendlyName: null, reason: "", now: at(3) } as const;
  expect(() => alerted(contained(), tripping(signal), told)).toThrow(
    "An incident cannot go from suspended to alerted.",
  );
});

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
