import { describe, expect, test } from "vitest";
import type { UsageTriggerSignal } from "../../../lib/inbox/messages.ts";
import { isOfEarlierPeriod } from "../../../lib/policy/age.ts";
import { decide } from "../../../lib/policy/decide.ts";
import { guardKey } from "../../../lib/policy/probation.ts";
import { standsFor } from "../../../lib/policy/stands-for.ts";
import { mostStored } from "../../support/door-bound.ts";
import fc from "../../support/fast-check.ts";
import { policyOf } from "../../support/policies.ts";
import { errorsCounted, firing, notUnderstood, topSpender } from "../../support/signals.ts";

const ACCOUNT = `AC${"1".repeat(32)}`;
const PARENT = `AC${"9".repeat(32)}`;
const OWN_VALUE = `AC${"2".repeat(32)}`;
const NOW = new Date("2026-10-04T12:00:00.500Z");
const ago = (milliseconds: number) => new Date(NOW.getTime() - milliseconds).toISOString();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const POLICY = policyOf(`
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  monthly-spend: { category: totalprice, by: price, every: month, at: 1000, then: suspend }
  total-sms: { category: sms, by: count, every: once, at: 500, then: suspend }
  many-calls: { category: calls, by: count, every: day, at: 50, then: alert }
  first-lookup: { category: lookups, by: count, every: once, at: 5, then: alert }
unlisted: alert
accounts:
  ${OWN_VALUE}: { daily-spend: 300 }
`);
const STRICT = { ...POLICY, unlisted: "suspend" } as const;

function signal(changes: Partial<UsageTriggerSignal> = {}): UsageTriggerSignal {
  return firing(ACCOUNT, { receivedAt: NOW.toISOString(), firedAt: ago(30_000), ...changes });
}

/** Without its slot. */
const classOf = (changes: Partial<UsageTriggerSignal>, policy = POLICY) =>
  standsFor(signal(changes), policy, NOW).replace(/:\d+$/, "");

const DAILY = { triggerValue: "100", currentValue: "130" };

describe("what may suspend stands for a stop", () => {
  test.each<[string, Partial<UsageTriggerSignal>]>([
    ["its limit is named, and reached", { ...DAILY, limit: "daily-spend" }],
    ["no limit is named", { ...DAILY }],
    ["a warning is named", { ...DAILY, limit: "daily-warning" }],
    ["a made-up limit is named", { ...DAILY, limit: "none-of-ours" }],
    ["exactly at the limit", { triggerValue: "100", currentValue: "100.000000", limit: "daily-spend" }],
    ["written otherwise", { triggerValue: "+1e2", currentValue: "1E+2", limit: "daily-spend" }],
    [
      "a guard of a limit that fires once",
      {
        recurring: "",
        usageCategory: "sms",
        triggerBy: "count",
        triggerValue: "150",
        currentValue: "151",
        limit: "total-sms",
        probation: true,
      },
    ],
    [
      "a suspending limit is named with other numbers",
      { usageCategory: "recordings", currentValue: "1", limit: "daily-spend" },
    ],
    ["it can't be compared", { currentValue: "lots", limit: "daily-spend" }],
  ])("%s", (_, changes) => expect(classOf(changes)).toBe("stop:recent"));

  // So that it stands for no firing that suspends outright.
  test.each<[string, Partial<UsageTriggerSignal>]>([
    ["a warning has reached the value of what suspends", { triggerValue: "80", currentValue: "130" }],
    ["the trigger's value is another one", { triggerValue: "1", currentValue: "130", limit: "daily-warning" }],
    ["by the trigger of a month", { recurring: "monthly", triggerValue: "1", currentValue: "1000" }],
    ["it fires once: it may be a guard", { recurring: "", triggerValue: "30", currentValue: "31" }],
    [
      "the same, in another word",
      { recurring: "alltime", triggerValue: "30", currentValue: "31", limit: "daily-warning" },
    ],
  ])("doubtful: %s", (_, changes) => expect(classOf(changes)).toBe("stop:doubtful"));

  test("also where no limit has its numbers, and the policy suspends for that", () => {
    const unlisted = { usageCategory: "recordings", triggerValue: "7", currentValue: "8" };
    expect(classOf(unlisted, STRICT)).toBe("stop:recent");
    expect(classOf({ ...unlisted, limit: "none-of-ours" }, STRICT)).toBe("stop:recent");
    expect(classOf(unlisted)).toBe("note:unlisted");
  });

  test.each([
    [10 * MINUTE - 1, "recent"],
    [10 * MINUTE, "late"],
    [-5 * MINUTE + 1, "recent"],
    [-5 * MINUTE, "late"],
    [11 * HOUR, "late"],
  ])("fired %i ms ago it is %s", (age, when) => {
    expect(classOf({ ...DAILY, firedAt: ago(age) })).toBe(`stop:${when}`);
  });

  test("without a time of its own it is as recent as its receipt", () => {
    expect(classOf({ ...DAILY, firedAt: null })).toBe("stop:recent");
    expect(classOf({ ...DAILY, firedAt: null, receivedAt: ago(HOUR) })).toBe("stop:late");
  });

  test("within a second it is the same, and after it another", () => {
    const key = (time: string) => standsFor(signal(DAILY), POLICY, new Date(time));
    expect(key("2026-10-04T12:00:00.000Z")).toBe(key("2026-10-04T12:00:00.999Z"));
    expect(key("2026-10-04T12:00:01.000Z")).not.toBe(key("2026-10-04T12:00:00.999Z"));
  });
});

describe("everything else stands for a note", () => {
  test.each<[string, Partial<UsageTriggerSignal>, string]>([
    ["a warning by its name", { triggerValue: "80", currentValue: "81", limit: "daily-warning" }, "rule:daily-warning"],
    ["a warning by its numbers", { triggerValue: "80", currentValue: "81" }, "rule:daily-warning"],
    [
      "another warning",
      { usageCategory: "calls", triggerBy: "count", triggerValue: "50", currentValue: "50" },
      "rule:many-calls",
    ],
    ["a made-up rule", { triggerValue: "7", currentValue: "8", limit: "a" }, "unlisted"],
    ["another made-up rule", { usageCategory: "mms", triggerValue: "1", currentValue: "2", limit: "b" }, "unlisted"],
    ["below a warning", { triggerValue: "1", currentValue: "79.999999", limit: "daily-warning" }, "below"],
    ["below what suspends", { triggerValue: "100", currentValue: "99", limit: "daily-spend" }, "below"],
    ["below the account's own value", { accountSid: OWN_VALUE, ...DAILY, currentValue: "299" }, "below"],
    ["a warning's name on other numbers", { usageCategory: "mms", limit: "daily-warning" }, "doubtful"],
    [
      "a warning that calls itself a guard",
      {
        usageCategory: "lookups",
        triggerBy: "count",
        recurring: "",
        triggerValue: "5",
        currentValue: "6",
        limit: "first-lookup",
        probation: true,
      },
      "doubtful",
    ],
    [
      "below, and calls itself a guard",
      {
        usageCategory: "lookups",
        triggerBy: "count",
        recurring: "",
        triggerValue: "5",
        currentValue: "1",
        probation: true,
      },
      "doubtful",
    ],
    ["a made-up guard", { usageCategory: "mms", recurring: "", probation: true }, "doubtful"],
    ["a late warning", { triggerValue: "80", currentValue: "81", firedAt: ago(HOUR) }, "doubtful"],
    ["of yesterday", { ...DAILY, firedAt: ago(14 * HOUR) }, "old"],
    ["of last month", { ...DAILY, recurring: "monthly", firedAt: "2026-09-30T22:59:59.000Z" }, "old"],
    ["once, and two days ago", { recurring: "", firedAt: ago(48 * HOUR) }, "old"],
  ])("%s", (_, changes, note) => expect(classOf(changes)).toBe(`note:${note}`));

  test("what could not be understood, too", () => {
    const [one, other] = [notUnderstood(ACCOUNT), notUnderstood(ACCOUNT, { problem: "other" })];
    expect(standsFor(one, POLICY, NOW)).toMatch(/^note:not-understood:\d+$/);
    expect(standsFor(other, POLICY, NOW)).toBe(standsFor(one, POLICY, NOW));
  });

  test("within five minutes it is the same, and after it another", () => {
    const key = (time: string) => standsFor(notUnderstood(ACCOUNT), POLICY, new Date(time));
    expect(key("2026-10-04T12:00:00.000Z")).toBe(key("2026-10-04T12:04:59.999Z"));
    expect(key("2026-10-04T12:05:00.000Z")).not.toBe(key("2026-10-04T12:04:59.999Z"));
  });
});

test("what we found or counted ourselves stands for itself, and no webhook can stand for it", () => {
  const ours = [
    errorsCounted(ACCOUNT),
    topSpender(ACCOUNT),
    ...(["sweep-fired", "sweep-over", "reconciled"] as const).map((found) =>
      signal({ found, fingerprint: `sweep:${found}` }),
    ),
  ];
  const keys = ours.map((one) => standsFor(one, POLICY, NOW));
  expect(new Set(keys).size).toBe(ours.length);
  for (const key of keys) expect(key).not.toMatch(/^(stop|note):/);
});

// Whatever the holder of the account's token can make up.
const anyMeasure = fc.oneof(
  fc.constantFrom(
    { usageCategory: "totalprice", triggerBy: "price", recurring: "daily" },
    { usageCategory: "calls", triggerBy: "count", recurring: "daily" },
  ),
  fc.record({
    usageCategory: fc.constantFrom("totalprice", "sms", "calls", "lookups", "mms"),
    triggerBy: fc.constantFrom("price", "count", "usage"),
    recurring: fc.constantFrom("daily", "monthly", "yearly", "", "alltime", "weekly"),
  }),
);
const anyFiring = fc
  .record({
    measure: anyMeasure,
    limit: fc.constantFrom(null, ...Object.keys(POLICY.limits), "made-up", "__proto__"),
    triggerValue: fc.constantFrom("5", "50", "80", "100.000000", "1E+2", "130", "500", "1000", "1500"),
    currentValue: fc.constantFrom("0", "4", "50", "+81", "99.999999", "100", "499", "650", "1e3", "1501"),
    isGuard: fc.boolean(),
    age: fc.constantFrom(null, 0, 30_000, 9 * MINUTE, 2 * HOUR, 13 * HOUR, 30 * HOUR, 40 * 24 * HOUR, -HOUR),
    accountSid: fc.constantFrom(ACCOUNT, OWN_VALUE),
  })
  .map(({ measure, isGuard, age, ...changes }) => {
    const isOnce = measure.recurring === "" || measure.recurring === "alltime";
    return signal({ ...changes, ...measure, probation: isGuard && isOnce, firedAt: age === null ? null : ago(age) });
  });
const policies = fc.constantFrom(POLICY, STRICT);
const FIRST_MOMENT = "2026-01-01T00:00:00.000Z";
const QUIET = {
  ...{ state: null, because: null, suspendedAt: null, lastReactivatedAt: null, passed: {}, interims: {} },
  ...{ firstMoment: FIRST_MOMENT, parentSid: PARENT },
};

test("whatever is suspended for, in whatever circumstances, had been told for a stop", () => {
  const circumstances = fc.record({
    state: fc.constantFrom(null, "open", "alerted", "suspended", "reactivating", "failed"),
    because: fc.constant(null),
    suspendedAt: fc.constantFrom(null, ago(20 * HOUR)),
    lastReactivatedAt: fc.constantFrom(null, ago(40 * 24 * HOUR), ago(HOUR), ago(5 * MINUTE)),
    passed: fc.constantFrom<Record<string, string>>(
      {},
      { [guardKey("daily-spend", { usageCategory: "totalprice", triggerBy: "price" })]: "80" },
      { [guardKey("total-sms", { usageCategory: "sms", triggerBy: "count" })]: "0" },
      { "totalprice price daily": "90" },
    ),
    interims: fc.constant({}),
    firstMoment: fc.constantFrom(null, FIRST_MOMENT),
    parentSid: fc.constant(PARENT),
  });
  fc.assert(
    fc.property(anyFiring, circumstances, policies, (one, around, policy) => {
      fc.pre(!isOfEarlierPeriod(one, NOW));
      const { kind } = decide(one, around, policy, NOW);
      if (kind === "suspend" || kind === "hold") expect(standsFor(one, policy, NOW)).toMatch(/^stop:/);
    }),
    { numRuns: 5000 },
  );
});

test("of an account without a history, notes that stand for the same come to the same", () => {
  fc.assert(
    fc.property(fc.array(anyFiring, { minLength: 20, maxLength: 60 }), policies, (many, policy) => {
      const outcomes = new Map<string, string>();
      for (const one of many.filter(({ accountSid }) => accountSid === ACCOUNT)) {
        const key = standsFor(one, policy, NOW);
        const { kind } = decide(one, QUIET, policy, NOW);
        // A doubtful one may come to anything: so it stands for none of the others.
        if (key.startsWith("stop:") || key.startsWith("note:doubtful:")) continue;
        expect([key, outcomes.get(key) ?? kind]).toEqual([key, kind]);
        outcomes.set(key, kind);
      }
    }),
    { numRuns: 1000 },
  );
});

test("of an account without a history, each recent stop suspends it: any of them can stand for the others", () => {
  fc.assert(
    fc.property(anyFiring, policies, (one, policy) => {
      fc.pre(standsFor(one, policy, NOW).startsWith("stop:recent:"));
      expect(decide(one, QUIET, policy, NOW).kind).toBe("suspend");
    }),
    { numRuns: 1000 },
  );
});

test("whatever one account sends within some time stands for a number of things that the policy bounds", () => {
  const sent = fc.array(fc.tuple(fc.oneof(anyFiring, fc.constant(notUnderstood(ACCOUNT))), fc.nat(10_000)), {
    minLength: 300,
    maxLength: 1000,
  });
  fc.assert(
    fc.property(sent, fc.constantFrom(100, 1000, 10_000), policies, (all, within, policy) => {
      const keys = all.map(([one, at]) => standsFor(one, policy, new Date(NOW.getTime() + (at % within))));
      const different = new Set(keys).size;
      expect(different).toBeLessThanOrEqual(mostStored(policy, within));
      // Many were sent, so that the bound says something.
      if (within === 100) expect(different).toBeLessThan(25);
    }),
    { numRuns: 200 },
  );
});
