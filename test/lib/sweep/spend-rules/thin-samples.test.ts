import { expect, test } from "vitest";
import type { Rate, Spike } from "../../../../lib/policy/policy.ts";
import { judgeSpend } from "../../../../lib/sweep/spend-rules/judge-spend.ts";
import { thinSamples } from "../../../../lib/sweep/spend-rules/thin-samples.ts";
import fc from "../../../support/fast-check.ts";
import { DAY, HOUR, MINUTE, officeHours, seen, time } from "./series.ts";

const WEEK = 7 * DAY;
const MEASURE = { category: "totalprice", by: "price", then: "suspend" } as const;
const SPIKE: Spike = { kind: "spike", ...MEASURE, times: 8, over: WEEK, atLeast: "20" };
const RATE: Rate = { kind: "rate", ...MEASURE, at: "30" };

test("a week and an hour are kept, in about 200 samples", () => {
  const now = time(20 * DAY);
  const kept = thinSamples(
    seen(() => 1, { until: 20 * DAY }),
    { now, keep: WEEK },
  );
  expect(kept.length).toBeLessThan(210);
  expect(Date.parse(kept[0]?.at ?? "")).toBeLessThanOrEqual(now.getTime() - WEEK);
  expect(kept.at(-1)?.at).toBe(now.toISOString());
});

test("thinned at every sweep, this hour stays exact, and what is usual is told within a tenth", () => {
  const anAttack = fc.record({
    begin: fc.integer({ min: 9 * 24 * 60, max: 11 * 24 * 60 }),
    anHour: fc.integer({ min: 5, max: 300 }),
    usual: fc.integer({ min: 0, max: 10 }),
  });
  fc.assert(
    fc.property(anAttack, ({ begin, anHour, usual }) => {
      const pace = (since: number) => usual * officeHours(since) + (since >= begin * MINUTE ? anHour : 0);
      const until = begin * MINUTE + 50 * MINUTE;
      const [all, now] = [seen(pace, { until }), time(until)];
      let kept: typeof all = [];
      for (const sample of all) kept = thinSamples([...kept, sample], { now: new Date(sample.at), keep: WEEK });

      expect(judgeSpend(RATE, kept, now)).toEqual(judgeSpend(RATE, all, now));
      const [thin, whole] = [judgeSpend(SPIKE, kept, now), judgeSpend(SPIKE, all, now)];
      if (thin.kind === "silent" || whole.kind === "silent")
        throw new Error(`silent: ${JSON.stringify({ thin, whole })}`);
      expect(thin.thisHour).toBe(whole.thisHour);
      const [usually, wholly] = [Number(thin.usual), Number(whole.usual)];
      expect(Math.abs(usually - wholly)).toBeLessThanOrEqual(wholly / 10);
      const trips = SPIKE.times * wholly;
      const isClose = Math.abs(Number(whole.thisHour) - trips) <= trips / 10;
      if (!isClose) expect(thin.kind).toBe(whole.kind);
    }),
    { numRuns: 8 },
  );
});

test("without a long history, three hours are kept", () => {
  const kept = thinSamples(
    seen(() => 1, { until: DAY }),
    { now: time(DAY), keep: 0 },
  );
  expect(kept[0]?.at).toBe(time(DAY - 2 * HOUR - 5 * MINUTE).toISOString());
});
