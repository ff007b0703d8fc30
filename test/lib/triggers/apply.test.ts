import { describe, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import { applyPlan, bringInOrder, suspendingFirst } from "../../../lib/triggers/apply.ts";
import { planTriggers } from "../../../lib/triggers/plan.ts";
import { isMarked, type WantedTrigger, wantedTriggers } from "../../../lib/triggers/wanted.ts";
import { createUsageTrigger, listUsageTriggers, type UsageTrigger } from "../../../lib/twilio/usage-triggers.ts";
import { apiOf } from "../../local/twilio/api.ts";
import { policyOf } from "../../support/policies.ts";
import { simulated } from "../twilio/simulated.ts";

const PUBLIC_URL = "https://tollbreaker.example.com";

const twilio = simulated();

const policy = (at: number) =>
  policyOf(`
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: ${at}, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: ${at + 20}, then: suspend }
`);
const wanted = (at = 80): WantedTrigger[] => wantedTriggers(policy(at), twilio.account, PUBLIC_URL);

async function listed(): Promise<UsageTrigger[]> {
  const list = await listUsageTriggers(twilio.twilio, twilio.account, 5000);
  if (list.kind === "failed") throw new Error(list.failure.message);
  return list.body;
}

const ROOM = 1000;
const api = () => apiOf(twilio.simulator);
const until = (milliseconds = 10_000) => ({ clock: systemClock, deadline: Date.now() + milliseconds });
const arm = (at = 80, milliseconds?: number) =>
  bringInOrder(
    twilio.twilio,
    twilio.account,
    (existing) => planTriggers(twilio.account, existing, wanted(at)),
    until(milliseconds),
  );
const changes = () =>
  twilio
    .asked()
    .filter(({ to }) => to !== "GET api")
    .map(({ to, form }) =>
      to === "POST api" ? `${to} ${form["FriendlyName"]} ${form["TriggerValue"] ?? ""}`.trim() : to,
    );
const onCreation = ({ method, path }: { method: string; path: string }) =>
  method === "POST" && path.endsWith("/Usage/Triggers.json");

describe("bringing an account in order", () => {
  test("creates what is missing, and reads it back", async () => {
    expect(await arm()).toEqual({
      kind: "in-order",
      created: ["tollbreaker: daily-warning", "tollbreaker: daily-spend"],
      updated: [],
      removed: [],
    });
    expect(await listed()).toMatchObject([
      { friendlyName: "tollbreaker: daily-warning", triggerValue: "80.000000", recurring: "daily", triggerBy: "price" },
      { friendlyName: "tollbreaker: daily-spend", triggerValue: "100.000000" },
    ]);
  });

  test("costs one reading when there is nothing to do", async () => {
    await arm();
    const before = twilio.asked().length;
    expect(await arm()).toMatchObject({ kind: "in-order", created: [], updated: [], removed: [] });
    expect(twilio.asked()).toHaveLength(before + 1);
  });

  test("creates the new one before the old one is removed", async () => {
    await arm(80);
    const before = changes().length;
    expect(await arm(90)).toMatchObject({ kind: "in-order" });
    expect(changes().slice(before)).toEqual([
      "POST api tollbreaker: daily-warning 90",
      "POST api tollbreaker: daily-spend 110",
      "DELETE api",
      "DELETE api",
    ]);
    expect((await listed()).map(({ triggerValue }) => triggerValue)).toEqual(["90.000000", "110.000000"]);
  });

  test("after a 500 it looks before it creates again: what was made all the same is not made twice", async () => {
    twilio.proxy.fail({ on: onCreation, times: 1, when: "after", do: "cut" });
    expect(await arm()).toMatchObject({ kind: "in-order" });
    expect(changes()).toHaveLength(2);
    expect(await listed()).toHaveLength(2);
  });

  test("goes on after 429 and 500, whichever request they hit", async () => {
    twilio.answer(500);
    twilio.answer(429, { code: 20429, message: "Too many requests", status: 429 });
    expect(await arm()).toMatchObject({ kind: "in-order" });
    expect(await listed()).toHaveLength(2);
  });

  test("gives up when the time is over, and the next run finishes it", async () => {
    twilio.proxy.fail({ on: onCreation, nth: 2, do: "answer", status: 500 });
    expect(await arm(80, 300)).toMatchObject({
      kind: "failed",
      why: expect.stringContaining("create tollbreaker: daily-spend: Twilio (HTTP 500)"),
      created: ["tollbreaker: daily-warning"],
    });
    twilio.proxy.clear();
    expect(await arm()).toMatchObject({ kind: "in-order", created: ["tollbreaker: daily-spend"] });
  });

  test("when one can't be created the others are, and nothing is removed", async () => {
    await arm(80);
    twilio.proxy.fail({
      on: onCreation,
      times: 1,
      do: "answer",
      status: 400,
      body: JSON.stringify({ code: 20001, message: "Invalid category", status: 400 }),
    });
    expect(await arm(90)).toEqual({
      kind: "failed",
      why: "create tollbreaker: daily-warning: Twilio error 20001 (HTTP 400): Invalid category",
      created: ["tollbreaker: daily-spend"],
      updated: [],
      removed: [],
    });
    expect(await listed()).toHaveLength(3);
  });

  test("says so when its triggers can't be read, and changes nothing", async () => {
    twilio.proxy.fail({ do: "answer", status: 401, body: JSON.stringify({ code: 20003, message: "Authenticate" }) });
    const ordered = await arm();
    expect(ordered).toMatchObject({ kind: "failed", why: expect.stringContaining("20003"), created: [] });
    expect(changes()).toEqual([]);
  });

  describe("an account that can't have more triggers", () => {
    const foreign = { FriendlyName: "mine", UsageCategory: "sms", TriggerValue: "5", CallbackUrl: "https://a.example" };
    const path = () => `/2010-04-01/Accounts/${twilio.account}/Usage/Triggers`;
    const fill = async (count: number) => {
      for (let index = 0; index < count; index++) await api().post(`${path()}.json`, foreign);
    };
    const ours = async () => (await listed()).filter(isMarked);

    test("gets what needs no room: addresses, and twins are removed; people are told why not more", async () => {
      await arm();
      const [warning, spend] = await listed();
      await api().post(`${path()}/${spend?.sid}.json`, { CallbackUrl: "https://elsewhere.example.com/" });
      await api().delete(`${path()}/${warning?.sid}.json`);
      await fill(999);
      const ordered = await arm();
      expect(ordered).toMatchObject({
        kind: "failed",
        why: expect.stringContaining("Twilio allows 1000"),
        ...{ created: [], updated: ["tollbreaker: daily-spend"], removed: [] },
      });
      expect((await ours()).map(({ callbackUrl }) => callbackUrl)).toEqual([expect.stringContaining(PUBLIC_URL)]);
    });

    test("a twin makes room for what is missing", async () => {
      await arm();
      const [warning, spend] = await listed();
      const { callbackUrl: CallbackUrl = "", friendlyName: FriendlyName = "" } = spend ?? {};
      const watch = { UsageCategory: "totalprice", TriggerBy: "price", TriggerValue: "100", Recurring: "daily" };
      await api().post(`${path()}.json`, { CallbackUrl, FriendlyName, ...watch });
      await api().delete(`${path()}/${warning?.sid}.json`);
      await fill(998);
      const ordered = await arm();
      expect(ordered).toMatchObject({ kind: "in-order", removed: [FriendlyName] });
      expect(await ours()).toHaveLength(2);
    });

    test("what is replaced stays as long as there is no room for what replaces it", async () => {
      await arm(80);
      await fill(998);
      expect(await arm(90)).toMatchObject({ kind: "failed", created: [], removed: [] });
      expect(await ours()).toHaveLength(2);
    });
  });

  test("when one can't be created, twins go all the same", async () => {
    await arm();
    const [first, second] = wanted();
    if (first === undefined || second === undefined) throw new Error("two are wanted");
    await createUsageTrigger(twilio.twilio, twilio.account, first, 5000);
    const body = JSON.stringify({ code: 20001, message: "Invalid category", status: 400 });
    twilio.proxy.fail({ on: onCreation, do: "answer", status: 400, body });
    const another = { ...second, limit: "another", friendlyName: "tollbreaker: another" };
    const planOf = (existing: readonly UsageTrigger[]) =>
      planTriggers(twilio.account, existing, [first, second, another]);
    const ordered = await bringInOrder(twilio.twilio, twilio.account, planOf, until());
    expect(ordered).toMatchObject({ kind: "failed", created: [], removed: ["tollbreaker: daily-warning"] });
    expect(await listed()).toHaveLength(2);
  });

  test("does not go on for ever where Twilio lists something else than it was told", async () => {
    // As though it kept other connection overrides.
    const ordered = await bringInOrder(
      twilio.twilio,
      twilio.account,
      (existing) =>
        planTriggers(
          twilio.account,
          existing.map((one) => ({ ...one, callbackUrl: one.callbackUrl.replace(/#.*/, "#rc=1") })),
          wanted(),
        ),
      until(),
    );
    expect(ordered).toMatchObject({
      kind: "failed",
      why: expect.stringMatching(/Twilio took it, and lists it otherwise: tollbreaker: daily-warning calls https:/),
    });
    expect(await listed()).toHaveLength(2);
  });

  test("two at once leave each trigger once", async () => {
    await Promise.all([arm(), arm(), arm()]);
    expect(await arm()).toMatchObject({ kind: "in-order" });
    expect((await listed()).map(({ friendlyName }) => friendlyName).toSorted()).toEqual([
      "tollbreaker: daily-spend",
      "tollbreaker: daily-warning",
    ]);
  });
});

describe("carrying out a plan", () => {
  test("those that suspend come first, in the order of the policy: there may not be room for all", async () => {
    const mixed = policyOf(`
limits:
  warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  texts: { category: sms, by: count, every: day, at: 500, then: suspend }
`);
    const create = suspendingFirst(wantedTriggers(mixed, twilio.account, PUBLIC_URL), mixed);
    expect(create.map(({ limit }) => limit)).toEqual(["spend", "texts", "warning"]);
    const plan = { accountSid: twilio.account, create, update: [], remove: [], keep: [] };
    expect(await applyPlan(twilio.twilio, plan, 2)).toMatchObject({
      created: ["tollbreaker: spend", "tollbreaker: texts"],
      shown: [{ currentValue: "0" }, { currentValue: "0" }],
      noRoom: ["tollbreaker: warning"],
      failures: [],
    });
  });

  test("one that somebody else has removed is removed", async () => {
    await arm();
    const remove = await listed();
    const plan = { accountSid: twilio.account, create: [], update: [], remove, keep: [] };
    expect(await applyPlan(twilio.twilio, plan, ROOM)).toMatchObject({
      removed: remove.map((one) => one.friendlyName),
    });
    expect(await applyPlan(twilio.twilio, plan, ROOM)).toMatchObject({ failures: [] });
  });

  test("one that somebody else has removed can't be updated", async () => {
    await arm();
    const [trigger] = await listed();
    const [wantedOne] = wanted();
    if (trigger === undefined || wantedOne === undefined) throw new Error("there are triggers");
    const plan = {
      accountSid: twilio.account,
      create: [],
      update: [{ trigger, wanted: wantedOne }],
      remove: [],
      keep: [],
    };
    await applyPlan(twilio.twilio, { ...plan, update: [], remove: [trigger] }, ROOM);
    expect(await applyPlan(twilio.twilio, plan, ROOM)).toMatchObject({
      updated: [],
      failures: [{ what: "update tollbreaker: daily-warning", failure: { kind: "not-found" } }],
    });
  });
});
