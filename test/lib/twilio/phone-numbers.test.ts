import { describe, expect, test } from "vitest";
import {
  isRouted,
  listPhoneNumbers,
  type PhoneNumber,
  type Routing,
  readRouting,
  UNROUTED,
  updateRouting,
} from "../../../lib/twilio/phone-numbers.ts";
import { simulated } from "./simulated.ts";

const at = simulated();
const SID = `PN${"1".repeat(32)}`;
const APPLICATION = `AP${"2".repeat(32)}`;
const TRUNK = `TK${"3".repeat(32)}`;

async function numbers(): Promise<PhoneNumber[]> {
  const answer = await listPhoneNumbers(at.twilio, at.account, 2_000);
  if (answer.kind === "failed") throw new Error(answer.failure.message);
  return answer.body;
}

async function aNumber(): Promise<PhoneNumber> {
  const [first] = await numbers();
  if (first === undefined) throw new Error("the account has no number");
  return first;
}

const update = (sid: string, routing: Partial<Routing>) => updateRouting(at.twilio, at.account, sid, routing, 2_000);

test("the numbers of an account, and where each sends calls and messages", async () => {
  const listed = await numbers();
  const expected = at.simulator.phoneNumbers(at.account).map(({ sid, routing }) => [sid, routing.voice_url]);
  expect(listed.map(({ sid, routing }) => [sid, routing.voice_url])).toEqual(expected);
  expect(listed.length).toBeGreaterThan(0);
  expect(listed.every(isRouted)).toBe(true);
  expect(listed[0]?.routing).toEqual({
    voice_url: expect.stringMatching(/^https:/),
    voice_method: "POST",
    voice_fallback_url: expect.stringMatching(/^https:/),
    voice_fallback_method: "POST",
    voice_application_sid: "",
    trunk_sid: "",
    status_callback: expect.stringMatching(/^https:/),
    status_callback_method: "POST",
    sms_url: expect.stringMatching(/^https:/),
    sms_method: "POST",
    sms_fallback_url: "",
    sms_fallback_method: "POST",
    sms_application_sid: "",
  });
});

test("follows the pages to the end", async () => {
  const path = `/2010-04-01/Accounts/${at.account}/IncomingPhoneNumbers.json?PageSize=1000&Page=1`;
  at.answer(200, { incoming_phone_numbers: [{ sid: SID }], next_page_uri: path });
  at.answer(200, { incoming_phone_numbers: [{ sid: SID, trunk_sid: TRUNK }], next_page_uri: null });
  expect((await numbers()).map(isRouted)).toEqual([false, true]);
});

test("a number whose SID is none is no number", async () => {
  at.answer(200, { incoming_phone_numbers: [{ sid: "PN/../.." }] });
  await expect(numbers()).rejects.toThrow("could not be understood");
});

describe("unrouted and given back", () => {
  test("while the account is suspended, with the parent's credentials", async () => {
    at.simulator.setStatus(at.account, "suspended");
    const { sid, routing } = await aNumber();
    const unrouted = await update(sid, UNROUTED);
    expect(unrouted).toMatchObject({ kind: "ok", body: { sid, routing: { ...UNROUTED, voice_method: "POST" } } });
    expect(unrouted.kind === "ok" && isRouted(unrouted.body)).toBe(false);
    expect((await numbers()).filter(isRouted).map((number) => number.sid)).not.toContain(sid);

    expect(await update(sid, routing)).toEqual({ kind: "ok", body: { sid, routing } });
    expect(await aNumber()).toEqual({ sid, routing });
  });

  test.each([
    ["an application", { voice_application_sid: APPLICATION, sms_application_sid: APPLICATION }],
    ["a trunk", { trunk_sid: TRUNK }],
  ])("with %s", async (_, routed) => {
    const { sid } = await aNumber();
    await update(sid, routed);
    const { routing } = await aNumber();
    expect(routing).toMatchObject(routed);
    await update(sid, UNROUTED);
    expect(isRouted(await aNumber())).toBe(false);
    // Through the store, in which it was kept as text.
    await update(sid, readRouting(JSON.parse(JSON.stringify(routing))));
    expect((await aNumber()).routing).toEqual(routing);
  });

  test("sends empty texts for what is taken away, by the parameters' names, and no empty method", async () => {
    const { sid } = await aNumber();
    await update(sid, UNROUTED);
    const empty = ["VoiceUrl", "VoiceFallbackUrl", "VoiceApplicationSid", "TrunkSid", "StatusCallback"];
    empty.push("SmsUrl", "SmsFallbackUrl", "SmsApplicationSid");
    expect(at.asked().at(-1)).toEqual({
      to: "POST api",
      path: `/2010-04-01/Accounts/${at.account}/IncomingPhoneNumbers/${sid}.json`,
      form: Object.fromEntries(empty.map((name) => [name, ""])),
    });
    await update(sid, readRouting({ voice_url: "https://a.example/", voice_method: "" }));
    expect(Object.keys(at.asked().at(-1)?.form ?? {}).filter((name) => name.endsWith("Method"))).toEqual([]);
  });

  test("of trunk and application only the one that is set is sent: setting one takes the other away", async () => {
    const { sid } = await aNumber();
    await update(sid, readRouting({ trunk_sid: TRUNK }));
    expect(at.asked().at(-1)?.form).toMatchObject({ TrunkSid: TRUNK });
    expect(at.asked().at(-1)?.form).not.toHaveProperty("VoiceApplicationSid");
    await update(sid, readRouting({ voice_application_sid: APPLICATION }));
    expect(at.asked().at(-1)?.form).not.toHaveProperty("TrunkSid");
  });

  test("a refusal tells its code, and not what Twilio quotes: an address may hold a password", async () => {
    const { sid } = await aNumber();
    at.answer(400, { code: 21402, message: "VoiceUrl is not valid: https://u:hunter2@a.example/", status: 400 });
    const answer = await update(sid, UNROUTED);
    expect(answer).toMatchObject({ kind: "failed", failure: { kind: "retryable", code: 21402, status: 400 } });
    expect(JSON.stringify(answer)).not.toContain("hunter2");
  });

  test("a number that is gone is `not-found`", async () => {
    expect(await update(SID, UNROUTED)).toMatchObject({ failure: { kind: "not-found" } });
  });
});

test.each([
  ["a fallback alone", { voice_fallback_url: "https://a.example/" }, true],
  ["a messages' application alone", { sms_application_sid: APPLICATION }, true],
  ["methods alone", { voice_method: "GET", sms_method: "POST", sms_fallback_method: null }, false],
  ["what is told of its calls alone", { status_callback: "https://a.example/" }, true],
  ["what is no routing", { emergency_address_sid: `AD${"4".repeat(32)}` }, false],
])("%s", (_, fields, routed) => {
  expect(isRouted({ sid: SID, routing: readRouting(fields) })).toBe(routed);
});
