import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { accountPath, apiOf, quietSimulator, send, subaccount } from "./api.ts";

let simulator: TwilioSimulator;
let sid: string;
beforeEach(async () => {
  simulator = await quietSimulator();
  sid = subaccount(simulator).accountSid;
});
afterEach(() => simulator.close());

const NUMBERS = "/IncomingPhoneNumbers";
const list = async (query = "") => (await apiOf(simulator).get(`${accountPath(sid, NUMBERS)}${query}`)).body;
const first = async () => (await list()).incoming_phone_numbers[0];
const update = async (form: Record<string, string>) =>
  apiOf(simulator).post(accountPath(sid, `${NUMBERS}/${(await first()).sid}`), form);

describe("the numbers of an account", () => {
  it("are two, which a server of the customer's answers", async () => {
    const { incoming_phone_numbers: numbers } = await list();
    expect(numbers).toHaveLength(2);
    for (const number of numbers) {
      expect(number).toMatchObject({
        account_sid: sid,
        phone_number: expect.stringMatching(/^\+1\d{3}55501\d\d$/),
        voice_url: expect.stringMatching(/^https:\/\/[a-z-]+\.example\/twilio\/voice$/),
        sms_url: expect.stringMatching(/\.example\/twilio\/sms$/),
        voice_application_sid: "",
        trunk_sid: null,
      });
      expect((await apiOf(simulator).get(accountPath(sid, `${NUMBERS}/${number.sid}`))).body).toEqual(number);
    }
  });

  it("come by pages, and by number or name", async () => {
    const [one, other] = (await list()).incoming_phone_numbers;
    const page = await list("?PageSize=1");
    expect(page.incoming_phone_numbers).toEqual([one]);
    expect((await apiOf(simulator).get(page.next_page_uri)).body.incoming_phone_numbers).toEqual([other]);
    const found = async (query: string) => (await list(query)).incoming_phone_numbers;
    expect(await found(`?PhoneNumber=${encodeURIComponent(other.phone_number)}`)).toEqual([other]);
    expect(await found(`?PhoneNumber=${one.phone_number.slice(2, 5)}555`)).toContainEqual(one);
    const wildcard = `${accountPath(sid, NUMBERS)}?PhoneNumber=${one.phone_number.slice(2, 5)}***01`;
    expect((await send(simulator, simulator.parent(), "GET", wildcard)).body.incoming_phone_numbers).toContainEqual(
      one,
    );
    expect(await found("?FriendlyName=none")).toEqual([]);
    expect(await found("?Beta=true")).toEqual([]);
  });
});

describe("an update", () => {
  it("takes the webhooks away, and puts them back as they were", async () => {
    await apiOf(simulator).post(accountPath(sid), { Status: "suspended" });
    const before = await first();
    const away = { VoiceUrl: "", VoiceFallbackUrl: "", StatusCallback: "", SmsUrl: "", SmsFallbackUrl: "" };
    const stopped = (await update({ ...away, VoiceApplicationSid: "", SmsApplicationSid: "", TrunkSid: "" })).body;
    expect(stopped).toMatchObject({ voice_url: "", voice_fallback_url: "", status_callback: "", sms_url: "" });
    const { voice_url, voice_fallback_url, status_callback, sms_url } = before;
    await update({
      VoiceUrl: voice_url,
      VoiceFallbackUrl: voice_fallback_url,
      StatusCallback: status_callback,
      SmsUrl: sms_url,
    });
    expect(await first()).toEqual({ ...before, date_updated: expect.any(String) });
  });

  it("changes what is sent and nothing else", async () => {
    const before = await first();
    const changes = { VoiceMethod: "GET", SmsFallbackUrl: "https://example.com/fallback", FriendlyName: "Support" };
    expect((await update(changes)).body).toEqual({
      ...before,
      voice_method: "GET",
      sms_fallback_url: "https://example.com/fallback",
      friendly_name: "Support",
      date_updated: expect.any(String),
    });
  });

  it("to a trunk takes the application away, and the other way round", async () => {
    const [trunk, application] = [`TK${"a".repeat(32)}`, `AP${"b".repeat(32)}`];
    await update({ VoiceApplicationSid: application });
    expect((await update({ TrunkSid: trunk })).body).toMatchObject({ trunk_sid: trunk, voice_application_sid: "" });
    expect((await update({ VoiceApplicationSid: application })).body).toMatchObject({
      trunk_sid: null,
      voice_application_sid: application,
    });
  });

  const refused = {
    "a URL that is none": [{ VoiceUrl: "example" }, 21502],
    "another scheme": [{ SmsUrl: "ftp://example.com/" }, 21502],
    "no method": [{ VoiceMethod: "" }, 20001],
    "another method": [{ SmsMethod: "PUT" }, 20001],
    "an application that is none": [{ VoiceApplicationSid: "AP1" }, 20001],
    "a trunk that is an application": [{ TrunkSid: `AP${"b".repeat(32)}` }, 20001],
    "too long a name": [{ FriendlyName: "n".repeat(65) }, 20001],
    "what the simulator does not know": [{ EmergencyStatus: "Active" }, 20001],
  } as const;
  for (const [what, [form, code]] of Object.entries(refused)) {
    it(`with ${what} is refused with ${code} and changes nothing`, async () => {
      const before = await first();
      expect(await update({ VoiceFallbackUrl: "", ...form })).toMatchObject({ status: 400, body: { code } });
      expect(await first()).toEqual(before);
    });
  }

  it("of an unknown number answers 20404", async () => {
    const unknown = accountPath(sid, `${NUMBERS}/PN${"0".repeat(32)}`);
    expect((await apiOf(simulator).post(unknown, { VoiceUrl: "" })).body.code).toBe(20404);
    expect((await apiOf(simulator).get(unknown)).body.code).toBe(20404);
  });
});
