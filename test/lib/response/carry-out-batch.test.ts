import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Alert } from "../../../lib/alerts/alert.ts";
import type { Notice } from "../../../lib/alerts/notice.ts";
import type { BatchCommand } from "../../../lib/inbox/commands.ts";
import { digestOf } from "../../../lib/incidents/checklist.ts";
import type { Incident } from "../../../lib/incidents/incident.ts";
import { summariseBatch } from "../../../lib/response/carry-out-batch.ts";
import { apiOf } from "../../local/twilio/api.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
let published: (Alert | Notice)[] = [];
beforeEach(() => {
  published = [];
});
afterEach(() => {
  rig.mend();
  rig.followUps.splice(0);
});

const POLICY = policyOf(`
limits: { spend: { category: totalprice, by: price, every: day, at: 100, then: suspend } }
brake: { suspensions: 1000, within: 10m }
`);
const OBSERVE = policyOf(`
mode: observe
limits: { spend: { category: totalprice, by: price, every: day, at: 100, then: suspend } }
brake: { suspensions: 1000, within: 10m }
`);
const alerts = {
  publish: async (alert: Alert | Notice) => {
    published.push(alert);
    return { messageId: "m" };
  },
};
const changes = { policy: POLICY, alerts };
const newAccount = () => rig.simulator.addSubaccount().accountSid;
const notices = () => published.flatMap((one) => (one.about === "notice" ? [one] : []));
const factOf = (label: string) =>
  notices()
    .at(-1)
    ?.facts.find((fact) => fact.label === label)?.value;

async function storyOf(account: string) {
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}

async function contained(account: string, policy = POLICY): Promise<Incident> {
  await rig.deliver(firing(account), { ...changes, policy });
  published = [];
  return (await storyOf(account)).incident;
}

let count = 0;
function batch(incidents: readonly Incident[], more: Partial<BatchCommand> = {}): BatchCommand {
  count++;
  return {
    ...{
      kind: "batch",
      id: `batch-${count}`,
      accountSid: rig.simulator.parent().accountSid,
      receivedAt: new Date().toISOString(),
    },
    ...{ operator: "olga", road: "cli", reason: "Twilio's billing counted too much", action: "reactivate" },
    ...{ rules: ["spend"], since: "2026-11-21T00:00:00.000Z" },
    ...{ acknowledge: ["suspended-by", "api-keys", "auth-token", "triggers"], cleanup: [], countries: [] },
    incidents: incidents.map(({ id, accountSid, checklist }) => ({
      ...{ incidentId: id, accountSid, checklist: checklist && digestOf(checklist) },
    })),
    ...more,
  };
}

/** What waits for each account is delivered. @returns how many messages that were */
async function deliverEach(incidents: readonly Incident[]): Promise<number> {
  let delivered = 0;
  for (const { accountSid } of incidents) {
    const waiting = await rig.inboxOf(accountSid);
    for (const message of waiting) await rig.deliver(message, changes);
    delivered += waiting.length;
  }
  return delivered;
}

describe("a false alarm is undone", () => {
  test("each by a command of its own, whose history says who, why and that it was one of several; one alert tells of all", async () => {
    const all = [await contained(newAccount()), await contained(newAccount()), await contained(newAccount())];
    const command = batch(all);
    expect(await rig.deliver(command, changes)).toEqual({ kind: "done" });
    expect(rig.followUps).toContainEqual({ kind: "batch", command });
    await deliverEach(all);
    for (const { id, accountSid } of all) {
      expect(rig.simulator.account(accountSid).status).toBe("active");
      const { incident, timeline } = await storyOf(accountSid);
      expect(incident).toMatchObject({ state: "reactivated", reactivation: { operator: "olga", batch: { of: 3 } } });
      const asked = timeline.find(({ what }) => what === "reactivation-asked");
      expect(asked).toMatchObject({ who: "olga", why: "Twilio's billing counted too much (one of 3 at once)" });
      expect(asked?.detail).toMatchObject({ command: `${command.id}:${id}`, batch: command.id, of: 3 });
    }
    expect(published).toEqual([]);
    await summariseBatch(rig.responder(changes), command);
    expect(notices()).toMatchObject([
      { kind: "batch", severity: "info", subject: "3 of 3 incidents reactivated at once" },
    ]);
    for (const { accountSid } of all) expect(factOf("Reactivated")).toContain(accountSid);
    expect(published).toHaveLength(1);
  });

  test("a dismissal is the same: nothing is changed on the accounts", async () => {
    const all = [await contained(newAccount(), OBSERVE), await contained(newAccount(), OBSERVE)];
    expect(all.map(({ state }) => state)).toEqual(["alerted", "alerted"]);
    const command = batch(all, { action: "dismiss", acknowledge: [] });
    await rig.deliver(command, changes);
    await deliverEach(all);
    for (const { accountSid } of all) {
      const { incident, timeline } = await storyOf(accountSid);
      expect(incident).toMatchObject({
        state: "dismissed",
        dismissal: { operator: "olga", batch: { id: command.id, of: 2 } },
      });
      expect(timeline.find(({ what }) => what === "dismissed")).toMatchObject({
        why: expect.stringContaining("(one of 2 at once)"),
      });
    }
    await summariseBatch(rig.responder(changes), command);
    expect(published.map(({ about }) => about)).toEqual(["notice"]);
  });

  test("one whose check-list is another by then is refused, as it would be alone, and named in the summary", async () => {
    const [fit, thief] = [await contained(newAccount()), await contained(newAccount())];
    const command = batch([fit, thief]);
    const path = `/2010-04-01/Accounts/${thief.accountSid}/Keys.json`;
    await apiOf(rig.simulator).post(path, { FriendlyName: "made meanwhile" });
    await rig.deliver(command, changes);
    await deliverEach([fit, thief]);
    expect(rig.simulator.account(thief.accountSid).status).toBe("suspended");
    expect((await storyOf(thief.accountSid)).timeline.at(-1)).toMatchObject({ what: "reactivation-refused" });
    expect(published).toEqual([]);
    await summariseBatch(rig.responder(changes), command);
    expect(notices()).toMatchObject([{ severity: "warning", subject: "1 of 2 incidents reactivated at once" }]);
    expect(factOf("Not reactivated")).toMatch(new RegExp(`${thief.accountSid}.*1 made during it`));
  });

  test("a list that was not shown accepts nothing", async () => {
    const one = await contained(newAccount());
    const { id: incidentId, accountSid } = one;
    await rig.deliver(batch([], { incidents: [{ incidentId, accountSid, checklist: "0123456789abcdef" }] }), changes);
    await deliverEach([one]);
    expect(rig.simulator.account(accountSid).status).toBe("suspended");
  });
});

describe("the same request once more", () => {
  test("does nothing twice: not after a kill, not when some are back, not when one was suspended again since", async () => {
    const all = [await contained(newAccount()), await contained(newAccount())];
    const [first, second] = all;
    if (first === undefined || second === undefined) throw new Error("there are two");
    const command = batch(all);
    await rig.deliver(command, changes);
    await deliverEach([first]);
    // Killed before it was marked as dealt with: its messages are the same.
    await rig.deliver({ ...command, id: command.id }, { ...changes, attempt: 2 });
    const again = firing(first.accountSid, { currentValue: "900.00" });
    await rig.deliver(again, changes);
    await deliverEach(all);
    await deliverEach(all);
    const asked = (await storyOf(second.accountSid)).timeline.filter(({ what }) => what === "reactivation-asked");
    expect(asked).toHaveLength(1);
    expect((await storyOf(first.accountSid)).incident.state).toBe("reactivated");
  });

  test("is told of once, and not before all are over", async () => {
    const all = [await contained(newAccount()), await contained(newAccount())];
    const command = batch(all);
    await rig.deliver(command, changes);
    rig.followUps.splice(0);
    await summariseBatch(rig.responder(changes), command);
    expect(published).toEqual([]);
    expect(rig.followUps).toEqual([{ kind: "batch", command }]);
    await deliverEach(all);
    for (let times = 0; times < 3; times++) await summariseBatch(rig.responder(changes), command);
    expect(notices()).toHaveLength(1);
  });

  test("is told of in the end, whatever hangs", async () => {
    const one = await contained(newAccount());
    const late = batch([one], { receivedAt: new Date(Date.now() - 31 * 60_000).toISOString() });
    await summariseBatch(rig.responder(changes), late);
    expect(factOf("Not reactivated")).toContain("not over yet");
  });
});
