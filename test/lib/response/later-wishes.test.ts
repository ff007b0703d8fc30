import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Incident } from "../../../lib/incidents/incident.ts";
import { apiOf } from "../../local/twilio/api.ts";
import { check, reactivate, restoreNumbers, suspend } from "../../support/commands.ts";
import type { SeenRequest } from "../../support/fault-proxy.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

// What was wanted, or seen, before something else came in between.

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

const POLICY = policyOf(`
limits: { spend: { category: totalprice, by: price, every: day, at: 100, then: suspend } }
brake: { suspensions: 1000, within: 10m }
`);
const DONE = { kind: "done" };
const deliver: Rig["deliver"] = (message, changes) => rig.deliver(message, { policy: POLICY, ...changes });
const status = () => rig.simulator.account(account).status;
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

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

const isActivation = ({ method, path, body }: SeenRequest) =>
  method === "POST" && path.includes(account) && body.includes("Status=active");

test("a suspension that waited behind a reactivation is carried out: it is the later wish", async () => {
  const incident = await contained();
  const command = reactivate(incident, { receivedAt: ago(2) });
  const stop = suspend(account, { receivedAt: ago(1) });
  expect(await deliver(command)).toEqual(DONE);
  expect(status()).toBe("active");
  expect(await deliver(stop)).toEqual(DONE);
  expect(status()).toBe("suspended");
});

test("a suspension from before the reactivation was asked for is not, and its operator can read why", async () => {
  const incident = await contained();
  const stop = suspend(account, { receivedAt: ago(2) });
  await deliver(reactivate(incident, { receivedAt: ago(1) }));
  expect(await deliver(stop)).toEqual(DONE);
  expect(status()).toBe("active");
  const { timeline } = await story();
  expect(timeline.at(-1)).toMatchObject({
    what: "command-refused",
    why: expect.stringContaining("alice asked after this for the account's reactivation"),
    detail: { command: stop.id },
  });
  expect(rig.logged.join("\n")).not.toContain('"Suspensions":2');
});

test("calls of an account that is active again are its customer's, whatever was left over", async () => {
  rig.twilio.fail({ on: ({ path }) => path.includes("/Calls"), do: "answer", status: 403 });
  await deliver(firing(account));
  rig.mend();
  const { incident } = await story();
  expect(incident.containment?.callsLeft).toBeNull();
  rig.twilio.fail({
    on: isActivation,
    when: "after",
    times: 1,
    do: "call",
    hook: async () => void rig.simulator.addCalls(account, { calls: 3, to: "+15005550006" }),
  });
  const all = ["suspended-by", "live-calls", "api-keys", "auth-token", "triggers"] as const;
  expect(await deliver(reactivate(incident, { acknowledge: [...all] }))).toEqual(DONE);
  expect((await story()).incident.state).toBe("reactivated");
  expect(rig.simulator.account(account).liveCalls).toBe(3);
});

test("a later delivery that finds the account suspended, as it was, tells nobody that it was active", async () => {
  const { suspendedAt, checklist } = await contained();
  const signal = firing(account);
  await rig.dynamo.down();
  expect((await deliver(signal, { milliseconds: 3000 })).kind).not.toBe("done");
  await rig.dynamo.up();
  expect(await deliver(signal, { attempt: 2 })).toEqual(DONE);
  expect((await story()).incident).toMatchObject({ suspendedAt, checklist });
  expect((await rig.alertsOf(account)).map(({ about }) => about)).toEqual(["suspended"]);
});

test("the second unrouting keeps the webhooks that it found, not those of the first", async () => {
  const incident = await contained();
  const numbers = `/2010-04-01/Accounts/${account}/IncomingPhoneNumbers`;
  const api = apiOf(rig.simulator);
  const first = async () => (await api.get(`${numbers}.json`)).body.incoming_phone_numbers[0];
  const { sid, voice_url: hijacked } = await first();
  rig.twilio.fail({ on: isActivation, do: "answer", status: 400, body: '{"code":21476,"message":"x","status":400}' });
  await deliver(reactivate(incident, { cleanup: ["unroute-numbers"] }));
  rig.mend();
  expect((await story()).incident.state).toBe("suspended");
  await deliver(restoreNumbers(incident));
  expect((await first()).voice_url).toBe(hijacked);
  await api.post(`${numbers}/${sid}.json`, { VoiceUrl: "https://right.example.com/" });
  await deliver(reactivate((await story()).incident, { cleanup: ["unroute-numbers"] }));
  expect((await first()).voice_url).toBe("");
  await deliver(restoreNumbers(incident));
  expect((await first()).voice_url).toBe("https://right.example.com/");
});

test.each([
  ["active", "not-done", /^it is active: somebody set it so past Tollbreaker/],
  ["closed", "not-done", /closed/],
] as const)("an account that is %s by now is not suspended, whoever suspended it before", async (now, answer, why) => {
  const incident = await contained();
  rig.simulator.setStatus(account, now);
  expect(await deliver(check(incident))).toEqual(DONE);
  const { checklist } = (await story()).incident;
  expect(checklist?.account).toBe(now);
  expect(checklist?.items[0]).toEqual({ id: "suspended-by", answer, why: expect.stringMatching(why) });
});

test("a number that somebody gave another webhook since keeps it, and is named", async () => {
  const incident = await contained();
  const numbers = `/2010-04-01/Accounts/${account}/IncomingPhoneNumbers`;
  const api = apiOf(rig.simulator);
  const listed = async () => (await api.get(`${numbers}.json`)).body.incoming_phone_numbers;
  const [one, other] = await listed();
  await deliver(reactivate(incident, { cleanup: ["unroute-numbers"] }));
  const { timeline } = await story();
  const { why = "" } = timeline.find(({ what }) => what === "numbers-unrouted") ?? {};
  for (const { sid, voice_url: url } of [one, other]) {
    expect(why).toContain(sid);
    expect(why).toContain(`voice: ${new URL(url).host}`);
    expect(why).not.toContain(new URL(url).pathname);
  }
  await api.post(`${numbers}/${one.sid}.json`, { VoiceUrl: "https://safe.example.com/new" });
  for (const _ of ["once", "twice"]) await deliver(restoreNumbers(incident));
  expect(await listed()).toMatchObject([{ voice_url: "https://safe.example.com/new" }, { voice_url: other.voice_url }]);
  const restored = (await story()).timeline.filter(({ what }) => what === "numbers-restored");
  expect(restored.map(({ why: said }) => said)).toEqual(
    restored.map(() => expect.stringMatching(`^1 phone number has its webhooks back; left as they are.*: ${one.sid}$`)),
  );
  expect(restored).toHaveLength(2);
});

test("what one incident took can be given back from the next", async () => {
  const first = await contained();
  const numbers = `/2010-04-01/Accounts/${account}/IncomingPhoneNumbers`;
  const voiceUrls = async () =>
    (await apiOf(rig.simulator).get(`${numbers}.json`)).body.incoming_phone_numbers.map(
      (number: { voice_url: string }) => number.voice_url,
    );
  const before = await voiceUrls();
  expect(before).toHaveLength(2);
  await deliver(reactivate(first, { cleanup: ["unroute-numbers"] }));
  await deliver(suspend(account));
  const second = (await rig.incidentsOf(account)).find(({ incident }) => incident.id !== first.id)?.incident;
  if (second === undefined) throw new Error("there is no second incident");
  await deliver(reactivate(second, { cleanup: ["unroute-numbers"] }));
  expect(await voiceUrls()).toEqual(["", ""]);
  await deliver(restoreNumbers(second));
  expect(await voiceUrls()).toEqual(before);
});

test("what was acknowledged is what was seen: not the keys that somebody made since", async () => {
  const incident = await contained();
  await apiOf(rig.simulator).post(`/2010-04-01/Accounts/${account}/Keys.json`, { FriendlyName: "of somebody else" });
  expect(await deliver(reactivate(incident))).toEqual(DONE);
  const refused = (await story()).incident;
  expect(refused).toMatchObject({
    state: "suspended",
    reason: expect.stringMatching(
      /^not in order, and neither acknowledged as it is now .*api-keys \(.* 1 made during it/,
    ),
  });
  expect(status()).toBe("suspended");
  expect(await deliver(reactivate(refused))).toEqual(DONE);
  expect(status()).toBe("active");
});
