import { describe, expect, test } from "vitest";
import type { UsageTriggerSignal } from "../../../lib/inbox/messages.ts";
import { ruleFor } from "../../../lib/policy/rule-for.ts";
import { policyOf } from "../../support/policies.ts";
import { errorsCounted, firing, notUnderstood, topSpender } from "../../support/signals.ts";

const ACCOUNT = `AC${"1".repeat(32)}`;
const LARGE = `AC${"2".repeat(32)}`;

const POLICY = policyOf(`
limits:
  half: { category: totalprice, by: price, every: day, at: 50, then: alert }
  most: { category: totalprice, by: price, every: day, at: 80, then: alert }
  all: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  monthly: { category: totalprice, by: price, every: month, at: 100, then: alert }
  yearly: { category: totalprice, by: price, every: year, at: 100, then: alert }
  ever: { category: totalprice, by: price, every: once, at: 100, then: alert }
  minutes: { category: calls-outbound, by: usage, every: day, at: 12.5, then: suspend }
errors:
  fraud: { codes: [30450], count: 5, within: 10m, then: suspend, confirm: { category: sms, by: count, at: 7 } }
unlisted: alert
accounts: { ${LARGE}: { all: 5000, minutes: 0.5 } }
`);

const fired = (changes: Partial<UsageTriggerSignal>) => ruleFor(firing(ACCOUNT, changes), POLICY);

describe("a firing whose callback names a limit", () => {
  test("is of that limit, unless its own numbers are those of one that suspends and is reached", () => {
    expect(fired({ limit: "most", triggerValue: "100.000000" })).toMatchObject({ name: "all", effect: "suspend" });
    expect(fired({ limit: "most", triggerValue: "100.000000", currentValue: "99" })).toMatchObject({ name: "most" });
    for (const triggerValue of ["80", "1", "101"]) {
      expect(fired({ limit: "most", triggerValue })).toEqual({
        name: "most",
        isNamed: true,
        effect: "alert",
        confirm: null,
        at: "80",
      });
    }
  });

  test("that is about something else does as the limit says, and its value is compared with nothing", () => {
    const others: Partial<UsageTriggerSignal>[] = [
      { usageCategory: "sms" },
      { triggerBy: "count" },
      { recurring: "monthly" },
    ];
    for (const other of others) {
      expect(fired({ limit: "all", ...other })).toEqual({
        name: "all",
        isNamed: true,
        effect: "suspend",
        confirm: null,
        at: null,
      });
    }
  });

  test("has the account's own value", () => {
    expect(ruleFor(firing(LARGE, { limit: "all" }), POLICY)).toMatchObject({ name: "all", at: "5000" });
    expect(ruleFor(firing(LARGE, { limit: "most" }), POLICY)).toMatchObject({ name: "most", at: "80" });
  });
});

describe("a firing whose callback names no limit", () => {
  test.each([
    ["50.000000", "half"],
    ["80", "most"],
    ["+80.0", "most"],
    ["100.000000", "all"],
    ["100", "all"],
  ])("with the trigger value %s is of the step %s of the ladder", (triggerValue, name) => {
    expect(fired({ triggerValue }).name).toBe(name);
  });

  test.each([
    ["daily", "all"],
    ["monthly", "monthly"],
    ["yearly", "yearly"],
    ["", "ever"],
    ["alltime", "ever"],
  ])("that recurs %j is of the limit %s", (recurring, name) => {
    expect(fired({ recurring, triggerValue: "100.00" }).name).toBe(name);
  });

  test("of an account with values of its own is matched by them first, and then by everybody's", () => {
    const large = (changes: Partial<UsageTriggerSignal>) => ruleFor(firing(LARGE, changes), POLICY);
    expect(large({ triggerValue: "5000.000000" })).toMatchObject({ name: "all", at: "5000" });
    expect(large({ triggerValue: "100" })).toMatchObject({ name: "all", at: "5000" });
    const minutes = { usageCategory: "calls-outbound", triggerBy: "usage", triggerValue: "0.50" };
    expect(large(minutes)).toMatchObject({ name: "minutes", effect: "suspend", at: "0.5" });
    expect(fired(minutes).name).toBe("calls-outbound by usage, daily, at 0.5");
  });

  test.each<[Partial<UsageTriggerSignal>, string]>([
    [{ triggerValue: "70.500" }, "totalprice by price, daily, at 70.5"],
    [{ usageCategory: "sms", triggerBy: "count", recurring: "" }, "sms by count, once, at 100"],
    [{ recurring: "hourly" }, "totalprice by price, hourly, at 100"],
    [{ triggerValue: "lots" }, "totalprice by price, daily, at lots"],
  ])("and that matches nothing is unlisted: %j", (changes, name) => {
    expect(fired(changes)).toEqual({ name, isNamed: false, effect: "alert", confirm: null, at: null });
    const strict = { ...POLICY, unlisted: "suspend" } as const;
    expect(ruleFor(firing(ACCOUNT, changes), strict)).toMatchObject({ name, effect: "suspend" });
  });
});

describe("a name from outside", () => {
  const NAMES = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf", "", "ALL", "all ", "gone"];

  test.each(NAMES)("%j of a limit is no limit, so the fields decide", (limit) => {
    expect(fired({ limit })).toEqual({
      name: "all",
      isNamed: true,
      effect: "suspend",
      confirm: null,
      at: "100",
    });
    expect(fired({ limit, triggerValue: "7" })).toMatchObject({ effect: "alert", at: null });
  });

  test.each(NAMES)("%j of an error rule is no rule, so people are told", (rule) => {
    expect(ruleFor(errorsCounted(ACCOUNT, { rule }), POLICY)).toEqual({
      name: rule,
      isNamed: true,
      effect: "alert",
      confirm: null,
      at: null,
    });
  });
});

test("an error rule brings what has to be confirmed", () => {
  expect(ruleFor(errorsCounted(ACCOUNT, { rule: "fraud" }), POLICY)).toEqual({
    name: "fraud",
    isNamed: true,
    effect: "suspend",
    confirm: { category: "sms", by: "count", every: "day", at: "7" },
    at: null,
  });
});

test("the top spender is suspended only where the policy says so", () => {
  expect(ruleFor(topSpender(ACCOUNT), POLICY).effect).toBe("alert");
  expect(ruleFor(topSpender(ACCOUNT), { ...POLICY, parent: "suspend-top" }).effect).toBe("suspend");
});

test("what was not understood never suspends", () => {
  expect(ruleFor(notUnderstood(ACCOUNT), { ...POLICY, unlisted: "suspend" }).effect).toBe("alert");
});

test("only a trigger that no limit names may be made up", () => {
  const own = [fired({ limit: "half" }), fired({ triggerValue: "80.000000" }), ruleFor(topSpender(ACCOUNT), POLICY)];
  expect(own.map(({ isNamed }) => isNamed)).toEqual([true, true, true]);
  expect(ruleFor(errorsCounted(ACCOUNT, { rule: "fraud" }), POLICY).isNamed).toBe(true);
  for (const limit of [null, "no-such-limit", "constructor"]) {
    expect(fired({ limit, usageCategory: "sms" }).isNamed).toBe(false);
  }
});
