import { describe, expect, test } from "vitest";
import { callbackUrl } from "../../../lib/triggers/callback.ts";
import { guardsFor, isGuard } from "../../../lib/triggers/guards.ts";
import { callsUs, isMarked, isThere, isWanted, wantedTriggers } from "../../../lib/triggers/wanted.ts";
import { policyOf } from "../../support/policies.ts";
import { existing } from "./existing.ts";

const ACCOUNT = `AC${"1".repeat(32)}`;
const OTHER = `AC${"2".repeat(32)}`;
const PUBLIC_URL = "https://tollbreaker.example.com";

const POLICY = policyOf(`
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80.5, then: alert }
  monthly-sms: { category: sms-outbound, by: count, every: month, at: 1001, then: suspend }
  yearly-minutes: { category: calls, by: usage, every: year, at: 5000, then: suspend }
  ever: { category: totalprice, by: price, every: once, at: 10, then: suspend }
  unusual: { category: totalprice, by: price, spike: { times: 8, over: 7d, at-least: 20 }, then: alert }
accounts:
  ${OTHER}: { daily-warning: 500 }
probation: { share: 0.25, for: 24h }
`);

test("the callback's address: ours, the limit in its query, Twilio's overrides behind it", () => {
  expect(callbackUrl("https://tollbreaker.example.com/prod//", { limit: "daily-spend" })).toBe(
    "https://tollbreaker.example.com/prod/webhooks/usage-trigger?limit=daily-spend#rc=5&rp=4xx,5xx,ct,rt",
  );
});

test("one trigger for each limit that Twilio watches, none for what the sweep watches", () => {
  const wanted = wantedTriggers(POLICY, ACCOUNT, PUBLIC_URL);
  expect(
    wanted.map(({ limit, usageCategory, triggerBy, triggerValue, recurring }) => [
      ...[limit, usageCategory, triggerBy, triggerValue, recurring],
    ]),
  ).toEqual([
    ["daily-warning", "totalprice", "price", "80.5", "daily"],
    ["monthly-sms", "sms-outbound", "count", "1001", "monthly"],
    ["yearly-minutes", "calls", "usage", "5000", "yearly"],
    ["ever", "totalprice", "price", "10", ""],
  ]);
  for (const { limit, friendlyName, callbackUrl } of wanted) {
    expect(friendlyName).toBe(`tollbreaker: ${limit}`);
    expect(new URL(callbackUrl).searchParams.get("limit")).toBe(limit);
  }
});

test("an account's own value is its trigger's", () => {
  expect(wantedTriggers(POLICY, OTHER, PUBLIC_URL)[0]).toMatchObject({ triggerValue: "500" });
});

test("the longest name fits into Twilio's 64 letters, a guard's too", () => {
  const name = "a".repeat(40);
  const policy = policyOf(`limits: { ${name}: { category: sms, by: count, every: day, at: 1, then: suspend } }`);
  const all = [...wantedTriggers(policy, ACCOUNT, PUBLIC_URL), ...guardsFor(policy, ACCOUNT, PUBLIC_URL, "c")];
  for (const { friendlyName } of all) expect(friendlyName.length).toBeLessThanOrEqual(64);
});

describe("guards", () => {
  const guards = guardsFor(POLICY, ACCOUNT, PUBLIC_URL, "the command");

  test("one for each limit that suspends, a share of it above the present value, firing once", () => {
    expect(guards.map(({ limit, triggerValue, recurring }) => [limit, triggerValue, recurring])).toEqual([
      // A quarter of 1001 messages is no whole number: rounded up.
      ["monthly-sms", "+251", ""],
      ["yearly-minutes", "+1250", ""],
      ["ever", "+2.5", ""],
    ]);
  });

  test("are marked as ours, and as guards; no trigger of a limit is one", () => {
    for (const guard of guards) expect([isMarked(guard), isGuard(guard)]).toEqual([true, true]);
    for (const wanted of wantedTriggers(POLICY, ACCOUNT, PUBLIC_URL)) expect(isGuard(wanted)).toBe(false);
    expect(isGuard({ friendlyName: "somebody's probation" })).toBe(false);
  });

  test("say in their address that they are, and of which reactivation: the same for each delivery of its command", () => {
    const again = guardsFor(POLICY, ACCOUNT, PUBLIC_URL, "the command");
    expect(again).toEqual(guards);
    const later = guardsFor(POLICY, ACCOUNT, PUBLIC_URL, "another command");
    const tagOf = (url = "") => new URL(url).searchParams.get("probation");
    expect(tagOf(guards[0]?.callbackUrl)).toMatch(/^[0-9a-f]{12}$/);
    expect(tagOf(later[0]?.callbackUrl)).not.toBe(tagOf(guards[0]?.callbackUrl));
  });

  test("one that has fired is of no use any more", () => {
    const [wanted] = guards;
    if (wanted === undefined) throw new Error("there are guards");
    const made = existing(wanted, { triggerValue: "300" });
    expect(isThere(made, wanted)).toBe(true);
    expect(isThere({ ...made, dateFired: "Sat, 13 Oct 2012 21:32:30 +0000" }, wanted)).toBe(false);
  });
});

describe("whether a trigger is the one that is wanted", () => {
  const [wanted] = wantedTriggers(POLICY, ACCOUNT, PUBLIC_URL);
  if (wanted === undefined) throw new Error("the policy has limits");

  test.each(["80.5", "80.50", "80.500000", "+80.5", "8.05e1"])("the value %s is 80.5", (triggerValue) => {
    expect(isWanted(existing(wanted, { triggerValue }), wanted)).toBe(true);
  });

  test.each(["80.500001", "8.05", "805", "", "80,5", "8.05e2"])("the value %j is not", (triggerValue) => {
    expect(isWanted(existing(wanted, { triggerValue }), wanted)).toBe(false);
  });

  test.each([
    [wanted.callbackUrl, true],
    [wanted.callbackUrl.replace("#", "&x=1#"), false],
    [wanted.callbackUrl.replace(/#.*/, ""), true],
    [wanted.callbackUrl.replace(/#.*/, "#rc=0"), false],
    [wanted.callbackUrl.replace(/\?.*/, ""), false],
    [wanted.callbackUrl.replace("daily-warning", "ever"), false],
    [wanted.callbackUrl.replace("https", "http"), false],
    ["tollbreaker.example.com", false],
    ["", false],
  ])("that calls %s: %s", (callbackUrl, expected) => {
    expect(callsUs(existing(wanted, { callbackUrl }), wanted)).toBe(expected);
  });
});
