import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Policy } from "../../../lib/policy/policy.ts";
import { isGuard } from "../../../lib/triggers/guards.ts";
import { accountPath, apiOf } from "../../local/twilio/api.ts";
import { dismiss, suspend } from "../../support/commands.ts";
import type { SeenRequest } from "../../support/fault-proxy.ts";
import { policyOf } from "../../support/policies.ts";
import { firing } from "../../support/signals.ts";
import { ahead, MINUTE, type SweepRig, startSweepRig } from "../sweep/sweep-rig.ts";

// Whatever leaves an account running with its limit's trigger fired, and silent until the next period, leaves a guard.

let rig: SweepRig;
let account: string;
/** Sweeps so far: five minutes lie between them. */
let sweeps: number;

const BASE = `
limits:
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
brake: { suspensions: 1000, within: 10m }
`;
const ENFORCE = policyOf(BASE);
const OBSERVE = policyOf(`mode: observe${BASE}`);
const exempting = () => policyOf(`${BASE}exempt: [{ account: ${account}, why: campaign }]\n`);

beforeAll(async () => {
  rig = await startSweepRig(ENFORCE);
  // What fires from now on is news to this table.
  await rig.sweep({ clock: ahead(-10 * MINUTE) });
});
afterAll(() => rig.close());
beforeEach(async () => {
  account = rig.simulator.addSubaccount().accountSid;
  sweeps = 0;
  await sweep(ENFORCE);
});
afterEach(() => rig.mend());

const status = () => rig.simulator.account(account).status;
const spend = (price: number) => rig.simulator.addUsage(account, { category: "totalprice", price });
const guards = async () => (await rig.triggersOf(account)).filter(isGuard);
const listsTriggers = ({ method, path }: SeenRequest) => method === "GET" && path.includes("/Usage/Triggers");

/** Swept, and each message that it left dealt with. */
async function sweep(policy: Policy): Promise<void> {
  sweeps += 1;
  const delivered = new Set((await rig.inboxOf(account)).map(({ id }) => id));
  await rig.sweep({ policy, clock: ahead(sweeps * 5 * MINUTE) });
  for (const message of await rig.inboxOf(account)) {
    if (!delivered.has(message.id)) await rig.deliver(message, { policy });
  }
}

async function latest() {
  const found = (await rig.incidentsOf(account)).at(-1);
  if (found === undefined) throw new Error("there is no incident");
  return found;
}

/** The limit's own trigger, once it has fired, as its webhook tells it. */
async function fired() {
  await rig.simulator.evaluateTriggers();
  const own = (await rig.triggersOf(account)).find(({ friendlyName }) => friendlyName === "tollbreaker: spend");
  if (!own?.dateFired) throw new Error("it has not fired");
  const { sid: usageTriggerSid, triggerValue, currentValue, dateFired } = own;
  const firedAt = new Date(dateFired).toISOString();
  return firing(account, { usageTriggerSid, triggerValue, currentValue, dateFired, firedAt, limit: "spend" });
}

async function tripped(policy: Policy): Promise<void> {
  spend(120);
  await rig.deliver(await fired(), { policy });
}

async function dismissed(policy: Policy): Promise<void> {
  await rig.deliver(dismiss((await latest()).incident), { policy });
  expect((await latest()).incident.state).toBe("dismissed");
}

/** It spends, Twilio evaluates, and every webhook is lost. */
async function goesOn(price: number, policy: Policy, times = 2): Promise<void> {
  spend(price);
  await rig.simulator.evaluateTriggers();
  for (let n = 0; n < times; n++) await sweep(policy);
}

describe("dismissed", () => {
  test("while it was exempt: its guard is there at once, and people are told from which value on", async () => {
    await tripped(exempting());
    await dismissed(exempting());
    expect(await guards()).toMatchObject([{ friendlyName: "tollbreaker: spend interim", dateFired: null }]);
    const { timeline } = await latest();
    const words = "its guard fires once 100 more was used (spend is at 120 now)";
    expect(timeline.find(({ what }) => what === "guarded")?.why).toContain(words);
    const alert = (await rig.alertsOf(account)).at(-1);
    expect(alert?.headline).toContain(words);
  });

  test("within the limit on top it goes on; beyond it, it is suspended once the exemption is over", async () => {
    await tripped(exempting());
    await dismissed(exempting());
    await goesOn(90, ENFORCE);
    expect(status()).toBe("active");
    await goesOn(20, ENFORCE);
    expect(status()).toBe("suspended");
  });

  test("held by the brake: the same", async () => {
    const braked = policyOf(BASE.replace("1000", "1"));
    const other = rig.simulator.addSubaccount().accountSid;
    await rig.deliver(firing(other), { policy: braked });
    await tripped(braked);
    expect((await latest()).incident).toMatchObject({ state: "alerted", because: "brake" });
    await dismissed(braked);
    await goesOn(2869, ENFORCE);
    expect(status()).toBe("suspended");
  });

  test("after its suspension failed: nothing takes up what a person has judged, until it spends anew", async () => {
    spend(120);
    const signal = await fired();
    rig.twilio.fail({ do: "cut" });
    await rig.deliver(signal, { policy: ENFORCE, milliseconds: 3000 });
    rig.mend();
    await dismissed(ENFORCE);
    await rig.deliver(signal, { policy: ENFORCE, attempt: 2 });
    await goesOn(10, ENFORCE);
    expect(status()).toBe("active");
    expect(await rig.incidentsOf(account)).toHaveLength(1);
    await goesOn(100, ENFORCE);
    expect(status()).toBe("suspended");
  });

  test("while its triggers can't be read: people are told, and the next sweep makes the guard", async () => {
    await tripped(exempting());
    rig.twilio.fail({ on: listsTriggers, do: "cut" });
    await dismissed(ENFORCE);
    rig.mend();
    expect((await latest()).timeline.find(({ what }) => what === "guarded")?.why).toContain("the next sweep makes one");
    expect(await guards()).toEqual([]);
    await sweep(ENFORCE);
    expect(await guards()).toHaveLength(1);
    await goesOn(110, ENFORCE);
    expect(status()).toBe("suspended");
  });

  test("and its guard removed: the sweep makes it anew, at the same value", async () => {
    await tripped(exempting());
    await dismissed(exempting());
    const [first] = await guards();
    spend(40);
    await apiOf(rig.simulator).delete(accountPath(account, `/Usage/Triggers/${first?.sid}`));
    await sweep(ENFORCE);
    const [again] = await guards();
    expect(again?.sid).not.toBe(first?.sid);
    expect(again && Number(again.triggerValue)).toBe(Number(first?.triggerValue));
  });

  test("again, after its guard has fired: another one stands", async () => {
    await tripped(exempting());
    await dismissed(exempting());
    await goesOn(110, exempting());
    expect((await latest()).incident).toMatchObject({ state: "alerted", because: "exempt" });
    await dismissed(exempting());
    expect((await guards()).filter(({ dateFired }) => dateFired === null)).toHaveLength(1);
    await goesOn(110, ENFORCE);
    expect(status()).toBe("suspended");
  });
});

describe.each([
  ["from observe to enforce", () => OBSERVE],
  ["an exemption ends", exempting],
])("%s in the middle of a day", (_, protecting) => {
  test("the first sweep makes a guard; it is suspended where it spends its limit once more", async () => {
    await tripped(protecting());
    await sweep(protecting());
    expect(await guards()).toEqual([]);
    await sweep(ENFORCE);
    expect(await guards()).toMatchObject([{ dateFired: null }]);
    await goesOn(90, ENFORCE);
    expect(status()).toBe("active");
    await goesOn(20, ENFORCE);
    expect(status()).toBe("suspended");
  });

  test("what it spent in between counts: fifty times its limit is over it", async () => {
    await tripped(protecting());
    await goesOn(5000, ENFORCE);
    expect(status()).toBe("suspended");
  });

  test("with nothing spent since, it stays as it is, and one guard is enough", async () => {
    await tripped(protecting());
    for (let n = 0; n < 4; n++) await sweep(ENFORCE);
    expect(status()).toBe("active");
    expect(await guards()).toHaveLength(1);
    expect((await rig.store.recall(account, "")).interims).toMatchObject({
      "guard of spend: totalprice price": { base: "120" },
    });
  });
});

test("a limit that only alerted when it fired, and suspends by now", async () => {
  const warning = policyOf(BASE.replace("suspend }", "alert }"));
  await tripped(warning);
  await sweep(ENFORCE);
  expect(await guards()).toHaveLength(1);
  await goesOn(110, ENFORCE);
  expect(status()).toBe("suspended");
});

test("set active past us, where the policy only tells of it", async () => {
  await tripped(ENFORCE);
  expect(status()).toBe("suspended");
  rig.simulator.setStatus(account, "active");
  await sweep(ENFORCE);
  expect(status()).toBe("active");
  expect(await guards()).toHaveLength(1);
  await goesOn(110, ENFORCE);
  expect(status()).toBe("suspended");
});

test("one that is suspended, or never tripped, gets none", async () => {
  await sweep(ENFORCE);
  expect(await guards()).toEqual([]);
  await rig.deliver(suspend(account), { policy: ENFORCE });
  spend(120);
  await goesOn(1, ENFORCE);
  expect(await guards()).toEqual([]);
});
