import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { reconcile } from "../../../lib/response/reconcile.ts";
import { callbackUrl } from "../../../lib/triggers/callback.ts";
import { MOST_AT_ONCE } from "../../../lib/triggers/most-urgent.ts";
import { apiOf } from "../../local/twilio/api.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";

/** Where nobody listens: no webhook comes in. */
const NOWHERE = "http://127.0.0.1:9";
const POLICY = policyOf(`
limits:
  daily-warning: { category: totalprice, by: price, every: day, at: 80, then: alert }
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
unlisted: alert
`);

let rig: Rig;
let account: string;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  account = rig.simulator.addSubaccount().accountSid;
  rig.followUps.length = 0;
});

async function addTrigger(limit: string, value: number, of = { UsageCategory: "totalprice", TriggerBy: "price" }) {
  const form = {
    ...{ ...of, Recurring: "daily", TriggerValue: String(value) },
    ...{ CallbackUrl: callbackUrl(NOWHERE, { limit }), CallbackMethod: "POST" },
  };
  const { status } = await apiOf(rig.simulator).post(`/2010-04-01/Accounts/${account}/Usage/Triggers.json`, form);
  expect(status).toBe(201);
}

async function look(number = 1): Promise<string[]> {
  const responder = rig.responder({ policy: POLICY, publicUrl: NOWHERE });
  const until = { clock: responder.clock, deadline: responder.clock.now().getTime() + 60_000 };
  expect(await reconcile(responder, { kind: "reconcile", accountSid: account, look: number }, until)).toBeUndefined();
  const inbox = await rig.inboxOf(account);
  return inbox.map((message) => (message.kind === "usage-trigger" ? `${message.found}: ${message.limit}` : ""));
}

test("of a thousand triggers that a thief made to call us, the limit's own comes first, and few wait at a time", async () => {
  for (let made = 1; made <= 15; made++) {
    await addTrigger(`made-up-${made}`, made, { UsageCategory: "sms", TriggerBy: "count" });
  }
  await addTrigger("daily-warning", 80);
  await addTrigger("daily-spend", 100);
  rig.simulator.addUsage(account, { category: "sms", count: 400, price: 130 });
  await rig.simulator.evaluateTriggers();

  const found = await look();
  expect(found).toHaveLength(MOST_AT_ONCE);
  expect(found[0]).toBe("reconciled: daily-spend");
  expect(rig.followUps).toEqual([{ kind: "reconcile", accountSid: account, look: 2 }]);
  rig.followUps.length = 0;
  // What is left then is the sweep's: looks that webhooks begin do not add up.
  expect(await look(2)).toHaveLength(MOST_AT_ONCE);
  expect(rig.followUps).toEqual([]);
});

test("where nothing is found, it is looked once more: Twilio's lists lag", async () => {
  expect(await look(1)).toEqual([]);
  expect(rig.followUps).toEqual([{ kind: "reconcile", accountSid: account, look: 2 }]);
  rig.followUps.length = 0;
  expect(await look(2)).toEqual([]);
  expect(rig.followUps).toEqual([]);
});
