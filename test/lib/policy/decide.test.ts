import { describe, expect, test } from "vitest";
import type { Signal } from "../../../lib/inbox/messages.ts";
import { ALERTED_BECAUSE, INCIDENT_STATES, type IncidentState } from "../../../lib/incidents/incident.ts";
import { type Circumstances, decide, type Verdict } from "../../../lib/policy/decide.ts";
import { canStrangerCause, ERROR_CODES } from "../../../lib/policy/error-codes.ts";
import type { Policy } from "../../../lib/policy/policy.ts";
import { examinePolicy } from "../../../lib/policy/policy-file.ts";
import fc from "../../support/fast-check.ts";
import { policyOf, SUSPEND_ALL } from "../../support/policies.ts";
import { errorsCounted, firing, notUnderstood, topSpender } from "../../support/signals.ts";

const PARENT = `AC${"0".repeat(32)}`;
const ACCOUNT = `AC${"1".repeat(32)}`;
const OTHER = `AC${"2".repeat(32)}`;
const SUSPENDED_AT = "2026-11-21T03:00:00.500Z";
const NOW = new Date("2026-11-21T04:00:01.000Z");
const OBSERVE: Policy = { ...SUSPEND_ALL, mode: "observe" };

const ORDINARY: Circumstances = {
  state: null,
  because: null,
  suspendedAt: null,
  lastReactivatedAt: null,
  passed: {},
  interims: {},
  firstMoment: "2026-01-01T00:00:00.000Z",
  parentSid: PARENT,
};
const fired = (firedAt: string | null, receivedAt = "2026-11-21T04:00:00.000Z") =>
  firing(ACCOUNT, { firedAt, receivedAt });
/** The verdict on `signal`, where what is not said is as usual. */
const decideOn = (signal: Signal, changes: Partial<Circumstances> = {}, policy = SUSPEND_ALL, now = NOW) =>
  decide(signal, { ...ORDINARY, ...changes }, policy, now);

const LADDER = policyOf(`
limits:
  half: { category: totalprice, by: price, every: day, at: 50, then: alert }
  most: { category: totalprice, by: price, every: day, at: 80, then: alert }
  all:  { category: totalprice, by: price, every: day, at: 100, then: suspend }
  burst: { category: sms-outbound, by: count, every: month, at: 20000, then: suspend }
errors:
  pumping: { codes: [30450, 60410], count: 20, within: 10m, then: suspend, confirm: { category: totalprice, by: price, at: 20 } }
  probing: { codes: [32201], count: 50, within: 5m, then: alert }
  fraud:   { codes: [30442, 30444], count: 1, within: 1h, then: suspend }
unlisted: alert
exempt:
  - { account: ${OTHER}, why: emergency line, until: 2026-12-24 }
accounts:
  ${ACCOUNT}: { all: 5000, half: 4000 }
`);
/** An account without values of its own. */
const PLAIN = `AC${"3".repeat(32)}`;

describe("a firing is enforced, told, or joined, by the state of the account's incident", () => {
  test.each<[IncidentState | null, string, string]>([
    [null, "suspend", "alert"],
    ["open", "suspend", "alert"],
    ["alerted", "suspend", "alert"],
    ["failed", "suspend", "alert"],
    ["suspended", "join", "join"],
    ["reactivating", "join", "join"],
    ["reactivated", "suspend", "alert"],
    ["dismissed", "suspend", "alert"],
  ])("%s: %s in enforce mode, %s in observe mode", (state, enforced, observed) => {
    expect(decideOn(firing(ACCOUNT), { state }).kind).toBe(enforced);
    expect(decideOn(firing(ACCOUNT), { state }, OBSERVE).kind).toBe(observed);
    expect(decideOn(firing(PARENT), { state }).kind).toBe(observed);
    expect(decideOn(notUnderstood(ACCOUNT), { state }).kind).toBe(observed);
  });

  test("the reason says what was reached, in numbers that a person writes", () => {
    const signal = firing(ACCOUNT, { currentValue: "100.500000", triggerValue: "100.000000" });
    expect(decideOn(signal)).toEqual({
      kind: "suspend",
      confirm: null,
      rule: "totalprice by price, daily, at 100",
      isNamed: false,
      reason: "totalprice by price reached 100.5, its limit is 100",
    });
  });

  test("each alert says why nothing was suspended, and what happened", () => {
    const happened = "totalprice by price reached 130.25, its limit is 100";
    expect(decideOn(firing(PARENT))).toMatchObject({
      about: "alerted",
      because: "parent-account",
      reason: `${happened}; the parent account cannot be suspended: a person is needed`,
    });
    expect(decideOn(firing(ACCOUNT), {}, OBSERVE)).toMatchObject({
      about: "alerted",
      because: "observe-mode",
      reason: `${happened}; in observe mode nothing is suspended`,
    });
    expect(decideOn(firing(ACCOUNT), {}, { ...SUSPEND_ALL, unlisted: "alert" })).toMatchObject({
      about: "alerted",
      because: "rule",
      reason: happened,
    });
    expect(decideOn(notUnderstood(ACCOUNT, { problem: "no DateFired" }))).toMatchObject({
      about: "not-understood",
      because: null,
      rule: "signed, not understood",
      reason: "signed, but not understood: no DateFired",
    });
  });
});

describe("a ladder of limits on one category", () => {
  const at = (limit: string | null, triggerValue: string, currentValue = triggerValue) =>
    decideOn(firing(PLAIN, { limit, triggerValue, currentValue }), {}, LADDER);

  test.each([
    ["half", "50", "alert"],
    ["most", "80", "alert"],
    ["all", "100", "suspend"],
  ])("%s, at %s: %s, whether the address names it or its fields do", (limit, value, kind) => {
    for (const named of [limit, null]) {
      expect(at(named, `${value}.000000`, `${value}.25`)).toMatchObject({ kind, rule: limit });
    }
  });

  test("a warning at the first step does not keep the last from suspending", () => {
    const signal = firing(PLAIN, { limit: "all", triggerValue: "100" });
    expect(decideOn(signal, { state: "alerted", because: "rule" }, LADDER)).toMatchObject({ kind: "suspend" });
  });

  test("the name in the address counts more than the fields, which may be of an older policy", () => {
    expect(at("all", "80", "120")).toMatchObject({ kind: "suspend", rule: "all" });
    expect(at("half", "81", "120")).toMatchObject({ kind: "alert", rule: "half" });
  });

  test("but it does not make a warning of a trigger whose own numbers are those of a limit that suspends", () => {
    expect(at("half", "100", "120")).toMatchObject({ kind: "suspend", rule: "all" });
    expect(at("half", "100", "99")).toMatchObject({ kind: "alert", rule: "half" });
  });

  test("a firing below the value that the policy has by now is nothing", () => {
    expect(at("all", "80", "80.5")).toEqual({
      kind: "ignore",
      rule: "all",
      isNamed: true,
      reason: "totalprice by price reached 80.5, its limit is 80; the policy allows this account 100",
    });
    // Exactly at it is reached.
    expect(at("all", "80", "100.000000")).toMatchObject({ kind: "suspend" });
  });
});

describe("a firing that no limit names does what `unlisted` says", () => {
  test.each([
    ["another value", { triggerValue: "99" }, "totalprice by price, daily, at 99"],
    ["another category", { usageCategory: "sms", triggerValue: "50.50" }, "sms by price, daily, at 50.5"],
    ["another measure", { triggerBy: "usage", triggerValue: "100" }, "totalprice by usage, daily, at 100"],
    ["another period", { recurring: "monthly", triggerValue: "100" }, "totalprice by price, monthly, at 100"],
    ["no period", { recurring: "", triggerValue: "100" }, "totalprice by price, once, at 100"],
    ["a name that is gone", { limit: "weekly-spend", triggerValue: "700" }, "totalprice by price, daily, at 700"],
    ["a name of JavaScript's own", { limit: "__proto__", triggerValue: "7" }, "totalprice by price, daily, at 7"],
    ["another such name", { limit: "constructor", triggerValue: "1e3" }, "totalprice by price, daily, at 1000"],
  ])("%s", (_, changes, rule) => {
    const signal = firing(PLAIN, { currentValue: "2000", ...changes });
    expect(decideOn(signal, {}, LADDER)).toMatchObject({ kind: "alert", because: "rule", rule });
    expect(decideOn(signal, {}, { ...LADDER, unlisted: "suspend" })).toMatchObject({ kind: "suspend", rule });
  });

  test("its description is short, whatever the firing says", () => {
    const long = "🚨".repeat(1024);
    const signal = firing(PLAIN, {
      usageCategory: long,
      triggerBy: long,
      recurring: "r".repeat(64),
      triggerValue: long,
    });
    const { rule } = decideOn(signal, {}, LADDER);
    expect(rule.length).toBeLessThan(500);
    expect(rule.isWellFormed()).toBe(true);
  });

  test("a name that is gone is still matched by its fields", () => {
    const signal = firing(PLAIN, { limit: "daily-spend", triggerValue: "100.0", currentValue: "100.1" });
    expect(decideOn(signal, {}, LADDER)).toMatchObject({ kind: "suspend", rule: "all" });
  });
});

describe("an account with values of its own", () => {
  const at = (limit: string | null, triggerValue: string, currentValue: string) =>
    decideOn(firing(ACCOUNT, { limit, triggerValue, currentValue }), {}, LADDER);

  test("is not suspended at everybody's value, by a trigger from before it had them", () => {
    expect(at("all", "100", "4999.99")).toMatchObject({
      kind: "ignore",
      reason: expect.stringContaining("the policy allows this account 5000"),
    });
  });

  test("is suspended at its own, named or matched by its fields", () => {
    for (const limit of ["all", null]) expect(at(limit, "5000.000000", "5000")).toMatchObject({ kind: "suspend" });
  });

  test("has the ordinary value where it has none of its own", () => {
    expect(at("most", "80", "80")).toMatchObject({ kind: "alert", rule: "most" });
  });

  test("is not suspended by an unnamed trigger with everybody's value either", () => {
    expect(at(null, "100", "4000")).toMatchObject({ kind: "ignore", rule: "all" });
    expect(at(null, "100", "5000")).toMatchObject({ kind: "suspend", rule: "all" });
  });
});

describe("an exempt account", () => {
  const at = (day: string) => ({ receivedAt: day, firedAt: day });
  const on = (day: string, signal: Signal = firing(OTHER, { limit: "all", ...at(day) })) =>
    decideOn(signal, {}, LADDER, new Date(day));

  test.each([
    ["2026-11-21T04:00:00.000Z", "alert"],
    ["2026-12-24T23:59:59.999Z", "alert"],
    ["2026-12-25T00:00:00.000Z", "suspend"],
  ])("on %s: %s (the last day counts, in GMT)", (day, kind) => {
    expect(on(day).kind).toBe(kind);
    expect(on(day, errorsCounted(OTHER, { rule: "fraud", receivedAt: day })).kind).toBe(kind);
  });

  test("is told with the reason for its exemption", () => {
    expect(on("2026-11-21T04:00:00.000Z")).toMatchObject({
      because: "exempt",
      reason: expect.stringMatching(/; exempt: emergency line$/),
    });
  });

  test("without an end is exempt for ever, and another account is not", () => {
    const policy = { ...LADDER, exempt: [{ account: PLAIN, why: "emergency line", until: null }] };
    const later = "2099-01-01T00:00:00.000Z";
    const decided = (sid: string) => decideOn(firing(sid, { limit: "all", ...at(later) }), {}, policy, new Date(later));
    expect(decided(PLAIN)).toMatchObject({ because: "exempt" });
    expect(decided(OTHER)).toMatchObject({ kind: "suspend" });
  });

  test("is not held either, when its incident says suspended", () => {
    const after = { ...fired("2026-11-21T03:30:00.000Z"), accountSid: OTHER };
    const suspended = { state: "suspended", suspendedAt: SUSPENDED_AT } as const;
    expect(decideOn(after, suspended, LADDER).kind).toBe("join");
    expect(decideOn({ ...after, limit: "all" }, suspended, { ...LADDER, exempt: [] }).kind).toBe("hold");
  });
});

describe("what is told long after it happened", () => {
  const DAY = 24 * 3600_000;
  const HOUR = 3600_000;
  const ago = (milliseconds: number) => new Date(NOW.getTime() - milliseconds).toISOString();
  const told = (recurring: string, milliseconds: number) =>
    decideOn(firing(PLAIN, { recurring, firedAt: ago(milliseconds), receivedAt: NOW.toISOString() }), {}, SUSPEND_ALL);

  // It is 04:00:01 on Saturday, 21 November.
  test.each<[recurring: string, milliseconds: number, kind: string]>([
    ["daily", 0, "suspend"],
    ["daily", 4 * HOUR, "suspend"],
    ["daily", 4 * HOUR + 2000, "ignore"],
    ["daily", 5 * DAY, "ignore"],
    ["daily", 400 * DAY, "ignore"],
    ["monthly", 20 * DAY, "suspend"],
    ["monthly", 22 * DAY, "ignore"],
    ["yearly", 300 * DAY, "suspend"],
    ["yearly", 330 * DAY, "ignore"],
    ["", 25 * HOUR, "suspend"],
    ["", 26 * HOUR, "ignore"],
    ["alltime", 40 * DAY, "ignore"],
    // Twilio's clock, or a forger's.
    ["daily", -60_000, "suspend"],
  ])("a %j trigger's firing of %i ms ago: %s", (recurring, milliseconds, kind) => {
    expect(told(recurring, milliseconds).kind).toBe(kind);
  });

  test("a firing just before midnight may come just after it", () => {
    const late = new Date("2026-11-22T00:59:59.000Z");
    const signal = firing(PLAIN, { firedAt: "2026-11-21T23:59:00.000Z", receivedAt: late.toISOString() });
    expect(decideOn(signal, {}, SUSPEND_ALL, late).kind).toBe("suspend");
    expect(decideOn(signal, {}, SUSPEND_ALL, new Date("2026-11-22T01:00:00.000Z")).kind).toBe("ignore");
  });

  test("without a time of its own it is as old as its receipt", () => {
    const unread = (milliseconds: number) => firing(PLAIN, { firedAt: null, receivedAt: ago(milliseconds) });
    expect(decideOn(unread(HOUR), {}, SUSPEND_ALL).kind).toBe("suspend");
    expect(decideOn(unread(10 * DAY), {}, SUSPEND_ALL).kind).toBe("ignore");
  });

  test("what was counted or estimated hours ago is told, and suspends nobody", () => {
    const errors = (milliseconds: number) => errorsCounted(OTHER, { rule: "fraud", receivedAt: ago(milliseconds) });
    const policy = { ...LADDER, exempt: [] };
    expect(decideOn(errors(HOUR), {}, policy)).toMatchObject({ kind: "suspend" });
    expect(decideOn(errors(2 * HOUR), {}, policy)).toMatchObject({
      ...{ kind: "alert", because: "rule" },
      reason: expect.stringContaining("too long ago"),
    });
  });
});

describe("a rule on errors", () => {
  test.each([
    ["pumping", { kind: "suspend", confirm: { category: "totalprice", by: "price", every: "day", at: "20" } }],
    ["fraud", { kind: "suspend", confirm: null }],
    ["probing", { kind: "alert", because: "rule" }],
    // A rule that the policy no longer has.
    ["gone", { kind: "alert", because: "rule" }],
    ["__proto__", { kind: "alert", because: "rule" }],
  ])("%s", (rule, verdict) => {
    const signal = errorsCounted(PLAIN, { rule, count: 23, within: 600_000 });
    expect(decideOn(signal, {}, LADDER)).toMatchObject({ ...verdict, rule, reason: "23 errors within 10 minutes" });
  });
});

describe("the account that spends most", () => {
  const signal = topSpender(PLAIN, { price: "812.500000", currency: "EUR", share: "81.3" });

  test("is suspended only where the policy says so", () => {
    const reason = "it makes 81.3 % of today's spend (812.5 EUR), and the parent's own trigger fired";
    expect(decideOn(signal, {}, { ...LADDER, parent: "suspend-top" })).toEqual({
      kind: "suspend",
      confirm: null,
      rule: "parent: suspend-top",
      isNamed: true,
      reason,
    });
    expect(decideOn(signal, {}, LADDER)).toMatchObject({ kind: "alert", because: "rule", reason });
  });

  test("meets the same rules as any other", () => {
    const policy: Policy = { ...LADDER, parent: "suspend-top" };
    expect(decideOn({ ...signal, accountSid: OTHER }, {}, policy)).toMatchObject({ because: "exempt" });
    expect(decideOn({ ...signal, accountSid: PARENT }, {}, policy)).toMatchObject({ because: "parent-account" });
    expect(decideOn(signal, {}, { ...policy, mode: "observe" })).toMatchObject({ because: "observe-mode" });
    expect(decideOn(signal, { state: "suspended", suspendedAt: SUSPENDED_AT }, policy).kind).toBe("join");
  });
});

describe("an account that waits at the brake", () => {
  const waiting = { state: "alerted", because: "brake" } as const;

  test("is not suspended by a further signal: an operator decides", () => {
    for (const signal of [firing(PLAIN, { limit: "all" }), errorsCounted(PLAIN, { rule: "fraud" })]) {
      expect(decideOn(signal, waiting, LADDER)).toMatchObject({
        kind: "join",
        reason: "held by the brake: it waits for an operator",
      });
    }
  });

  test("although its incident says suspended, because somebody had set it active, is not held either", () => {
    const signal = firing(PLAIN, { limit: "all" });
    const suspended = { state: "suspended", suspendedAt: "2026-11-21T01:00:00.000Z" } as const;
    expect(decideOn(signal, suspended, LADDER).kind).toBe("hold");
    expect(decideOn(signal, { ...suspended, because: "brake" }, LADDER)).toMatchObject({
      kind: "join",
      reason: "held by the brake: it waits for an operator",
    });
  });

  test("that is only alerted for another reason is suspended", () => {
    for (const because of ALERTED_BECAUSE.filter((reason) => reason !== "brake")) {
      const verdict = decideOn(firing(PLAIN, { limit: "all" }), { state: "alerted", because }, LADDER);
      expect(verdict.kind).toBe("suspend");
    }
  });
});

describe("old news", () => {
  const lastReactivatedAt = "2026-11-21T03:00:00.500Z";

  test.each([
    ["a minute before", "2026-11-21T02:59:00.000Z", "join"],
    ["the second before", "2026-11-21T02:59:59.000Z", "join"],
    // DateFired has whole seconds: this may have fired at 03:00:00.900.
    ["within the second", "2026-11-21T03:00:00.000Z", "suspend"],
    ["a second after", "2026-11-21T03:00:01.000Z", "suspend"],
  ])("fired %s of the reactivation: %s", (_, firedAt, kind) => {
    expect(decideOn(fired(firedAt), { lastReactivatedAt }).kind).toBe(kind);
  });

  test("what has no readable time of its own counts by when it came", () => {
    const early = "2026-11-21T02:00:00.000Z";
    const late = "2026-11-21T04:00:00.000Z";
    const policy: Policy = { ...LADDER, unlisted: "suspend", parent: "suspend-top" };
    for (const signal of [
      firing(PLAIN, { firedAt: null }),
      errorsCounted(PLAIN, { rule: "fraud" }),
      topSpender(PLAIN),
    ]) {
      expect(decideOn({ ...signal, receivedAt: early }, { lastReactivatedAt }, policy).kind).toBe("join");
      expect(decideOn({ ...signal, receivedAt: late }, { lastReactivatedAt }, policy).kind).toBe("suspend");
    }
  });

  test("says since when it is old", () => {
    expect(decideOn(fired("2026-11-21T02:59:00.000Z"), { lastReactivatedAt })).toEqual({
      kind: "join",
      rule: "totalprice by price, daily, at 100",
      isNamed: false,
      reason: `fired before the account was reactivated at ${lastReactivatedAt}`,
    });
  });
});

describe("a guard of a reactivated account", () => {
  const back = { lastReactivatedAt: "2026-11-21T03:30:00.000Z" } as const;
  const guard = (firedAt: string, changes = {}) => ({
    ...fired(firedAt),
    ...{ limit: "all", recurring: "", probation: true, triggerValue: "1525", currentValue: "1526", ...changes },
  });

  test("suspends far below the limit while the probation lasts", () => {
    expect(decideOn(guard("2026-11-21T03:31:00.000Z"), back, LADDER)).toMatchObject({ kind: "suspend", rule: "all" });
  });

  test("suspends even where its value is below the limit's, and its period is the limit's own", () => {
    const low = guard("2026-11-21T03:31:00.000Z", { recurring: "daily", currentValue: "26" });
    expect(decideOn(low, back, LADDER).kind).toBe("suspend");
    expect(decideOn({ ...low, probation: false }, back, LADDER).kind).toBe("ignore");
  });

  test("is nothing any more once the probation is over", () => {
    const later = guard("2026-11-22T03:30:01.000Z");
    expect(decideOn(later, back, LADDER)).toMatchObject({ kind: "ignore", reason: expect.stringContaining("is over") });
    expect(decideOn(guard("2026-11-22T03:30:00.000Z"), back, LADDER).kind).toBe("suspend");
  });

  describe("of a limit whose trigger can't fire again before its period ends", () => {
    const bases = { "guard of burst: sms-outbound count": "30000", "guard of ever: sms count": "7000" };
    const policy = policyOf(`
limits:
  warning: { category: sms-outbound, by: count, every: day, at: 10, then: alert }
  burst: { category: sms-outbound, by: count, every: month, at: 20000, then: suspend }
  ever: { category: sms, by: count, every: once, at: 5000, then: suspend }
  all: { category: totalprice, by: price, every: day, at: 100, then: suspend }
`);
    const watches = { accountSid: PLAIN, usageCategory: "sms-outbound", triggerBy: "count", limit: "burst" };
    const interim = (firedAt: string, changes = {}) =>
      guard(firedAt, { ...watches, triggerValue: "50000", currentValue: "50001", ...changes });
    const verdict = (signal: Signal, passed: Circumstances["passed"] = bases, law = policy) =>
      decideOn(signal, { ...back, passed }, law).kind;

    test("trips at the whole limit above what it counts from, until then", () => {
      expect(verdict(interim("2026-11-22T03:30:01.000Z"))).toBe("suspend");
      expect(verdict(interim("2026-11-30T23:59:59.000Z"))).toBe("suspend");
      expect(verdict(interim("2026-12-01T00:00:01.000Z"))).toBe("ignore");
    });

    test("a share of it is nothing any more, and where nothing is known of it, it trips", () => {
      const share = { triggerValue: "35000", currentValue: "35001" };
      expect(verdict(interim("2026-11-22T03:30:00.000Z", share))).toBe("suspend");
      expect(verdict(interim("2026-11-22T03:30:01.000Z", share))).toBe("ignore");
      expect(verdict(interim("2026-11-22T03:30:01.000Z", share), {})).toBe("suspend");
    });

    test("by the day, with a probation that is shorter: until midnight", () => {
      const short = policyOf(`
limits: { all: { category: totalprice, by: price, every: day, at: 100, then: suspend } }
probation: { share: 0.25, for: 1h }
`);
      const from = { "guard of all: totalprice price": "1500" };
      const whole = { accountSid: PLAIN, triggerValue: "1600", currentValue: "1601" };
      expect(verdict(guard("2026-11-21T23:59:59.000Z", whole), from, short)).toBe("suspend");
      expect(verdict(guard("2026-11-22T00:00:01.000Z", whole), from, short)).toBe("ignore");
      expect(verdict(guard("2026-11-21T12:00:00.000Z", { accountSid: PLAIN }), from, short)).toBe("ignore");
    });

    test("by a trigger that fires once: for good", () => {
      const ever = { usageCategory: "sms", limit: "ever", triggerValue: "12000", currentValue: "12000" };
      expect(verdict(interim("2031-01-01T00:00:00.000Z", ever))).toBe("suspend");
      const share = { ...ever, triggerValue: "8250", currentValue: "8250" };
      expect(verdict(interim("2026-11-22T03:30:01.000Z", share))).toBe("ignore");
    });

    test("the trigger of such a limit itself is never taken for a guard, whatever its address says", () => {
      const own = { usageCategory: "sms", limit: "ever", triggerValue: "5000", currentValue: "5000" };
      const low = { "guard of ever: sms count": "2000" };
      expect(verdict(interim("2026-11-22T03:30:01.000Z", own), low)).toBe("suspend");
    });

    test("is known by its numbers: what its address says, somebody may have written there", () => {
      for (const changes of [{ limit: "warning" }, { limit: "warning", probation: false }, { limit: null }]) {
        expect(verdict(interim("2026-11-22T03:30:01.000Z", changes))).toBe("suspend");
        const share = { ...changes, triggerValue: "35000", currentValue: "35001" };
        expect(verdict(interim("2026-11-21T03:31:00.000Z", share))).toBe("suspend");
      }
      expect(verdict(interim("2026-11-21T03:31:00.000Z", { limit: "warning", triggerValue: "31000" }))).toBe("alert");
    });
  });

  test("that was made for an earlier reactivation, and fired before this one, is old news, like any other", () => {
    const passed = { "guard of all: totalprice price": "1600" };
    expect(decideOn(guard("2026-11-21T03:29:59.000Z"), { ...back, passed }, LADDER).kind).toBe("join");
    expect(decideOn(guard("2026-11-21T03:29:59.000Z"), back, LADDER).kind).toBe("join");
  });

  test("that was made for this one is never old news: its spend is on top of what was known", () => {
    const passed = { "guard of all: totalprice price": "1500" };
    const own = guard("2026-11-21T03:29:59.000Z", { accountSid: PLAIN });
    expect(decideOn(own, { ...back, passed }, LADDER).kind).toBe("suspend");
    expect(decideOn({ ...own, limit: null, probation: false }, { ...back, passed }, LADDER).kind).toBe("suspend");
  });

  test("of an account of which nothing is known suspends: better once too often", () => {
    expect(decideOn(guard("2026-11-21T03:31:00.000Z"), {}, LADDER).kind).toBe("suspend");
  });
});

describe("a limit that was passed before the reactivation, whose trigger fires after it", () => {
  const back = {
    lastReactivatedAt: "2026-11-21T03:30:00.000Z",
    passed: { "totalprice price daily": "461.1", "totalprice price monthly": "461.1" },
  } as const;
  const late = (currentValue: string, changes = {}) => ({
    ...fired("2026-11-21T03:31:00.000Z"),
    ...{ accountSid: PLAIN, limit: "all", currentValue, ...changes },
  });

  test.each([
    ["what was spent before is old", "461.1", "join"],
    ["a little more is, too", "486.0999", "join"],
    ["a quarter of the limit on top is new", "486.1", "suspend"],
  ])("%s", (_, currentValue, kind) => {
    expect(decideOn(late(currentValue), back, LADDER).kind).toBe(kind);
  });

  test("whichever trigger it is: it may have been removed, and made anew", () => {
    expect(decideOn(late("461.1", { usageTriggerSid: `UT${"9".repeat(32)}` }), back, LADDER).kind).toBe("join");
  });

  test("of an account that was below the limit when it came back, all of it is new spend", () => {
    const passed = { "totalprice price daily": "99" };
    expect(decideOn(late("101"), { ...back, passed }, LADDER).kind).toBe("suspend");
  });

  test("another measure, another day, and an account that was never reactivated are as always", () => {
    const texts = late("20001", {
      usageCategory: "sms-outbound",
      triggerBy: "count",
      recurring: "monthly",
      limit: "all",
    });
    expect(decideOn({ ...texts, triggerValue: "20000" }, back, LADDER).kind).toBe("suspend");
    expect(decideOn(late("461.1", { firedAt: "2026-11-22T00:00:01.000Z" }), back, LADDER).kind).toBe("suspend");
    expect(decideOn(late("461.1"), { passed: back.passed }, LADDER).kind).toBe("suspend");
  });

  test("its period is the trigger's own", () => {
    const monthly = { recurring: "monthly", limit: null, triggerValue: "9" };
    const dayAfter = late("461.1", { ...monthly, firedAt: "2026-11-22T00:00:01.000Z" });
    expect(decideOn(dayAfter, back).kind).toBe("join");
    expect(decideOn({ ...dayAfter, firedAt: "2026-12-01T00:00:01.000Z" }, back).kind).toBe("suspend");
  });
});

describe("a firing of a suspended account", () => {
  const suspended = { state: "suspended", suspendedAt: SUSPENDED_AT } as const;

  test.each([
    ["before", "2026-11-21T02:59:59.000Z", "join"],
    ["within the second", "2026-11-21T03:00:00.000Z", "join"],
    ["after", "2026-11-21T03:00:01.000Z", "hold"],
  ])("%s the suspension: %s", (_, firedAt, kind) => {
    expect(decideOn(fired(firedAt), suspended).kind).toBe(kind);
  });

  test("is not held in observe mode, nor for the parent; but while a reactivation hangs, because nobody is at it", () => {
    const after = fired("2026-11-21T03:30:00.000Z");
    expect(decideOn(after, suspended, OBSERVE).kind).toBe("join");
    expect(decideOn(after, { ...suspended, state: "reactivating" }).kind).toBe("hold");
    expect(decideOn({ ...after, accountSid: PARENT }, suspended).kind).toBe("join");
  });

  test("is not held by a limit that only alerts, nor below its value: neither would have suspended it", () => {
    const after = { ...fired("2026-11-21T03:30:00.000Z"), accountSid: PLAIN };
    const held = (changes: object) => decideOn({ ...after, ...changes }, suspended, LADDER).kind;
    expect(held({ limit: "all", currentValue: "100" })).toBe("hold");
    expect(held({ limit: "all", currentValue: "99" })).toBe("join");
    expect(held({ limit: "half", triggerValue: "50" })).toBe("join");
  });

  test("is held by nothing but a firing: errors go on after a suspension", () => {
    const receivedAt = "2026-11-21T03:30:00.000Z";
    const policy: Policy = { ...LADDER, parent: "suspend-top" };
    for (const signal of [errorsCounted(PLAIN, { rule: "fraud", receivedAt }), topSpender(PLAIN, { receivedAt })]) {
      expect(decideOn(signal, suspended, policy).kind).toBe("join");
    }
  });
});

describe("whatever the signal, the circumstances and the policy", () => {
  const time = fc
    .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
    .map((date) => date.toISOString());
  const around = fc
    .date({ min: new Date("2026-11-20"), max: new Date("2026-11-23"), noInvalidDate: true })
    .map((date) => date.toISOString());
  const accountSid = fc.constantFrom(ACCOUNT, OTHER, PLAIN, PARENT);
  const category = fc.constantFrom("totalprice", "sms", "calls");
  const by = fc.constantFrom("usage" as const, "price" as const);
  const at = fc.constantFrom("20", "50", "80.5", "100");
  const value = fc.oneof(at, fc.constantFrom("100.000000", "+30", "0", "-1"), fc.string());
  const limitNames = ["first", "second", "third"];
  const ruleNames = ["errors-a", "errors-b"];
  const nameOf = (...names: string[]) =>
    fc.oneof({ arbitrary: fc.constantFrom(...names), weight: 3 }, fc.constantFrom("gone", "__proto__", "constructor"));

  const firings = fc
    .record({
      accountSid,
      firedAt: fc.option(fc.oneof(time, around)),
      receivedAt: around,
      usageCategory: category,
      triggerBy: fc.oneof(by, fc.string()),
      recurring: fc.constantFrom("daily", "monthly", "yearly", "", "alltime", "hourly"),
      triggerValue: value,
      currentValue: value,
      limit: fc.option(nameOf(...limitNames)),
    })
    .map(({ accountSid: sid, ...changes }) => firing(sid, changes));
  const errors = fc
    .record({ accountSid, receivedAt: around, rule: nameOf(...ruleNames), count: fc.nat(500) })
    .map(({ accountSid: sid, ...changes }) => errorsCounted(sid, changes));
  const topSpenders = fc
    .record({ accountSid, receivedAt: around, price: value, share: value })
    .map(({ accountSid: sid, ...changes }) => topSpender(sid, changes));
  const unread = fc
    .record({ accountSid, receivedAt: around, problem: fc.string() })
    .map(({ accountSid: sid, ...changes }) => notUnderstood(sid, changes));
  const signals = fc.oneof({ arbitrary: firings, weight: 3 }, { arbitrary: errors, weight: 2 }, topSpenders, unread);

  const circumstances = fc.record<Circumstances>({
    state: fc.oneof(fc.constantFrom(null, "suspended" as const), fc.constantFrom(null, ...INCIDENT_STATES)),
    because: fc.constantFrom(null, ...ALERTED_BECAUSE),
    suspendedAt: fc.option(around),
    lastReactivatedAt: fc.option(fc.oneof(time, around)),
    passed: fc.constantFrom({}, { "totalprice price daily": "99.5" }, { "guard of first: sms price": "1" }),
    interims: fc.constantFrom({}, { "guard of first: sms price": { since: NOW.toISOString(), base: "2" } }),
    firstMoment: fc.option(fc.oneof(time, around)),
    parentSid: fc.constant(PARENT),
  });

  const then = fc.constantFrom("alert", "suspend");
  const limit = fc.record({ category, by, every: fc.constantFrom("day", "month", "once"), at, then });
  const codes = [...ERROR_CODES.values()].filter(({ ignored }) => !ignored).map(({ code }) => code);
  const insiders = codes.filter((code) => !canStrangerCause(code));
  const rule = fc.record(
    {
      // Codes that only the account's own people can cause are few: half of the rules have nothing else.
      codes: fc.oneof(
        fc.uniqueArray(fc.constantFrom(...codes, 55_555), { minLength: 1, maxLength: 3 }),
        fc.uniqueArray(fc.constantFrom(...insiders), { minLength: 1 }),
      ),
      count: fc.constant(20),
      within: fc.constant("10m"),
      then,
      confirm: fc.record({ category, by, at }),
    },
    { requiredKeys: ["codes", "count", "within", "then"] },
  );
  /** As a person could write it, wrong or not. */
  const written = fc.record({
    mode: fc.constantFrom("enforce", "enforce", "observe"),
    limits: fc.dictionary(fc.constantFrom(...limitNames), limit),
    errors: fc.dictionary(fc.constantFrom(...ruleNames), rule, { minKeys: 1 }),
    unlisted: then,
    exempt: fc.uniqueArray(
      fc.record(
        {
          account: accountSid,
          why: fc.constant("why"),
          until: fc.constantFrom("2026-11-20", "2026-11-21", "2027-01-01"),
        },
        { requiredKeys: ["account", "why"] },
      ),
      { selector: ({ account }) => account, maxLength: 2 },
    ),
    parent: fc.constantFrom("alert", "suspend-top"),
  });
  const examined = written.map((policy) => examinePolicy(JSON.stringify(policy), "policy.yml"));
  // Reading one takes a hundred times as long as a decision.
  const readable = fc.sample(examined, 1000).flatMap((one) => (one.kind === "fine" ? [one.policy] : []));
  const policies = fc.constantFrom(...readable);
  const now = around.map((text) => new Date(text));

  interface Given {
    signal: Signal;
    verdict: Verdict;
    policy: Policy;
    state: IncidentState | null;
    because: Circumstances["because"];
    now: Date;
  }
  const touches = ({ kind }: Verdict) => kind === "suspend" || kind === "hold";

  /** Checks `holds` where `isConcerned`, and that a good many cases are: a property of nothing proves nothing. */
  function always(isConcerned: (given: Given) => boolean, holds: (given: Given) => boolean, of = signals): void {
    let concerned = 0;
    fc.assert(
      fc.property(of, circumstances, policies, now, (signal, around, policy, now) => {
        const given = { signal, verdict: decide(signal, around, policy, now), policy, now, ...around };
        if (!isConcerned(given)) return true;
        concerned++;
        return holds(given);
      }),
      { numRuns: 20_000 },
    );
    expect(concerned).toBeGreaterThan(20);
  }

  test("there is a verdict with a rule and a reason, and always the same one: decide never throws", () => {
    always(
      () => true,
      ({ verdict }) => verdict.reason !== "" && verdict.rule !== "",
    );
    fc.assert(
      fc.property(signals, circumstances, policies, now, (signal, around, policy, now) => {
        expect(decide(signal, around, policy, now)).toEqual(decide(signal, around, policy, now));
      }),
    );
  });

  test("the parent is never touched", () =>
    always(
      ({ signal }) => signal.accountSid === PARENT,
      ({ verdict }) => !touches(verdict),
    ));

  test("an exempt account is never touched up to the last day of its exemption", () =>
    always(
      ({ signal, policy, now }) =>
        policy.exempt.some(
          ({ account, until }) =>
            account === signal.accountSid && (until === null || now < new Date(`${until}T24:00:00.000Z`)),
        ),
      ({ verdict }) => !touches(verdict),
    ));

  test("and is no longer exempt on the day after", () => {
    always(
      ({ signal, policy, now, verdict }) =>
        touches(verdict) &&
        policy.exempt.some(
          ({ account, until }) =>
            account === signal.accountSid && until !== null && now >= new Date(`${until}T24:00:00.000Z`),
        ),
      () => true,
    );
  });

  test("nothing is touched in observe mode", () =>
    always(
      ({ policy }) => policy.mode === "observe",
      ({ verdict }) => !touches(verdict),
    ));

  test("nothing is touched for what was not understood", () =>
    always(
      ({ signal }) => signal.kind === "not-understood",
      ({ verdict }) => !touches(verdict),
    ));

  test("nothing is suspended on a stranger's word alone, by any policy that can be read", () =>
    always(
      ({ signal, verdict }) => signal.kind === "error-rule" && verdict.kind === "suspend" && verdict.confirm === null,
      ({ verdict, policy }) => policy.errors[verdict.rule]?.codes.every((code) => !canStrangerCause(code)) ?? false,
      errors,
    ));

  test("errors that a stranger can cause suspend only with the confirmation that the rule asks for", () =>
    always(
      ({ signal, verdict, policy }) =>
        signal.kind === "error-rule" &&
        verdict.kind === "suspend" &&
        (policy.errors[signal.rule]?.codes.some(canStrangerCause) ?? false),
      ({ verdict, policy }) =>
        verdict.kind === "suspend" &&
        verdict.confirm !== null &&
        verdict.confirm === policy.errors[verdict.rule]?.confirm,
      errors,
    ));

  test("what the policy only alerts about suspends nothing, unless its numbers are those of a limit that suspends", () =>
    always(
      ({ signal, policy }) => signal.kind === "usage-trigger" && policy.limits[signal.limit ?? ""]?.then === "alert",
      ({ verdict, policy }) => !touches(verdict) || policy.limits[verdict.rule]?.then === "suspend",
    ));

  test("what is contained is not suspended, and people are not told of it anew", () =>
    always(
      ({ state }) => state === "suspended" || state === "reactivating",
      ({ verdict }) => verdict.kind === "join" || verdict.kind === "hold",
    ));

  test("only what is suspended, or on its way back, is held", () =>
    always(
      ({ verdict }) => verdict.kind === "hold",
      ({ state }) => state === "suspended" || state === "reactivating",
    ));

  test("what waits at the brake is not suspended", () =>
    always(
      ({ state, because }) => (state === "alerted" || state === "suspended") && because === "brake",
      ({ verdict }) => !touches(verdict),
    ));

  test("old news touches nothing", () => {
    always(
      ({ verdict }) => verdict.kind === "join" && verdict.reason.startsWith("fired before the account was reactivated"),
      ({ state }) => state !== "suspended",
    );
  });

  test("a policy that would suspend on a stranger's word is refused when it is read", () => {
    let refused = 0;
    fc.assert(
      fc.property(written, (policy) => {
        const alone = Object.values(policy.errors).some(
          (one) => one.then === "suspend" && one.confirm === undefined && one.codes.some(canStrangerCause),
        );
        if (!alone) return;
        refused++;
        expect(examinePolicy(JSON.stringify(policy), "policy.yml").kind).toBe("wrong");
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(5);
  });
});
