import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTwilioSimulator, type TwilioSimulator } from "../../local/twilio/simulator.ts";
import { patientClock } from "../support/patient-clock.ts";

/**
 * The shell functions of docs/runbook.md as they stand there, by bash, curl and jq, against a simulated Twilio: whoever
 * copies them at 3 a.m. has no time to mend them.
 */
const page = readFileSync(new URL("../../docs/runbook.md", import.meta.url), "utf8");
const [, chapter = ""] = page.split("\n## Past Tollbreaker\n");
const functions = /```sh\n([\s\S]*?)```/.exec(chapter)?.[1] ?? "";
const guard = /^ *guard\(\) \{[\s\S]*?^ *\}$/m.exec(page)?.[0] ?? "";

// A second before midnight, to Twilio and to the shell: GNU's date first, BSD's second.
const NOW = new Date("2026-11-21T23:59:59Z");
const seconds = NOW.getTime() / 1000;
const date = `date() { command date -d @${seconds} "$@" 2>/dev/null || command date -r ${seconds} "$@"; }`;

let twilio: TwilioSimulator;
let sid: string;

beforeEach(async () => {
  const quiet = { subaccounts: 2, trafficEveryMs: 0, evaluateEveryMs: 0 };
  twilio = await startTwilioSimulator({ ...quiet, clock: patientClock(NOW) });
  sid = twilio.subaccounts()[0]?.accountSid ?? "";
});
afterEach(() => twilio.close());

/** Runs `commands` after the runbook's functions; what it asks a person and AWS for comes from the environment. */
async function bash(commands: string): Promise<string> {
  const { accountSid: PARENT, authToken: TWILIO_TOKEN } = twilio.parent();
  const asked = /^(read -rp .*|TWILIO_TOKEN=\$\(aws .*)$/gm;
  const script = functions.replaceAll(asked, "").replace("https://api.twilio.com", `${twilio.url}/api`);
  const env = { PATH: process.env["PATH"], PARENT, TWILIO_TOKEN, TOLLBREAKER_URL: "https://tollbreaker.example.com" };
  const whole = ["set -eo pipefail", date, script, guard, commands].join("\n");
  const { stdout } = await promisify(execFile)("bash", ["--norc", "-c", whole], { env });
  return stdout.trim();
}

describe("by hand, an account", () => {
  it("is suspended, and its status is read", async () => {
    expect(await bash(`status_of ${sid}`)).toBe(`${sid} active, owner ${twilio.parent().accountSid}`);
    expect(await bash(`suspend_account ${sid}`)).toBe(`${sid} suspended`);
    expect(twilio.account(sid).status).toBe("suspended");
  });

  it("has its calls ended, those that ring and those in progress", async () => {
    twilio.addCalls(sid, { calls: 2, status: "in-progress" });
    twilio.addCalls(sid, { calls: 1, status: "ringing" });
    await bash(`suspend_account ${sid}`);
    expect((await bash(`live_calls ${sid}`)).split("\n")).toHaveLength(3);
    const ended = (await bash(`end_calls ${sid}`)).split("\n").map((line) => line.split(" ")[1]);
    expect(ended.toSorted()).toEqual(["canceled", "completed", "completed"]);
    expect(await bash(`live_calls ${sid}`)).toBe("");
  });

  it("shows what it spent today", async () => {
    twilio.setSpend(sid, { category: "sms", price: 61.5 });
    expect(await bash(`spent ${sid}`)).toMatch(/^61\.5\d* \w+ (sms|totalprice)$/m);
  });

  it("is guarded by triggers that count from now, and shows when they have fired", async () => {
    twilio.setSpend(sid, { category: "sms", price: 10 });
    expect(await bash(`guard ${sid} daily-spend totalprice price +25`)).toMatch(/^UT[0-9a-f]{32}$/);
    expect(await bash("fired_today")).toBe("");
    twilio.setSpend(sid, { category: "sms", price: 36 });
    await twilio.evaluateTriggers();
    expect(await bash("fired_today")).toMatch(new RegExp(`^${sid} .* by hand: daily-spend$`));
  });

  it("is one of the subaccounts, the parent is none", async () => {
    expect((await bash("subaccounts")).split("\n").toSorted()).toEqual(
      twilio
        .subaccounts()
        .map(({ accountSid }) => accountSid)
        .toSorted(),
    );
  });

  it("that is not there is an error, not a success", async () => {
    await expect(bash(`suspend_account AC${"0".repeat(32)}`)).rejects.toThrow(/"code":20404/);
  });
});
