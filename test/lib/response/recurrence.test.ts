import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { incidentStory } from "../../../cli/incident-story.ts";
import { incidentTable } from "../../../cli/incident-table.ts";
import { IncidentStory, IncidentView } from "../../../cli/incident-view.ts";
import { summary } from "../../../cli/report/summary.ts";
import { isGuard } from "../../../lib/triggers/guards.ts";
import { dismiss } from "../../support/commands.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

// The second incident of the day, and the third: a guard's firing opened them, and each says so, wherever it is shown.

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
limits:
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
brake: { suspensions: 1000, within: 10m }
`;
const exempting = () => policyOf(`${LIMITS}exempt: [{ account: ${account}, why: campaign }]\n`);

async function latest() {
  const found = (await rig.incidentsOf(account)).at(-1);
  if (found === undefined) throw new Error("there is no incident");
  return found;
}

async function makeTrigger(): Promise<void> {
  const parent = rig.simulator.parent();
  const form = { FriendlyName: "tollbreaker: spend", UsageCategory: "totalprice", TriggerBy: "price" };
  const body = new URLSearchParams({ ...form, TriggerValue: "100", Recurring: "daily", ...CALLBACK });
  const headers = { authorization: `Basic ${btoa(`${parent.accountSid}:${parent.authToken}`)}` };
  const path = `/api/2010-04-01/Accounts/${account}/Usage/Triggers.json`;
  const answer = await fetch(rig.simulator.url + path, { method: "POST", headers, body });
  expect(answer.status).toBe(201);
}
const CALLBACK = {
  CallbackUrl: "https://tollbreaker.example.com/webhooks/usage-trigger?limit=spend#rc=5&rp=4xx,5xx,ct,rt",
};

/** What fired last, as its webhook tells it. */
async function fires(price: number): Promise<void> {
  rig.simulator.addUsage(account, { category: "totalprice", price });
  const before = new Set((await rig.triggersOf(account)).filter(({ dateFired }) => dateFired).map(({ sid }) => sid));
  await rig.simulator.evaluateTriggers();
  const now = (await rig.triggersOf(account)).find(({ sid, dateFired }) => dateFired !== null && !before.has(sid));
  if (!now?.dateFired) throw new Error("nothing has fired");
  const { sid: usageTriggerSid, triggerValue, currentValue, dateFired, recurring } = now;
  const firedAt = new Date(dateFired).toISOString();
  const probation = isGuard(now);
  const numbers = { usageTriggerSid, triggerValue, currentValue, dateFired, firedAt, recurring };
  await rig.deliver(firing(account, { ...numbers, limit: "spend", probation }), { policy: exempting() });
}

async function dismissed(): Promise<void> {
  await rig.deliver(dismiss((await latest()).incident), { policy: exempting() });
}

test("each links the first, and the one before it", async () => {
  await makeTrigger();
  await fires(120);
  const first = (await latest()).incident;
  expect(first.recurrence).toBeNull();
  await dismissed();
  await fires(110);
  const second = (await latest()).incident;
  expect(second.recurrence).toEqual({ limit: "spend", first: first.id, previous: first.id, nth: 2 });
  await dismissed();
  await fires(110);
  const third = await latest();
  expect(third.incident.recurrence).toEqual({ limit: "spend", first: first.id, previous: second.id, nth: 3 });

  const said = `2nd incident in a row, after ${first.id}: the guard of spend fired`;
  const told = (await rig.alertsOf(account)).find(
    ({ incident, about }) => incident.id === second.id && about === "alerted",
  );
  expect(told?.headline).toContain(`It is the ${said}.`);
  expect(told?.facts).toContainEqual({ label: "Follows", value: said });
  const recorded = (await rig.incidentsOf(account))[1];
  const shown = { ...recorded?.incident, timeline: recorded?.timeline };
  const paint = (_: string, text: string) => text;
  const now = new Date();
  expect(incidentStory(IncidentStory.parse(shown), paint, now)).toContain(said);
  expect(summary(IncidentStory.parse(shown))).toContain(first.id);
  const columns = 200;
  expect(incidentTable([IncidentView.parse(shown)], { paint, columns, now })).toContain("2nd incident in a row");
});
