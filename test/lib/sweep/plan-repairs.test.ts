import { describe, expect, test } from "vitest";
import type { Known } from "../../../lib/sweep/known.ts";
import { needsRepair, planRepairs, type RepairPlan } from "../../../lib/sweep/plan-repairs.ts";
import { guardsFor } from "../../../lib/triggers/guards.ts";
import { wantedTriggers } from "../../../lib/triggers/wanted.ts";
import type { UsageTrigger } from "../../../lib/twilio/usage-triggers.ts";
import fc from "../../support/fast-check.ts";
import { policyOf } from "../../support/policies.ts";
import {
  ACCOUNT,
  inOrder,
  listed,
  NOW,
  POLICY,
  PUBLIC_URL,
  remembered,
  timeBefore,
  UNTOUCHED,
  withIncident,
} from "./examples.ts";

const HOUR = 3600_000;
const plan = (triggers: readonly UsageTrigger[], known: Known = remembered(), policy = POLICY) =>
  planRepairs(triggers, { ...UNTOUCHED, accountSid: ACCOUNT, known, policy, publicUrl: PUBLIC_URL, now: NOW });
const limits = ({ create }: RepairPlan) => create.map(({ limit }) => limit);
/** As the reactivation made them, when 1500 had been used since ever. */
const GUARDS = guardsFor(POLICY, ACCOUNT, PUBLIC_URL, "a-command").map((guard, index) =>
  listed(guard, 50 + index, { triggerValue: index === 0 ? "1525.000000" : "1725.000000", currentValue: "1510" }),
);
const BASES = { "guard of daily-spend: totalprice price": "1500", "guard of monthly-spend: totalprice price": "1500" };
const reactivated = (milliseconds: number, changes: Partial<Known> = {}): Known => ({
  ...remembered(),
  lastReactivatedAt: timeBefore(milliseconds).toISOString(),
  passed: BASES,
  ...changes,
});
const names = (triggers: readonly { friendlyName: string }[]) => triggers.map(({ friendlyName }) => friendlyName);

test("an account in order needs no repair", () => {
  expect(needsRepair(plan(inOrder()))).toBe(false);
});

test("what is missing is created; an account whose open incident is suspended is armed, too", () => {
  expect(limits(plan(inOrder().slice(1)))).toEqual(["daily-spend"]);
  expect(limits(plan(inOrder().slice(1), withIncident({ state: "suspended" })))).toEqual(["daily-spend"]);
});

test("nothing is touched while the responder brings the account back", () => {
  const known = { ...withIncident({ state: "reactivating" }), lastReactivatedAt: timeBefore(48 * HOUR).toISOString() };
  expect(needsRepair(plan([...inOrder().slice(1), ...GUARDS], known))).toBe(false);
});

test("a policy without limits removes nothing, one that lost a limit removes its trigger", () => {
  expect(needsRepair(plan(inOrder(), remembered(), policyOf("limits: {}")))).toBe(false);
  const { "daily-spend": _, ...rest } = POLICY.limits;
  expect(plan(inOrder(), remembered(), { ...POLICY, limits: rest }).remove).toHaveLength(1);
});

describe("guards", () => {
  const [daily, monthly] = GUARDS;
  if (daily === undefined || monthly === undefined) throw new Error("two limits suspend");
  const DAILY = policyOf(
    "limits: { daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend } }",
  );

  test("stay for the time of the probation, and are removed after it", () => {
    const guarded = [...inOrder({}, DAILY), daily];
    expect(needsRepair(plan(guarded, reactivated(23 * HOUR), DAILY))).toBe(false);
    const { endedGuards, ...rest } = plan(guarded, reactivated(25 * HOUR), DAILY);
    expect(endedGuards).toEqual([daily]);
    // That was to be, and is no news.
    expect(rest).toMatchObject({ create: [], update: [], remove: [], takeOver: [] });
  });

  test("stay on an account that is contained: it may be about to come back with them", () => {
    const known = { ...withIncident({ state: "suspended" }), lastReactivatedAt: timeBefore(25 * HOUR).toISOString() };
    expect(needsRepair(plan([...inOrder(), ...GUARDS], known))).toBe(false);
  });

  test("are made again when somebody removed them, with the value of the first one, and only as long as they guard", () => {
    const gone = [...inOrder({}, DAILY)];
    const known = reactivated(23 * HOUR);
    expect(plan(gone, known, DAILY).create).toMatchObject([{ friendlyName: daily.friendlyName, triggerValue: "1525" }]);
    expect(needsRepair(plan(gone, reactivated(25 * HOUR), DAILY))).toBe(false);
    expect(needsRepair(plan(gone, remembered(), DAILY))).toBe(false);
  });

  test("of which it is not known what they count from begin at the present value", () => {
    const known = reactivated(HOUR, { passed: {} });
    expect(plan(inOrder(), known).create.map(({ triggerValue }) => triggerValue)).toEqual(["+25", "+225"]);
    expect(needsRepair(plan([...inOrder(), ...GUARDS], known))).toBe(false);
    const forged = { ...daily, triggerValue: "1535.01" };
    const { create, endedGuards } = plan([...inOrder(), forged, monthly], known);
    expect(names(create)).toEqual([daily.friendlyName]);
    expect(endedGuards).toEqual([forged]);
  });

  test.each([
    ["that never fires", { triggerValue: "999999999" }],
    // Whoever replaces it again and again would never reach it.
    ["a little above the present value, and above the first one", { triggerValue: "1534.9", currentValue: "1510" }],
    ["of something else", { triggerBy: "count" }],
    ["that fired before the reactivation", { dateFired: timeBefore(2 * HOUR).toUTCString() }],
    ["that fired at another value", { triggerValue: "1510.01", dateFired: timeBefore(60_000).toUTCString() }],
    ["whose value is no number", { triggerValue: "much" }],
  ])("are no guards by their name: one %s is replaced", (_, changes) => {
    for (const callbackUrl of [daily.callbackUrl, "https://elsewhere.example.com/"]) {
      const forged = { ...daily, callbackUrl, ...changes };
      const after = plan([...inOrder(), forged, monthly], reactivated(HOUR));
      expect(after.create).toMatchObject([{ friendlyName: daily.friendlyName, triggerValue: "1525" }]);
      expect(after.update).toEqual([]);
      expect(after.keep).not.toContain(forged);
    }
  });

  test("that fired a moment ago stay until their firing was heard, whatever they are; then the needless ones go", () => {
    const firedAt = (milliseconds: number) => ({
      ...daily,
      triggerValue: "1501",
      dateFired: timeBefore(milliseconds).toUTCString(),
    });
    expect(plan([...inOrder(), firedAt(60_000), ...GUARDS], reactivated(3 * HOUR)).endedGuards).toEqual([]);
    const old = firedAt(2 * HOUR);
    expect(plan([...inOrder(), old, ...GUARDS], reactivated(3 * HOUR)).endedGuards).toEqual([old]);
  });

  test("call us again when somebody sent them elsewhere; whichever reactivation made them, they are right", () => {
    const astray = { ...daily, callbackUrl: "https://elsewhere.example.com/" };
    const plain = { ...daily, callbackUrl: daily.callbackUrl.replace(/&probation=\w+/, "") };
    for (const edited of [astray, plain]) {
      const { create, update } = plan([...inOrder(), edited, monthly], reactivated(HOUR));
      expect(create).toEqual([]);
      expect(update.map(({ trigger }) => trigger)).toEqual([edited]);
    }
    expect(needsRepair(plan([...inOrder(), ...GUARDS], reactivated(HOUR)))).toBe(false);
  });

  test("that have fired stay as they are: the responder has judged it", () => {
    const fired = GUARDS.map((guard) => ({ ...guard, dateFired: timeBefore(60_000).toUTCString() }));
    expect(needsRepair(plan([...inOrder(), ...fired], reactivated(HOUR)))).toBe(false);
  });

  test("are as the policy says by now", () => {
    const harder = { ...POLICY, probation: { ...POLICY.probation, share: "0.1" } };
    const { create, endedGuards } = plan([...inOrder(), ...GUARDS], reactivated(HOUR), harder);
    expect(create.map(({ triggerValue }) => triggerValue)).toEqual(["1510", "1590"]);
    expect(endedGuards).toEqual(GUARDS);
  });

  test("of an account that was never reactivated are somebody's doing, and go", () => {
    const after = plan([...inOrder(), ...GUARDS]);
    expect(after.remove).toEqual(GUARDS);
    expect(after.create).toEqual([]);
  });

  test("of no limit go, too, and that is said", () => {
    const stray = { ...daily, friendlyName: "tollbreaker: whatever probation" };
    const after = plan([...inOrder(), ...GUARDS, stray], reactivated(HOUR));
    expect(after.remove).toEqual([stray]);
    expect(after.endedGuards).toEqual([]);
  });

  test("stay while an incident holds the account: it may have come back a moment ago", () => {
    const guarded = [...inOrder(), ...GUARDS];
    expect(needsRepair(plan(guarded, { ...remembered(), isClaimed: true }))).toBe(false);
    expect(needsRepair(plan(guarded, { ...withIncident({ state: "failed" }), isClaimed: true }))).toBe(false);
    expect(plan(guarded, { ...withIncident({ state: "alerted" }), isClaimed: true }).remove).toEqual(GUARDS);
  });
});

describe("a limit that can't fire again before its period ends", () => {
  const [daily, monthly] = GUARDS;
  if (daily === undefined || monthly === undefined) throw new Error("two limits suspend");
  const spent = inOrder({ "monthly-spend": { dateFired: timeBefore(26 * HOUR).toUTCString(), currentValue: "1000" } });
  const over = (triggers: readonly UsageTrigger[], known = reactivated(25 * HOUR), policy = POLICY) =>
    plan(triggers, known, policy);

  test("keeps a guard after the probation, at its whole limit; and it stays guarded on the way", () => {
    const taking = over([...spent, daily, monthly]);
    expect(taking.takeOver).toMatchObject([
      {
        friendlyName: "tollbreaker: monthly-spend interim",
        triggerValue: "2400",
        recurring: "",
        callbackUrl: expect.stringContaining("limit=monthly-spend&probation="),
      },
    ]);
    expect(taking).toMatchObject({ create: [], update: [], remove: [], endedGuards: [daily] });
    const [interim] = taking.takeOver.map((wanted) => listed(wanted, 70, { currentValue: "1600" }));
    if (interim === undefined) throw new Error("there is no guard");
    expect(over([...spent, monthly, interim])).toMatchObject({ create: [], takeOver: [], endedGuards: [monthly] });
    expect(needsRepair(over([...spent, interim]))).toBe(false);
    // The next month.
    const known = reactivated(4 * 24 * HOUR);
    const before = inOrder({ "monthly-spend": { dateFired: timeBefore(5 * 24 * HOUR).toUTCString() } });
    expect(over([...before, interim], known).endedGuards).toEqual([interim]);
    // Where the limit has fired in it, too, what stands for it stays.
    expect(over([...spent, interim], known).endedGuards).toEqual([]);
    // Removed, or forged, it is made anew, and that is news.
    expect(names(over(spent).create)).toEqual([interim.friendlyName]);
    expect(names(over([...spent, { ...interim, triggerValue: "2500" }]).create)).toEqual([interim.friendlyName]);
  });

  test("by the day, with a short probation: until midnight", () => {
    const short = policyOf(`
limits: { daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend } }
probation: { share: 0.25, for: 1h }
`);
    const triggers = [...inOrder({}, short), daily];
    expect(over(triggers, reactivated(2 * HOUR), short).takeOver).toMatchObject([{ triggerValue: "1600" }]);
    expect(over(triggers, reactivated(13 * HOUR), short)).toMatchObject({ takeOver: [], endedGuards: [daily] });
  });

  test("by one that fires once: for good", () => {
    const ever = policyOf("limits: { ever: { category: sms, by: count, every: once, at: 5000, then: suspend } }");
    const passed = { "guard of ever: sms count": "7000" };
    const after = over(inOrder({}, ever), reactivated(400 * 24 * HOUR, { passed }), ever);
    expect(after.create).toMatchObject([{ friendlyName: "tollbreaker: ever interim", triggerValue: "12000" }]);
  });
});

test("a trigger that is missing is made after a reactivation, too: what was spent before is the responder's to tell", () => {
  const { memory } = remembered({
    values: { "totalprice price daily": "130" },
    sampledAt: timeBefore(HOUR).toISOString(),
  });
  const known = reactivated(2 * HOUR, { memory, passed: { ...BASES, "totalprice price daily": "130" } });
  expect(limits(plan([...inOrder().slice(1), ...GUARDS], known))).toEqual(["daily-spend"]);
});

test("whatever is there, carried out it leaves what the policy wants, and touches nothing that is not ours", () => {
  const wanted = wantedTriggers(POLICY, ACCOUNT, PUBLIC_URL);
  const anyTrigger = fc
    .record({
      index: fc.nat({ max: wanted.length - 1 }),
      triggerValue: fc.constantFrom("100", "100.000000", "900", "5000", "7"),
      callbackUrl: fc.constantFrom("ours", "https://elsewhere.example.com/"),
      friendlyName: fc.constantFrom("ours", "mine"),
    })
    .map(({ index, ...changes }) => ({ one: wanted[index], changes }));
  fc.assert(
    fc.property(fc.array(anyTrigger, { maxLength: 12 }), (made) => {
      const existing = made.flatMap(({ one, changes: { callbackUrl, friendlyName, triggerValue } }, number) => {
        if (one === undefined) return [];
        const own = {
          ...(callbackUrl !== "ours" && { callbackUrl }),
          ...(friendlyName !== "ours" && { friendlyName }),
        };
        return [listed(one, number + 1, { triggerValue, ...own })];
      });
      const after = carriedOut(existing, plan(existing));
      expect(needsRepair(plan(after))).toBe(false);
      const foreign = (triggers: readonly UsageTrigger[]) =>
        triggers.filter(({ friendlyName }) => friendlyName === "mine");
      expect(foreign(after)).toEqual(foreign(existing));
    }),
  );
});

function carriedOut(existing: readonly UsageTrigger[], { create, update, remove, endedGuards }: RepairPlan) {
  const gone = new Set([...remove, ...endedGuards].map(({ sid }) => sid));
  const addresses = new Map(update.map(({ trigger, wanted }) => [trigger.sid, wanted.callbackUrl]));
  const left = existing.filter(({ sid }) => !gone.has(sid));
  const mended = left.map((one) => ({ ...one, callbackUrl: addresses.get(one.sid) ?? one.callbackUrl }));
  return [...mended, ...create.map((one, index) => listed(one, 900 + index))];
}
