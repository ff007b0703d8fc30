import { describe, expect, test } from "vitest";
import {
  alertPublished,
  type BrakeAlert,
  claimAlert,
  isAlertDue,
  NO_BRAKE_ALERT,
  postponeAlert,
  withoutMaker,
} from "../../../lib/policy/brake-alert.ts";
import fc from "../../support/fast-check.ts";

const BEGIN = Date.parse("2026-11-21T03:00:00.000Z");
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const at = (milliseconds: number) => new Date(BEGIN + milliseconds);
const claim = (alert: BrakeAlert, incidentId: string, milliseconds: number) =>
  claimAlert(alert, { incidentId, now: at(milliseconds) });

describe("one alert is made for all", () => {
  const made = claim(NO_BRAKE_ALERT, "one", 0);

  test("by whoever looks first; others look again soon, and make it once its maker is gone", () => {
    expect(made).toMatchObject({ kind: "make", next: { maker: { incidentId: "one" } } });
    expect(claim(made.next, "other", 1)).toEqual({ kind: "later", ms: 10_000, next: made.next });
    expect(claim(made.next, "other", 27 * SECOND)).toMatchObject({ kind: "later", ms: 3000 });
    expect(claim(made.next, "other", 30 * SECOND)).toMatchObject({
      kind: "make",
      next: { maker: { incidentId: "other" } },
    });
  });

  test("its own incident, too, waits until whoever was at it must be gone", () => {
    expect(claim(made.next, "one", 20 * SECOND)).toMatchObject({ kind: "later", ms: 10_000 });
    expect(claim(made.next, "one", 30 * SECOND).kind).toBe("make");
  });

  test("one that was not published is made by the next at once; only its maker gives it up", () => {
    expect(claim(withoutMaker(made.next, "one"), "other", 1).kind).toBe("make");
    expect(withoutMaker(made.next, "other")).toBe(made.next);
  });
});

describe("after one was published", () => {
  const published = alertPublished(claim(NO_BRAKE_ALERT, "one", 0).next, { incidentId: "one", waiting: 7, now: at(0) });

  test("nobody looks for a minute", () => {
    expect(published).toEqual({
      maker: null,
      last: { incidentId: "one", at: at(0).toISOString(), waiting: 7 },
      notBefore: null,
    });
    expect(claim(published, "late", 1)).toEqual({ kind: "later", ms: MINUTE - 1, next: published });
    expect(claim(published, "late", MINUTE).kind).toBe("make");
  });

  test("its own incident learns so, whenever it looks", () => {
    for (const late of [1, MINUTE, 20 * MINUTE])
      expect(claim(published, "one", late)).toEqual({ kind: "published", next: published });
  });

  test("another is due once twice as many wait, or after ten minutes", () => {
    expect([8, 13, 14, 15].map((waiting) => isAlertDue(published, waiting, at(MINUTE)))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect([-1, 0].map((late) => isAlertDue(published, 8, at(10 * MINUTE + late)))).toEqual([false, true]);
    expect(isAlertDue(NO_BRAKE_ALERT, 0, at(0))).toBe(true);
  });

  test("one that is not due yet is looked for again in a minute, the last time when it is", () => {
    const looked = postponeAlert(claim(published, "late", MINUTE).next, "late", at(MINUTE + 2000));
    expect(looked).toMatchObject({ maker: null, notBefore: at(2 * MINUTE + 2000).toISOString() });
    expect(claim(looked, "later", 2 * MINUTE)).toMatchObject({ kind: "later", ms: 2000 });
    expect(claim(looked, "later", 2 * MINUTE + 2000).kind).toBe("make");
    expect(postponeAlert(published, "late", at(9.5 * MINUTE)).notBefore).toBe(at(10 * MINUTE).toISOString());
    expect(postponeAlert(NO_BRAKE_ALERT, "late", at(0)).notBefore).toBe(at(MINUTE).toISOString());
    expect(alertPublished(looked, { incidentId: "x", waiting: 1, now: at(0) }).notBefore).toBeNull();
  });

  test("by one that was slow, another that makes the next goes on", () => {
    const other = claim(claim(NO_BRAKE_ALERT, "one", 0).next, "other", 31 * SECOND).next;
    expect(alertPublished(other, { incidentId: "one", waiting: 1, now: at(0) }).maker?.incidentId).toBe("other");
    expect(postponeAlert(other, "one", at(0)).maker?.incidentId).toBe("other");
  });
});

test("whoever waits for an alert gets one, whatever becomes of those who make them", () => {
  const look = fc.record({ who: fc.nat(5), fails: fc.constantFrom("no", "not published", "dies") });
  fc.assert(
    fc.property(fc.array(look, { maxLength: 40 }), fc.integer({ min: 1, max: 100 }), (looks, waiting) => {
      let alert = NO_BRAKE_ALERT;
      let now = 0;
      const lookOnce = (incidentId: string, fails: string): boolean => {
        const claimed = claim(alert, incidentId, now);
        alert = claimed.next;
        if (claimed.kind === "published") return true;
        if (claimed.kind === "later") {
          expect(claimed.ms).toBeGreaterThan(0);
          now += claimed.ms;
          return false;
        }
        if (!isAlertDue(alert, waiting, at(now))) {
          alert = postponeAlert(alert, incidentId, at(now));
          return false;
        }
        if (fails === "not published") alert = withoutMaker(alert, incidentId);
        if (fails === "no") alert = alertPublished(alert, { incidentId, waiting, now: at(now) });
        return fails === "no";
      };
      for (const { who, fails } of looks) lookOnce(`incident ${who}`, fails);
      const before = now;
      let tries = 0;
      while (tries < 40 && !lookOnce("the one that waits", "no")) tries += 1;
      expect(tries).toBeLessThan(40);
      expect(now - before).toBeLessThanOrEqual(11 * MINUTE);
    }),
    { numRuns: 500 },
  );
});
