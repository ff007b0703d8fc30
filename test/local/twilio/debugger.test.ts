import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseForm } from "../../../lib/twilio/signature.ts";
import type { DebuggerWebhookOrder } from "../../../local/twilio/error-controls.ts";
import type { ErrorOrder } from "../../../local/twilio/error-events.ts";
import type { SimulatorOptions, TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { within } from "../../support/lived-time.ts";
import { isSignedWith } from "../../support/signatures.ts";
import { accountPath, apiOf, type Credentials, quietSimulator, subaccount } from "./api.ts";
import { clockAt, type ReceivedWebhook, webhook } from "./webhook.ts";

let simulator: TwilioSimulator;
let hook: Awaited<ReturnType<typeof webhook>>;
let parent: Credentials;
let sub: Credentials;

async function start(options: SimulatorOptions = {}, answer?: (nth: number) => number | "never") {
  hook = await webhook(answer);
  simulator = await quietSimulator({ clock: clockAt("2026-10-04T12:00:00.900Z"), ...options });
  parent = simulator.parent();
  sub = subaccount(simulator);
}
const stop = () => Promise.all([simulator.close(), hook.close()]);
const restart = async (...options: Parameters<typeof start>) => {
  await stop();
  await start(...options);
};
beforeEach(() => start());
afterEach(stop);

const configure = (webhook: Partial<DebuggerWebhookOrder> = {}, accountSid = parent.accountSid) =>
  simulator.setDebuggerWebhook(accountSid, { url: hook.url, ...webhook });
const raise = async (order: ErrorOrder, accountSid = sub.accountSid) => {
  const sids = simulator.raiseErrors(accountSid, order);
  await simulator.errorsSettled();
  return sids;
};
const formOf = (call: ReceivedWebhook | undefined) => Object.fromEntries(new URLSearchParams(call?.body));
const isSignedBy = ({ authToken }: Credentials, call: ReceivedWebhook | undefined) =>
  isSignedWith(authToken, String(call?.headers["x-twilio-signature"]), {
    url: hook.url,
    form: parseForm(call?.body ?? ""),
  });

describe("the debugger webhook", () => {
  it("is a signed form POST with the seven documented parameters", async () => {
    configure();
    const resourceSid = `CA${"1".repeat(32)}`;
    const [sid] = await raise({
      code: 11200,
      resourceSid,
      moreInfo: { httpResponse: "404" },
      webhook: { request: {} },
    });
    const [call] = hook.received;
    expect(hook.received).toHaveLength(1);
    expect(call).toMatchObject({
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    });
    expect(call?.headers["i-twilio-idempotency-token"]).toMatch(/^[0-9a-f-]{36}$/);
    const { Payload, ...form } = formOf(call);
    expect(form).toEqual({
      AccountSid: sub.accountSid,
      ParentAccountSid: parent.accountSid,
      Sid: sid,
      Level: "ERROR",
      Timestamp: "2026-10-04T12:00:00Z",
      PayloadType: "application/json",
    });
    expect(sid).toMatch(/^NO[0-9a-f]{32}$/);
    expect(JSON.parse(Payload ?? "")).toEqual({
      resource_sid: resourceSid,
      service_sid: null,
      error_code: "11200",
      more_info: { Msg: "HTTP retrieval failure", ErrorCode: "11200", LogLevel: "ERROR", httpResponse: "404" },
      webhook: { request: {} },
    });
    expect(isSignedBy(sub, call)).toBe(true);
    expect(isSignedBy(parent, call)).toBe(false);
  });

  it("can be signed with the parent's token", async () => {
    configure({ signedBy: "parent" });
    await raise({ code: 32201 });
    expect(isSignedBy(parent, hook.received[0])).toBe(true);
    expect(simulator.errorDeliveries()).toMatchObject([{ to: "debugger", signedBy: parent.accountSid }]);
  });

  it.each([
    ["present", "sub", (sid: string): unknown => sid],
    ["empty", "sub", () => ""],
    ["absent", "sub", () => undefined],
    ["present", "parent", () => undefined],
    ["empty", "parent", () => ""],
  ] as const)("names the parent account: %s, for the %s", async (parentAccountSid, whose, expected) => {
    configure({ parentAccountSid });
    await raise({ code: 32201 }, whose === "sub" ? sub.accountSid : parent.accountSid);
    expect(formOf(hook.received[0])["ParentAccountSid"]).toEqual(expected(parent.accountSid));
  });

  it("of the parent hears of subaccounts only if it is meant to; a subaccount's own hears of itself alone", async () => {
    configure({ subaccounts: false });
    await raise({ code: 32201 });
    expect(hook.received).toHaveLength(0);
    configure({}, sub.accountSid);
    await raise({ code: 32201 });
    await raise({ code: 32201 }, subaccount(simulator, 1).accountSid);
    expect(hook.received.map((call) => formOf(call)["AccountSid"])).toEqual([sub.accountSid]);
    simulator.setDebuggerWebhook(sub.accountSid, null);
    await raise({ code: 32201 });
    expect(hook.received).toHaveLength(1);
  });

  it("on both accounts is called twice, with the same event", async () => {
    configure();
    configure({}, sub.accountSid);
    await raise({ code: 32201 });
    expect(new Set(hook.received.map((call) => formOf(call)["Sid"])).size).toBe(1);
    expect(hook.received).toHaveLength(2);
  });

  it("carries what is told, whatever it is: repeated, in small letters, and unreadable", async () => {
    configure();
    const sid = `NO${"a".repeat(32)}`;
    await raise({ code: 32201, times: 2, sid, level: "warning", rawPayload: '{"__proto__":' });
    expect(hook.received.map(formOf)).toMatchObject([
      { Sid: sid, Level: "warning", Payload: '{"__proto__":' },
      { Sid: sid },
    ]);
  });

  it.each([204, 400, 403, 429, 500, 503])("answered %i is not called again", async (status) => {
    await restart({}, () => status);
    configure();
    await raise({ code: 32201 });
    expect(hook.received).toHaveLength(1);
  });

  it("is called once more where there is no connection, and not after a time-out", async () => {
    await restart({ webhookTimeoutMs: 40 }, () => "never");
    configure();
    await raise({ code: 32201 });
    expect(hook.received).toHaveLength(1);
    configure({ url: "http://127.0.0.1:9/" });
    await raise({ code: 32201 });
    expect(simulator.errorDeliveries().map(({ outcome }) => outcome.kind)).toEqual([
      "timed-out",
      "not-connected",
      "not-connected",
    ]);
  });

  it("that is never answered does not keep the simulator from closing", async () => {
    await restart({}, () => "never");
    configure();
    simulator.raiseErrors(sub.accountSid, { code: 32201, times: 200 });
    await expect.poll(() => hook.received.length).toBeGreaterThan(0);
    await within(5000, simulator.close());
  });

  it("can be configured from the start", async () => {
    await simulator.close();
    simulator = await quietSimulator({ debuggerWebhook: { url: hook.url } });
    await raise({ code: 32201 }, subaccount(simulator).accountSid);
    expect(hook.received).toHaveLength(1);
  });
});

it("a thousand errors do not hold up a usage trigger", async () => {
  const trigger = await webhook();
  await restart({}, () => "never");
  configure();
  const ut = await newTrigger(trigger.url);
  simulator.raiseErrors(sub.accountSid, { code: 32201, times: 1_000 });
  await simulator.fireTrigger(sub.accountSid, ut);
  await trigger.close();
  expect(trigger.received).toHaveLength(1);
});

async function newTrigger(CallbackUrl: string): Promise<string> {
  const form = { CallbackUrl, TriggerValue: "5", UsageCategory: "sms" };
  return (await apiOf(simulator).post(accountPath(sub.accountSid, "/Usage/Triggers"), form)).body.sid;
}
