import { describe, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import { applyPlan, bringInOrder } from "../../../lib/triggers/apply.ts";
import { planTriggers } from "../../../lib/triggers/plan.ts";
import { type WantedTrigger, wantedTriggers } from "../../../lib/triggers/wanted.ts";
import { listUsageTriggers, type UsageTrigger } from "../../../lib/twilio/usage-triggers.ts";
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

  test("does nothing at all where a plan has a problem", async () => {
    const ordered = await bringInOrder(
      twilio.twilio,
      twilio.account,
      (existing) => ({ ...planTriggers(twilio.account, existing, wanted()), problem: "too many" }),
      until(),
    );
    expect(ordered).toMatchObject({ kind: "failed", why: "too many" });
    expect(changes()).toEqual([]);
  });

  test("does not go on for ever where Twilio lists something else than it was told", async () => {
    // As though it kept the address without its fragment.
    const ordered = await bringInOrder(
      twilio.twilio,
      twilio.account,
      (existing) =>
        planTriggers(
          twilio.account,
          existing.map((one) => ({ ...one, callbackUrl: one.callbackUrl.replace(/#.*/, "") })),
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
  test("one that somebody else has removed is removed", async () => {
    await arm();
    const remove = await listed();
    const plan = { accountSid: twilio.account, create: [], update: [], remove };
    expect(await applyPlan(twilio.twilio, plan)).toMatchObject({ removed: remove.map((one) => one.friendlyName) });
    expect(await applyPlan(twilio.twilio, plan)).toMatchObject({ failures: [] });
  });

  test("one that somebody else has removed can't be updated", async () => {
    await arm();
    const [trigger] = await listed();
    const [wantedOne] = wanted();
    if (trigger === undefined || wantedOne === undefined) throw new Error("there are triggers");
    const plan = { accountSid: twilio.account, create: [], update: [{ trigger, wanted: wantedOne }], remove: [] };
    await applyPlan(twilio.twilio, { ...plan, update: [], remove: [trigger] });
    expect(await applyPlan(twilio.twilio, plan)).toMatchObject({
      updated: [],
      failures: [{ what: "update tollbreaker: daily-warning", failure: { kind: "not-found" } }],
    });
  });
});
