import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReactivateCommand } from "../../lib/inbox/commands.ts";
import { identityOf } from "../../lib/inbox/messages.ts";
import { readPolicy } from "../../lib/policy/policy-file.ts";
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
    );
    expect(deaths.filter(({ killed }) => killed).length).toBeGreaterThan(deaths.length * 0.8);
    for (const death of deaths) await expectBack(death);
  });
});
