import { describe, expect, test } from "vitest";
import { firedAtOf, hasFiredInPeriod, isRecurring, periodStart } from "../../../lib/policy/period.ts";
import fc from "../../support/fast-check.ts";
import { inOrder, rfc2822 } from "../sweep/examples.ts";

test.each([
  ["daily", "2026-10-04T23:59:59.999Z", "2026-10-04T00:00:00.000Z"],
  ["daily", "2026-10-05T00:00:00.000Z", "2026-10-05T00:00:00.000Z"],
  ["monthly", "2026-02-28T10:00:00.000Z", "2026-02-01T00:00:00.000Z"],
  ["yearly", "2026-12-31T23:00:00.000Z", "2026-01-01T00:00:00.000Z"],
])("the %s period at %s began at %s, in GMT", (recurring, now, start) => {
  expect(periodStart(recurring, new Date(now))?.toISOString()).toBe(start);
});

test.each(["", "alltime", "hourly"])("%j has no period", (recurring) => {
  expect(periodStart(recurring, new Date())).toBeNull();
  expect(isRecurring(recurring)).toBe(false);
});

test("a period never begins after the moment that it is of, and never ends before it", () => {
  const time = fc.date({ min: new Date("2020-01-01"), max: new Date("2040-01-01"), noInvalidDate: true });
  fc.assert(
    fc.property(time, fc.constantFrom("daily", "monthly", "yearly"), (now, recurring) => {
      const start = periodStart(recurring, now);
      expect(start?.getTime()).toBeLessThanOrEqual(now.getTime());
      expect(periodStart(recurring, start ?? now)).toEqual(start);
    }),
  );
});

describe("DateFired", () => {
  const [trigger] = inOrder();
  const at = (dateFired: string | null) => firedAtOf({ dateFired })?.toISOString() ?? null;

  test("is read with its zone, and in GMT without one", () => {
    expect(at("Sat, 13 Oct 2012 21:32:30 +0000")).toBe("2012-10-13T21:32:30.000Z");
    expect(at("Sat, 13 Oct 2012 21:32:30 -0200")).toBe("2012-10-13T23:32:30.000Z");
    expect(at("Sat, 13 Oct 2012 21:32:30 GMT")).toBe("2012-10-13T21:32:30.000Z");
    expect(at("Sat, 13 Oct 2012 21:32:30")).toBe("2012-10-13T21:32:30.000Z");
    for (const text of [null, "", "soon", "Sat, 13 Oct 2012 21:32:30 IST", "2012-10-13", "99:99:99 +0000"]) {
      expect(at(text), String(text)).toBeNull();
    }
  });

  test("is of this period from its first second on", () => {
    const now = new Date("2026-10-04T00:00:30Z");
    const fired = (time: string, recurring = "daily") =>
      trigger !== undefined && hasFiredInPeriod({ ...trigger, recurring, dateFired: rfc2822(new Date(time)) }, now);
    expect(fired("2026-10-04T00:00:00Z")).toBe(true);
    expect(fired("2026-10-03T23:59:59Z")).toBe(false);
    expect(fired("2026-10-03T23:59:59Z", "monthly")).toBe(true);
    expect(fired("2012-01-01T00:00:00Z", "")).toBe(true);
  });
});
