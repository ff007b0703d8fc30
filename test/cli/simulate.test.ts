import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeDiscovery } from "../../local/discovery.ts";
import { startTwilioSimulator, type TwilioSimulator } from "../../local/twilio/simulator.ts";
import { tollbreaker } from "./command-line.ts";

const FIRST = `AC${"1".repeat(32)}`;
const SECOND = `AC${"2".repeat(32)}`;

let dataDir: string;
let twilio: TwilioSimulator;

// Nothing moves by itself: what has changed afterwards, the command did.
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tollbreaker-"));
  const subaccounts = [
    { accountSid: FIRST, friendlyName: "First\u001b[2J", currency: "EUR" },
    { accountSid: SECOND, friendlyName: "Second" },
  ];
  twilio = await startTwilioSimulator({ subaccounts, trafficEveryMs: 0, evaluateEveryMs: 0 });
  await discover(twilio.url);
});
afterEach(async () => {
  await twilio.close();
  await rm(dataDir, { recursive: true });
});

const discover = (simulatorUrl: string | null) =>
  writeDiscovery(dataDir, { url: "http://127.0.0.1:9", token: "t", simulatorUrl, pid: process.pid });
const simulate = (...words: string[]) => tollbreaker(["simulate", ...words], { DATA_DIR: dataDir });

describe("simulate", () => {
  it.each(["sms-pumping", "toll-fraud", "runaway-loop"])(
    "starts %s on the first active subaccount, and says which",
    async (attack) => {
      twilio.setStatus(FIRST, "suspended");
      const { code, stdout, stderr } = await simulate(attack);
      expect(code).toBe(0);
      expect(stdout).toMatch(
        new RegExp(`${attack} now runs on Second \\(${SECOND}\\)\\.\nUnhindered it costs [\\d,.]+ USD an hour`),
      );
      expect(stderr).toContain("incidents list");
      expect(twilio.attacks()).toMatchObject([{ accountSid: SECOND, kind: attack, running: true }]);
    },
  );

  it("starts sip-probing, which costs nothing", async () => {
    const { code, stdout } = await simulate("sip-probing");
    expect(code).toBe(0);
    expect(stdout).toContain("It costs nothing");
    expect(twilio.attacks()).toMatchObject([{ accountSid: FIRST, kind: "sip-probing", running: true }]);
  });

  it("starts billing-glitch on every active subaccount at once", async () => {
    twilio.setStatus(FIRST, "suspended");
    const { code, stdout } = await simulate("billing-glitch");
    expect(code).toBe(0);
    expect(stdout).toContain("Twilio's figures of 1 active subaccount are wrong now");
    expect(twilio.subaccounts().map(({ spentToday }) => spentToday)).toEqual([0, 500]);
    expect(twilio.attacks()).toEqual([]);
  });

  it("billing-glitch on one account: exit 2, and nothing happens", async () => {
    const { code, stderr } = await simulate("billing-glitch", "--account", FIRST);
    expect(code).toBe(2);
    expect(stderr).toContain("leave --account out");
    expect(twilio.subaccounts().map(({ spentToday }) => spentToday)).toEqual([0, 0]);
  });

  it("starts it on the account it is told", async () => {
    const { stdout } = await simulate("sms-pumping", "--account", FIRST);
    expect(twilio.attacks()).toMatchObject([{ accountSid: FIRST }]);
    expect(stdout).toContain("First\\u{1b}[2J");
    expect(stdout).toContain("EUR");
  });

  it("warns of an account without a usage trigger", async () => {
    expect((await simulate("sms-pumping")).stderr).toContain("no usage trigger, so no spend will trip");
  });

  it("an account that isn't there: exit 4, and which there are", async () => {
    const { code, stderr } = await simulate("sms-pumping", "--account", `AC${"9".repeat(32)}`);
    expect(code).toBe(4);
    expect(stderr).toContain(`${FIRST} (active), ${SECOND} (active)`);
    expect(twilio.attacks()).toEqual([]);
  });

  it("no active account: exit 4", async () => {
    for (const sid of [FIRST, SECOND]) twilio.setStatus(sid, "suspended");
    expect((await simulate("sms-pumping")).code).toBe(4);
  });

  it("another attack: exit 2", async () => {
    const { code, stderr } = await simulate("phishing");
    expect(code).toBe(2);
    expect(stderr).toContain("sms-pumping, toll-fraud, sip-probing, runaway-loop, billing-glitch");
  });

  it("a real Twilio is never attacked: exit 2", async () => {
    await discover(null);
    const { code, stderr } = await simulate("sms-pumping");
    expect(code).toBe(2);
    expect(stderr).toContain("not simulated");
  });

  it("a simulator that is gone: exit 3", async () => {
    await twilio.close();
    const { code, stderr } = await simulate("sms-pumping");
    expect(code).toBe(3);
    expect(stderr).toContain("npm start");
  });
});
