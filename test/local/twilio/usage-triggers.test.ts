import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { accountPath, apiOf, quietSimulator, send, subaccount } from "./api.ts";
import { clockAt } from "./webhook.ts";

let simulator: TwilioSimulator;
let sid: string;
const clock = clockAt("2026-11-20T12:00:00Z");
beforeEach(async () => {
  clock.set("2026-11-20T12:00:00Z");
  simulator = await quietSimulator({ clock });
  sid = subaccount(simulator).accountSid;
});
afterEach(() => simulator.close());

const VALID = { CallbackUrl: "https://example.com/hook", TriggerValue: "1000", UsageCategory: "sms" };
const create = (form: Record<string, string> = {}) =>
  apiOf(simulator).post(accountPath(sid, "/Usage/Triggers"), { ...VALID, ...form });

describe("a new usage trigger", () => {
  it("has Twilio's defaults", async () => {
    expect(await create()).toMatchObject({
      status: 201,
      body: {
        friendly_name: "Trigger for sms at usage of 1000",
        trigger_by: "usage",
        trigger_value: "1000.000000",
        current_value: "0",
        callback_method: "POST",
        recurring: null,
        date_fired: null,
        account_sid: sid,
      },
    });
  });

  it("with +N watches for N more than the current value of its own period and field", async () => {
    simulator.addUsage(sid, { category: "sms", count: 7, usage: 7, price: 2.1 });
    clock.set("2026-11-21T12:00:00Z");
    simulator.addUsage(sid, { category: "sms", count: 2, usage: 2, price: 0.6 });
    const value = async (form: Record<string, string>) => (await create(form)).body.trigger_value;
    expect(await value({ TriggerValue: "+30", Recurring: "daily", TriggerBy: "price" })).toBe("30.600000");
    expect(await value({ TriggerValue: "+30", Recurring: "monthly", TriggerBy: "price" })).toBe("32.700000");
    expect(await value({ TriggerValue: "+30", TriggerBy: "count" })).toBe("39.000000");
    expect(await value({ TriggerValue: "+0.5", UsageCategory: "totalprice", TriggerBy: "price" })).toBe("3.200000");
  });

  it("that recurs alltime is one that does not recur", async () => {
    expect((await create({ Recurring: "alltime" })).body.recurring).toBeNull();
  });

  const invalid = {
    "a zero value": { TriggerValue: "0" },
    "a negative value": { TriggerValue: "-5" },
    "a value that is no number": { TriggerValue: "1e3" },
    "an empty value": { TriggerValue: "" },
    "no category": { UsageCategory: "" },
    "a URL that is none": { CallbackUrl: "example.com/hook" },
    "another scheme": { CallbackUrl: "ftp://example.com/" },
    "another method": { CallbackMethod: "PUT" },
    "an unknown period": { Recurring: "weekly" },
    "an unknown field": { TriggerBy: "spend" },
    "too long a name": { FriendlyName: "n".repeat(65) },
  };
  for (const [what, form] of Object.entries(invalid)) {
    it(`with ${what} is refused with 400`, async () => {
      expect((await create(form)).status).toBe(400);
      expect(simulator.account(sid).triggers).toBe(0);
    });
  }

  it("is refused once the account has 1,000", async () => {
    const path = accountPath(sid, "/Usage/Triggers");
    const codes: number[] = [];
    for (let n = 0; n < 1001; n += 1)
      codes.push((await send(simulator, simulator.parent(), "POST", path, VALID)).status);
    expect(codes.filter((code) => code === 201)).toHaveLength(1000);
    expect(codes.at(-1)).toBe(400);
  });
});

describe("a suspended account", () => {
  beforeEach(() => apiOf(simulator).post(accountPath(sid), { Status: "suspended" }));

  it("is given and relieved of triggers with the parent's token, and not with its own", async () => {
    simulator.addUsage(sid, { category: "totalprice", price: 110 });
    const form = { TriggerValue: "+25", TriggerBy: "price", UsageCategory: "totalprice" };
    const { status, body } = await create(form);
    expect({ status, body }).toMatchObject({ status: 201, body: { trigger_value: "135.000000", recurring: null } });
    const own = subaccount(simulator);
    const refused = await send(simulator, own, "POST", accountPath(sid, "/Usage/Triggers"), { ...VALID, ...form });
    expect(refused).toMatchObject({ status: 401, body: { code: 20003 } });
    expect((await apiOf(simulator).delete(accountPath(sid, `/Usage/Triggers/${body.sid}`))).status).toBe(204);
    expect(simulator.account(sid).triggers).toBe(0);
  });
});

describe("an existing usage trigger", () => {
  it("is fetched, listed by its filters, and gone once deleted", async () => {
    const daily = (await create({ Recurring: "daily", TriggerBy: "price" })).body;
    const once = (await create({ UsageCategory: "totalprice" })).body;
    const api = apiOf(simulator);
    const sids = async (query: string) =>
      (await api.get(`${accountPath(sid, "/Usage/Triggers")}?${query}`)).body.usage_triggers.map(
        (trigger: { sid: string }) => trigger.sid,
      );
    expect(await sids("")).toEqual([daily.sid, once.sid]);
    expect(await sids("Recurring=daily")).toEqual([daily.sid]);
    expect(await sids("Recurring=alltime")).toEqual([once.sid]);
    expect(await sids("TriggerBy=price")).toEqual([daily.sid]);
    expect(await sids("UsageCategory=totalprice")).toEqual([once.sid]);
    expect(await api.delete(accountPath(sid, `/Usage/Triggers/${daily.sid}`))).toEqual({
      status: 204,
      body: undefined,
    });
    expect((await api.get(accountPath(sid, `/Usage/Triggers/${daily.sid}`))).body.code).toBe(20404);
  });

  it("takes a new callback and name, and no new value or category", async () => {
    const path = accountPath(sid, `/Usage/Triggers/${(await create()).body.sid}`);
    const changed = { CallbackUrl: "https://example.org/", CallbackMethod: "GET", FriendlyName: "Daily stop" };
    expect((await apiOf(simulator).post(path, changed)).body).toMatchObject({
      callback_url: "https://example.org/",
      callback_method: "GET",
      friendly_name: "Daily stop",
    });
    for (const form of [{ TriggerValue: "5" }, { UsageCategory: "calls" }]) {
      expect((await apiOf(simulator).post(path, form)).status).toBe(400);
    }
    expect((await apiOf(simulator).get(path)).body).toMatchObject({ trigger_value: "1000.000000" });
  });
});

describe("usage records", () => {
  const records = async (rest: string, of = sid) =>
    (await apiOf(simulator).get(`/2010-04-01/Accounts/${of}/Usage/Records${rest}`)).body.usage_records;

  it("sum each span of GMT days, with the total beside the categories", async () => {
    simulator.addUsage(sid, { category: "sms", count: 10, usage: 10, price: 3 });
    clock.set("2026-11-21T00:00:00Z");
    simulator.addUsage(sid, { category: "calls", count: 1, usage: 2.5, price: 0.5 });
    const price = async (rest: string) => (await records(rest)).map((one: { price: number }) => one.price);
    expect(await price("/Today.json?Category=totalprice")).toEqual([0.5]);
    expect(await price("/Yesterday.json?Category=totalprice")).toEqual([3]);
    expect(await price("/ThisMonth.json?Category=totalprice")).toEqual([3.5]);
    expect(await price("/LastMonth.json?Category=totalprice")).toEqual([0]);
    expect(await price("/AllTime.json?Category=sms")).toEqual([3]);
    expect(await price(".json?Category=totalprice&StartDate=2026-11-21&EndDate=2026-11-21")).toEqual([0.5]);
    expect(await price("/Daily.json?Category=totalprice")).toEqual([0.5, 3]);
    expect(await records("/Today.json?Category=calls")).toMatchObject([
      { count: "1", usage: "2.5", price_unit: "usd" },
    ]);
    expect(await records("/Today.json?Category=totalprice")).toMatchObject([{ count: null, usage: "0.5" }]);
  });

  it("are in the account's own currency, and the parent's include its subaccounts' unless told otherwise", async () => {
    const { accountSid } = simulator.addSubaccount({ currency: "EUR" });
    simulator.setSpend(accountSid, { price: 12.34 });
    simulator.setSpend(accountSid, { price: 20 });
    expect(await records("/Today.json?Category=sms", accountSid)).toMatchObject([{ price: 20, price_unit: "eur" }]);
    const parent = simulator.parent().accountSid;
    expect(await records("/Today.json?Category=totalprice", parent)).toMatchObject([{ price: 20 }]);
    const own = "/Today.json?Category=totalprice&IncludeSubaccounts=false";
    expect(await records(own, parent)).toMatchObject([{ price: 0 }]);
  });
});
