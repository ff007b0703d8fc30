import { describe, expect, test } from "vitest";
import { type AccountMemory, type Known, NOTHING_KNOWN } from "../../../lib/sweep/known.ts";
import { overAtCreation, overLimits } from "../../../lib/sweep/over-limits.ts";
import { guardsFor } from "../../../lib/triggers/guards.ts";
import {
  ACCOUNT,
  inOrder,
  listed,
  NOW,
  POLICY,
  PUBLIC_URL,
  remembered,
  rfc2822,
  sid,
  timeBefore,
  withIncident,
} from "./examples.ts";

const MINUTE = 60_000;
const over = (
  known: Known,
  changes: Parameters<typeof inOrder>[0] = { "daily-spend": { currentValue: "100" } },
  now = NOW,
) => overLimits(ACCOUNT, inOrder(changes), known, { policy: POLICY, now });
const NAME = "tollbreaker: daily-spend";
const seen = (milliseconds: number, period = "2026-10-04", name = NAME): AccountMemory["over"] => ({
  [name]: { period, at: timeBefore(milliseconds).toISOString() },
});

describe("a value at or over its limit that has not fired", () => {
  test("is remembered at first sight", () => {
    expect(over(remembered())).toEqual({
      signals: [],
      over: { [NAME]: { period: "2026-10-04", at: NOW.toISOString() } },
    });
  });

  test("is remembered of an account that was never swept, too", () => {
    expect(over(NOTHING_KNOWN).over).toEqual(over(remembered()).over);
  });

  test("is a signal at the second, and stays remembered", () => {
    const { signals, over: sights } = over(remembered({ over: seen(5 * MINUTE) }));
    expect(signals).toMatchObject([
      { id: `sweep-over:${sid(1)}:2026-10-04`, found: "sweep-over", firedAt: null, limit: "daily-spend" },
    ]);
    expect(sights).toEqual(seen(5 * MINUTE));
  });

  test("also of a trigger that somebody removed and made anew meanwhile", () => {
    const [trigger] = inOrder({ "daily-spend": { currentValue: "100", sid: sid(77) } });
    const { signals } = overLimits(
      ACCOUNT,
      trigger === undefined ? [] : [trigger],
      remembered({ over: seen(5 * MINUTE) }),
      { policy: POLICY, now: NOW },
    );
    expect(signals).toMatchObject([{ usageTriggerSid: sid(77), limit: "daily-spend" }]);
  });

  test("not at a second sight that comes at once: Twilio looks about once a minute", () => {
    expect(over(remembered({ over: seen(MINUTE) })).signals).toEqual([]);
  });

  test("a sight of another period is none of this one", () => {
    const { signals, over: sights } = over(remembered({ over: seen(13 * 60 * MINUTE, "2026-10-03") }));
    expect(signals).toEqual([]);
    expect(sights[NAME]?.at).toBe(NOW.toISOString());
  });
});

test.each([
  ["below it", { currentValue: "99.999999" }],
  ["fired in this period", { currentValue: "130", dateFired: rfc2822(timeBefore(60 * MINUTE)) }],
  ["no number", { currentValue: "n/a" }],
])("no sight of one that is %s", (_, changes) => {
  expect(over(remembered(), { "daily-spend": changes })).toEqual({ signals: [], over: {} });
});

test("one that fired in an earlier period is due again", () => {
  const fired = { currentValue: "130", dateFired: rfc2822(timeBefore(13 * 60 * MINUTE)) };
  expect(Object.keys(over(remembered(), { "daily-spend": fired }).over)).toEqual([NAME]);
});

test.each(["suspended", "reactivating"] as const)(
  "an account that is %s is contained: nothing to be found",
  (state) => {
    const known = { ...withIncident({ state }), memory: remembered({ over: seen(5 * MINUTE) }).memory };
    expect(over(known)).toEqual({ signals: [], over: {} });
  },
);

describe("after a reactivation in the same period", () => {
  const at = timeBefore(60 * MINUTE).toISOString();
  const reactivated = (memory: Partial<AccountMemory>) => ({ ...remembered(memory), lastReactivatedAt: at });

  test("what it may have spent before is old news", () => {
    expect(over(reactivated({}))).toEqual({ signals: [], over: {} });
    expect(over(reactivated({ over: seen(90 * MINUTE) }))).toEqual({ signals: [], over: {} });
  });

  test("unless it was seen below the limit since", () => {
    const memory = { values: { "totalprice price daily": "60" }, sampledAt: timeBefore(30 * MINUTE).toISOString() };
    expect(Object.keys(over(reactivated(memory)).over)).toEqual([NAME]);
    const early = { ...memory, sampledAt: timeBefore(90 * MINUTE).toISOString() };
    expect(over(reactivated(early)).over).toEqual({});
    expect(over(reactivated({ over: seen(5 * MINUTE) })).signals).toHaveLength(1);
  });

  test("nor is it old where the account was below the limit when it came back, or has spent a guard's share since", () => {
    const cameBackWith = (value: string) => ({ ...reactivated({}), passed: { "totalprice price daily": value } });
    const sights = (value: string, currentValue: string) =>
      Object.keys(over(cameBackWith(value), { "daily-spend": { currentValue } }).over);
    expect(sights("40", "100")).toEqual([NAME]);
    expect(sights("150", "174.99")).toEqual([]);
    expect(sights("150", "175")).toEqual([NAME]);
  });

  test("below, only where it was seen so after it, and below: at the limit it may be the spend from before", () => {
    const sights = (value: string | null, sampledAt: string | null) =>
      Object.keys(
        over(reactivated({ values: value === null ? {} : { "totalprice price daily": value }, sampledAt })).over,
      );
    const since = timeBefore(30 * MINUTE).toISOString();
    expect(sights("99.999999", since)).toEqual([NAME]);
    for (const value of ["100", "130", null]) expect(sights(value, since)).toEqual([]);
    for (const sampledAt of [at, null]) expect(sights("60", sampledAt)).toEqual([]);
  });

  test("in the very moment of the period's beginning counts as in the period, and a sight in the moment of it as before", () => {
    expect(over({ ...remembered(), lastReactivatedAt: "2026-10-04T00:00:00.000Z" }).over).toEqual({});
    expect(over(reactivated({ over: { [NAME]: { period: "2026-10-04", at } } })).over).toEqual({});
  });

  test("of which nothing can be read is old news, and so is that of an account without a memory", () => {
    expect(over({ ...reactivated({}), passed: { "totalprice price daily": "lots" } }).over).toEqual({});
    expect(over({ ...NOTHING_KNOWN, lastReactivatedAt: at }).over).toEqual({});
  });

  test.each([
    ["90", "100", [NAME]],
    ["99.999999", "100", [NAME]],
    ["100", "110", []],
    ["100", "125", [NAME]],
  ])(
    "came back with %s, has %s: what was below the limit is watched by its own trigger alone",
    (value, now, sights) => {
      const known = { ...reactivated({}), passed: { "totalprice price daily": value } };
      expect(Object.keys(over(known, { "daily-spend": { currentValue: now } }).over)).toEqual(sights);
    },
  );

  test("a guard is over its value at first sight, too", () => {
    const guards = guardsFor(POLICY, ACCOUNT, PUBLIC_URL, "a-command").slice(0, 1);
    const spent = guards.map((one) => listed(one, 1, { triggerValue: "155", currentValue: "160" }));
    const { over: sights } = overLimits(ACCOUNT, spent, reactivated({}), { policy: POLICY, now: NOW });
    expect(Object.values(sights)).toEqual([{ period: "once", at: NOW.toISOString() }]);
  });

  test("its guards count what is spent since, so theirs is new", () => {
    const guards = guardsFor(POLICY, ACCOUNT, PUBLIC_URL, "a-command").slice(0, 1);
    const spent = guards.map((one) => listed(one, 1, { triggerValue: "155", currentValue: "160" }));
    const sight = seen(5 * MINUTE, "once", `${NAME} probation`);
    const { signals } = overLimits(ACCOUNT, spent, reactivated({ over: sight }), { policy: POLICY, now: NOW });
    expect(signals).toMatchObject([{ probation: true, id: `sweep-over:${sid(1)}:20261004T110000Z` }]);
  });

  test("it is another find than before", () => {
    const ids = [remembered({ over: seen(5 * MINUTE) }), reactivated({ over: seen(5 * MINUTE) })].map(
      (known) => over(known).signals[0]?.id ?? "",
    );
    expect(ids).toEqual([`sweep-over:${sid(1)}:2026-10-04`, `sweep-over:${sid(1)}:20261004T110000Z`]);
    // A fingerprint has no more.
    for (const id of ids) expect(id.length).toBeLessThanOrEqual(64);
  });

  test("a reactivation of yesterday has nothing to do with today", () => {
    const known = { ...remembered(), lastReactivatedAt: timeBefore(24 * 60 * MINUTE).toISOString() };
    expect(Object.keys(over(known).over)).toEqual([NAME]);
  });
});

describe("in the first hour of a period, when Twilio may still show the value of the one before", () => {
  const YESTERDAY = "2026-10-03T23:55:00.000Z";
  const at = (time: string) => new Date(`2026-10-04T${time}.000Z`);
  const kept = (value: string, sampledAt = YESTERDAY) =>
    remembered({ values: { "totalprice price daily": value }, sampledAt });
  const sights = (value: string, known: Known, changes: object = {}, time = "00:06:00") =>
    Object.keys(over(known, { "daily-spend": { currentValue: value, ...changes } }, at(time)).over);
  const firedYesterday = { dateFired: rfc2822(new Date("2026-10-03T23:58:00.000Z")) };

  test.each(["00:00:00", "00:06:00", "00:59:59"])("yesterday's value at %s is no sight", (time) => {
    expect(sights("150", kept("150"), {}, time)).toEqual([]);
    expect(sights("150", { ...kept("150"), lastReactivatedAt: "2026-10-03T15:00:00.000Z" }, {}, time)).toEqual([]);
  });

  test("nor is one that grew a little, or was kept as a sample of today", () => {
    expect(sights("155", kept("150"))).toEqual([]);
    expect(sights("155", kept("155", "2026-10-04T00:01:00.000Z"))).toEqual([]);
  });

  test("nor one that fired yesterday after it was last seen", () => {
    expect(sights("105", kept("60"), firedYesterday)).toEqual([]);
  });

  test("nor one of which nothing is known", () => {
    expect(sights("150", remembered())).toEqual([]);
    expect(sights("150", NOTHING_KNOWN)).toEqual([]);
    expect(sights("150", remembered({ values: {}, sampledAt: YESTERDAY }))).toEqual([]);
    expect(sights("150", remembered({ values: { "totalprice price daily": "60" }, sampledAt: null }))).toEqual([]);
  });

  test("nor one that was at its limit yesterday, or fired in the second in which it was seen", () => {
    expect(sights("105", kept("100"))).toEqual([]);
    expect(sights("105", kept("60", "2026-10-03T23:58:00.000Z"), firedYesterday)).toEqual([]);
  });

  test("after that hour it counts", () => {
    expect(sights("150", kept("150"), {}, "01:00:00")).toEqual([NAME]);
  });

  test("a limit that was passed since it was last seen is passed, whichever day it was", () => {
    expect(sights("120", kept("60"))).toEqual([NAME]);
    expect(sights("120", kept("60"), { dateFired: rfc2822(new Date("2026-10-03T14:00:00.000Z")) })).toEqual([NAME]);
    expect(sights("120", kept("3", "2026-10-04T00:01:00.000Z"), firedYesterday)).toEqual([NAME]);
  });

  test("what fell began again from zero: it is today's", () => {
    expect(sights("120", kept("150"))).toEqual([NAME]);
    expect(sights("120", kept("155", "2026-10-04T00:01:00.000Z"))).toEqual([NAME]);
  });

  test("a first sight of this period stays one", () => {
    const known = kept("620", "2026-10-04T00:06:00.000Z");
    const memory = known.memory && {
      ...known.memory,
      over: { [NAME]: { period: "2026-10-04", at: at("00:01:00").toISOString() } },
    };
    expect(over({ ...known, memory }, { "daily-spend": { currentValue: "620" } }, at("00:06:00")).signals).toHaveLength(
      1,
    );
  });

  test("a trigger that fires once has no first hour", () => {
    const fired = { texts: { currentValue: "5000" } };
    expect(Object.keys(over(remembered(), fired, at("00:06:00")).over)).toEqual(["tollbreaker: texts"]);
  });
});

describe("a trigger that was made a moment ago, and is over its limit already", () => {
  const made = (known: Known, now = NOW) =>
    overAtCreation(ACCOUNT, inOrder({ "daily-spend": { currentValue: "140" } }), known, { policy: POLICY, now });

  test("is a signal at once", () => {
    expect(made(remembered())).toMatchObject([{ id: `sweep-over:${sid(1)}:2026-10-04`, currentValue: "140" }]);
  });

  test("not on an account that was never swept, is contained, or came back with that", () => {
    expect(made(NOTHING_KNOWN)).toEqual([]);
    expect(made(withIncident({ state: "suspended" }))).toEqual([]);
    expect(made({ ...remembered(), lastReactivatedAt: timeBefore(MINUTE).toISOString() })).toEqual([]);
  });

  test("nor where it may be yesterday's", () => {
    const known = remembered({ values: { "totalprice price daily": "140" }, sampledAt: "2026-10-03T23:00:00.000Z" });
    expect(made(known, new Date("2026-10-04T00:05:00.000Z"))).toEqual([]);
  });
});
