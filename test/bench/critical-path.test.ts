import { describe, expect, it } from "vitest";
import { begunBetween, ownMs, roundTripsInSequence } from "../../bench/critical-path.ts";

const span = (begun: number, ended: number) => ({ begun, ended });

describe("our own work", () => {
  it("is the time without a request under way", () => {
    expect(ownMs(span(0, 10), [])).toBe(10);
    expect(ownMs(span(0, 10), [span(2, 5), span(6, 7)])).toBe(6);
  });

  it("counts time that two requests share once", () => {
    expect(ownMs(span(0, 10), [span(6, 9), span(2, 7), span(3, 4)])).toBe(3);
  });

  it("leaves out what is waited for before and after", () => {
    expect(ownMs(span(10, 20), [span(0, 12), span(18, Number.POSITIVE_INFINITY), span(30, 40)])).toBe(6);
  });
});

it("counts what was sent within a span, whenever it was answered", () => {
  const sent = (begun: number) => ({ what: `POST /${begun}`, ...span(begun, 100), status: 200 });
  expect(begunBetween(span(10, 20), [sent(9), sent(10), sent(19), sent(20)])).toEqual([sent(10), sent(19)]);
});

it("tells round trips in sequence from the time that a delay of each adds", () => {
  expect(roundTripsInSequence(100, 181.5, 40)).toBe(2);
  expect(roundTripsInSequence(100, 103, 40)).toBe(0);
});
