import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { apiOf } from "../../local/twilio/api.ts";
import { reactivate, restoreNumbers } from "../../support/commands.ts";
import type { SeenRequest } from "../../support/fault-proxy.ts";
import { type Recorded, type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";

// Phone numbers get back what `unroute-numbers` took from them: addresses, some of them with a password.

const SECRET = "hunter2";
const ADDRESS = `https://user:${SECRET}@webhooks.example.com/voice`;
const isUpdate = ({ method, path }: SeenRequest) => method === "POST" && path.includes("IncomingPhoneNumbers");

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterEach(() => rig.mend());
afterAll(() => rig.close());

async function story(account: string): Promise<Recorded> {
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}

/** An account whose number calls an address with a password, contained, brought back, and unrouted on the way. */
async function unrouted() {
  const { accountSid } = rig.simulator.addSubaccount();
  const path = `/2010-04-01/Accounts/${accountSid}/IncomingPhoneNumbers`;
  const parent = apiOf(rig.simulator);
  const { body } = await parent.get(`${path}.json`);
  const number = `${path}/${body.incoming_phone_numbers[0].sid}.json`;
  await parent.post(number, { VoiceUrl: ADDRESS });
  await rig.deliver(firing(accountSid));
  await rig.deliver(reactivate((await story(accountSid)).incident, { cleanup: ["unroute-numbers"] }));
  const voiceUrl = async () => (await parent.get(number)).body.voice_url;
  expect(await voiceUrl()).toBe("");
  return { accountSid, voiceUrl, incident: (await story(accountSid)).incident };
}

test("their addresses are as they were", async () => {
  const { accountSid, voiceUrl, incident } = await unrouted();
  await rig.deliver(restoreNumbers(incident));
  expect(await voiceUrl()).toBe(ADDRESS);
  expect((await story(accountSid)).timeline.at(-1)).toMatchObject({ what: "numbers-restored" });
});

test("a refusal that quotes the address is told by its code alone", async () => {
  const { accountSid, incident } = await unrouted();
  const body = JSON.stringify({ code: 21402, message: `VoiceUrl is not valid: ${ADDRESS}`, status: 400 });
  rig.twilio.fail({ on: isUpdate, do: "answer", status: 400, body });
  await rig.deliver(restoreNumbers(incident));
  const recorded = await story(accountSid);
  expect(recorded.timeline.at(-1)).toMatchObject({
    what: "command-refused",
    why: expect.stringContaining("Twilio error 21402 (HTTP 400)"),
  });
  const told = [JSON.stringify(recorded), rig.logged.join(), JSON.stringify(await rig.alertsOf(accountSid))];
  for (const text of told) expect(text).not.toContain(SECRET);
});
