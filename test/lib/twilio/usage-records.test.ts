import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TwilioClient, twilioClient } from "../../../lib/twilio/client.ts";
import { readSpendToday } from "../../../lib/twilio/usage-records.ts";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { assertRequest } from "../../contract/twilio-openapi.ts";
import { quietSimulator } from "../../local/twilio/api.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";

let simulator: TwilioSimulator;
let proxy: FaultProxy;
let twilio: TwilioClient;
let account: string;

beforeAll(async () => {
  simulator = await quietSimulator();
  proxy = await startFaultProxy(simulator.url);
  const { accountSid, authToken } = simulator.parent();
  twilio = twilioClient({ accountSid, authToken: async () => authToken, apiUrl: proxy.url });
});
afterAll(async () => {
  await proxy.close();
  await simulator.close();
});
beforeEach(() => {
  proxy.clear();
  account = simulator.addSubaccount({ currency: "jpy" }).accountSid;
});

const spend = (category: string) => readSpendToday(twilio, account, category, 2000);
const answering = (usage_records: unknown) =>
  proxy.fail({ do: "answer", status: 200, body: JSON.stringify({ usage_records }) });

test("today's price of a category comes with the account's currency", async () => {
  simulator.addUsage(account, { category: "sms", count: 4, price: 12.5 });
  simulator.addUsage(account, { category: "calls", count: 1, price: 0.25 });
  expect(await spend("sms")).toEqual({ kind: "ok", body: { currency: "JPY", price: "12.5" } });
  expect(await spend("totalprice")).toEqual({ kind: "ok", body: { currency: "JPY", price: "12.75" } });
  const { path } = proxy.requests().at(-1) ?? { path: "" };
  assertRequest("GET", path.replace(/^\/api/, ""));
});

test("a category's name can hold any character", async () => {
  expect(await spend("a&b=c #/?")).toEqual({ kind: "ok", body: undefined });
  expect(proxy.requests().at(-1)?.path).toContain("Category=a%26b%3Dc+%23%2F%3F");
});

describe("Twilio's answer", () => {
  test.each([
    ["a price as a number", [{ category: "sms", price: 0.1, price_unit: "usd" }], { currency: "USD", price: "0.1" }],
    ["a price as text", [{ category: "sms", price: "0.10", price_unit: "usd" }], { currency: "USD", price: "0.10" }],
    ["no record", [], undefined],
    ["another category's record", [{ category: "mms", price: 1, price_unit: "usd" }], undefined],
    ["no price", [{ category: "sms", price: null, price_unit: "usd" }], undefined],
    ["no currency", [{ category: "sms", price: 1, price_unit: null }], undefined],
    ["an empty currency", [{ category: "sms", price: 1, price_unit: "" }], undefined],
    [
      "records of which one is ours",
      [{ category: "mms" }, { category: "sms", price: 2, price_unit: "eur" }],
      { currency: "EUR", price: "2" },
    ],
  ])("with %s", async (_, records, body) => {
    answering(records);
    expect(await spend("sms")).toEqual({ kind: "ok", body });
  });

  test("404, as Twilio gives the parent for some subaccounts, is a failure, not zero", async () => {
    proxy.fail({ do: "answer", status: 404, body: JSON.stringify({ code: 20404, message: "not found" }) });
    expect(await spend("sms")).toMatchObject({ kind: "failed", failure: { kind: "not-found" } });
  });
});
