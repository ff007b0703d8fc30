import { expect, test } from "vitest";
import { readSamples } from "../../../../lib/sweep/spend-rules/sample.ts";
import { stretchesOf } from "../../../../lib/sweep/spend-rules/stretches.ts";
import { DAY, HOUR, MINUTE, MONDAY, sample, time } from "./series.ts";

const TUESDAY = DAY;

/** What was spent from each sample to the next. */
function amounts(...samples: Parameters<typeof sample>[]): number[] {
  const readings = readSamples(
    samples.map((each) => sample(...each)),
    time(30 * DAY),
  );
  return stretchesOf(readings).map(({ amount }) => amount);
}

test("within a day it is the difference", () => {
  expect(amounts([HOUR, "1"], [2 * HOUR, "1"], [3 * HOUR, "4.5"])).toEqual([0, 3.5]);
});

test("on a new day the value begins again from zero", () => {
  expect(amounts([TUESDAY - 5 * MINUTE, "90"], [TUESDAY + 5 * MINUTE, "2", TUESDAY])).toEqual([2]);
});

test("yesterday's value, still shown after midnight, is not spent again", () => {
  const late: Parameters<typeof sample>[] = [
    [TUESDAY - MINUTE, "90"],
    [TUESDAY + 4 * MINUTE, "90.5", TUESDAY],
    [TUESDAY + 9 * MINUTE, "90.5", TUESDAY],
    [TUESDAY + 14 * MINUTE, "1.25", TUESDAY],
    [TUESDAY + 19 * MINUTE, "2", TUESDAY],
  ];
  expect(amounts(...late)).toEqual([0.5, 0, 1.25, 0.75]);
});

test("a value that begins again before our clock says midnight is no refund, and is not counted twice", () => {
  const slow: Parameters<typeof sample>[] = [
    [TUESDAY - 6 * MINUTE, "90"],
    [TUESDAY - MINUTE, "0.5"],
    [TUESDAY + 4 * MINUTE, "3", TUESDAY],
  ];
  expect(amounts(...slow)).toEqual([0, 2.5]);
});

test("a correction by Twilio is nothing spent", () => {
  expect(amounts([10 * HOUR, "90"], [11 * HOUR, "30"], [12 * HOUR, "31"])).toEqual([0, 1]);
  expect(amounts([10 * HOUR, "90", null], [11 * HOUR, "30", null])).toEqual([0]);
});

test("after a night without a sweep, it is what was counted since midnight, and of the time since then", () => {
  const readings = readSamples([sample(18 * HOUR, "50"), sample(TUESDAY + 8 * HOUR, "80", TUESDAY)], time(2 * DAY));
  expect(stretchesOf(readings)).toEqual([{ from: MONDAY + TUESDAY, to: MONDAY + TUESDAY + 8 * HOUR, amount: 80 }]);
});

test("a month begins again like a day", () => {
  const [october, november] = [-20 * DAY, 0];
  expect(amounts([-10 * MINUTE, "2000", october], [10 * MINUTE, "3", november])).toEqual([3]);
});
