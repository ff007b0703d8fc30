import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Known } from "../../../lib/sweep/known.ts";
import { needsRepair, planRepairs, type RepairPlan } from "../../../lib/sweep/plan-repairs.ts";
import { guardsFor } from "../../../lib/triggers/guards.ts";
import { wantedTriggers } from "../../../lib/triggers/wanted.ts";
import type { UsageTrigger } from "../../../lib/twilio/usage-triggers.ts";
import { policyOf } from "../../support/policies.ts";
import { ACCOUNT, inOrder, listed, NOW, POLICY, PUBLIC_URL, remembered, timeBefore, withIncident } from "./examples.ts";

const HOUR = 3600_000;
const plan = (triggers: readonly UsageTrigger[], known: Known = remembered(), policy = POLICY) =>
  planRepairs(triggers, { accountSid: ACCOUNT, known, policy, publicUrl: PUBLIC_URL, now: NOW });
const limits = ({ create }: RepairPlan) => create.map(({ limit }) => limit);
const GUARDS = guardsFor(POLICY, ACCOUNT, PUBLIC_URL, "a-command").map((guard, index) => listed(guard, 50 + index));
const reactivated = (milliseconds: number, memory: Parameters<typeof remembered>[0] = {}): Known => ({
  ...remembered(memory),
  lastReactivatedAt: timeBefore(milliseconds).toISOString(),
});

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
  test("stay for the time of the probation, and are removed after it", () => {
    expect(plan([...inOrder(), ...GUARDS], reactivated(23 * HOUR)).endedGuards).toEqual([]);
    expect(plan([...inOrder(), ...GUARDS], reactivated(25 * HOUR)).endedGuards).toEqual(GUARDS);
  });

  test("stay on an account that is contained: it may be about to come back with them", () => {
    const known = { ...withIncident({ state: "suspended" }), lastReactivatedAt: timeBefore(25 * HOUR).toISOString() };
    expect(plan([...inOrder(), ...GUARDS], known).endedGuards).toEqual([]);
  });

  test("are made again when somebody removed them, and only while the probation lasts", () => {
    const [first, ...others] = GUARDS;
    const gone = [...inOrder(), ...others];
    expect(plan(gone, reactivated(23 * HOUR)).create.map(({ friendlyName }) => friendlyName)).toEqual([
      first?.friendlyName,
    ]);
    expect(plan(gone, reactivated(23 * HOUR)).create[0]?.triggerValue).toMatch(/^\+/);
    expect(plan(gone, reactivated(25 * HOUR)).create).toEqual([]);
    expect(plan(inOrder()).create).toEqual([]);
  });

  test("call us again when somebody sent them elsewhere; whichever reactivation made them, they are right", () => {
    const [first, ...others] = GUARDS;
    if (first === undefined) throw new Error("there is no guard");
    const astray = { ...first, callbackUrl: "https://elsewhere.example.com/" };
    const plain = { ...first, callbackUrl: first.callbackUrl.replace(/&probation=\w+/, "") };
    for (const edited of [astray, plain]) {
      const { create, update } = plan([...inOrder(), edited, ...others], reactivated(HOUR));
      expect(create).toEqual([]);
      expect(update.map(({ trigger }) => trigger)).toEqual([edited]);
    }
    expect(needsRepair(plan([...inOrder(), ...GUARDS], reactivated(HOUR)))).toBe(false);
  });

  test("that have fired stay as they are", () => {
    const fired = GUARDS.map((guard) => ({ ...guard, dateFired: NOW.toUTCString() }));
    expect(needsRepair(plan([...inOrder(), ...fired], reactivated(HOUR)))).toBe(false);
  });

  test("stay where the account was never reactivated", () => {
    expect(plan([...inOrder(), ...GUARDS]).endedGuards).toEqual([]);
  });
});

describe("after a reactivation in the same period", () => {
  const missing = [...inOrder().slice(1), ...GUARDS];

  test("a trigger that would fire at once on what was spent before is made in the next period", () => {
    const memory = { values: { "totalprice price daily": "130" }, sampledAt: timeBefore(HOUR).toISOString() };
    expect(limits(plan(missing, reactivated(2 * HOUR, memory)))).toEqual([]);
    expect(limits(plan(missing, reactivated(13 * HOUR, memory)))).toEqual(["daily-spend"]);
  });

  test("the value is what another trigger of the same measure shows", () => {
    const policy = policyOf(`
limits:
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
`);
    const shown = inOrder({ warning: { currentValue: "130" } }, policy).slice(1);
    const guards = guardsFor(policy, ACCOUNT, PUBLIC_URL, "a-command").map((guard) => listed(guard, 60));
    expect(limits(plan([...shown, ...guards], reactivated(2 * HOUR), policy))).toEqual([]);
  });

  test("one that is below its value, or not known, is made at once", () => {
    const memory = { values: { "totalprice price daily": "60" }, sampledAt: timeBefore(HOUR).toISOString() };
    expect(limits(plan(missing, reactivated(2 * HOUR, memory)))).toEqual(["daily-spend"]);
    const yesterday = { values: { "totalprice price daily": "130" }, sampledAt: timeBefore(13 * HOUR).toISOString() };
    expect(limits(plan(missing, reactivated(2 * HOUR, yesterday)))).toEqual(["daily-spend"]);
    expect(limits(plan(missing, reactivated(2 * HOUR)))).toEqual(["daily-spend"]);
  });
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
