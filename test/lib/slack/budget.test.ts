import { expect, it } from "vitest";
import { budgetFrom } from "../../../lib/slack/budget.ts";
import { clockAt } from "../../local/twilio/webhook.ts";

/** A budget whose first `spentMs` milliseconds have gone. */
function budgetAfter(spentMs: number) {
  const clock = clockAt("2026-11-21T03:00:00.000Z");
  const budget = budgetFrom(clock);
  clock.set(new Date(clock.now().getTime() + spentMs).toISOString());
  return budget;
}

it("spends what there is, and leaves the signal alone", async () => {
  const signals: AbortSignal[] = [];
  const spent = await budgetAfter(0).spend(async (signal) => signals.push(signal));
  expect(spent).toEqual({ kind: "in-time", value: 1 });
  expect(signals[0]?.aborted).toBe(false);
});

it.each([
  ["there is no time left", 2300, 0],
  ["what is left is needed afterwards", 2000, 300],
])("begins nothing where %s", async (_what, spentMs, reserve) => {
  let isBegun = false;
  const work = async () => {
    isBegun = true;
  };
  expect(await budgetAfter(spentMs).spend(work, reserve)).toEqual({ kind: "late" });
  expect(isBegun).toBe(false);
});

it("gives up what is late, before anybody is told that it is", async () => {
  const signals: AbortSignal[] = [];
  const work = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<never>(() => {});
  };
  expect(await budgetAfter(2250).spend(work)).toEqual({ kind: "late" });
  expect(signals[0]?.aborted).toBe(true);
});

it("rejects as the work does", async () => {
  await expect(budgetAfter(0).spend(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
});
