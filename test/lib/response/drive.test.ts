import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { DriveNudge } from "../../../lib/inbox/nudges.ts";
import type { Policy } from "../../../lib/policy/policy.ts";
import { suspend } from "../../support/commands.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

// What was decided before is decided anew by whoever takes it up: the policy may be another one by then.

let rig: Rig;
let account: string;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  account = rig.simulator.addSubaccount().accountSid;
});
afterEach(() => rig.mend());

const limitOf = ({ at = 100, then = "suspend" } = {}) => `
limits:
  spend: { category: totalprice, by: price, every: day, at: ${at}, then: ${then} }
brake: { suspensions: 1000, within: 10m }
`;
const POLICY = policyOf(limitOf());
const PROTECTING: [string, string | null, () => Policy][] = [
  ["observes", "observe-mode", () => policyOf(`mode: observe\n${limitOf()}`)],
  ["exempts it", "exempt", () => policyOf(`${limitOf()}exempt: [{ account: ${account}, why: emergency line }]\n`)],
  ["only alerts", "rule", () => policyOf(limitOf({ then: "alert" }))],
  ["allows it more", "rule", () => policyOf(limitOf({ at: 500 }))],
  ["knows no such limit any more", "rule", () => policyOf(`unlisted: alert\n${limitOf().replace("spend:", "other:")}`)],
];

const status = () => rig.simulator.account(account).status;

async function incident() {
  const [found] = await rig.incidentsOf(account);
  if (found === undefined) throw new Error("there is no incident");
  return found.incident;
}

async function drive(incidentId: string): Promise<DriveNudge> {
  const id = `drive:${incidentId}:${Date.now()}`;
  return { kind: "drive", id, accountSid: account, receivedAt: new Date().toISOString(), incidentId };
}

/** Twilio did not answer in time, and the message is lost. */
async function failedSuspension(): Promise<string> {
  rig.twilio.fail({ do: "cut" });
  await rig.deliver(firing(account), { policy: POLICY, milliseconds: 3000 });
  rig.mend();
  const { id, state } = await incident();
  expect(state).toBe("failed");
  return id;
}

describe("a suspension that failed is not taken up again where the policy by now", () => {
  const BY_NUMBERS = PROTECTING.filter(([what]) => !what.startsWith("knows"));
  test.each(BY_NUMBERS)(
    "nor by its own message that comes again, where the policy by now %s",
    async (_, _because, policyNow) => {
      const signal = firing(account, { limit: "spend" });
      rig.twilio.fail({ do: "cut" });
      await rig.deliver(signal, { policy: POLICY, milliseconds: 3000 });
      rig.mend();
      expect(await rig.deliver(signal, { policy: policyNow(), attempt: 2 })).toEqual({ kind: "done" });
      expect(status()).toBe("active");
    },
  );

  test.each(PROTECTING)("%s", async (_, _because, policyNow) => {
    const id = await failedSuspension();
    expect(await rig.deliver(await drive(id), { policy: policyNow() })).toEqual({ kind: "done" });
    expect(status()).toBe("active");
    const { failure, reason } = await incident();
    expect(failure?.retrying).toBe(false);
    expect(reason).toContain("not suspended after all");
  });

  test("says nothing against it: it is", async () => {
    const id = await failedSuspension();
    await rig.deliver(await drive(id), { policy: POLICY });
    expect(status()).toBe("suspended");
  });

  test("protects it, but a person asked for it: it is", async () => {
    rig.twilio.fail({ do: "cut" });
    await rig.deliver(suspend(account), { policy: POLICY, milliseconds: 3000 });
    rig.mend();
    await rig.deliver(await drive((await incident()).id), { policy: policyOf(`mode: observe\n${limitOf()}`) });
    expect(status()).toBe("suspended");
  });
});

test.each(PROTECTING)(
  "one that was only begun is told as it is where the policy by now %s",
  async (_, because, policyNow) => {
    const never = { ...rig.store, save: rig.store.save, change: async () => Promise.reject(new Error("cut")) };
    rig.twilio.fail({ do: "cut" });
    await rig.deliver(firing(account), { policy: POLICY, milliseconds: 3000, store: never });
    rig.mend();
    const { id, state } = await incident();
    expect(state).toBe("open");
    await rig.deliver(await drive(id), { policy: policyNow() });
    expect(status()).toBe("active");
    expect(await incident()).toMatchObject({ state: "alerted", because });
    expect((await rig.alertsOf(account)).map(({ about }) => about)).toEqual(["alerted"]);
  },
);
