import { expect, test } from "vitest";
import { QUICK } from "../../bench/effort.ts";
import { makeHistories, STEPS_A_DAY } from "../../bench/spend-histories.ts";
import { measureSpendRules } from "../../bench/spend-rules.ts";

test("the histories are the same in every run, and of the size they should be", () => {
  const histories = makeHistories(60, 14);
  expect(makeHistories(60, 14)).toEqual(histories);
  expect(new Set(histories.map(({ kind }) => kind)).size).toBe(6);
  for (const { spent } of histories) {
    expect(spent).toHaveLength(14 * STEPS_A_DAY);
    const aDay = spent.reduce((sum, amount) => sum + amount, 0) / 14;
    expect(aDay).toBeGreaterThan(1);
    expect(aDay).toBeLessThan(1000);
  }
});

test("every kind of limit sees a fast attack, and the money lost is what was spent until then", () => {
  const rows = measureSpendRules({ ...QUICK, histories: 6, days: 2 });
  const of = (measure: string) => rows.find((row) => row.measure === measure);
  const seen = of("attack of 1000 an hour: seen by spike after");
  expect(seen?.ours).toBeLessThanOrEqual(seen?.peer?.value ?? 0);
  expect(of("attack of 1000 an hour: seen by rate after")?.ours).toBeLessThan(24 * 60);
  for (const { unit, ours } of rows.filter((row) => row.unit === "of money")) {
    expect(unit).toBe("of money");
    expect(ours).toBeGreaterThan(0);
    expect(ours).toBeLessThanOrEqual(24 * 1000);
  }
  expect(rows.filter(({ unit }) => unit === "a month")).toHaveLength(3);
});
