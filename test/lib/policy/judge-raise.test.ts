import { describe, expect, test } from "vitest";
import { type AskedRaise, raiseMistakes } from "../../../lib/policy/judge-raise.ts";
import { policyOf } from "../../support/policies.ts";

const ACCOUNT = `AC${"1".repeat(32)}`;
const OWN_VALUE = `AC${"2".repeat(32)}`;
const AT = new Date("2026-11-21T12:00:00.000Z");
const LIMITS = `
limits:
  warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  hourly-spend: { category: totalprice, by: price, every: hour, at: 30, then: suspend }
  sms: { category: sms, by: count, every: day, at: 100, then: suspend }
  for-ever: { category: sms, by: count, every: once, at: 1000, then: suspend }
  unusual: { category: totalprice, by: price, spike: { times: 8, over: 7d, at-least: 20 }, then: suspend }
accounts:
  ${OWN_VALUE}: { daily-spend: 300 }
`;
const POLICY = policyOf(LIMITS);
const asked = (changes: Partial<AskedRaise> = {}): AskedRaise => ({
  ...{ accountSid: ACCOUNT, limit: "daily-spend", to: "500", until: "2026-11-21T18:00:00Z" },
  ...changes,
});
const codes = (changes: Partial<AskedRaise>, policy = POLICY) =>
  raiseMistakes(asked(changes), policy, AT).map(({ code }) => code);

describe("a limit can be raised", () => {
  test.each<[string, Partial<AskedRaise>]>([
    ["as usual", {}],
    ["to exactly the ceiling", { to: "1000" }],
    ["by a little", { to: "100.000001" }],
    ["from the account's own value", { accountSid: OWN_VALUE, to: "3000" }],
    ["that is a rate", { limit: "hourly-spend", to: "300" }],
    ["that only warns", { limit: "warning", to: "90" }],
    ["of things", { limit: "sms", to: "1000" }],
    ["until exactly the longest", { until: "2026-12-22T12:00:00Z" }],
    ["until a time of another zone", { until: "2026-11-21T19:00:00+01:00" }],
  ])("%s", (_, changes) => {
    expect(codes(changes)).toEqual([]);
  });
});

describe("a limit cannot be raised", () => {
  test.each<[string, Partial<AskedRaise>, string]>([
    ["that there is not", { limit: "dayly-spend" }, "limit-not-raisable"],
    ["that every object has", { limit: "constructor" }, "limit-not-raisable"],
    ["that never begins anew", { limit: "for-ever", to: "2000" }, "limit-not-raisable"],
    ["that is a spike", { limit: "unusual" }, "limit-not-raisable"],
    ["to what it is", { to: "100" }, "raise-too-low"],
    ["to less", { to: "50" }, "raise-too-low"],
    ["to less than the account has of its own", { accountSid: OWN_VALUE, to: "300" }, "raise-too-low"],
    ["beyond the ceiling", { to: "1000.01" }, "raise-too-high"],
    ["to no number", { to: "1e3" }, "raise-value-invalid"],
    ["to nothing", { to: "" }, "raise-value-invalid"],
    ["to a part of a thing", { limit: "sms", to: "150.5" }, "raise-value-invalid"],
    ["to the value of another limit of its measure", { limit: "warning", to: "100" }, "raise-value-invalid"],
    ["for ever", { until: "" }, "raise-until-invalid"],
    ["until a time without a zone", { until: "2026-11-21T18:00:00" }, "raise-until-invalid"],
    ["until now", { until: AT.toISOString() }, "raise-until-invalid"],
    ["for too long", { until: "2026-12-22T12:00:00.001Z" }, "raise-until-invalid"],
    ["until no day", { until: "2026-02-31T99:00:00Z" }, "raise-until-invalid"],
  ])("%s", (_, changes, code) => {
    expect(codes(changes)).toEqual([code]);
  });

  test("where the policy allows no raise, or a shorter one", () => {
    expect(codes({ to: "101" }, policyOf(`${LIMITS}raise: { times: 1 }\n`))).toEqual(["raise-too-high"]);
    expect(codes({}, policyOf(`${LIMITS}raise: { for: 1h }\n`))).toEqual(["raise-until-invalid"]);
  });

  test("and all that is wrong is named at once, with what was expected", () => {
    expect(raiseMistakes(asked({ to: "5000", until: "soon" }), POLICY, AT)).toMatchObject([
      { code: "raise-too-high", expected: "more than 100, and 1000 at most", got: '"5000"' },
      { code: "raise-until-invalid", fix: "write it in UTC, such as 2026-11-21T16:00:00Z" },
    ]);
    expect(raiseMistakes(asked({ limit: "dayly-spend" }), POLICY, AT)).toMatchObject([
      { fix: "did you mean daily-spend?" },
    ]);
  });
});
