import { expect, test } from "vitest";
import { spendRulesFor } from "../../../../lib/sweep/spend-rules/for-account.ts";
import { policyOf } from "../../../support/policies.ts";

const LARGE = "AC0123456789abcdef0123456789abcdef";
const OTHER = "ACfedcba9876543210fedcba9876543210";

const policy = policyOf(`
limits:
  monthly: { category: totalprice, by: price, every: month, at: 900, then: alert }
  daily: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  texts: { category: sms, by: count, every: once, at: 9000, then: alert }
  hourly: { category: totalprice, by: price, every: hour, at: 30, then: suspend }
  many-texts: { category: sms, by: rate, of: count, at: 500, then: alert }
  spike: { category: totalprice, by: price, spike: { times: 8, over: 7d, at-least: 20 }, then: suspend }
accounts:
  ${LARGE}: { hourly: 900, daily: 5000 }
`);

test("each rule names the limit whose trigger shows the spend, the day's before others", () => {
  expect(spendRulesFor(OTHER, policy).map(({ name, limit }) => [name, limit])).toEqual([
    ["hourly", "daily"],
    ["many-texts", "texts"],
    ["spike", "daily"],
  ]);
});

test("an account's own value counts for it alone", () => {
  const ownValues = (accountSid: string) =>
    spendRulesFor(accountSid, policy).map(({ rule }) => (rule.kind === "rate" ? rule.at : null));
  expect(ownValues(LARGE)).toEqual(["900", "500", null]);
  expect(ownValues(OTHER)).toEqual(["30", "500", null]);
  expect(ownValues("constructor")).toEqual(["30", "500", null]);
});
