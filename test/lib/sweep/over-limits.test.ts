import { describe, expect, test } from "vitest";
import type { AccountMemory, Known } from "../../../lib/sweep/known.ts";
import { overLimits } from "../../../lib/sweep/over-limits.ts";
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
) => overLimits(ACCOUNT, inOrder(changes), known, now);
const seen = (milliseconds: number, period = "2026-10-04"): AccountMemory["over"] => ({
  [sid(1)]: { period, at: timeBefore(milliseconds).toISOString() },
});

describe("a value at or over its limit that has not fired", () => {
  test("is remembered at first sight", () => {
    expect(over(remembered())).toEqual({
      signals: [],
      over: { [sid(1)]: { period: "2026-10-04", at: NOW.toISOString() } },
    });
  });

  test("is a signal at the second, and stays remembered", () => {
    const { signals, over: sights } = over(remembered({ over: seen(5 * MINUTE) }));
    expect(signals).toMatchObject([
      { id: `sweep-over:${sid(1)}:2026-10-04`, found: "sweep-over", firedAt: null, limit: "daily-spend" },
    ]);
    expect(sights).toEqual(seen(5 * MINUTE));
  });

  test("not at a second sight that comes at once: Twilio looks about once a minute", () => {
    expect(over(remembered({ over: seen(MINUTE) })).signals).toEqual([]);
  });

  test("a sight of another period is none of this one", () => {
    const { signals, over: sights } = over(remembered({ over: seen(13 * 60 * MINUTE, "2026-10-03") }));
    expect(signals).toEqual([]);
    expect(sights[sid(1)]?.at).toBe(NOW.toISOString());
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
  expect(Object.keys(over(remembered(), { "daily-spend": fired }).over)).toEqual([sid(1)]);
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
    expect(Object.keys(over(reactivated(memory)).over)).toEqual([sid(1)]);
    const early = { ...memory, sampledAt: timeBefore(90 * MINUTE).toISOString() };
    expect(over(reactivated(early)).over).toEqual({});
    expect(over(reactivated({ over: seen(5 * MINUTE) })).signals).toHaveLength(1);
  });

  test("its guards count what is spent since, so theirs is new", () => {
    const guards = guardsFor(POLICY, ACCOUNT, PUBLIC_URL, "a-command").slice(0, 1);
    const spent = guards.map((one) => listed(one, 1, { triggerValue: "155", currentValue: "160" }));
    const { signals } = overLimits(ACCOUNT, spent, reactivated({ over: seen(5 * MINUTE, "once") }), NOW);
    expect(signals).toMatchObject([{ probation: true, id: `sweep-over:${sid(1)}:once` }]);
  });

  test("a reactivation of yesterday has nothing to do with today", () => {
    const known = { ...remembered(), lastReactivatedAt: timeBefore(24 * 60 * MINUTE).toISOString() };
    expect(Object.keys(over(known).over)).toEqual([sid(1)]);
  });
});
