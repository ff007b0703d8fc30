import { afterEach, describe, expect, it } from "vitest";
import { parseForm } from "../../../lib/twilio/signature.ts";
import type { SimulatorOptions, TwilioSimulator } from "../../../local/twilio/simulator.ts";
import fc from "../../support/fast-check.ts";
import { isSignedWith } from "../../support/signatures.ts";
import { accountPath, apiOf, quietSimulator, subaccount } from "./api.ts";
import { clockAt, webhook } from "./webhook.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function start(options: SimulatorOptions = {}, answer?: (nth: number) => number | "never") {
  const clock = clockAt("2026-10-04T12:00:00Z");
  const simulator = await quietSimulator({ clock, ...options });
  const hook = await webhook(answer);
  open.push(simulator, hook);
  return { clock, simulator, hook, sid: subaccount(simulator).accountSid };
}

async function trigger(simulator: TwilioSimulator, sid: string, form: Record<string, string>): Promise<string> {
  const filled = { UsageCategory: "sms", TriggerBy: "price", TriggerValue: "1000", ...form };
  const { body } = await apiOf(simulator).post(accountPath(sid, "/Usage/Triggers"), filled);
  return body.sid;
}

describe("the callback", () => {
  it("is a form POST with the ten documented parameters, signed with the subaccount's own token", async () => {
    const { simulator, hook, sid } = await start();
    const ut = await trigger(simulator, sid, { CallbackUrl: `${hook.url}#rc=3&rp=5xx`, Recurring: "daily" });
    simulator.setSpend(sid, { price: 1060.52 });
    await simulator.evaluateTriggers();
    const [call] = hook.received;
    expect(hook.received).toHaveLength(1);
    expect(call).toMatchObject({
      method: "POST",
      url: "/webhooks/usage-trigger",
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    });
    expect(Object.fromEntries(new URLSearchParams(call?.body))).toEqual({
      AccountSid: sid,
      UsageTriggerSid: ut,
      DateFired: "Sun, 04 Oct 2026 12:00:00 +0000",
      Recurring: "daily",
      UsageCategory: "sms",
      TriggerBy: "price",
      TriggerValue: "1000.000000",
      CurrentValue: "1060.52",
      UsageRecordUri: `/2010-04-01/Accounts/${sid}/Usage/Records.json?Category=sms`,
      IdempotencyToken: `${sid}-FIRES-${ut}-2026-10-04`,
    });
    const signed = { url: hook.url, form: parseForm(call?.body ?? "") };
    const signature = String(call?.headers["x-twilio-signature"]);
    expect(isSignedWith(subaccount(simulator).authToken, signature, signed)).toBe(true);
    expect(isSignedWith(simulator.parent().authToken, signature, signed)).toBe(false);
    expect(call?.headers["i-twilio-idempotency-token"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("by GET carries the parameters in the signed URL", async () => {
    const { simulator, hook, sid } = await start();
    await trigger(simulator, sid, { CallbackUrl: `${hook.url}?from=twilio`, CallbackMethod: "GET" });
    simulator.setSpend(sid, { price: 1000 });
    await simulator.evaluateTriggers();
    const [call] = hook.received;
    expect(call).toMatchObject({ method: "GET", body: "" });
    const url = new URL(call?.url ?? "", hook.url);
    expect(url.searchParams.get("from")).toBe("twilio");
    expect(url.searchParams.get("AccountSid")).toBe(sid);
    const signature = String(call?.headers["x-twilio-signature"]);
    expect(isSignedWith(subaccount(simulator).authToken, signature, { url: url.href, form: new Map() })).toBe(true);
  });

  it("of a subaccount whose token was rotated is signed with the new one", async () => {
    const { simulator, hook, sid } = await start();
    const ut = await trigger(simulator, sid, { CallbackUrl: hook.url });
    const token = simulator.rotateAuthToken(sid);
    await simulator.fireTrigger(sid, ut);
    const [call] = hook.received;
    const signed = { url: hook.url, form: parseForm(call?.body ?? "") };
    expect(isSignedWith(token, String(call?.headers["x-twilio-signature"]), signed)).toBe(true);
  });
});

describe("a trigger that does not recur, +25 above the usage of all time", () => {
  for (const [TriggerBy, more] of [
    ["price", { price: 24.9 }],
    ["count", { count: 24 }],
    ["usage", { usage: 24.9 }],
  ] as const) {
    it(`by ${TriggerBy} fires once past it, and never again`, async () => {
      const { simulator, hook, sid, clock } = await start();
      simulator.addUsage(sid, { count: 110, usage: 110, price: 110 });
      clock.set("2026-10-05T12:00:00Z");
      simulator.addUsage(sid, { count: 30, usage: 30, price: 30 });
      const ut = await trigger(simulator, sid, { CallbackUrl: hook.url, TriggerBy, TriggerValue: "+25" });
      simulator.addUsage(sid, more);
      await simulator.evaluateTriggers();
      expect(hook.received).toHaveLength(0);
      simulator.addUsage(sid, { count: 1, usage: 0.1, price: 0.1 });
      await simulator.evaluateTriggers();
      for (const day of ["2026-10-05", "2026-10-06", "2026-11-06", "2027-11-06"]) {
        clock.set(`${day}T13:00:00Z`);
        simulator.addUsage(sid, { count: 500, usage: 500, price: 500 });
        await simulator.evaluateTriggers();
      }
      expect(hook.received.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))).toMatchObject([
        { UsageTriggerSid: ut, Recurring: "", TriggerBy, TriggerValue: "165.000000", CurrentValue: "165" },
      ]);
    });
  }

  it("set while the account is suspended fires once it is active and past it", async () => {
    const { simulator, hook, sid } = await start({ evaluateSuspended: false });
    simulator.setSpend(sid, { price: 110 });
    await apiOf(simulator).post(accountPath(sid), { Status: "suspended" });
    await trigger(simulator, sid, { CallbackUrl: hook.url, TriggerValue: "+25" });
    await apiOf(simulator).post(accountPath(sid), { Status: "active" });
    await simulator.evaluateTriggers();
    expect(hook.received).toHaveLength(0);
    simulator.setSpend(sid, { price: 135 });
    await simulator.evaluateTriggers();
    expect(hook.received).toHaveLength(1);
  });

  it("that was deleted does not fire", async () => {
    const { simulator, hook, sid } = await start();
    const ut = await trigger(simulator, sid, { CallbackUrl: hook.url, TriggerValue: "+25" });
    await apiOf(simulator).delete(accountPath(sid, `/Usage/Triggers/${ut}`));
    simulator.setSpend(sid, { price: 135 });
    await simulator.evaluateTriggers();
    expect(hook.received).toHaveLength(0);
  });
});

describe("the connection overrides behind a CallbackUrl", () => {
  const OVERRIDES = "#rc=3&rp=all&ct=2000&rt=5000";

  for (const CallbackMethod of ["POST", "GET"]) {
    it(`stay in the resource, and out of the ${CallbackMethod} request and its signature`, async () => {
      const { simulator, hook, sid } = await start();
      const CallbackUrl = `${hook.url}?from=twilio${OVERRIDES}`;
      const ut = await trigger(simulator, sid, { CallbackUrl, CallbackMethod });
      const read = await apiOf(simulator).get(accountPath(sid, `/Usage/Triggers/${ut}`));
      expect(read.body.callback_url).toBe(CallbackUrl);
      await simulator.fireTrigger(sid, ut);
      const { url = "", body = "", headers } = hook.received[0] ?? {};
      expect(url).toMatch(/^\/webhooks\/usage-trigger\?from=twilio(&|$)/);
      expect(url + body).not.toContain("rp=all");
      const signed = { url: new URL(url, hook.url).href, form: parseForm(body) };
      const signature = String(headers?.["x-twilio-signature"]);
      expect(isSignedWith(subaccount(simulator).authToken, signature, signed)).toBe(true);
      const withOverrides = { ...signed, url: `${signed.url}${OVERRIDES}` };
      expect(isSignedWith(subaccount(simulator).authToken, signature, withOverrides)).toBe(false);
    });
  }
});

describe("retries", () => {
  it("follow a 5xx three times, quickly, with the same content", async () => {
    const { simulator, hook, sid } = await start({}, () => 503);
    const ut = await trigger(simulator, sid, { CallbackUrl: hook.url });
    await simulator.fireTrigger(sid, ut);
    expect(hook.received).toHaveLength(4);
    expect(new Set(hook.received.map(({ body }) => body)).size).toBe(1);
    expect(new Set(hook.received.map(({ headers }) => headers["i-twilio-idempotency-token"])).size).toBe(1);
    expect(simulator.deliveries().map(({ attempt, outcome }) => [attempt, outcome])).toEqual(
      [1, 2, 3, 4].map((attempt) => [attempt, { kind: "answered", status: 503 }]),
    );
  });

  it("stop once the webhook answers", async () => {
    const { simulator, hook, sid } = await start({}, (nth) => (nth === 1 ? 500 : 204));
    await simulator.fireTrigger(sid, await trigger(simulator, sid, { CallbackUrl: hook.url }));
    expect(hook.received).toHaveLength(2);
  });

  for (const status of [204, 302, 400, 403, 404, 429]) {
    it(`do not follow a ${status}`, async () => {
      const { simulator, hook, sid } = await start({}, () => status);
      await simulator.fireTrigger(sid, await trigger(simulator, sid, { CallbackUrl: hook.url }));
      expect(hook.received).toHaveLength(1);
    });
  }

  it("do not follow a time-out, and one follows a connection that is refused", async () => {
    const { simulator, hook, sid } = await start({ webhookTimeoutMs: 50 }, () => "never");
    const ut = await trigger(simulator, sid, { CallbackUrl: hook.url });
    await simulator.fireTrigger(sid, ut);
    await hook.close();
    open.splice(1);
    await simulator.fireTrigger(sid, ut);
    expect(simulator.deliveries().map(({ outcome }) => outcome.kind)).toEqual([
      "timed-out",
      "not-connected",
      "not-connected",
    ]);
  });
});

describe("a trigger fires", () => {
  it("at most once a GMT day, and again the next day when the next day's usage reaches it", async () => {
    const { clock, simulator, hook, sid } = await start();
    await trigger(simulator, sid, { CallbackUrl: hook.url, Recurring: "daily" });
    const fired = async (at: string, price: number) => {
      clock.set(at);
      simulator.setSpend(sid, { price });
      await simulator.evaluateTriggers();
      return hook.received.length;
    };
    expect(await fired("2026-10-04T12:00:00Z", 999.99)).toBe(0);
    expect(await fired("2026-10-04T12:01:00Z", 1000)).toBe(1);
    expect(await fired("2026-10-04T23:59:59Z", 9000)).toBe(1);
    expect(await fired("2026-10-05T00:00:00Z", 10)).toBe(1);
    expect(await fired("2026-10-05T00:01:00Z", 1500)).toBe(2);
  });

  it("once in its life where it does not recur, even when its callback is lost", async () => {
    const { clock, simulator, hook, sid } = await start({}, () => 404);
    await trigger(simulator, sid, { CallbackUrl: hook.url });
    simulator.setSpend(sid, { price: 1000 });
    await simulator.evaluateTriggers();
    clock.set("2027-12-01T00:00:00Z");
    await simulator.evaluateTriggers();
    expect(hook.received).toHaveLength(1);
  });

  it("at most once a period whatever the usage and however often triggers are evaluated at once", async () => {
    const days = fc.array(
      fc.record({ hours: fc.integer({ min: 0, max: 40 }), price: fc.integer({ min: 0, max: 400 }) }),
      {
        maxLength: 12,
      },
    );
    const recurring = fc.constantFrom("daily", "monthly", "yearly");
    await fc.assert(
      fc.asyncProperty(days, recurring, async (steps, period) => {
        const fired = await periodsFired(steps, period);
        expect(new Set(fired).size).toBe(fired.length);
        expect(fired.length).toBe(periodsReaching(500, period, steps));
      }),
      { numRuns: 25 },
    );
  });

  it("on a suspended account as well, unless told otherwise", async () => {
    for (const evaluateSuspended of [true, false]) {
      const { simulator, hook, sid } = await start({ evaluateSuspended });
      await trigger(simulator, sid, { CallbackUrl: hook.url });
      simulator.setSpend(sid, { price: 1000 });
      simulator.setStatus(sid, "suspended");
      await simulator.evaluateTriggers();
      expect(hook.received).toHaveLength(evaluateSuspended ? 1 : 0);
    }
  });

  it("by itself, in the interval that was asked for", async () => {
    const { simulator, hook, sid } = await start({ evaluateEveryMs: 20 });
    const ut = await trigger(simulator, sid, { CallbackUrl: hook.url });
    simulator.setSpend(sid, { price: 1000 });
    await expect.poll(() => hook.received.length).toBe(1);
    const { body } = await apiOf(simulator).get(accountPath(sid, `/Usage/Triggers/${ut}`));
    expect(body).toMatchObject({ date_fired: "Sun, 04 Oct 2026 12:00:00 +0000", current_value: "1000" });
  });
});

const LENGTH = { daily: 10, monthly: 7, yearly: 4 };
type Recurring = keyof typeof LENGTH;

interface Step {
  /** Since the step before. */
  hours: number;
  price: number;
}

/** The periods in which a trigger at 500 fires while the steps happen. */
async function periodsFired(steps: readonly Step[], recurring: Recurring): Promise<string[]> {
  const { clock, simulator, hook, sid } = await start();
  await trigger(simulator, sid, { CallbackUrl: hook.url, Recurring: recurring, TriggerValue: "500" });
  let time = Date.parse("2026-11-25T12:00:00Z");
  for (const { hours, price } of steps) {
    time += hours * 3_600_000;
    clock.set(new Date(time).toISOString());
    simulator.addUsage(sid, { category: "sms", price });
    await Promise.all([simulator.evaluateTriggers(), simulator.evaluateTriggers()]);
  }
  await Promise.all(open.splice(0).map((one) => one.close()));
  return hook.received.map(({ body }) => periodOf(recurring, new URLSearchParams(body).get("DateFired")));
}

const periodOf = (recurring: Recurring, date: string | null) =>
  new Date(date ?? "").toISOString().slice(0, LENGTH[recurring]);

/** In how many periods the sum of the prices reaches `value`: reckoned apart from the simulator. */
function periodsReaching(value: number, recurring: Recurring, steps: readonly Step[]) {
  const sums = new Map<string, number>();
  let time = Date.parse("2026-11-25T12:00:00Z");
  for (const { hours, price } of steps) {
    time += hours * 3_600_000;
    const period = new Date(time).toISOString().slice(0, LENGTH[recurring]);
    sums.set(period, (sums.get(period) ?? 0) + price);
  }
  return [...sums.values()].filter((sum) => sum >= value).length;
}
