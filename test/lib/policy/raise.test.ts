import { describe, expect, test } from "vitest";
import { compare, sum } from "../../../lib/decimal.ts";
import type { UsageTriggerSignal } from "../../../lib/inbox/messages.ts";
import { raisesIn } from "../../../lib/incidents/raise-store.ts";
import { type Circumstances, decide } from "../../../lib/policy/decide.ts";
import type { Policy } from "../../../lib/policy/policy.ts";
import { allowanceOf, guardKey } from "../../../lib/policy/probation.ts";
import { countedSince, type Raise, raisedPolicy, restOf, stageOf } from "../../../lib/policy/raise.ts";
import { valueFor } from "../../../lib/policy/rule-for.ts";
import { standsFor } from "../../../lib/policy/stands-for.ts";
import fc from "../../support/fast-check.ts";
import { policyOf } from "../../support/policies.ts";
import { firing } from "../../support/signals.ts";

const PARENT = `AC${"0".repeat(32)}`;
const ACCOUNT = `AC${"1".repeat(32)}`;
const OTHER = `AC${"2".repeat(32)}`;
const AT = "2026-11-21T12:00:00.000Z";
const UNTIL = "2026-11-21T18:00:00.000Z";
const plus = (milliseconds: number, time = AT) => new Date(Date.parse(time) + milliseconds);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const POLICY = policyOf(`
limits:
  warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  hourly-spend: { category: totalprice, by: price, every: hour, at: 30, then: suspend }
  for-ever: { category: sms, by: count, every: once, at: 1000, then: suspend }
unlisted: alert
accounts:
  ${OTHER}: { daily-spend: 300 }
`);

function raise(changes: Partial<Raise> = {}): Raise {
  return {
    ...{ command: "c1", accountSid: ACCOUNT, limit: "daily-spend", from: "100", to: "500", until: UNTIL },
    ...{ operator: "olga", road: "cli", reason: "a campaign of theirs", at: AT, ended: null, due: null },
    ...changes,
  };
}
const ended = (changes: Partial<NonNullable<Raise["ended"]>> = {}) =>
  raise({ ended: { at: UNTIL, operator: null, reason: null, spent: "300", rest: null, ...changes } });
const byLimit = (...raises: Raise[]) => Object.fromEntries(raises.map((one) => [one.limit, one]));

function valueIn(policy: Policy, accountSid = ACCOUNT, name = "daily-spend"): string {
  const limit = policy.limits[name];
  if (limit === undefined) throw new Error(`no limit ${name}`);
  return valueFor(accountSid, name, limit, policy);
}
const valueAt = (now: Date, one: Raise, policy = POLICY, accountSid = ACCOUNT) =>
  valueIn(raisedPolicy(policy, accountSid, byLimit(one), now), accountSid);

describe("a raised limit", () => {
  test("counts until its end, to the millisecond, for its account alone", () => {
    expect(valueAt(plus(0), raise())).toBe("500");
    expect(valueAt(plus(-1, UNTIL), raise())).toBe("500");
    expect(valueAt(plus(0, UNTIL), raise())).toBe("100");
    expect(valueIn(raisedPolicy(POLICY, ACCOUNT, byLimit(raise()), plus(0)), OTHER)).toBe("300");
    expect(valueAt(plus(0), raise(), POLICY, OTHER)).toBe("300");
  });

  test("never passes the ceiling that the policy has by now, in value or in time", () => {
    const strict = { ...POLICY, raise: { times: 2, for: HOUR } };
    expect(valueAt(plus(0), raise(), strict)).toBe("200");
    expect(valueAt(plus(HOUR), raise(), strict)).toBe("100");
    expect(valueAt(plus(0), raise(), { ...POLICY, raise: { times: 1, for: HOUR } })).toBe("100");
  });

  test("never lowers a limit that a deployment has made higher meanwhile", () => {
    const higher = policyOf(
      "limits: { daily-spend: { category: totalprice, by: price, every: day, at: 800, then: suspend } }",
    );
    expect(valueAt(plus(0), raise(), higher)).toBe("800");
  });

  test("of a limit that the policy no longer has, that never begins anew, or under another name, is none", () => {
    for (const limit of ["gone", "for-ever", "__proto__", "constructor"])
      expect(raisedPolicy(POLICY, ACCOUNT, { [limit]: raise({ limit, to: "5000" }) }, plus(0))).toBe(POLICY);
  });

  test("applied twice is applied once", () => {
    const strict = { ...POLICY, raise: { times: 2, for: 30 * HOUR } };
    const once = raisedPolicy(strict, ACCOUNT, byLimit(raise()), plus(0));
    expect(raisedPolicy(once, ACCOUNT, byLimit(raise()), plus(0))).toBe(once);
  });

  test("is between the policy's own value and its ceiling, whatever is stored", () => {
    const amount = fc.integer({ min: 1, max: 100_000 }).map(String);
    const time = fc.integer({ min: -50 * HOUR, max: 50 * HOUR }).map((span) => plus(span).toISOString());
    fc.assert(
      fc.property(
        amount,
        time,
        time,
        fc.option(fc.record({ to: amount, until: time })),
        time,
        (to, at, until, rest, now) => {
          const stored = rest === null ? raise({ to, at, until }) : { ...ended({ rest }), to, at, until };
          const value = valueAt(new Date(now), stored);
          expect(compare(value, "100")).toBeGreaterThanOrEqual(0);
          expect(compare(value, "1000")).toBeLessThanOrEqual(0);
        },
      ),
    );
  });
});

describe("what is stored and cannot be read makes us stricter", () => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["no map", { raises: "500" }],
    ["another version's", { raises: { "daily-spend": { ...raise(), to: 500 } } }],
    ["no number", { raises: { "daily-spend": { ...raise(), to: "1e9" } } }],
    ["no time", { raises: { "daily-spend": { ...raise(), until: "never" } } }],
    ["under another limit's name", { raises: { warning: raise() } }],
  ])("%s", (_, item) => {
    expect(raisesIn(item)).toEqual({});
  });

  test("one beside it is read all the same", () => {
    expect(raisesIn({ raises: { warning: "?", "daily-spend": raise() } })).toEqual(byLimit(raise()));
  });
});

describe("the end", () => {
  const now = plus(0, UNTIL);

  test("of an account below the policy's value leaves nothing", () => {
    expect(restOf(raise(), "99.99", POLICY, now)).toBeNull();
  });

  test("of one above it leaves what it has used and the limit on top, until its period is over", () => {
    expect(restOf(raise(), "300", POLICY, now)).toEqual({ to: "400", until: "2026-11-22T00:00:00.000Z" });
    expect(restOf(raise(), "100", POLICY, now)).toMatchObject({ to: "200" });
  });

  test("taken back in the first hour of a day leaves no more than until what Twilio shows is of that day", () => {
    const early = new Date("2026-11-22T00:20:00.000Z");
    expect(restOf(raise(), "300", POLICY, early)).toEqual({ to: "400", until: "2026-11-22T01:00:00.000Z" });
  });

  test("never leaves more than it was raised to", () => {
    expect(restOf(raise(), "450", POLICY, now)).toMatchObject({ to: "500" });
  });

  test.each<[string, string | null, Partial<Raise>]>([
    ["that nobody could read", null, {}],
    ["that is no number", "lots", {}],
    ["of a rate", "300", { limit: "hourly-spend" }],
    ["of a limit that is gone", "300", { limit: "gone" }],
  ])("of a spend %s leaves the policy's value", (_, spent, changes) => {
    expect(restOf(raise(changes), spent, POLICY, now)).toBeNull();
  });

  test("what is left counts until the period is over, and no guard of a reactivation allows more for it", () => {
    const rest = { to: "400", until: "2026-11-22T00:00:00.000Z" };
    const policy = raisedPolicy(POLICY, ACCOUNT, byLimit(ended({ rest })), now);
    const limit = policy.limits["daily-spend"];
    if (limit === undefined) throw new Error("no limit");
    expect(valueIn(policy)).toBe("400");
    expect(allowanceOf("daily-spend", limit, ACCOUNT, policy, "0.25")).toBe("25");
    expect(valueAt(new Date(rest.until), ended({ rest }))).toBe("100");
  });

  test.each<[string, Raise, Date, ReturnType<typeof stageOf>]>([
    ["in force", raise(), plus(0), undefined],
    ["in force, people are not told", raise({ due: "raised" }), plus(0), "tell"],
    ["its time is over", raise(), now, "end"],
    ["its time is over, and people were never told", raise({ due: "raised" }), now, "end"],
    ["ended, people are not told", { ...ended(), due: "ended" }, now, "tell"],
    ["ended within the hour", ended(), plus(59 * MINUTE, UNTIL), undefined],
    ["ended an hour ago", ended(), plus(HOUR, UNTIL), "forget"],
    [
      "its rest counts",
      ended({ rest: { to: "400", until: "2026-11-22T00:00:00.000Z" } }),
      plus(2 * HOUR, UNTIL),
      undefined,
    ],
    [
      "its rest is over",
      ended({ rest: { to: "400", until: "2026-11-22T00:00:00.000Z" } }),
      plus(7 * HOUR, UNTIL),
      "forget",
    ],
    [
      "its rest is over, and Twilio may still show the value of the day before",
      ended({ rest: { to: "400", until: "2026-11-22T00:00:00.000Z" } }),
      plus(7 * HOUR - 1, UNTIL),
      undefined,
    ],
    [
      "its time is over in the first hour of a day",
      raise({ until: "2026-11-22T00:10:00.000Z" }),
      new Date("2026-11-22T00:59:00.000Z"),
      undefined,
    ],
    [
      "the same after that hour",
      raise({ until: "2026-11-22T00:10:00.000Z" }),
      new Date("2026-11-22T01:00:00.000Z"),
      "end",
    ],
  ])("%s", (_, one, time, stage) => {
    expect(stageOf(one, POLICY, time)).toBe(stage);
  });

  test("what a rate saw before it does not count within the hour after it", () => {
    const rate = raise({ limit: "hourly-spend", to: "300" });
    const since = (time: Date) => countedSince(byLimit(rate), "hourly-spend", POLICY, time);
    expect(since(plus(0))).toBeUndefined();
    expect(since(now)).toBe(UNTIL);
    expect(since(plus(HOUR, UNTIL))).toBeUndefined();
  });
});

describe("a firing under a raised limit", () => {
  const NOW = plus(HOUR);
  const ORDINARY: Circumstances = {
    ...{ state: null, because: null, suspendedAt: null, lastReactivatedAt: null, passed: {}, interims: {} },
    ...{ firstMoment: null, parentSid: PARENT },
  };
  const fired = (changes: Partial<UsageTriggerSignal>) =>
    firing(ACCOUNT, { limit: "daily-spend", receivedAt: NOW.toISOString(), firedAt: NOW.toISOString(), ...changes });
  const verdict = (signal: UsageTriggerSignal, raises: Raise[], changes: Partial<Circumstances> = {}, now = NOW) =>
    decide(signal, { ...ORDINARY, raises: byLimit(...raises), ...changes }, POLICY, now).kind;
  const BELOW = fired({ triggerValue: "100", currentValue: "300" });

  test("below it is ignored, and suspends without it or once it is over", () => {
    expect(verdict(BELOW, [raise()])).toBe("ignore");
    expect(verdict(BELOW, [])).toBe("suspend");
    const late = fired({ triggerValue: "100", currentValue: "300", receivedAt: UNTIL, firedAt: UNTIL });
    expect(verdict(late, [raise()], {}, plus(0, UNTIL))).toBe("suspend");
    expect(decide(BELOW, ORDINARY, POLICY, NOW).kind).toBe("suspend");
  });

  test("at it suspends, under whatever name its address gives", () => {
    for (const limit of ["daily-spend", "warning", "made-up", null])
      expect(verdict(fired({ triggerValue: "500", currentValue: "500", limit }), [raise()])).toBe("suspend");
  });

  test("an account that is contained is held from the raised value on", () => {
    const contained = { state: "suspended", suspendedAt: AT } as const;
    expect(verdict(BELOW, [raise()], contained)).toBe("join");
    expect(verdict(fired({ triggerValue: "500", currentValue: "501" }), [raise()], contained)).toBe("hold");
  });

  test("stands for a stop at the door all the same, which knows the policy alone", () => {
    for (const limit of ["daily-spend", "warning", "made-up", null]) {
      const signal = fired({ triggerValue: "500", currentValue: "500", limit });
      expect(standsFor(signal, POLICY, NOW)).toMatch(/^stop:/);
    }
    expect(standsFor(BELOW, POLICY, NOW)).toMatch(/^stop:recent:/);
  });

  describe("of a guard", () => {
    const key = guardKey("daily-spend", { usageCategory: "totalprice", triggerBy: "price" });
    const back = { lastReactivatedAt: AT, passed: { [key]: "120" } };
    const guard = (value: string, changes: Partial<UsageTriggerSignal> = {}) =>
      fired({ recurring: "", probation: true, triggerValue: value, currentValue: value, ...changes });

    test("made before the raise says nothing while the raised limit allows more", () => {
      expect(verdict(guard("145"), [], back)).toBe("suspend");
      expect(verdict(guard("145"), [raise()], back)).toBe("ignore");
      // A share of 0.25 of 500 on top of 120.
      expect(verdict(guard("145", { currentValue: "245" }), [raise()], back)).toBe("suspend");
    });

    test("made for the raised limit is known by its numbers, whatever its address says", () => {
      const renamed = guard("245", { limit: "warning", probation: false });
      expect(verdict(renamed, [raise()], back)).toBe("suspend");
    });

    test("is no longer held back once the raise is over", () => {
      const late = { receivedAt: UNTIL, firedAt: UNTIL };
      expect(verdict(guard("145", late), [raise()], back, plus(0, UNTIL))).toBe("suspend");
      const rest = { to: sum(["300", "100"]), until: "2026-11-22T00:00:00.000Z" };
      expect(verdict(guard("145", late), [ended({ rest })], back, plus(0, UNTIL))).toBe("suspend");
    });
  });
});
