import { describe, expect, test } from "vitest";
import { type GuardCounts, guardKey } from "../../../lib/policy/probation.ts";
import { guardsBy } from "../../../lib/triggers/guards.ts";
import { countsAfterRaise } from "../../../lib/triggers/raised-guards.ts";
import type { UsageTrigger } from "../../../lib/twilio/usage-triggers.ts";
import { policyOf } from "../../support/policies.ts";
import { PUBLIC_URL } from "../../support/responder-rig.ts";
import { existing } from "./existing.ts";

const ACCOUNT = `AC${"1".repeat(32)}`;
const BACK = "2026-11-21T12:00:00.000Z";
const NOW = new Date("2026-11-21T18:00:00.000Z");
const POLICY = policyOf(`
limits:
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
`);
const KEY = guardKey("daily-spend", { usageCategory: "totalprice", triggerBy: "price" });
const CAME_BACK: GuardCounts = { passed: { [KEY]: "120" }, lastReactivatedAt: BACK, interims: {} };
const LEFT_RUNNING: GuardCounts = {
  ...{ passed: {}, lastReactivatedAt: null },
  interims: { [KEY]: { since: BACK, base: "120" } },
};
const ENDING = { accountSid: ACCOUNT, limit: "daily-spend", counts: CAME_BACK };

/** The account's guard, as Twilio lists it. */
function guard(currentValue: string, changes: Partial<UsageTrigger> = {}): UsageTrigger {
  const account = { policy: POLICY, accountSid: ACCOUNT, publicUrl: PUBLIC_URL, lastReactivatedAt: BACK };
  const [wanted] = guardsBy(NOW, { ...account, passed: CAME_BACK.passed, interims: {} });
  if (wanted === undefined) throw new Error("there is no guard");
  return { ...existing(wanted), currentValue, ...changes };
}
const baseAfter = (changes: Partial<UsageTrigger>, now = NOW) =>
  countsAfterRaise(ENDING, [guard("200", changes)], POLICY, now).passed[KEY];

describe("what a guard counts from, once its limit is no longer raised", () => {
  test("moves to what was spent by then, where a guard without the raise would have fired for it", () => {
    expect(baseAfter({})).toBe("200");
    expect(baseAfter({ currentValue: "145" })).toBe("145");
  });

  test("stays where it would not have", () => {
    expect(baseAfter({ currentValue: "144.99" })).toBe("120");
    // After the probation a guard allows the whole limit.
    expect(baseAfter({}, new Date("2026-11-22T18:00:00.000Z"))).toBe("120");
    expect(baseAfter({ currentValue: "220" }, new Date("2026-11-22T18:00:00.000Z"))).toBe("220");
  });

  test.each<[string, Partial<UsageTrigger>]>([
    ["counts something else", { usageCategory: "sms" }],
    ["counts by the day", { recurring: "daily" }],
    ["shows no number", { currentValue: "lots" }],
    ["is no guard", { friendlyName: "tollbreaker: daily-spend" }],
  ])("stays where what is called a guard %s", (_, changes) => {
    expect(baseAfter(changes)).toBe("120");
  });

  test("stays where the account never came back, or the policy has no such limit", () => {
    const never = { ...CAME_BACK, lastReactivatedAt: null };
    expect(countsAfterRaise({ ...ENDING, counts: never }, [guard("200")], POLICY, NOW)).toBe(never);
    expect(countsAfterRaise({ ...ENDING, limit: "gone" }, [guard("200")], POLICY, NOW)).toBe(CAME_BACK);
  });

  test("of an account that was left running with the limit spent: the whole limit is on top", () => {
    const ending = (currentValue: string) =>
      countsAfterRaise({ ...ENDING, counts: LEFT_RUNNING }, [guard(currentValue)], POLICY, NOW);
    expect(ending("219.99")).toBe(LEFT_RUNNING);
    expect(ending("220")).toEqual({ ...LEFT_RUNNING, interims: { [KEY]: { since: BACK, base: "220" } } });
  });
});
