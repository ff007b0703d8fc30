import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Incident } from "../../../lib/incidents/incident.ts";
import { dismiss, releaseBrake, suspend } from "../../support/commands.ts";
import type { SeenRequest } from "../../support/fault-proxy.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

// The brake's alert takes seconds, in which people suspend and dismiss what it is about to name.

let rig: Rig;
let account: string;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
afterEach(() => rig.mend());

const POLICY = policyOf(`
limits: { spend: { category: totalprice, by: price, every: day, at: 100, then: suspend } }
brake: { suspensions: 1, within: 10m }
`);
const deliver: Rig["deliver"] = (message, changes) => rig.deliver(message, { policy: POLICY, ...changes });
const another = () => rig.simulator.addSubaccount().accountSid;

beforeEach(async () => {
  account = another();
  // The count begins anew, and one account takes the brake's only place.
  await deliver(releaseBrake(rig.simulator.parent().accountSid, []));
  await deliver(firing(another()));
});

async function incidentOf(accountSid: string): Promise<Incident> {
  const [recorded] = await rig.incidentsOf(accountSid);
  if (recorded === undefined) throw new Error(`${accountSid} has no incident`);
  return recorded.incident;
}

async function listed(): Promise<string[]> {
  const waiting: string[] = [];
  for await (const page of rig.brakeOf(POLICY.brake).waiting())
    waiting.push(...page.map(({ accountSid }) => accountSid));
  return waiting;
}

/** Held, and nobody could be told of it yet. */
async function heldUntold(...accounts: string[]): Promise<void> {
  rig.sns.fail({ do: "answer", status: 500 });
  for (const one of accounts) await deliver(firing(one));
  rig.mend();
  for (const one of accounts) expect(await incidentOf(one)).toMatchObject({ state: "alerted", because: "brake" });
}

/** While the alert is made: the names are read last. */
function whileNamesAreRead(hook: () => unknown): void {
  const isName = ({ method, path }: SeenRequest) => method === "GET" && path.endsWith(`/Accounts/${account}.json`);
  rig.twilio.fail({ on: isName, times: 1, do: "call", hook });
}

const brakeAlerts = async (accountSid: string) =>
  (await rig.alertsOf(accountSid)).filter(({ subject }) => subject.startsWith("THE BRAKE HOLDS"));

test("an account that is dismissed while its alert is made is told of by none, and waits no more", async () => {
  await heldUntold(account);
  const incident = await incidentOf(account);
  whileNamesAreRead(() => deliver(dismiss(incident)));
  await rig.followUp(account);
  await rig.followUp(account);
  expect(await brakeAlerts(account)).toEqual([]);
  // Nor does its incident say that it waits for anybody.
  expect(await incidentOf(account)).toMatchObject({ state: "dismissed", because: null });
  expect((await rig.alertsOf(account)).map(({ about }) => about)).toEqual(["dismissed"]);
  expect((await incidentOf(account)).alerts.every(({ publishedAt }) => publishedAt !== null)).toBe(true);
  expect(await listed()).not.toContain(account);
});

test("the alert of one that was dismissed before puts it on the list no more", async () => {
  await heldUntold(account);
  rig.sns.fail({ do: "answer", status: 500 });
  await deliver(dismiss(await incidentOf(account)));
  rig.mend();
  await rig.followUp(account);
  expect(await brakeAlerts(account)).toEqual([]);
  expect(await listed()).not.toContain(account);
});

test.each(["dismissed", "suspended"])(
  "whoever would have been named by that of one that is %s is named in another",
  async (how) => {
    const other = another();
    await heldUntold(account, other);
    const incident = await incidentOf(account);
    whileNamesAreRead(() => deliver(how === "dismissed" ? dismiss(incident) : suspend(account)));
    await rig.followUp(account);
    await rig.followUp(other);
    expect(await brakeAlerts(account)).toEqual([]);
    const [loud, ...more] = await brakeAlerts(other);
    expect(more).toEqual([]);
    expect(loud?.subject).toBe("THE BRAKE HOLDS: 1 account NOT suspended");
    expect(await rig.alertsNaming(other)).toHaveLength(1);
  },
);

test("it says what was counted against the limit of each, in which currency", async () => {
  const other = another();
  await heldUntold(account, other);
  await rig.followUp(account);
  const [loud] = await brakeAlerts(account);
  expect(loud?.text).toContain(`(${account}) at 130.25 USD of 100 USD (totalprice)`);
  expect(loud?.text).toContain(`(${other}) at 130.25 USD of 100 USD (totalprice)`);
});

test("it names no account that was suspended while it was made", async () => {
  const other = another();
  await heldUntold(account, other);
  whileNamesAreRead(() => deliver(suspend(other)));
  await rig.followUp(account);
  const [loud, ...more] = await brakeAlerts(account);
  expect(more).toEqual([]);
  expect(loud?.subject).toBe("THE BRAKE HOLDS: 1 account NOT suspended");
  expect(loud?.text).not.toContain(other);
});

test.each(["the brake's alert", "a warning"])(
  "%s is not published again because its incident was moved meanwhile",
  async (what) => {
    const isWarning = what === "a warning";
    const policy = isWarning
      ? policyOf(`
limits: { spend: { category: totalprice, by: price, every: day, at: 100, then: alert } }
`)
      : POLICY;
    let moving: Promise<unknown> | undefined;
    const move = () => {
      moving ??= incidentOf(account).then((incident) => rig.deliver(dismiss(incident), { policy }));
      return moving;
    };
    rig.sns.fail({ times: 1, when: "after", do: "call", hook: move });
    await rig.deliver(firing(account), { policy });
    await moving;
    await rig.followUp(account);
    await rig.followUp(account);
    const told = await rig.alertsOf(account);
    expect(told.map(({ about }) => about)).toEqual(["alerted", "dismissed"]);
    expect((await incidentOf(account)).state).toBe("dismissed");
  },
);
