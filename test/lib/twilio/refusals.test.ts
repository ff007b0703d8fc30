import { describe, expect, test } from "vitest";
import { requestActivation } from "../../../lib/twilio/accounts.ts";
import { failureOf, noAnswer } from "../../../lib/twilio/failures.ts";
import { wordsFor } from "../../../lib/twilio/refusals.ts";
import { simulated } from "./simulated.ts";

// Each code, and what a person must be told to do about it.
const CODES = [
  [401, 20003, /auth token/],
  [403, 20003, /parent account is active/],
  [403, 20403, /suspended or closed/],
  [404, 20404, /TWILIO_ACCOUNT_SID/],
  [429, 20429, /ask again/],
  [500, 20500, /ask again/],
  [503, 20503, /ask again/],
  [400, 20005, /Twilio Support/],
  [400, 10001, /Twilio Support/],
  [400, 90010, /Twilio Support/],
  [403, 20008, /live auth token/],
  [400, 21475, /report it/],
  [400, 21476, /parent account itself is suspended.*Twilio Support/],
  [400, 21477, /parent account's status/],
  [400, 21478, /only its support can lift it; send them the report \(tollbreaker incidents report ID\)/],
  [400, 21479, /closed.*dismiss/],
  [403, 70051, /not an API key/],
] as const;

test.each(CODES)("HTTP %i with code %i: what to do, and what Twilio said", (status, code, words) => {
  const told = wordsFor(failureOf(status, { code, message: "what Twilio said", status }));
  expect(told).toMatch(words);
  expect(told).toMatch(new RegExp(`\\(Twilio error ${code} \\(HTTP ${status}\\): what Twilio said\\)$`));
  expect(told).not.toContain("\n");
});

test.each([
  [
    "no answer",
    noAnswer("no answer in time"),
    /^Twilio did not do it, or did not say so: ask again.*no answer in time/,
  ],
  ["a proxy's answer", failureOf(502, undefined), /ask again.*HTTP 502/],
  ["a code that is not known", failureOf(400, { code: 12345, message: "x" }), /docs\/api\/errors\/12345.*x/],
  ["no code at all", failureOf(403, undefined), /not Twilio's API: look for a proxy.*HTTP 403/],
  ["too many requests", failureOf(429, undefined), /ask again.*HTTP 429/],
])("%s", (_, failure, words) => expect(wordsFor(failure)).toMatch(words));

describe("an activation that Twilio refuses", () => {
  const at = simulated();
  const activate = async (sid = at.account) => {
    const answer = await requestActivation(at.twilio, sid, 2_000);
    return answer.kind === "ok" ? answer.body.status : wordsFor(answer.failure);
  };

  test("is set active when nothing stands against it", async () => {
    at.simulator.setStatus(at.account, "suspended");
    expect(await activate()).toBe("active");
  });

  test("Twilio itself suspended the account", async () => {
    at.simulator.suspendByTwilio(at.account);
    expect(await activate()).toMatch(/only its support can lift it.*21478/);
  });

  test("it is closed", async () => {
    at.simulator.setStatus(at.account, "closed");
    expect(await activate()).toMatch(/the account is closed.*21479/);
  });

  test("it is the parent", async () => {
    expect(await activate(at.twilio.accountSid)).toMatch(/parent account's status.*21477/);
  });

  test("it is not ours", async () => {
    expect(await activate(`AC${"7".repeat(32)}`)).toMatch(/no such account under our parent.*20404/);
  });

  test("our token was changed", async () => {
    at.answer(401, { code: 20003, message: "Authenticate", status: 401 });
    expect(await activate()).toMatch(/check the parent's auth token.*20003/);
  });
});
