import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { adopt, reactivate } from "../../support/commands.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

let rig: Rig;
let account: string;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  account = rig.simulator.addSubaccount({ friendlyName: "Suspended before" }).accountSid;
});
afterEach(() => rig.mend());

const latest = async () => (await rig.incidentsOf(account)).at(-1);

test("an account that is suspended, and not by us, gets an incident that can be reactivated by the normal road", async () => {
  rig.simulator.setStatus(account, "suspended");
  const command = adopt(account);
  expect(await rig.deliver(command)).toEqual({ kind: "done" });
  await rig.followUp(account);
  const found = await latest();
  expect(found?.incident).toMatchObject({
    ...{ state: "suspended", rule: "suspended before Tollbreaker watched", friendlyName: "Suspended before" },
    ...{ containment: { by: "already-suspended", callsEnded: 0 }, suspension: null },
  });
  expect(found?.incident.checklist?.items.length).toBeGreaterThan(3);
  expect(found?.timeline.map(({ what, who }) => [what, who])).toEqual(
    expect.arrayContaining([
      ["adoption-asked", "alice"],
      ["suspended", "tollbreaker"],
      ["adopted", "alice"],
    ]),
  );
  expect(found?.timeline.find(({ what }) => what === "adopted")).toMatchObject({
    why: command.reason,
    detail: { command: command.id },
  });
  expect(rig.suspensionRequests(account)).toBe(0);
  if (found === undefined) throw new Error("it has an incident");
  await rig.deliver(reactivate(found.incident));
  expect((await latest())?.incident.state).toBe("reactivated");
  expect(rig.simulator.account(account).status).toBe("active");
});

test("delivered again, it is one incident and one alert", async () => {
  rig.simulator.setStatus(account, "suspended");
  const command = adopt(account);
  await rig.deliver(command);
  await rig.deliver(command, { attempt: 2 });
  expect(await rig.incidentsOf(account)).toHaveLength(1);
  expect((await rig.alertsOf(account)).map(({ about }) => about)).toEqual(["suspended"]);
});

test.each([
  ["active", "only a suspended account is adopted; Twilio says that it is active"],
  ["closed", "only a suspended account is adopted; Twilio says that it is closed"],
] as const)("one that is %s is refused, and nobody is alerted", async (status, why) => {
  rig.simulator.setStatus(account, status);
  await rig.deliver(adopt(account));
  expect((await latest())?.incident).toMatchObject({ state: "dismissed", reason: why });
  expect(await rig.alertsOf(account)).toEqual([]);
});

test("one that has an open incident is refused there", async () => {
  await rig.deliver(firing(account));
  await rig.deliver(adopt(account));
  const found = await rig.incidentsOf(account);
  expect(found).toHaveLength(1);
  expect(found[0]?.timeline.at(-1)).toMatchObject({ what: "command-refused" });
});

test("what nobody knows is refused, and an account of ours is tried again while Twilio does not answer", async () => {
  const stranger = adopt(`AC${"f".repeat(32)}`);
  expect(await rig.deliver(stranger)).toEqual({ kind: "done" });
  rig.simulator.setStatus(account, "suspended");
  rig.twilio.fail({ do: "answer", status: 500 });
  const command = adopt(account);
  expect(await rig.deliver(command)).toMatchObject({ kind: "threw" });
  rig.mend();
  expect(await rig.deliver(command, { attempt: 2 })).toEqual({ kind: "done" });
  expect((await latest())?.incident.state).toBe("suspended");
});

test("one that was asked for long ago is not carried out any more", async () => {
  rig.simulator.setStatus(account, "suspended");
  await rig.deliver(adopt(account, { receivedAt: new Date(Date.now() - 20 * 60_000).toISOString() }));
  expect((await latest())?.incident).toMatchObject({ state: "dismissed", reason: expect.stringContaining("too long") });
});
