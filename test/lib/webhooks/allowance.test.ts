import { expect, test } from "vitest";
import { allowance } from "../../../lib/webhooks/allowance.ts";
import { clockAt } from "../../local/twilio/webhook.ts";

test("so many in any sixty seconds, also where two minutes meet", () => {
  const clock = clockAt("2026-10-04T12:00:00.000Z");
  const { take } = allowance(clock, { most: 2, withinMs: 60_000 });
  const taken = ["12:00:00.000", "12:00:59.000", "12:00:59.999", "12:01:00.000", "12:01:58.999", "12:01:59.000"].map(
    (time) => {
      clock.set(`2026-10-04T${time}Z`);
      return take();
    },
  );
  expect(taken).toEqual([true, true, false, true, false, true]);
});

test("what was refused does not count", () => {
  const clock = clockAt("2026-10-04T12:00:00Z");
  const { take } = allowance(clock, { most: 1, withinMs: 60_000 });
  expect([take(), take(), take()]).toEqual([true, false, false]);
  clock.set("2026-10-04T12:01:00Z");
  expect(take()).toBe(true);
});

test("what was given back does not count", () => {
  const { take, giveBack } = allowance(clockAt("2026-10-04T12:00:00Z"), { most: 2, withinMs: 60_000 });
  expect([take(), take(), take()]).toEqual([true, true, false]);
  giveBack();
  expect([take(), take()]).toEqual([true, false]);
});
