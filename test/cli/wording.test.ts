import { describe, expect, it } from "vitest";
import { age, amount, lag, notSuspended, percent, span, time } from "../../cli/wording.ts";
import { ALERTED_BECAUSE } from "../../lib/incidents/incident.ts";

const NOW = new Date("2026-11-21T03:04:05Z");

describe("time", () => {
  it.each([
    ["2026-11-21T03:04:05.999Z", "2026-11-21 03:04:05Z"],
    ["2026-11-21T04:04:05+01:00", "2026-11-21 03:04:05Z"],
    ["yesterday", "yesterday"],
  ])("%s reads %s", (iso, text) => {
    expect(time(iso)).toBe(text);
  });
});

describe("age", () => {
  it.each([
    ["2026-11-21T03:04:05Z", "just now"],
    ["2026-11-21T03:04:05.500Z", "just now"],
    ["2026-11-21T03:03:53Z", "12 s ago"],
    ["2026-11-21T03:03:05Z", "1 min ago"],
    ["2026-11-21T00:05:00Z", "2 h ago"],
    ["2026-11-20T03:04:05Z", "1 d ago"],
    ["2025-11-21T03:04:05Z", "365 d ago"],
    ["2026-11-21T03:09:05Z", "in 5 min"],
    ["yesterday", ""],
  ])("%s was %j", (iso, text) => {
    expect(age(iso, NOW)).toBe(text);
  });
});

describe("lag", () => {
  it.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [1_000, "1.0 s"],
    [59_999, "59.9 s"],
    [60_000, "1 min 0 s"],
    [245_000, "4 min 5 s"],
    [7_380_000, "2 h 3 min"],
    [93_600_000, "1 d 2 h"],
    [-1_500, "-1.5 s"],
  ])("%i reads %s", (milliseconds, text) => {
    expect(lag(milliseconds)).toBe(text);
  });
});

describe("span", () => {
  it.each([
    [600_000, "10 min"],
    [90_000, "90 s"],
    [7_200_000, "2 h"],
    [5_400_000, "90 min"],
    [86_400_000, "1 d"],
    [1_500, "1500 ms"],
  ])("%i reads %s: nothing is rounded", (milliseconds, text) => {
    expect(span(milliseconds)).toBe(text);
  });
});

describe("notSuspended", () => {
  it("has words for each reason, and shows one that is new as it is", () => {
    for (const because of ALERTED_BECAUSE) expect(notSuspended(because)).not.toBe(`not suspended: ${because}`);
    expect(notSuspended("a-new-one")).toBe("not suspended: a-new-one");
    expect(notSuspended("constructor")).toBe("not suspended: constructor");
  });
});

describe("amount", () => {
  it.each([
    ["1000.000000", "1,000"],
    ["1300.500000", "1,300.5"],
    ["0.00750", "0.0075"],
    ["-12.5", "-12.5"],
    ["90071992547409931234.000000000001", "90,071,992,547,409,931,234.000000000001"],
    ["about ten", "about ten"],
    ["", ""],
    ["1e3", "1,000"],
    ["+81", "81"],
    [`0.${"1".repeat(30)}`, `0.${"1".repeat(30)}`],
  ])("%s reads %s", (decimal, text) => {
    expect(amount(decimal)).toBe(text);
  });
});

describe("percent", () => {
  it.each([
    ["30.0", " (+30.0 %)"],
    ["-2.5", " (-2.5 %)"],
    [null, ""],
  ])("%s reads %j", (share, text) => {
    expect(percent(share)).toBe(text);
  });
});
