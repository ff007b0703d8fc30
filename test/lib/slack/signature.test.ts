import { describe, expect, it } from "vitest";
import { signForSlack, verifySlack } from "../../../lib/slack/signature.ts";

const NOW = new Date("2026-11-21T03:04:05Z");
const seconds = (offset = 0) => String(NOW.getTime() / 1000 + offset);
const bytes = (text: string) => new TextEncoder().encode(text);

// https://docs.slack.dev/authentication/verifying-requests-from-slack: the secret, the time, the body and the result.
const DOCUMENTED = {
  secret: "8f742231b10e8888abcd99yyyzzz85a5",
  timestamp: "1531420618",
  body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
  signature: "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
};

it("signs Slack's own example as Slack does", () => {
  const { secret, timestamp, body, signature } = DOCUMENTED;
  expect(signForSlack(secret, timestamp, body)).toBe(signature);
  const then = new Date(Number(timestamp) * 1000);
  expect(verifySlack(secret, bytes(body), { timestamp, signature }, then)).toEqual({ kind: "genuine" });
});

describe("verification", () => {
  const signed = (timestamp: string, secret = "secret", body = "payload=1") => ({
    timestamp,
    signature: signForSlack(secret, timestamp, body),
  });

  it.each([
    [0, "genuine"],
    [-300, "genuine"],
    [300, "genuine"],
    [-301, "stale"],
    [301, "stale"],
  ])("%d seconds from now: %s", (offset, verdict) => {
    const { kind, ...rest } = verifySlack("secret", bytes("payload=1"), signed(seconds(offset)), NOW);
    expect("why" in rest ? rest.why : kind).toBe(verdict);
  });

  it("is over the bytes, whatever they are", () => {
    const body = Uint8Array.of(0xff, 0xfe, 0x00, 0x80);
    const signature = signForSlack("secret", seconds(), body);
    expect(verifySlack("secret", body, { timestamp: seconds(), signature }, NOW).kind).toBe("genuine");
    expect(verifySlack("secret", body.subarray(1), { timestamp: seconds(), signature }, NOW).kind).toBe("refused");
  });

  it("refuses everything while there is no secret", () => {
    expect(verifySlack("", bytes("payload=1"), signed(seconds(), ""), NOW)).toEqual({
      kind: "refused",
      why: "unsigned",
    });
  });

  it.each(["", "v0=", "v1=00", "é".repeat(67)])("refuses the signature %j", (signature) => {
    const verdict = verifySlack("secret", bytes("payload=1"), { timestamp: seconds(), signature }, NOW);
    expect(verdict).toEqual({ kind: "refused", why: "forged" });
  });

  it.each(["", "-5", "0x10", "1e9", "1.5", " 1", "NaN"])("refuses the time %j", (timestamp) => {
    const signature = signForSlack("secret", timestamp, "payload=1");
    expect(verifySlack("secret", bytes("payload=1"), { timestamp, signature }, NOW)).toMatchObject({ kind: "refused" });
  });
});
