import { describe, expect, test } from "vitest";
import { guardsFor, isGuard } from "../../../lib/triggers/guards.ts";
import { isNothing, planTriggers, type TriggerPlan } from "../../../lib/triggers/plan.ts";
import { isMarked, type WantedTrigger, wantedTriggers } from "../../../lib/triggers/wanted.ts";
import type { UsageTrigger } from "../../../lib/twilio/usage-triggers.ts";
import fc from "../../support/fast-check.ts";
import { policyOf } from "../../support/policies.ts";
import { existing } from "./existing.ts";

const ACCOUNT = `AC${"1".repeat(32)}`;
const PUBLIC_URL = "https://tollbreaker.example.com";

const POLICY = policyOf(`
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  first-calls: { category: calls-outbound, by: count, every: once, at: 10, then: alert }
`);
const WANTED = wantedTriggers(POLICY, ACCOUNT, PUBLIC_URL);
const plan = (triggers: readonly UsageTrigger[], wanted: readonly WantedTrigger[] = WANTED) =>
  planTriggers(ACCOUNT, triggers, wanted);
const complete = () => WANTED.map((one) => existing(one));
const named = (limit: string): WantedTrigger => {
  const found = WANTED.find((one) => one.limit === limit);
  if (found === undefined) throw new Error(`there is no limit ${limit}`);
  return found;
};

describe("of an account", () => {
  test("without triggers, all are created", () => {
    expect(plan([])).toEqual({
      ...{ accountSid: ACCOUNT, create: WANTED, update: [], remove: [], keep: [] },
      problem: undefined,
    });
  });

  test("that carries them all, nothing is done, however Twilio spells their values", () => {
    const there = complete();
    expect(plan(there)).toMatchObject({ create: [], update: [], remove: [], keep: there });
    expect(isNothing(plan(there))).toBe(true);
  });

  test.each([
    ["callbackUrl", "https://elsewhere.example.com/"],
    ["callbackUrl", ""],
    ["callbackUrl", "https://tollbreaker.example.com/webhooks/usage-trigger?limit=daily-warning#rc=0"],
    ["callbackMethod", "GET"],
  ])("whose trigger has the %s %j, it is made to call us again", (field, value) => {
    const [first, ...others] = complete();
    if (first === undefined) throw new Error("the policy has limits");
    const changed = { ...first, [field]: value };
    expect(plan([changed, ...others])).toMatchObject({
      create: [],
      update: [{ trigger: changed, wanted: WANTED[0] }],
      remove: [],
      keep: others,
    });
  });

  test("whose triggers Twilio lists without their connection overrides, nothing is done: it would be each time", () => {
    const there = complete().map((one) => ({ ...one, callbackUrl: one.callbackUrl.replace(/#.*/, "") }));
    expect(isNothing(plan(there))).toBe(true);
  });

  test("whose trigger has our address in another spelling, nothing is done", () => {
    const there = complete().map((one) => ({
      ...one,
      callbackUrl: one.callbackUrl.replace("tollbreaker.example.com", "TOLLBREAKER.example.com:443"),
      callbackMethod: "post",
    }));
    expect(isNothing(plan(there))).toBe(true);
  });

  test.each([
    ["triggerValue", "101.000000"],
    ["usageCategory", "sms"],
    ["triggerBy", "count"],
    ["recurring", "monthly"],
  ])("whose trigger has another %s, it is replaced", (field, value) => {
    const old = existing(named("daily-spend"), { [field]: value });
    const others = complete().filter(({ friendlyName }) => friendlyName !== old.friendlyName);
    expect(plan([old, ...others])).toMatchObject({ create: [named("daily-spend")], update: [], remove: [old] });
  });

  test("of two that are alike, the one that calls us stays, whatever their order", () => {
    const wrong = existing(named("daily-spend"), { callbackUrl: "https://elsewhere.example.com/" });
    const right = existing(named("daily-spend"));
    const others = complete().filter(({ friendlyName }) => friendlyName !== right.friendlyName);
    for (const twins of [
      [wrong, right],
      [right, wrong],
    ])
      expect(plan([...twins, ...others])).toMatchObject({ create: [], update: [], remove: [wrong] });
  });

  test("those of a limit that is gone are removed", () => {
    const there = complete();
    const fewer = WANTED.slice(1);
    expect(plan(there, fewer)).toMatchObject({ create: [], update: [], remove: [there[0]], keep: there.slice(1) });
    expect(plan(there, [])).toMatchObject({ remove: there });
  });

  test("one that fires once stays when it has fired, and `alltime` is another word for it", () => {
    const fired = existing(named("first-calls"), {
      recurring: "alltime",
      dateFired: "Sat, 13 Oct 2012 21:32:30 +0000",
    });
    const others = complete().filter(({ friendlyName }) => friendlyName !== fired.friendlyName);
    expect(isNothing(plan([fired, ...others]))).toBe(true);
  });

  test("a value that is no number is another value", () => {
    const odd = existing(named("daily-spend"), { triggerValue: "" });
    expect(plan([odd]).remove).toEqual([odd]);
  });

  test("its guards stay, and do not pass for the limit's own trigger", () => {
    const guards = guardsFor(POLICY, ACCOUNT, PUBLIC_URL, "command").map((one) =>
      existing(one, { triggerValue: "130.000000" }),
    );
    expect(guards).not.toHaveLength(0);
    expect(plan(guards)).toMatchObject({ create: WANTED, update: [], remove: [], keep: [] });
  });

  test("two limits that watch the same have a trigger each", () => {
    const wanted = ["daily-warning", "daily-spend"].map((limit) => ({ ...named(limit), triggerValue: "100" }));
    const there = wanted.map((one) => existing(one));
    expect(isNothing(plan(there, wanted))).toBe(true);
    expect(plan(there.slice(0, 1), wanted)).toMatchObject({ create: [{ limit: "daily-spend" }], remove: [] });
  });

  test("Twilio's most triggers are not exceeded, with those of others counted", () => {
    const foreign = (count: number) =>
      Array.from({ length: count }, () => existing(named("daily-spend"), { friendlyName: "somebody else's" }));
    expect(plan(foreign(997)).problem).toBeUndefined();
    expect(plan(foreign(998)).problem).toBe(
      "it has 998 usage triggers and needs 3 more, and Twilio allows 1000: delete some that are not needed",
    );
    expect(plan([...foreign(997), ...complete()]).problem).toBeUndefined();
  });
});

// What Twilio may list: ours, half ours, others', twins, guards, with anything changed.
const anyTrigger = fc
  .record({
    of: fc.constantFrom(...WANTED, ...guardsFor(POLICY, ACCOUNT, PUBLIC_URL, "command")),
    changes: fc.record(
      {
        friendlyName: fc.oneof(
          fc.constantFrom("tollbreaker: ", "tollbreaker: gone", "Tollbreaker: daily-spend", "my own", ""),
          fc.string(),
        ),
        callbackUrl: fc.constantFrom("", "https://elsewhere.example.com/", "not a URL"),
        callbackMethod: fc.constantFrom("GET", "POST", "post", ""),
        usageCategory: fc.constantFrom("totalprice", "sms"),
        triggerBy: fc.constantFrom("price", "count"),
        recurring: fc.constantFrom("daily", "monthly", "", "alltime"),
        triggerValue: fc.constantFrom("100", "100.000000", "80", "1e2", "", "NaN"),
        dateFired: fc.constantFrom("Sat, 13 Oct 2012 21:32:30 +0000", "yesterday"),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ of, changes }) => existing(of, { triggerValue: of.triggerValue.replace("+", ""), ...changes }));
const anyTriggers = fc.array(anyTrigger, { maxLength: 12 });
const anyWanted = fc.subarray(WANTED);

/** What Twilio lists when all of the plan was done. */
function done(triggers: readonly UsageTrigger[], { create, update, remove }: TriggerPlan): UsageTrigger[] {
  const left = triggers.filter((trigger) => !remove.includes(trigger));
  const updated = left.map((trigger) => {
    const change = update.find((one) => one.trigger.sid === trigger.sid);
    if (change === undefined) return trigger;
    const { callbackUrl, friendlyName } = change.wanted;
    return { ...trigger, callbackUrl, friendlyName, callbackMethod: "POST" };
  });
  return [...updated, ...create.map((wanted) => existing(wanted))];
}

describe("whatever Twilio lists", () => {
  test("a plan that was carried out leaves nothing to plan", () => {
    fc.assert(
      fc.property(anyTriggers, anyWanted, (triggers, wanted) => {
        const after = done(triggers, plan(triggers, wanted));
        expect(plan(after, wanted)).toMatchObject({ create: [], update: [], remove: [] });
      }),
    );
  });

  test("only marked triggers are ever touched, and no guard", () => {
    fc.assert(
      fc.property(anyTriggers, anyWanted, (triggers, wanted) => {
        const { update, remove } = plan(triggers, wanted);
        for (const trigger of [...remove, ...update.map((one) => one.trigger)]) {
          expect(isMarked(trigger)).toBe(true);
          expect(isGuard(trigger)).toBe(false);
        }
      }),
    );
  });

  test("each of ours is kept, updated or removed, once; each that is wanted is there or created, once", () => {
    fc.assert(
      fc.property(anyTriggers, anyWanted, (triggers, wanted) => {
        const { create, update, remove, keep } = plan(triggers, wanted);
        const dealtWith = [...keep, ...remove, ...update.map(({ trigger }) => trigger)].map(({ sid }) => sid);
        const ours = triggers.filter((trigger) => isMarked(trigger) && !isGuard(trigger)).map(({ sid }) => sid);
        expect(dealtWith.toSorted()).toEqual(ours.toSorted());
        expect(create.length + update.length + keep.length).toBe(wanted.length);
      }),
    );
  });

  test("cut after any of its steps, the next plan finishes it without doing anything twice", () => {
    fc.assert(
      fc.property(anyTriggers, fc.nat({ max: 12 }), (triggers, cut) => {
        const whole = plan(triggers);
        const create = whole.create.slice(0, cut);
        const update = whole.update.slice(0, Math.max(0, cut - create.length));
        const half = done(triggers, { ...whole, create, update, remove: [] });
        const rest = plan(half);
        expect(rest.create).toHaveLength(whole.create.length - create.length);
        expect(rest.update).toHaveLength(whole.update.length - update.length);
        expect(plan(done(half, rest))).toMatchObject({ create: [], update: [], remove: [] });
      }),
    );
  });
});
