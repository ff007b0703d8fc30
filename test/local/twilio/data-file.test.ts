import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { accountPath, apiOf, quietSimulator, subaccount } from "./api.ts";

let folder: string;
let dataFile: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "twilio-simulator-"));
  dataFile = join(folder, "deep", "twilio.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

it("accounts, tokens, statuses, triggers and usage survive a restart", async () => {
  const first = await quietSimulator({ dataFile });
  const { accountSid } = subaccount(first);
  const triggers = accountPath(accountSid, "/Usage/Triggers");
  const form = { CallbackUrl: "https://example.com/", TriggerValue: "+30", UsageCategory: "sms", Recurring: "daily" };
  await apiOf(first).post(triggers, form);
  first.setSpend(accountSid, { price: 20 });
  first.rotateAuthToken(accountSid);
  await apiOf(first).post(accountPath(accountSid), { Status: "suspended" });
  const before = { parent: first.parent(), subaccounts: first.subaccounts() };
  const listed = (await apiOf(first).get(triggers)).body;
  await first.close();

  const second = await quietSimulator({ dataFile, subaccounts: 9, seed: "another" });
  expect({ parent: second.parent(), subaccounts: second.subaccounts() }).toEqual(before);
  expect((await apiOf(second).get(triggers)).body).toEqual(listed);
  await second.close();
  expect(readdirSync(join(folder, "deep"))).toEqual(["twilio.json"]);
});

it("debugger webhooks, sinks and subscriptions survive a restart, and are not in files of earlier versions", async () => {
  const first = await quietSimulator({ dataFile });
  const credentials = subaccount(first);
  first.setDebuggerWebhook(first.parent().accountSid, { url: "http://127.0.0.1:9/" });
  const SinkConfiguration = '{"destination":"http://127.0.0.1:9/","method":"POST","batch_events":true}';
  const api = apiOf(first, credentials);
  const sink = (await api.post("/v1/Sinks", { Description: "d", SinkType: "webhook", SinkConfiguration })).body;
  const Types = '{"type":"com.twilio.error-logs.error.logged","schema_version":2}';
  const made = (await api.post("/v1/Subscriptions", { Description: "d", SinkSid: sink.sid, Types })).body;
  await first.close();

  const second = await quietSimulator({ dataFile });
  expect(second.debuggerWebhook(second.parent().accountSid)?.url).toBe("http://127.0.0.1:9/");
  const again = apiOf(second, credentials);
  const { sink_configuration } = (await again.get(`/v1/Sinks/${sink.sid}`)).body;
  expect(sink_configuration.batch_events).toBe(true);
  const { account_sid, sink_sid } = (await again.get(`/v1/Subscriptions/${made.sid}`)).body;
  expect({ account_sid, sink_sid }).toEqual({ account_sid: credentials.accountSid, sink_sid: sink.sid });
  await second.close();

  const saved = JSON.parse(readFileSync(dataFile, "utf8"));
  for (const account of saved.accounts)
    for (const name of ["debuggerWebhook", "sinks", "subscriptions"]) delete account[name];
  writeFileSync(dataFile, JSON.stringify(saved));
  const earlier = await quietSimulator({ dataFile });
  expect(earlier.debuggerWebhook(earlier.parent().accountSid)).toBeNull();
  expect((await apiOf(earlier, credentials).get("/v1/Sinks")).body.sinks).toEqual([]);
  await earlier.close();
});

it("keys, numbers, a secondary token and dialing permissions survive a restart", async () => {
  const first = await quietSimulator({ dataFile });
  const credentials = subaccount(first);
  const { accountSid } = credentials;
  first.stealKey(accountSid, { type: "main" });
  const number = accountPath(accountSid, `/IncomingPhoneNumbers/${first.phoneNumbers(accountSid)[0]?.sid}`);
  await apiOf(first).post(number, { VoiceUrl: "", FriendlyName: "Stopped" });
  const own = apiOf(first, credentials);
  const UpdateRequest = '[{"iso_code":"LV","low_risk_numbers_enabled":"false"}]';
  await own.post("/v1/DialingPermissions/BulkCountryUpdates", { UpdateRequest });
  await own.post("/v1/Settings", { DialingPermissionsInheritance: "false" });
  await own.post("/v1/AuthTokens/Secondary");
  const has = (simulator: typeof first) => [
    simulator.account(accountSid),
    simulator.keys(accountSid),
    simulator.phoneNumbers(accountSid),
    simulator.dialingPermissions(accountSid),
  ];
  const before = has(first);
  await first.close();

  const second = await quietSimulator({ dataFile });
  expect(has(second)).toEqual(before);
  await second.close();
});

it("accounts of earlier versions' files have keys and numbers from then on, and inherit their permissions", async () => {
  const first = await quietSimulator({ dataFile });
  await first.close();
  const saved = JSON.parse(readFileSync(dataFile, "utf8"));
  for (const account of saved.accounts) {
    for (const later of ["keys", "phoneNumbers", "secondaryAuthToken", "dialing"]) delete account[later];
  }
  writeFileSync(dataFile, JSON.stringify(saved));

  const second = await quietSimulator({ dataFile });
  const { accountSid } = subaccount(second);
  const keys = second.keys(accountSid);
  expect([1, 2]).toContain(keys.length);
  for (const { dateCreated } of keys) expect(dateCreated.getTime()).toBeLessThan(Date.now());
  expect(second.phoneNumbers(accountSid)).toHaveLength(2);
  expect(second.dialingPermissions(accountSid).inherits).toBe(true);
  expect(second.keys(second.parent().accountSid)).toEqual([]);
  await second.close();
  const third = await quietSimulator({ dataFile });
  expect(third.keys(accountSid)).toEqual(keys);
  await third.close();
});

it("a change is written soon, without waiting for the end", async () => {
  const first = await quietSimulator({ dataFile });
  const { accountSid } = subaccount(first);
  await apiOf(first).post(accountPath(accountSid), { Status: "suspended" });
  const saved = () => JSON.parse(readFileSync(dataFile, "utf8")).accounts;
  await expect.poll(saved).toContainEqual(expect.objectContaining({ sid: accountSid, status: "suspended" }));
  await first.close();
});

it("the same seed makes new subaccounts and triggers after a restart, not the old ones again", async () => {
  await (await quietSimulator({ dataFile })).close();
  const again = await quietSimulator({ dataFile });
  again.addSubaccount();
  const sids = again.subaccounts().map(({ accountSid }) => accountSid);
  await again.close();
  expect(new Set(sids).size).toBe(4);
});

it("a file that cannot be read, or belongs to another parent, is refused with what to do", async () => {
  await (await quietSimulator({ dataFile })).close();
  const parent = { accountSid: `AC${"0".repeat(32)}`, authToken: "t" };
  await expect(quietSimulator({ dataFile, parent })).rejects.toThrow(/another parent.*Fix: delete/s);
  writeFileSync(dataFile, "{}");
  await expect(quietSimulator({ dataFile })).rejects.toMatchObject({ code: "simulator-data-unreadable" });
});

it("the parent that was asked for is the parent", async () => {
  const parent = { accountSid: `AC${"0".repeat(32)}`, authToken: "t" };
  const simulator = await quietSimulator({ parent, subaccounts: [{ friendlyName: "One", currency: "JPY" }] });
  expect(simulator.parent()).toMatchObject(parent);
  expect(simulator.subaccounts()).toMatchObject([{ friendlyName: "One", currency: "jpy" }]);
  await simulator.close();
});
