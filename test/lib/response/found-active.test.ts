import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Incident } from "../../../lib/incidents/incident.ts";
import type { Policy } from "../../../lib/policy/policy.ts";
import { watchIncident } from "../../../lib/sweep/watch-incident.ts";
import { reactivate, suspend } from "../../support/commands.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

// An account that somebody set active past us: the record says so at once, and people are told, each time that it happens.

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

const LIMITS = `
limits: { spend: { category: totalprice, by: price, every: day, at: 100, then: suspend } }
brake: { suspensions: 1000, within: 10m }
`;
const POLICY = policyOf(LIMITS);
const STRICT = policyOf(`${LIMITS}\ntampering: suspend`);
const DONE = { kind: "done" };
const MINUTE = 60_000;

const deliver: Rig["deliver"] = (message, changes) => rig.deliver(message, { policy: POLICY, ...changes });
const status = () => rig.simulator.account(account).status;
const told = async () => (await rig.alertsOf(account)).map(({ about }) => about);

async function story() {
  const [recorded, ...others] = await rig.incidentsOf(account);
  expect(others).toEqual([]);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}
async function contained(): Promise<Incident> {
  expect(await deliver(firing(account))).toEqual(DONE);
  return (await story()).incident;
}

/** What a sweep some minutes later asks for, of an account that it lists as it is, handed out. */
async function sweep(policy: Policy = POLICY, later = 5 * MINUTE): Promise<void> {
  const { incident } = await story();
  const now = new Date(Date.now() + later);
  const swept = { accountSid: account, status: status(), friendlyName: "" };
  const watch = { account: swept, listedAt: now.toISOString(), policy, now };
  for (const nudge of watchIncident({ incident, callsDue: false }, watch)) {
    expect(await deliver(nudge, { policy })).toEqual(DONE);
  }
}

describe("whoever asks for its reactivation", () => {
  test("is refused; the incident is never on its way, and people are told at once", async () => {
    const before = await contained();
    rig.simulator.setStatus(account, "active");
    const command = reactivate(before);
    expect(await deliver(command)).toEqual(DONE);
    const { incident, timeline } = await story();
    expect(incident).toMatchObject({
      state: "suspended",
      reason: expect.stringContaining("active already"),
      reactivation: null,
      checklist: { account: "active" },
    });
    const lines = timeline.map(({ what }) => what);
    expect(lines).not.toContain("reactivation-asked");
    expect(lines).toEqual(expect.arrayContaining(["command-refused", "found-active"]));
    expect(timeline.find(({ what }) => what === "command-refused")).toMatchObject({ detail: { command: command.id } });
    const last = (await rig.alertsOf(account)).at(-1);
    expect(last).toMatchObject({ about: "tampered", severity: "critical" });
    expect(last?.text).toContain("alice asked for its reactivation, which was refused");
    expect(status()).toBe("active");
  });

  test("a second time is told again; a redelivery, and the sweep, tell nothing more", async () => {
    const before = await contained();
    rig.simulator.setStatus(account, "active");
    const command = reactivate(before);
    await deliver(command);
    await deliver(command, { attempt: 2 });
    await sweep();
    expect(await told()).toEqual(["suspended", "tampered"]);
    await deliver(reactivate(before));
    expect(await told()).toEqual(["suspended", "tampered", "tampered"]);
  });

  test("has it suspended again next, where the policy wants that", async () => {
    const before = await contained();
    rig.simulator.setStatus(account, "active");
    await deliver(reactivate(before), { policy: STRICT });
    const [nudge, ...others] = await rig.inboxOf(account);
    expect([nudge?.kind, others]).toEqual(["tampered", []]);
    if (nudge !== undefined) expect(await deliver(nudge, { policy: STRICT })).toEqual(DONE);
    expect(status()).toBe("suspended");
    expect((await told()).at(-1)).toBe("suspended");
  });

  test("can have it back once it is suspended again", async () => {
    const before = await contained();
    rig.simulator.setStatus(account, "active");
    await deliver(reactivate(before));
    await deliver(suspend(account));
    const { incident } = await story();
    expect(await deliver(reactivate(incident))).toEqual(DONE);
    expect((await story()).incident.state).toBe("reactivated");
  });
});

describe("the sweep", () => {
  test("tells of it once, however often it looks", async () => {
    await contained();
    rig.simulator.setStatus(account, "active");
    for (const later of [5, 10, 15]) await sweep(POLICY, later * MINUTE);
    expect(await told()).toEqual(["suspended", "tampered"]);
  });

  test("tells of a second time on the same day as of the first", async () => {
    await contained();
    rig.simulator.setStatus(account, "active");
    await sweep();
    await deliver(suspend(account));
    expect(status()).toBe("suspended");
    rig.simulator.setStatus(account, "active");
    await sweep();
    expect(await told()).toEqual(["suspended", "tampered", "suspended", "tampered"]);
  });
});
