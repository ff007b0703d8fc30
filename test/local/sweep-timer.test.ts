import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startSweepTimer } from "../../local/sweep-timer.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the first sweep begins at once, and others follow", async () => {
  const left: number[] = [];
  const handler = async (_: unknown, context: { getRemainingTimeInMillis(): number }) => {
    left.push(context.getRemainingTimeInMillis());
  };
  const timer = startSweepTimer({ handler, seconds: 300, timeoutMs: 60_000 });
  expect(left).toEqual([60_000]);
  await vi.advanceTimersByTimeAsync(650_000);
  expect(left).toHaveLength(3);
  await timer.stop();
  await vi.advanceTimersByTimeAsync(650_000);
  expect(left).toHaveLength(3);
});

test("one that fails does not end it, and the end waits for the one that is being begun", async () => {
  let begun = 0;
  let ended = 0;
  const handler = async () => {
    if (++begun === 1) throw new Error("no Twilio");
    await new Promise((resolve) => setTimeout(resolve, 5000));
    ended += 1;
  };
  const timer = startSweepTimer({ handler, seconds: 10, timeoutMs: 60_000 });
  await vi.advanceTimersByTimeAsync(11_000);
  expect([begun, ended]).toEqual([2, 0]);
  const stopped = timer.stop();
  await vi.advanceTimersByTimeAsync(5000);
  await stopped;
  expect(ended).toBe(1);
});
