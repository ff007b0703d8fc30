import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { endingOf } from "../../cli/acting/ending.ts";
import { IncidentStory } from "../../cli/incident-view.ts";
import { incidentIdFor } from "../../lib/incidents/record.ts";
import { suspend } from "../support/commands.ts";
import { livesIn } from "../support/lives.ts";
import { policyOf } from "../support/policies.ts";
import { type Rig, startRig } from "../support/responder-rig.ts";
import { firing } from "../support/signals.ts";

// Somebody asks for the suspension of an account that is none of ours: a slip, and no alarm.

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
afterEach(() => rig.mend());

const DONE = { kind: "done" };
const WORDS = "no account under this parent has this SID";
const unknownSid = () => `AC${randomBytes(16).toString("hex")}`;

async function answerTo(command: ReturnType<typeof suspend>) {
  const [recorded, ...others] = await rig.incidentsOf(command.accountSid);
  expect(others).toEqual([]);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}

function asShown(answer: object): IncidentStory {
  return IncidentStory.parse(JSON.parse(JSON.stringify(answer)));
}

/** What whoever follows the command reads, and that it is all there is. */
async function expectSlip(command: ReturnType<typeof suspend>, death = ""): Promise<void> {
  const { incident, timeline } = await answerTo(command);
  expect(incident, death).toMatchObject({ id: incidentIdFor(command), state: "dismissed", failure: null, alerts: [] });
  const ending = endingOf(asShown({ ...incident, timeline }), command.id, "suspend");
  expect(ending, death).toMatchObject({
    kind: "refused",
    what: "command-refused",
    why: expect.stringContaining(WORDS),
  });
  expect(
    timeline.map(({ what }) => what),
    death,
  ).toEqual(["opened", "command-refused"]);
  const memory = await rig.store.recall(command.accountSid, "another");
  expect(memory.openIncidentId, death).toBeNull();
}

describe("a suspension by hand of an account that is not ours", () => {
  test("20404: it is refused, nobody is alerted, and nothing is left open", async () => {
    const command = suspend(unknownSid());
    expect(await rig.deliver(command)).toEqual(DONE);
    await expectSlip(command);
    const { incident } = await answerTo(command);
    expect(incident.reason).toMatch(/\(Twilio error 20404 \(HTTP 404\): [^(]+\)$/);
    expect(await rig.alertsOf(command.accountSid)).toEqual([]);
    expect(rig.suspensionRequests(command.accountSid)).toBe(0);
  });

  test("an account of another parent, too", async () => {
    const { accountSid } = rig.simulator.addSubaccount();
    const stranger = `AC${"f".repeat(32)}`;
    const body = JSON.stringify({ sid: accountSid, owner_account_sid: stranger, friendly_name: "", status: "active" });
    rig.twilio.fail({ on: ({ path }) => path.endsWith(`/${accountSid}.json`), do: "answer", status: 200, body });
    const command = suspend(accountSid);
    expect(await rig.deliver(command)).toEqual(DONE);
    await expectSlip(command);
    expect((await answerTo(command)).incident.reason).toContain(`the account belongs to ${stranger}`);
    expect(rig.suspensionRequests(accountSid)).toBe(0);
  });

  test("asked for again: another refusal, and an account that is found by then is suspended", async () => {
    const { accountSid } = rig.simulator.addSubaccount();
    rig.twilio.fail({
      on: ({ path }) => path.endsWith(`/${accountSid}.json`),
      do: "answer",
      status: 404,
      body: '{"code":20404,"message":"not found","status":404}',
    });
    for (const command of [suspend(accountSid), suspend(accountSid)]) expect(await rig.deliver(command)).toEqual(DONE);
    expect((await rig.incidentsOf(accountSid)).map(({ incident }) => incident.state)).toEqual([
      "dismissed",
      "dismissed",
    ]);
    rig.mend();
    expect(await rig.deliver(suspend(accountSid))).toEqual(DONE);
    expect(rig.simulator.account(accountSid).status).toBe("suspended");
    expect((await rig.incidentsOf(accountSid)).at(-1)?.incident.state).toBe("suspended");
  });

  test("does not count at the brake", async () => {
    const one = policyOf("brake: { suspensions: 1, within: 10m }");
    const brake = rig.brakeOf(one.brake);
    await rig.deliver(suspend(unknownSid()), { policy: one, brake });
    const { accountSid } = rig.simulator.addSubaccount();
    await rig.deliver(firing(accountSid), { policy: one, brake });
    expect(rig.simulator.account(accountSid).status).toBe("suspended");
  });

  test("killed at any request: the next delivery ends it the same way", { timeout: 120_000 }, async () => {
    const lives = livesIn(rig);
    const deaths = await lives.killEverywhere(() => suspend(unknownSid()), "test/support/suspend-all.yml");
    lives.close();
    expect(deaths.filter(({ killed }) => killed).length).toBeGreaterThan(1);
    for (const { message, death } of deaths) await expectSlip(message, death);
  });
});

describe("it stays an alarm", () => {
  const gone = { do: "answer", status: 404, body: '{"code":20404,"message":"not found","status":404}' } as const;

  test.each([
    ["without Twilio's code: the address may be wrong", { ...gone, body: "nothing here" }, "GET"],
    ["to the request, for an account that was read a moment ago", gone, "POST"],
  ] as const)("a 404 %s", async (_, fault, method) => {
    const { accountSid } = rig.simulator.addSubaccount();
    rig.twilio.fail({ on: (seen) => seen.method === method && seen.path.endsWith(`/${accountSid}.json`), ...fault });
    await rig.deliver(suspend(accountSid));
    expect((await rig.incidentsOf(accountSid)).map(({ incident }) => incident.state)).toEqual(["failed"]);
    expect((await rig.alertsOf(accountSid)).map(({ about }) => about)).toEqual(["failed"]);
  });

  test("20404 for an account that Twilio has signed for", async () => {
    const accountSid = unknownSid();
    await rig.deliver(firing(accountSid));
    await rig.deliver(suspend(accountSid));
    expect((await rig.incidentsOf(accountSid)).map(({ incident }) => incident.state)).toEqual(["failed"]);
  });
});

test("what the policy is against by now is refused where whoever asked looks", async () => {
  const { accountSid } = rig.simulator.addSubaccount();
  const exempt = policyOf(`exempt: [{ account: ${accountSid}, why: emergency line }]`);
  const command = suspend(accountSid);
  expect(await rig.deliver(command, { policy: exempt })).toEqual(DONE);
  const { incident, timeline } = await answerTo(command);
  expect(incident).toMatchObject({ id: incidentIdFor(command), state: "dismissed", alerts: [] });
  expect(timeline.at(-1)).toMatchObject({ what: "command-refused", who: "alice", detail: { command: command.id } });
  expect(rig.simulator.account(accountSid).status).toBe("active");
});
