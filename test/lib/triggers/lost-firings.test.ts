import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { UsageTriggerSignal } from "../../../lib/inbox/messages.ts";
import { firingOf } from "../../../lib/incidents/firing.ts";
import { guardsFor } from "../../../lib/triggers/guards.ts";
import { firedTriggers, lostFirings } from "../../../lib/triggers/lost-firings.ts";
import fc from "../../support/fast-check.ts";
import { ACCOUNT, inOrder, listed, NOW, POLICY, PUBLIC_URL, rfc2822, sid, timeBefore } from "../sweep/examples.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const situation = { accountSid: ACCOUNT, publicUrl: PUBLIC_URL, lastReactivatedAt: null, now: NOW };
const NONE = new Map<string, string>();
/** Dealt with as the first trigger of `inOrder` is listed, under this SID. */
const handledAt = (number: number, at: string) =>
  new Map(
    inOrder({})
      .slice(0, 1)
      .map((trigger) => [firingOf(sid(number), trigger), at]),
  );
const ago = (milliseconds: number) => ({ dateFired: rfc2822(timeBefore(milliseconds)) });
const due = (
  changes: Parameters<typeof inOrder>[0],
  more: Partial<typeof situation> | { lastReactivatedAt: string } = {},
) => firedTriggers(inOrder(changes), { ...situation, ...more }).map(({ friendlyName }) => friendlyName);

describe("a firing that should have been dealt with by now", () => {
  test.each([
    ["an hour ago", "daily-spend", 60 * MINUTE, true],
    ["91 seconds ago", "daily-spend", 91_000, true],
    ["a minute ago: its webhook may be on its way", "daily-spend", MINUTE, false],
    ["yesterday: another period", "daily-spend", 13 * 60 * MINUTE, false],
    ["three days ago, by the month", "monthly-spend", 3 * DAY, true],
    ["last month", "monthly-spend", 5 * DAY, false],
    ["23 hours ago, once", "texts", 23 * 60 * MINUTE, true],
    ["25 hours ago, once", "texts", 25 * 60 * MINUTE, false],
  ])("%s (%s)", (_, limit, milliseconds, isDue) => {
    expect(due({ [limit]: ago(milliseconds) })).toEqual(isDue ? [`tollbreaker: ${limit}`] : []);
  });

  test("of a year's period only the last month: older ones were dealt with, and forgotten", () => {
    expect(due({ "daily-spend": { recurring: "yearly", ...ago(30 * DAY) } })).toHaveLength(1);
    expect(due({ "daily-spend": { recurring: "yearly", ...ago(32 * DAY) } })).toEqual([]);
  });

  test.each([
    ["2026-10-03T23:59:30Z", 0],
    ["2026-10-04T00:00:10Z", 1],
    ["2026-10-04T00:05:10Z", 1],
    ["2026-10-04T00:58:00Z", 1],
    ["2026-10-04T00:59:00Z", 0],
  ])("just before its period ended, seen at %s", (now, found) => {
    const fired = { dateFired: rfc2822(new Date("2026-10-03T23:58:40Z")) };
    expect(due({ "daily-spend": fired }, { now: new Date(now) })).toHaveLength(found);
    const onTheLastDay = { dateFired: rfc2822(new Date("2026-09-30T23:58:40Z")) };
    const inTheFirstHour = new Date(now.replace("10-03", "09-30").replace("10-04", "10-01"));
    expect(due({ "monthly-spend": onTheLastDay }, { now: inTheFirstHour })).toHaveLength(found);
  });

  test("not before the account's last reactivation", () => {
    const fired = { "daily-spend": ago(60 * MINUTE) };
    expect(due(fired, { lastReactivatedAt: timeBefore(30 * MINUTE).toISOString() })).toEqual([]);
    expect(due(fired, { lastReactivatedAt: timeBefore(90 * MINUTE).toISOString() })).toHaveLength(1);
    // It may have fired within the second of it, and after it.
    expect(due(fired, { lastReactivatedAt: timeBefore(60 * MINUTE - 900).toISOString() })).toHaveLength(1);
    expect(due(fired, { lastReactivatedAt: timeBefore(60 * MINUTE - 1000).toISOString() })).toEqual([]);
  });

  test("of ours alone: it calls us, or bears our mark and was made to call another address", () => {
    const [trigger] = inOrder({ "daily-spend": ago(60 * MINUTE) });
    const isDue = (changes: object) =>
      trigger !== undefined && firedTriggers([{ ...trigger, ...changes }], situation).length === 1;
    const elsewhere = "https://elsewhere.example.com/webhooks/usage-trigger";
    expect(isDue({ friendlyName: "mine" })).toBe(true);
    expect(isDue({ callbackUrl: elsewhere })).toBe(true);
    expect(isDue({ friendlyName: "mine", callbackUrl: elsewhere })).toBe(false);
    expect(isDue({ friendlyName: "mine", callbackUrl: `${PUBLIC_URL}/webhooks/usage-trigger` })).toBe(true);
    expect(isDue({ friendlyName: "mine", callbackUrl: `${PUBLIC_URL}/webhooks/usage-triggers` })).toBe(false);
    expect(isDue({ friendlyName: "mine", callbackUrl: "not a URL" })).toBe(false);
  });
});

describe("its signal", () => {
  const fired = inOrder({ "daily-spend": { ...ago(60 * MINUTE), currentValue: "130.25" } }).slice(0, 1);
  const lost = (handled: ReadonlyMap<string, string>) => lostFirings(fired, handled, situation);

  test("is what the webhook would have told", () => {
    const [signal] = lost(NONE);
    expect(signal).toMatchObject({
      id: `sweep:${sid(1)}:2026-10-04T11:00:00Z`,
      accountSid: ACCOUNT,
      firedAt: "2026-10-04T11:00:00.000Z",
      limit: "daily-spend",
      probation: false,
      found: "sweep-fired",
      currentValue: "130.25",
    });
    expect(z.safeParse(UsageTriggerSignal, signal).success).toBe(true);
    expect(signal?.fingerprint).toBe(signal?.id);
    expect(signal?.fingerprint.length).toBeLessThanOrEqual(64);
  });

  test("says at least the value that fired it: the one that is listed may be the next day's by now", () => {
    const justBefore = { dateFired: rfc2822(new Date("2026-10-03T23:58:40Z")), currentValue: "0.5" };
    const [trigger] = inOrder({ "daily-spend": justBefore });
    const [signal] = lostFirings(trigger === undefined ? [] : [trigger], NONE, situation);
    expect(signal?.currentValue).toBe("100");
    const odd = trigger === undefined ? [] : [{ ...trigger, currentValue: "" }];
    expect(lostFirings(odd, NONE, situation)[0]?.currentValue).toBe("100");
  });

  test("is the same with each sweep, whatever the time", () => {
    const later = lostFirings(fired, NONE, { ...situation, now: new Date(NOW.getTime() + 5 * MINUTE) });
    expect(later[0]?.id).toBe(lost(NONE)[0]?.id);
  });

  test("is not made for one that was dealt with, in that second or later", () => {
    expect(lost(handledAt(1, "2026-10-04T11:00:00.000Z"))).toEqual([]);
    expect(lost(handledAt(1, "2026-10-04T11:30:00.000Z"))).toEqual([]);
    expect(lost(handledAt(1, "2026-10-04T10:59:59.000Z"))).toHaveLength(1);
    expect(lost(handledAt(2, "2026-10-04T11:00:00.000Z"))).toHaveLength(1);
  });

  test("is made where another trigger's numbers were dealt with under this one's SID", () => {
    const forged = fired.map((trigger) => firingOf(trigger.sid, { ...trigger, triggerValue: "80" }));
    expect(lost(new Map(forged.map((firing) => [firing, "2026-10-04T11:30:00.000Z"])))).toHaveLength(1);
  });

  test("takes an amount or a period in another spelling for the same", () => {
    const same = fired.map((trigger) => ({ ...trigger, triggerValue: `${Number(trigger.triggerValue)}.000000` }));
    const firings = same.map((trigger) => firingOf(trigger.sid, trigger));
    expect(lost(new Map(firings.map((firing) => [firing, "2026-10-04T11:00:00.000Z"])))).toEqual([]);
    const once = { recurring: "", usageCategory: "sms", triggerBy: "price", triggerValue: "5" };
    expect(firingOf("UT1", once)).toBe(firingOf("UT1", { ...once, recurring: "alltime" }));
  });

  test("says that a guard's is of a probation, and of which limit", () => {
    const guards = guardsFor(POLICY, ACCOUNT, PUBLIC_URL, "a-command").map((one, index) =>
      listed(one, index + 1, ago(10 * MINUTE)),
    );
    const signals = lostFirings(firedTriggers(guards, situation), NONE, situation);
    expect(signals.map(({ limit, probation }) => [limit, probation])).toEqual([
      ["daily-spend", true],
      ["monthly-spend", true],
    ]);
  });

  test("whatever DateFired is, never a signal for what is too fresh, old, or dealt with", () => {
    fc.assert(
      fc.property(fc.integer({ min: -DAY, max: 3 * DAY }), fc.integer({ min: -DAY, max: 3 * DAY }), (fired, done) => {
        const triggers = inOrder({ "daily-spend": ago(fired) });
        const handled = handledAt(1, timeBefore(done).toISOString());
        const found = lostFirings(firedTriggers(triggers, situation), handled, situation);
        const second = Math.floor(timeBefore(fired).getTime() / 1000) * 1000;
        const isInTime = second <= NOW.getTime() - 90_000 && second >= Date.parse("2026-10-04T00:00:00Z");
        expect(found).toHaveLength(isInTime && timeBefore(done).getTime() < second ? 1 : 0);
      }),
    );
  });
});
