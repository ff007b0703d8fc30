import { describe, expect, test } from "vitest";
import type { Limit } from "../../../lib/policy/policy.ts";
import { allowanceOf, guardEnd, guardedLimit, guardKey, probationEnd } from "../../../lib/policy/probation.ts";
import { policyOf } from "../../support/policies.ts";
import { firing } from "../../support/signals.ts";

const ACCOUNT = `AC${"1".repeat(32)}`;
const OWN_VALUE = `AC${"2".repeat(32)}`;
const POLICY = policyOf(`
limits:
  warning: { category: totalprice, by: price, every: day, at: 900, then: alert }
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  texts: { category: sms, by: count, every: month, at: 10, then: suspend }
  odd: { category: calls, by: usage, every: day, at: 0.000002, then: suspend }
unlisted: alert
probation: { for: 24h, share: 0.25 }
accounts:
  ${OWN_VALUE}: { spend: 300 }
`);
const limitOf = (name: string): Limit => {
  const limit = POLICY.limits[name];
  if (limit === undefined) throw new Error(`no limit ${name}`);
  return limit;
};

describe("a guard stands until its limit's own trigger watches again, and at least through the probation", () => {
  test.each<[Limit["every"], string, string]>([
    ["day", "2026-10-04T12:00:00.000Z", "2026-10-05T12:00:00.000Z"],
    ["day", "2026-12-31T23:59:59.000Z", "2027-01-01T23:59:59.000Z"],
    ["month", "2026-10-04T12:00:00.000Z", "2026-11-01T00:00:00.000Z"],
    ["month", "2026-10-31T12:00:00.000Z", "2026-11-01T12:00:00.000Z"],
    ["month", "2026-12-04T12:00:00.000Z", "2027-01-01T00:00:00.000Z"],
    ["year", "2026-10-04T12:00:00.000Z", "2027-01-01T00:00:00.000Z"],
    ["year", "2026-12-31T12:00:00.000Z", "2027-01-01T12:00:00.000Z"],
  ])("of each %s, back at %s: until %s", (every, back, end) => {
    expect(new Date(guardEnd({ every }, back, POLICY)).toISOString()).toBe(end);
  });

  test("where the probation is shorter than a day, until the day ends in GMT", () => {
    const brief = { ...POLICY, probation: { ...POLICY.probation, for: 60_000 } };
    const back = "2026-10-04T12:00:00.000Z";
    expect(probationEnd(back, brief)).toBe(Date.parse("2026-10-04T12:01:00.000Z"));
    expect(guardEnd({ every: "day" }, back, brief)).toBe(Date.parse("2026-10-05T00:00:00.000Z"));
  });

  test("of what fires once, for good", () => {
    expect(guardEnd({ every: "once" }, "2026-10-04T12:00:00.000Z", POLICY)).toBe(Number.POSITIVE_INFINITY);
  });
});

test.each([
  ["spend", ACCOUNT, "0.25", "25"],
  ["spend", OWN_VALUE, "0.25", "75"],
  ["spend", ACCOUNT, "1", "100"],
  // Whole texts; money and minutes to Twilio's six decimals; never less than the share.
  ["texts", ACCOUNT, "0.25", "3"],
  ["odd", ACCOUNT, "0.25", "0.000001"],
])("%s allows %s at %s: %s", (name, account, share, allowed) => {
  expect(allowanceOf(name, limitOf(name), account, POLICY, share)).toBe(allowed);
});

describe("a guard is known by its numbers, which are Twilio's, whatever its address says", () => {
  const measure = { usageCategory: "totalprice", triggerBy: "price" };
  const bases = { [guardKey("spend", measure)]: "150", [guardKey("warning", measure)]: "1000" };
  const guarded = (changes: Parameters<typeof firing>[1], of: Record<string, string> = bases) =>
    guardedLimit(firing(ACCOUNT, { recurring: "", triggerValue: "175.000000", ...changes }), of, POLICY);

  test.each<[string, Parameters<typeof firing>[1], string | undefined]>([
    ["a share on top of what was used", {}, "spend"],
    ["the same, in Twilio's other word for once", { recurring: "alltime" }, "spend"],
    ["the whole limit on top", { triggerValue: "250" }, "spend"],
    ["the account's own value", { accountSid: OWN_VALUE, triggerValue: "225" }, "spend"],
    ["another address", { limit: "warning" }, "spend"],
    ["another value", { triggerValue: "176" }, undefined],
    ["no number", { triggerValue: "lots" }, undefined],
    ["a trigger of each day", { recurring: "daily" }, undefined],
    ["another category", { usageCategory: "sms" }, undefined],
    ["another measure", { triggerBy: "count" }, undefined],
    ["a limit that only alerts is not guarded", { triggerValue: "1900" }, undefined],
  ])("%s", (_, changes, limit) => expect(guarded(changes)).toBe(limit));

  test("without a reactivation there is none", () => expect(guarded({}, {})).toBeUndefined());

  test("what is kept for one measure is not another's, though the limit has changed its category since", () => {
    expect(guardKey("spend", measure)).toBe("guard of spend: totalprice price");
    const sms = { usageCategory: "sms", triggerBy: "price" };
    expect(guarded(sms, { [guardKey("spend", sms)]: "150" })).toBeUndefined();
    const counted = { usageCategory: "totalprice", triggerBy: "count" };
    expect(guarded(counted, { [guardKey("spend", counted)]: "150" })).toBeUndefined();
  });
});
