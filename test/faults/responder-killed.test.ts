import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { identityOf, type Signal } from "../../lib/inbox/messages.ts";
import { brakeStore } from "../../lib/incidents/brake-store.ts";
import { type Death, type Lives, livesIn } from "../support/lives.ts";
import { type Recorded, type Rig, startRig } from "../support/responder-rig.ts";
import { errorsCounted, firing, notUnderstood } from "../support/signals.ts";

const SUSPEND_ALL_FILE = "test/support/suspend-all.yml";
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

async function killEverywhere(
  make: () => Signal,
  policyFile = SUSPEND_ALL_FILE,
): Promise<(Omit<Death<Signal>, "message"> & { signal: Signal })[]> {
  const deaths = await lives.killEverywhere(make, policyFile);
  return deaths.map(({ message, ...death }) => ({ signal: message, ...death }));
}

async function onlyIncident({ accountSid }: Signal, death: string): Promise<Recorded> {
  const [recorded, ...others] = await rig.incidentsOf(accountSid);
  expect(others, `incidents after a death ${death}`).toEqual([]);
  if (recorded === undefined) throw new Error(`no incident after a death ${death}`);
  return recorded;
}

async function expectTold({ accountSid }: Signal, { incident }: Recorded, death: string): Promise<void> {
  const told = (await rig.alertsOf(accountSid)).map(({ id }) => id);
  expect(new Set(told), `alerts after a death ${death}`).toEqual(new Set(incident.alerts.map(({ id }) => id)));
  expect(incident.alerts, death).toMatchObject([{ publishedAt: expect.any(String) }]);
}

describe("the responder, killed at any request", () => {
  test("of a suspension: it is finished by the next delivery", { timeout: 120_000 }, async () => {
    const deaths = await killEverywhere(() => {
      const { accountSid } = rig.simulator.addSubaccount();
      rig.simulator.addCalls(accountSid, { calls: 2 });
      return firing(accountSid);
    });
    // The order of parallel requests differs from life to life, their number hardly does.
    expect(deaths.filter(({ killed }) => killed).length).toBeGreaterThan(deaths.length * 0.9);
    for (const { signal, death } of deaths) {
      expect(rig.simulator.account(signal.accountSid), death).toMatchObject({ status: "suspended", liveCalls: 0 });
      const recorded = await onlyIncident(signal, death);
      expect(recorded.incident, death).toMatchObject({
        state: "suspended",
        signals: 1,
        // Whether it was us is only known where the asking was written down, which is not waited for.
        containment: { by: expect.stringMatching(/^(tollbreaker|already-suspended)$/), callsLeft: 0 },
      });
      const story = new Set(recorded.timeline.map(({ what }) => what));
      expect(story, death).toEqual(
        new Set(["opened", "suspended", "calls-ended", "evidence-read", "alert-published", "checked"]),
      );
      await expectTold(signal, recorded, death);
      expect((await rig.store.recall(signal.accountSid, identityOf(signal))).seen, death).toBe(true);
    }
  });

  test("of an alert: it is sent by the next delivery", { timeout: 120_000 }, async () => {
    const deaths = await killEverywhere(() => notUnderstood(rig.simulator.addSubaccount().accountSid));
    for (const { signal, death } of deaths) {
      const recorded = await onlyIncident(signal, death);
      expect(recorded.incident, death).toMatchObject({ state: "alerted", signals: 1 });
      expect(
        recorded.timeline.map(({ what }) => what),
        death,
      ).toEqual(["opened", "alerted", "alert-published"]);
      await expectTold(signal, recorded, death);
      expect((await rig.store.recall(signal.accountSid, identityOf(signal))).seen, death).toBe(true);
    }
  });

  test("of a rule on errors that usage confirms: it is finished by the next delivery", {
    timeout: 120_000,
  }, async () => {
    const policyFile = await lives.policyFile(`
errors:
  sms-pumping:
    { codes: [30450], count: 20, within: 10m, then: suspend, confirm: { category: totalprice, by: price, at: 20 } }
brake: { suspensions: 1000, within: 10m }
`);
    const deaths = await killEverywhere(() => {
      const { accountSid } = rig.simulator.addSubaccount();
      rig.simulator.addUsage(accountSid, { category: "sms", count: 900, price: 61.3 });
      return errorsCounted(accountSid);
    }, policyFile);
    for (const { signal, death } of deaths) {
      expect(rig.simulator.account(signal.accountSid).status, death).toBe("suspended");
      const recorded = await onlyIncident(signal, death);
      expect(recorded.incident, death).toMatchObject({
        state: "suspended",
        rule: "sms-pumping",
        signals: 1,
        errors: { count: 20 },
        reason: expect.stringMatching(
          /^20 errors within 10 minutes; Usage Records of today: totalprice by price is 61.3/,
        ),
      });
      await expectTold(signal, recorded, death);
      expect((await rig.store.recall(signal.accountSid, identityOf(signal))).seen, death).toBe(true);
    }
  });

  test("of an account that the brake holds: nobody is suspended, and each is named once", {
    timeout: 180_000,
  }, async () => {
    const policyFile = await lives.policyFile("brake: { suspensions: 1, within: 1d }");
    // Those of the tests before this one fill it, and more than that.
    const deaths = await killEverywhere(() => firing(rig.simulator.addSubaccount().accountSid), policyFile);
    for (const { signal, death } of deaths) {
      const { accountSid } = signal;
      expect(rig.suspensionRequests(accountSid), death).toBe(0);
      const { incident } = await onlyIncident(signal, death);
      expect(incident, death).toMatchObject({ state: "alerted", because: "brake", signals: 1 });
      expect(incident.alerts, death).toMatchObject([{ because: "brake", publishedAt: expect.any(String) }]);
      const namedBy = new Set((await rig.alertsNaming(accountSid)).map(({ id }) => id));
      expect(namedBy.size, death).toBe(1);
    }
    const { waiting } = brakeStore(rig.table, rig.aws.tableName, systemClock);
    for (const { signal, death } of deaths) expect(await waiting.get(signal.accountSid), death).toBeDefined();
  });
});
