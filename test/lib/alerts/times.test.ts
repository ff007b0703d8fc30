import { describe, expect, it } from "vitest";
import { lag, later, utc } from "../../../lib/alerts/times.ts";

describe("lag", () => {
  it.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [1000, "1 s"],
    [4250, "4.2 s"],
    [9999, "9.9 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [192_000, "3 min 12 s"],
    [3_599_999, "59 min 59 s"],
    [7_500_000, "2 h 5 min"],
    [86_400_000, "1 d"],
    [273_600_000, "3 d 4 h"],
    [-2000, "-2 s"],
  ])("%d ms is %s", (milliseconds, words) => {
    expect(lag(milliseconds)).toBe(words);
  });
});

it("says which way a lag went", () => {
  expect([later(1500), later(-1500)]).toEqual(["1.5 s later", "1.5 s earlier by our clock"]);
});

it("writes times in UTC, and never fails on one", () => {
  expect(utc("2026-11-21T05:04:05.999+02:00")).toBe("2026-11-21 03:04:05 UTC");
  expect(utc("tomorrow")).toBe("an unreadable time");
});
