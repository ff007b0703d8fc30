import { describe, expect, test } from "vitest";
import { measureOfLimit, valuesOf } from "../../../lib/policy/measure.ts";
import { spendSamples, takeSample } from "../../../lib/sweep/spend-sample.ts";
import { policyOf } from "../../support/policies.ts";
import { inOrder, NOW, POLICY, remembered, rfc2822, timeBefore } from "./examples.ts";

const MINUTE = 60_000;
const DAILY = "totalprice price daily";

describe("values", () => {
  test("are those of the policy's measures, by measure", () => {
    const triggers = inOrder({ "daily-spend": { currentValue: "12.5" }, texts: { currentValue: "7" } });
    expect(valuesOf(triggers, POLICY)).toEqual({
      [DAILY]: "12.5",
      "totalprice price monthly": "0",
      "sms count once": "7",
    });
  });

  test("come from any trigger of the measure, whosever it is; of one that fires once, before it has", () => {
    const [trigger] = inOrder({ texts: { currentValue: "9" } }).slice(-1);
    if (trigger === undefined) throw new Error("there is no trigger");
    const fired = { ...trigger, friendlyName: "mine", currentValue: "5000", dateFired: rfc2822(NOW) };
    expect(valuesOf([trigger, fired], POLICY)).toEqual({ "sms count once": "9" });
    expect(valuesOf([fired, trigger], POLICY)).toEqual({ "sms count once": "9" });
    expect(valuesOf([fired], POLICY)).toEqual({ "sms count once": "5000" });
    expect(valuesOf([{ ...fired, currentValue: "?" }], POLICY)).toEqual({});
  });
});

describe("a sample", () => {
  const take = (value: string, memory: Parameters<typeof remembered>[0] | undefined, isWatched = false) =>
    takeSample({ [DAILY]: value }, memory === undefined ? undefined : remembered(memory).memory, {
      isWatched,
      now: NOW,
    });
  const last = { values: { [DAILY]: "12.5" }, sampledAt: timeBefore(5 * MINUTE).toISOString() };

  test("is taken when something changed, and only then", () => {
    expect(take("13", last).sample).toEqual({ at: NOW.toISOString(), values: { [DAILY]: "13" } });
    expect(take("12.5", last).sample).toBeUndefined();
    expect(take("12.5", undefined).sample).toBeDefined();
  });

  test("of an account that rests nearly every hour, where the policy has spend rules", () => {
    const rested = { ...last, sampledAt: timeBefore(56 * MINUTE).toISOString() };
    expect(take("12.5", rested, true).sample).toBeDefined();
    expect(take("12.5", rested, false).sample).toBeUndefined();
    expect(take("12.5", last, true).sample).toBeUndefined();
  });

  test("tells when something was spent: not by the first sight, nor by a new period's zero", () => {
    const spentAt = timeBefore(50 * MINUTE).toISOString();
    expect(take("13", last).spentAt).toBe(NOW.toISOString());
    expect(take("3", last).spentAt).toBe(NOW.toISOString());
    expect(take("0", { ...last, spentAt }).spentAt).toBe(spentAt);
    expect(take("12.5", { ...last, spentAt }).spentAt).toBe(spentAt);
    expect(take("13", undefined).spentAt).toBeNull();
  });
});

test("the spend rules read one measure, with the beginning of its period", () => {
  const { limits } = policyOf(`
limits:
  day: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  ever: { category: sms, by: count, every: once, at: 5, then: suspend }
`);
  const [day, ever] = [limits["day"], limits["ever"]];
  if (day === undefined || ever === undefined) throw new Error("a limit is missing");
  const at = "2026-10-04T11:00:00.000Z";
  const samples = [
    { at, values: { [measureOfLimit(day)]: "3", [measureOfLimit(ever)]: "9" } },
    { at: "2026-10-05T00:10:00.000Z", values: { [measureOfLimit(day)]: "1" } },
  ];
  expect(spendSamples(samples, day)).toEqual([
    { at, value: "3", since: "2026-10-04T00:00:00.000Z" },
    { at: "2026-10-05T00:10:00.000Z", value: "1", since: "2026-10-05T00:00:00.000Z" },
  ]);
  expect(spendSamples(samples, ever)).toEqual([{ at, value: "9", since: null }]);
});
