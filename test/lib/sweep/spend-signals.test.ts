import { describe, expect, test } from "vitest";
import { isSpending, lookBackOf, spendSignals } from "../../../lib/sweep/spend-signals.ts";
import { policyOf } from "../../support/policies.ts";
import { ACCOUNT, NOW, POLICY, remembered, timeBefore, withIncident } from "./examples.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const policy = policyOf(`
limits:
  daily-spend: { category: totalprice, by: price, every: day, at: 1000, then: suspend }
  fast: { category: totalprice, by: price, every: hour, at: 40, then: suspend }
  unusual: { category: totalprice, by: price, spike: { times: 8, over: 2d, at-least: 20 }, then: alert }
`);
/** Every five minutes: so much since the day began. */
const samples = (valueAt: (minutesAgo: number) => number, minutes = 60) =>
  Array.from({ length: minutes / 5 + 1 }, (_, index) => minutes - 5 * index).map((ago) => ({
    at: timeBefore(ago * MINUTE).toISOString(),
    values: { "totalprice price daily": String(valueAt(ago)) },
  }));
const tripped = (taken: ReturnType<typeof samples>, known = remembered()) =>
  spendSignals(ACCOUNT, taken, { policy, known, now: NOW }).map(({ rule }) => rule);

test("an account that spends more than a rate allows within an hour trips it, once an hour", () => {
  expect(tripped(samples((ago) => 60 - ago))).toEqual(["fast"]);
  expect(tripped(samples((ago) => (60 - ago) / 2))).toEqual([]);
  const [signal] = spendSignals(
    ACCOUNT,
    samples((ago) => 60 - ago),
    { policy, known: remembered(), now: NOW },
  );
  expect(signal).toMatchObject({
    id: "spend:fast:2026-10-04T12",
    thisHour: "60",
    usual: null,
    usageCategory: "totalprice",
    triggerBy: "price",
  });
});

test("what was spent before it came back is old news", () => {
  const known = { ...remembered(), lastReactivatedAt: timeBefore(20 * MINUTE).toISOString() };
  const spentBefore = samples((ago) => Math.min(60, 2 * (60 - ago)));
  expect(tripped(spentBefore)).toEqual(["fast"]);
  expect(tripped(spentBefore, known)).toEqual([]);
  expect(
    tripped(
      samples((ago) => 5 * (60 - ago)),
      known,
    ),
  ).toEqual(["fast"]);
});

test("an account that came back can trip it again in the same hour: that is another find", () => {
  const now = new Date("2026-10-04T12:30:00.000Z");
  const steep = Array.from({ length: 13 }, (_, index) => ({
    at: timeBefore((60 - 5 * index) * MINUTE, now).toISOString(),
    values: { "totalprice price daily": String(50 * index) },
  }));
  const idAfter = (lastReactivatedAt: string | null) =>
    spendSignals(ACCOUNT, steep, { policy, known: { ...remembered(), lastReactivatedAt }, now })[0]?.id;
  expect(idAfter(null)).toBe("spend:fast:2026-10-04T12");
  expect(idAfter("2026-10-04T11:40:00.000Z")).toBe("spend:fast:2026-10-04T12");
  expect(idAfter("2026-10-04T12:10:00.250Z")).toBe("spend:fast:20261004T121000Z");
});

describe("a spike", () => {
  // Two an hour for a day and a half, then 50 in the last hour.
  const history = samples((ago) => {
    const value = ago >= 60 ? (36 * 60 - ago) / 30 : 70 + (50 * (60 - ago)) / 60;
    return ago > 12 * 60 ? value : value - 48;
  }, 35 * 60);

  test("is told with what is usual", () => {
    const signals = spendSignals(ACCOUNT, history, { policy, known: remembered(), now: NOW });
    expect(signals.map(({ rule }) => rule)).toEqual(["fast", "unusual"]);
    expect(Number(signals[1]?.usual)).toBeCloseTo(2, 0);
  });

  test("after a reactivation within the hour, what was spent since must be enough by itself", () => {
    const back = (minutes: number) => ({
      ...remembered(),
      lastReactivatedAt: timeBefore(minutes * MINUTE).toISOString(),
    });
    expect(tripped(history, back(30))).toEqual(["unusual"]);
    expect(tripped(history, back(10))).toEqual([]);
  });
});

test("the samples are read only of an account that spent within the hour, and is not contained", () => {
  const at = (milliseconds: number) => timeBefore(milliseconds).toISOString();
  expect(isSpending(at(59 * MINUTE), remembered(), NOW)).toBe(true);
  expect(isSpending(at(61 * MINUTE), remembered(), NOW)).toBe(false);
  expect(isSpending(null, remembered(), NOW)).toBe(false);
  expect(isSpending(at(MINUTE), withIncident({ state: "suspended" }), NOW)).toBe(false);
  expect(isSpending(at(MINUTE), withIncident({ state: "alerted" }), NOW)).toBe(true);
});

test("and as far back as the rules look", () => {
  expect(lookBackOf(POLICY)).toBeNull();
  expect(lookBackOf(policy)).toBe(50 * HOUR);
});
