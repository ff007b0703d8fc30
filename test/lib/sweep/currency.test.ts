import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import { jsonLog } from "../../../lib/log.ts";
import { type CurrencyCheck, checkCurrency, lacksOwnValues, limitsInOtherMoney } from "../../../lib/sweep/currency.ts";
import { NOTHING_KNOWN } from "../../../lib/sweep/known.ts";
import { planRepairs } from "../../../lib/sweep/plan-repairs.ts";
import { politeClient } from "../../../lib/sweep/polite-client.ts";
import { type TwilioClient, twilioClient } from "../../../lib/twilio/client.ts";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { quietSimulator } from "../../local/twilio/api.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";
import { policyOf } from "../../support/policies.ts";
import { ACCOUNT, inOrder, NOW, PUBLIC_URL, remembered, timeBefore, UNTOUCHED } from "./examples.ts";

const POLICY = policyOf(`
currency: USD
limits:
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  texts: { category: sms, by: count, every: day, at: 5000, then: alert }
  hourly: { category: totalprice, by: price, every: hour, at: 30, then: alert }
  unusual: { category: totalprice, by: price, spike: { times: 8, over: 7d, at-least: 20 }, then: alert }
`);
const withOwn = (values: string) => ({
  ...POLICY,
  accounts: policyOf(`limits:
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
  hourly: { category: totalprice, by: price, every: hour, at: 30, then: alert }
accounts: { ${ACCOUNT}: { ${values} } }`).accounts,
});

const found = (is: string | null, changes: Partial<CurrencyCheck> = {}): CurrencyCheck => ({
  ...{ is, against: "USD", at: NOW.toISOString() },
  ...changes,
});

describe("limits that would mean other money", () => {
  const names = (policy = POLICY, currency: CurrencyCheck | null = found("JPY")) => [
    ...limitsInOtherMoney(ACCOUNT, policy, { currency }),
  ];

  test("are all of those on money, in another currency", () => {
    expect(names()).toEqual(["daily-spend", "hourly", "unusual"]);
    for (const currency of [found("USD"), found(null), null]) expect(names(POLICY, currency)).toEqual([]);
    expect(names({ ...POLICY, currency: null })).toEqual([]);
    // The policy was corrected: it need not be asked again for that.
    expect(names({ ...POLICY, currency: "JPY" })).toEqual([]);
  });

  test("but for those of which the account has a value of its own; of a spike it can have none", () => {
    const currency = found("JPY");
    expect(names(withOwn("daily-spend: 15000"))).toEqual(["hourly", "unusual"]);
    expect(lacksOwnValues(ACCOUNT, withOwn("daily-spend: 15000"), { currency })).toBe(true);
    const all = withOwn("daily-spend: 15000, hourly: 4000");
    expect(names(all)).toEqual(["unusual"]);
    expect(lacksOwnValues(ACCOUNT, all, { currency })).toBe(false);
    expect(lacksOwnValues(ACCOUNT, POLICY, { currency: found("USD") })).toBe(false);
  });

  test("are not created, and what there is of them is not removed", () => {
    const known = { ...NOTHING_KNOWN, currency: found("JPY") };
    const plan = (triggers: Parameters<typeof planRepairs>[0], policy = POLICY) =>
      planRepairs(triggers, { ...UNTOUCHED, accountSid: ACCOUNT, known, policy, publicUrl: PUBLIC_URL, now: NOW });
    const fresh = plan([]);
    expect(fresh.create.map(({ limit }) => limit)).toEqual(["texts"]);
    expect(fresh.withheld.map(({ limit }) => limit)).toEqual(["daily-spend"]);

    const old = plan(inOrder({ "daily-spend": { triggerValue: "80" } }, POLICY));
    expect(old).toMatchObject({ create: [], remove: [], withheld: [{ limit: "daily-spend" }] });
    // But a limit that the policy has no more goes, as everywhere.
    const { "daily-spend": _, ...limits } = POLICY.limits;
    expect(plan(inOrder({}, POLICY), { ...POLICY, limits }).remove).toHaveLength(1);
  });
});

describe("asking", () => {
  let simulator: TwilioSimulator;
  let proxy: FaultProxy;
  let twilio: TwilioClient;
  let accountSid: string;
  const lines: string[] = [];

  beforeAll(async () => {
    simulator = await quietSimulator();
    proxy = await startFaultProxy(simulator.url);
    const parent = simulator.parent();
    twilio = twilioClient({
      accountSid: parent.accountSid,
      authToken: async () => parent.authToken,
      apiUrl: proxy.url,
    });
  });
  afterAll(async () => {
    await proxy.close();
    await simulator.close();
  });
  beforeEach(() => {
    proxy.clear();
    lines.splice(0);
    accountSid = simulator.addSubaccount({ currency: "JPY" }).accountSid;
  });

  const ask = (known = NOTHING_KNOWN, policy = POLICY) => {
    const until = { clock: systemClock, deadline: Date.now() + 10_000 };
    const sweeper = { policy, clock: systemClock, log: jsonLog((line) => lines.push(line)) };
    const account = { accountSid, status: "active", friendlyName: "" } as const;
    return checkCurrency(sweeper, account, known, { twilio: politeClient(twilio, { atOnce: 1, until }) });
  };
  const earlier = (milliseconds: number) => timeBefore(milliseconds).toISOString();

  test("tells, also of an account that has spent nothing", async () => {
    expect(await ask()).toMatchObject({ kind: "checked", check: { is: "JPY", against: "USD" } });
  });

  test("is needless where it is remembered, or the policy doesn't say", async () => {
    const sent = proxy.requests().length;
    expect(await ask({ ...NOTHING_KNOWN, currency: found("JPY") })).toEqual({ kind: "no-question" });
    expect(await ask(NOTHING_KNOWN, { ...POLICY, currency: null })).toEqual({ kind: "no-question" });
    expect(proxy.requests()).toHaveLength(sent);
  });

  test("comes again only once something was spent, when the usage didn't tell", async () => {
    proxy.fail({ do: "answer", status: 200, body: '{"usage_records":[]}' });
    expect(await ask()).toMatchObject({ kind: "checked", check: { is: null } });
    proxy.clear();
    const asked = (spentAt: string | null) => ({ ...remembered({ spentAt }), currency: found(null) });
    expect(await ask(asked(null))).toEqual({ kind: "no-question" });
    expect(await ask(asked(earlier(60_000)))).toEqual({ kind: "no-question" });
    expect(await ask(asked(earlier(-60_000)))).toMatchObject({ kind: "checked", check: { is: "JPY" } });
  });

  test("with no answer it is asked again; what Twilio refuses is not, and the account is armed like others", async () => {
    for (let tries = 0; tries < 4; tries++) proxy.fail({ do: "answer", status: 500, body: "{}" });
    expect(await ask()).toMatchObject({ kind: "unread", why: expect.stringContaining("currency could not be read") });
    proxy.clear();
    proxy.fail({ do: "answer", status: 403, body: '{"code":20003,"message":"no"}' });
    expect(await ask()).toMatchObject({ kind: "checked", check: { is: null } });
    expect(lines.join("\n")).toContain("currency-not-read");
  });
});
