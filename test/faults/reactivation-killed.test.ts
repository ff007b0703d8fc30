import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReactivateCommand } from "../../lib/inbox/commands.ts";
import { identityOf } from "../../lib/inbox/messages.ts";
import { readPolicy } from "../../lib/policy/policy-file.ts";
import type { UsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import { reactivate } from "../support/commands.ts";
import { type Death, type Lives, livesIn } from "../support/lives.ts";
import { type Rig, startRig } from "../support/responder-rig.ts";
import { firing } from "../support/signals.ts";

// Killed between any two steps of a reactivation, an account ends suspended, or active and armed; never active and
// unguarded, not even for a moment.

const POLICY = `
limits:
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
brake: { suspensions: 1000, within: 10m }
`;
let rig: Rig;
let lives: Lives;

beforeAll(async () => {
  rig = await startRig();
  lives = livesIn(rig);
});
afterAll(async () => {
  await rig.close();
  lives.close();
});

async function contained(changes: Partial<ReactivateCommand>): Promise<ReactivateCommand> {
  const { accountSid } = rig.simulator.addSubaccount();
  await rig.deliver(firing(accountSid), { policy: readPolicy(POLICY, "policy.yml") });
  const [recorded] = await rig.incidentsOf(accountSid);
  if (recorded === undefined) throw new Error("there is no incident");
  return reactivate(recorded.incident, changes);
}

async function expectBack({ message, death }: Death<ReactivateCommand>): Promise<void> {
  const { accountSid } = message;
  const recorded = await rig.incidentsOf(accountSid);
  expect(recorded, death).toHaveLength(1);
  const incident = recorded[0]?.incident;
  expect(incident, death).toMatchObject({ state: "reactivated", reactivation: { failure: null } });
  expect(rig.simulator.account(accountSid).status, death).toBe("active");
  const guards = (await rig.triggersOf(accountSid)).filter(({ friendlyName }) => friendlyName.endsWith("probation"));
  expect(guards, death).toMatchObject([{ dateFired: null }]);
  const told = new Set((await rig.alertsOf(accountSid)).map(({ about, id }) => `${about} ${id}`));
  expect(
    [...told].map((one) => one.split(" ")[0]),
    death,
  ).toEqual(["suspended", "reactivated"]);
  const memory = await rig.store.recall(accountSid, identityOf(message));
  expect(memory, death).toMatchObject({ seen: true, openIncidentId: null, lastReactivatedAt: incident?.reactivatedAt });
}

/** An incident that is over leaves nobody in doubt about its guards: the sweep may look in that moment. */
async function expectNoted({ accountSid }: ReactivateCommand): Promise<void> {
  const [recorded] = await rig.incidentsOf(accountSid);
  if (recorded?.incident.state !== "reactivated") return;
  const { lastReactivatedAt, passed } = await rig.store.recall(accountSid, "");
  expect({ lastReactivatedAt, guarded: Object.keys(passed) }).toEqual({
    lastReactivatedAt: recorded.incident.reactivatedAt,
    guarded: expect.arrayContaining(["guard of spend: totalprice price"]),
  });
}

interface Fired {
  trigger: UsageTrigger;
  wasActive: boolean;
}

/** More than a guard allows, and so long that no later time falls into the same second. */
async function overspend({ accountSid }: ReactivateCommand): Promise<Fired[]> {
  rig.simulator.addUsage(accountSid, { category: "sms-outbound", count: 7, price: 60 });
  const wasActive = rig.simulator.account(accountSid).status === "active";
  await rig.simulator.evaluateTriggers();
  const triggers = (await rig.triggersOf(accountSid)).filter(({ dateFired }) => dateFired !== null);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  return triggers.map((trigger) => ({ trigger, wasActive }));
}

const firingOf = (accountSid: string, { sid, triggerValue, currentValue, dateFired }: UsageTrigger) =>
  firing(accountSid, {
    ...{ usageTriggerSid: sid, recurring: "", triggerValue, currentValue, limit: "spend", probation: true },
    ...{ firedAt: new Date(dateFired ?? "").toISOString(), dateFired: dateFired ?? "" },
  });

/** Its webhook comes when the reactivation is over. */
async function expectGuarded({ message, death }: Death<ReactivateCommand>, fired: readonly Fired[]): Promise<void> {
  const { accountSid } = message;
  for (const { trigger } of fired) {
    const policy = readPolicy(POLICY, "policy.yml");
    expect(await rig.deliver(firingOf(accountSid, trigger), { policy }), death).toEqual({ kind: "done" });
  }
  const { status } = rig.simulator.account(accountSid);
  const states = (await rig.incidentsOf(accountSid)).map(({ incident }) => incident.state);
  const mustTrip = fired.some(({ wasActive }) => wasActive);
  if (mustTrip || status === "suspended") {
    expect({ status, state: states.at(-1) }, death).toEqual({ status: "suspended", state: "suspended" });
    return;
  }
  const guards = (await rig.triggersOf(accountSid)).filter(({ friendlyName }) => friendlyName.endsWith("probation"));
  expect({ guards, states }, death).toMatchObject({ guards: [{ dateFired: null }], states: ["reactivated"] });
}

describe("a reactivation, killed at any request", () => {
  test("with every clean-up, is finished by the next delivery", { timeout: 400_000 }, async () => {
    const policyFile = await lives.policyFile(POLICY);
    const everything = {
      cleanup: ["live-calls", "api-keys", "triggers", "unroute-numbers", "auth-token", "voice-countries"] as const,
      countries: ["US"],
    };
    const deaths = await lives.killEverywhere(
      () => contained({ ...everything, cleanup: [...everything.cleanup] }),
      policyFile,
      expectNoted,
    );
    expect(deaths.filter(({ killed }) => killed).length).toBeGreaterThan(deaths.length * 0.8);
    for (const death of deaths) await expectBack(death);
  });

  test("while its guard fires, is active without one never: it trips, or gets another", {
    timeout: 400_000,
  }, async () => {
    const policyFile = await lives.policyFile(POLICY);
    const fired = new Map<string, Fired[]>();
    const meanwhile = async (message: ReactivateCommand) =>
      void fired.set(message.accountSid, await overspend(message));
    const deaths = await lives.killEverywhere(() => contained({}), policyFile, meanwhile);
    for (const death of deaths) await expectGuarded(death, fired.get(death.message.accountSid) ?? []);
    const all = [...fired.values()];
    // Guards fired on active accounts, and on suspended ones.
    for (const wasActive of [true, false]) {
      expect(all.some((some) => some.some((one) => one.wasActive === wasActive))).toBe(true);
    }
  });
});
