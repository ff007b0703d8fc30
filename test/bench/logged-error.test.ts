import { expect, it } from "vitest";
import { signedError } from "../../bench/logged-error.ts";
import { parseForm } from "../../lib/twilio/signature.ts";
import { readEvent } from "../../lib/webhooks/error-event.ts";
import { isSignedWith } from "../support/signatures.ts";

const PUBLIC_URL = "https://tollbreaker.example.com";
const account = { accountSid: `AC${"1".repeat(32)}`, authToken: "a".repeat(32) };

it("is signed by the account it is about", () => {
  const { path, body, headers } = signedError(account, PUBLIC_URL, 30450);
  const signed = { url: `${PUBLIC_URL}/webhooks/debugger`, form: parseForm(body) };
  expect(path).toBe("/webhooks/debugger");
  expect(isSignedWith(account.authToken, headers["x-twilio-signature"], signed)).toBe(true);
  expect(isSignedWith("another", headers["x-twilio-signature"], signed)).toBe(false);
});

it("is read as an error that counts, each as another one", () => {
  const read = () => {
    const form = new URLSearchParams(signedError(account, PUBLIC_URL, 30450).body);
    const [sid, level, payload] = [form.get("Sid"), form.get("Level"), form.get("Payload")];
    const reader = { road: "debugger", publicUrl: PUBLIC_URL, receivedAt: new Date(0) } as const;
    const reading = readEvent({ accountSid: account.accountSid, sid, level, payload }, reader);
    return reading.kind === "event" ? reading.event : undefined;
  };
  const [one, other] = [read(), read()];
  expect(one).toMatchObject({ accountSid: account.accountSid, code: 30450, level: "ERROR" });
  expect(other?.sid).not.toBe(one?.sid);
});
