import { describe, expect, test } from "vitest";
import {
  createUsageTrigger,
  deleteUsageTrigger,
  listUsageTriggers,
  type NewUsageTrigger,
  updateUsageTrigger,
} from "../../../lib/twilio/usage-triggers.ts";
import { simulated } from "./simulated.ts";

const at = simulated();

const WANTED: NewUsageTrigger = {
  friendlyName: "tollbreaker: spend",
  callbackUrl: "https://example.com/webhooks/usage-trigger?limit=spend#rc=5&rp=4xx,5xx,ct,rt",
  usageCategory: "totalprice",
  triggerBy: "price",
  triggerValue: "100",
  recurring: "daily",
};
const create = (changes: Partial<NewUsageTrigger> = {}) =>
  createUsageTrigger(at.twilio, at.account, { ...WANTED, ...changes }, 2_000);
const list = () => listUsageTriggers(at.twilio, at.account, 2_000);

async function created(changes: Partial<NewUsageTrigger> = {}) {
  const answer = await create(changes);
  if (answer.kind === "failed") throw new Error(answer.failure.message);
  return answer.body;
}

describe("creating", () => {
  test("one that fires every day", async () => {
    expect(await create()).toEqual({
      kind: "ok",
      body: {
        sid: expect.stringMatching(/^UT[0-9a-f]{32}$/),
        accountSid: at.account,
        ...WANTED,
        callbackMethod: "POST",
        triggerValue: "100.000000",
        currentValue: "0",
        dateFired: null,
      },
    });
  });

  test("one that fires once, so much above what was used until now", async () => {
    at.simulator.addUsage(at.account, { category: "totalprice", price: 40 });
    const guard = await created({ triggerValue: "+25", recurring: "" });
    expect(guard).toMatchObject({ recurring: "" });
    expect(Number(guard.triggerValue)).toBe(65);
    expect(at.asked()).toMatchObject([{ to: "POST api", form: { TriggerValue: "+25", Recurring: "" } }]);
  });

  test("on a suspended account, with the parent's credentials", async () => {
    at.simulator.setStatus(at.account, "suspended");
    expect(await create()).toMatchObject({ kind: "ok" });
    expect(await list()).toMatchObject({ body: [{ friendlyName: WANTED.friendlyName }] });
  });

  test("a value that Twilio refuses is a refusal, and nothing is made", async () => {
    expect(await create({ triggerValue: "much" })).toMatchObject({
      kind: "failed",
      failure: { kind: "retryable", code: expect.any(Number), status: 400 },
    });
    expect(await list()).toEqual({ kind: "ok", body: [] });
  });
});

describe("listing", () => {
  test("all of them, as Twilio has them", async () => {
    const made = [await created(), await created({ recurring: "", usageCategory: "sms", triggerBy: "count" })];
    const answer = await list();
    expect(answer.kind === "ok" && answer.body.toSorted(bySid)).toEqual(made.toSorted(bySid));
  });

  test("follows the pages to the end", async () => {
    const pageOf = (digit: string, next: string | null) => ({
      usage_triggers: [{ sid: `UT${digit.repeat(32)}` }],
      next_page_uri: next,
    });
    at.answer(200, pageOf("1", `/2010-04-01/Accounts/${at.account}/Usage/Triggers.json?PageSize=1000&Page=1`));
    at.answer(200, pageOf("2", null));
    const answer = await list();
    expect(answer.kind === "ok" && answer.body.map(({ sid }) => sid)).toEqual(
      [1, 2].map((n) => `UT${`${n}`.repeat(32)}`),
    );
    expect(at.asked().map(({ path }) => path.split("?")[1])).toEqual(["PageSize=1000", "PageSize=1000&Page=1"]);
  });

  test("has what fired, and when", async () => {
    const trigger = await created({ triggerValue: "1", recurring: "", callbackUrl: "http://127.0.0.1:9/" });
    at.simulator.addUsage(at.account, { category: "totalprice", price: 5 });
    await at.simulator.evaluateTriggers();
    const answer = await list();
    expect(answer).toMatchObject({ body: [{ sid: trigger.sid, dateFired: expect.stringMatching(/ \+0000$/) }] });
  });

  test("reads one that is odd in what we may not need, so that it hides none of ours", async () => {
    const sid = `UT${"3".repeat(32)}`;
    const odd = {
      sid,
      usage_category: null,
      trigger_by: null,
      trigger_value: 1e-7,
      current_value: null,
      recurring: null,
    };
    at.answer(200, { usage_triggers: [odd] });
    expect(await list()).toEqual({
      kind: "ok",
      body: [
        {
          sid,
          accountSid: "",
          friendlyName: "",
          callbackUrl: "",
          callbackMethod: "POST",
          usageCategory: "",
          triggerBy: "",
          triggerValue: "0.0000001",
          currentValue: "",
          recurring: "",
          dateFired: null,
        },
      ],
    });
  });

  test.each([[{ sid: "../Accounts" }], [{}], ["UT"]])("is no list with %j in it", async (trigger) => {
    at.answer(200, { usage_triggers: [trigger] });
    expect(await list()).toMatchObject({ kind: "failed", failure: { kind: "retryable" } });
  });
});

describe("changing", () => {
  test("what it calls, and its name; nothing else is sent, because Twilio takes nothing else", async () => {
    const { sid } = await created();
    const changes = { callbackUrl: "https://other.example.com/", friendlyName: "renamed" };
    expect(await updateUsageTrigger(at.twilio, at.account, sid, changes, 2_000)).toMatchObject({
      kind: "ok",
      body: { sid, ...changes, callbackMethod: "POST", triggerValue: "100.000000" },
    });
    expect(Object.keys(at.asked().at(-1)?.form ?? {})).toEqual(["CallbackUrl", "CallbackMethod", "FriendlyName"]);
  });

  test("one that is gone is a failure", async () => {
    const sid = `UT${"4".repeat(32)}`;
    expect(await updateUsageTrigger(at.twilio, at.account, sid, WANTED, 2_000)).toMatchObject({
      failure: { kind: "not-found" },
    });
  });
});

describe("deleting", () => {
  test("takes it away: Twilio's empty answer is an answer", async () => {
    const { sid } = await created();
    expect(await deleteUsageTrigger(at.twilio, at.account, sid, 2_000)).toEqual({ kind: "ok", body: undefined });
    expect(await list()).toEqual({ kind: "ok", body: [] });
    expect(await deleteUsageTrigger(at.twilio, at.account, sid, 2_000)).toMatchObject({
      failure: { kind: "not-found", code: 20404 },
    });
  });

  test("what is no SID never becomes a path", async () => {
    await expect(deleteUsageTrigger(at.twilio, at.account, "../..", 2_000)).rejects.toThrow("Not a part of a path");
    expect(at.asked()).toEqual([]);
  });
});

const bySid = (a: { sid: string }, b: { sid: string }) => a.sid.localeCompare(b.sid);
