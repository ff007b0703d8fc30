import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { POLICY, type SweepRig, startSweepRig } from "../lib/sweep/sweep-rig.ts";

// Around midnight GMT, when what is counted by the day begins again.

let rig: SweepRig;
let account: string;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-20T23:55:00Z"), shouldAdvanceTime: true });
  rig = await startSweepRig();
  account = rig.simulator.subaccounts()[0]?.accountSid ?? "";
  await rig.sweep();
});
afterEach(async () => {
  await rig.close();
  vi.useRealTimers();
});

async function sweepAt(time: string) {
  vi.setSystemTime(new Date(time));
  return (await rig.sweep()).counts;
}

test("a firing in the day's last minutes whose webhook was lost is found on the next day, and decided by what it had reached", async () => {
  vi.setSystemTime(new Date("2026-11-20T23:58:40Z"));
  rig.simulator.addUsage(account, { category: "sms", price: 150 });
  // Nobody answers at the callback's address here.
  await rig.simulator.evaluateTriggers();
  expect((await sweepAt("2026-11-21T00:00:00Z")).lost).toBe(0);
  expect((await sweepAt("2026-11-21T00:05:00Z")).lost).toBe(2);
  // The account has used nothing on this day yet.
  const messages = await rig.inboxOf(account);
  expect(messages).toMatchObject([
    { found: "sweep-fired", limit: "daily-spend", currentValue: "100.000000" },
    { found: "sweep-fired", limit: "daily-warning", currentValue: "80.000000" },
  ]);
  for (const message of messages) expect(await rig.deliver(message, { policy: POLICY })).toEqual({ kind: "done" });
  expect(rig.simulator.account(account).status).toBe("suspended");
  expect((await sweepAt("2026-11-21T00:10:00Z")).lost).toBe(0);
});

test("a value that passes its limit after midnight and does not fire is found as at any other time", async () => {
  rig.simulator.addUsage(account, { category: "sms", price: 60 });
  await sweepAt("2026-11-20T23:56:00Z");
  vi.setSystemTime(new Date("2026-11-21T00:01:00Z"));
  rig.simulator.addUsage(account, { category: "sms", price: 120 });
  expect((await sweepAt("2026-11-21T00:02:00Z")).over).toBe(0);
  expect((await sweepAt("2026-11-21T00:07:00Z")).over).toBe(2);
});
