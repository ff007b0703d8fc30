import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import type { AlertSubject, Containment, Incident, Trip } from "../../../lib/incidents/incident.ts";
import { examples, incident, SID, smsTrip } from "./examples.ts";

const subjects = ["suspended", "alerted", "failed", "not-understood"] as const satisfies AlertSubject[];

function compose(
  about: AlertSubject,
  changes: Partial<Incident> = {},
  more: { because?: "observe-mode" | "parent-account" } = {},
) {
  const { incidentUrl, at } = examples.suspended;
  return composeAlert({ about, incident: incident(changes), incidentUrl, at, ...more });
}

const fact = (alert: ReturnType<typeof composeAlert>, label: string) =>
  alert.facts.find((each) => each.label === label)?.value;

describe("severity", () => {
  const failure = { twilioCode: 21476, message: "parent is suspended", retrying: true };
  it.each([
    ["suspended", {}, {}, "critical"],
    ["failed", { failure }, {}, "critical"],
    ["alerted", {}, { because: "observe-mode" }, "warning"],
    ["alerted", {}, {}, "warning"],
    ["alerted", {}, { because: "parent-account" }, "critical"],
    ["alerted", { failure }, {}, "critical"],
    ["not-understood", {}, {}, "warning"],
  ] as const)("%s %j %j is %s", (about, changes, more, severity) => {
    expect(compose(about, changes, more).severity).toBe(severity);
  });
});

describe("the first line says what happened and whether money is still being lost", () => {
  const contained = (by: Containment["by"], callsLeft: number | null) => ({
    containment: { by, callsEnded: 2, callsLeft },
  });
  it.each([
    [
      contained("tollbreaker", 0),
      "Acme Europe was suspended after tripping on sms-outbound: no call is left, and the loss has stopped.",
    ],
    [
      contained("tollbreaker", 1),
      "Acme Europe was suspended after tripping on sms-outbound, but 1 call is still live and losing money.",
    ],
    [
      contained("tollbreaker", 3),
      "Acme Europe was suspended after tripping on sms-outbound, but 3 calls are still live and losing money.",
    ],
    [
      contained("tollbreaker", null),
      "Acme Europe was suspended after tripping on sms-outbound, but calls may still be live and losing money.",
    ],
    [
      { containment: null },
      "Acme Europe was suspended after tripping on sms-outbound, but calls may still be live and losing money.",
    ],
    [
      contained("already-suspended", 0),
      "Acme Europe was already suspended when its trigger on sms-outbound came in: no call is left, and the loss has stopped.",
    ],
    [
      contained("suspended-by-twilio", 0),
      "Acme Europe was already suspended when its trigger on sms-outbound came in: no call is left, and the loss has stopped.",
    ],
    [
      contained("closed", 0),
      "Acme Europe tripped on sms-outbound although it is closed: no call is left, and the loss has stopped.",
    ],
    [
      { ...contained("tollbreaker", 0), trip: null },
      "Acme Europe was suspended: no call is left, and the loss has stopped.",
    ],
    [
      { ...contained("tollbreaker", 0), friendlyName: null },
      `${SID} was suspended after tripping on sms-outbound: no call is left, and the loss has stopped.`,
    ],
  ])("suspended, %j", (changes, line) => {
    const alert = compose("suspended", changes);
    expect(alert.headline).toBe(line);
    expect(alert.text.split("\n")[0]).toBe(line);
  });

  it.each([
    [
      "observe-mode",
      "Acme Europe tripped on sms-outbound and was NOT suspended because Tollbreaker runs in observe mode: it may still be losing money.",
    ],
    [
      "parent-account",
      "Acme Europe tripped on sms-outbound and was NOT suspended because it is the parent account: it may still be losing money.",
    ],
  ] as const)("alerted because of %s", (because, line) => {
    expect(compose("alerted", {}, { because }).headline).toBe(line);
  });

  it.each([
    [true, "Tollbreaker goes on trying."],
    [false, "a person must act now."],
  ])("failed, retrying %s", (retrying, ending) => {
    const failure = { twilioCode: 20003, message: "Authenticate", retrying };
    expect(compose("failed", { failure }).headline).toMatch(
      new RegExp(`NOT be suspended: it may still be losing money, and ${ending}$`),
    );
  });
});

describe("the numbers", () => {
  const trip = (changes: Partial<Trip>): { trip: Trip } => ({ trip: { ...smsTrip, ...changes } });
  const counted = { triggerBy: "count", triggerValue: "1000.000000", currentValue: "13057", overshoot: "12057" };
  it.each([
    [{}, "1,360.52 USD against a limit of 50 USD", "1,310.52 USD (2,621 %)"],
    [{ evidence: null }, "1,360.52 against a limit of 50 (in the account's currency)", "1,310.52 (2,621 %)"],
    [trip({ overshootPercent: null }), "1,360.52 USD against a limit of 50 USD", "1,310.52 USD"],
    [trip(counted), "13,057 messages against a limit of 1,000 messages", "12,057 messages (2,621 %)"],
    [
      trip({ ...counted, usageCategory: "calls-outbound" }),
      "13,057 calls against a limit of 1,000 calls",
      "12,057 calls (2,621 %)",
    ],
    [
      trip({ ...counted, usageCategory: "calls", triggerBy: "usage" }),
      "13,057 minutes against a limit of 1,000 minutes",
      "12,057 minutes (2,621 %)",
    ],
    [
      trip({ ...counted, usageCategory: "lookups" }),
      "13,057 units against a limit of 1,000 units",
      "12,057 units (2,621 %)",
    ],
    [
      trip({ usageCategory: "totalprice", triggerBy: "usage" }),
      "1,360.52 USD against a limit of 50 USD",
      "1,310.52 USD (2,621 %)",
    ],
    // More digits than a double holds: shown to the last one.
    [
      trip({ currentValue: "9007199254740993.123456" }),
      "9,007,199,254,740,993.123456 USD against a limit of 50 USD",
      "1,310.52 USD (2,621 %)",
    ],
    [
      trip({ currentValue: "60.500000", overshoot: "10.5" }),
      "60.50 USD against a limit of 50 USD",
      "10.50 USD (2,621 %)",
    ],
    [trip({ currentValue: "a lot" }), "a lot USD against a limit of 50 USD", "1,310.52 USD (2,621 %)"],
  ])("%j", (changes, reached, overshoot) => {
    const alert = compose("suspended", changes);
    expect(fact(alert, "Reached")).toBe(reached);
    expect(fact(alert, "Overshoot")).toBe(overshoot);
    expect(alert.text).toContain(reached);
  });

  it("shows today's spend only where evidence has it", () => {
    const evidence = {
      currency: "JPY",
      categoryPriceToday: null,
      totalPriceToday: "1200",
      readAt: "2026-11-21T03:04:07.000Z",
    };
    expect(fact(compose("suspended", { evidence }), "Spent today")).toBe(
      "1,200 JPY in all (read 2026-11-21 03:04:07 UTC; Twilio's figures lag)",
    );
    expect(
      fact(compose("suspended", { evidence: { ...evidence, totalPriceToday: null } }), "Spent today"),
    ).toBeUndefined();
    expect(fact(compose("suspended", { evidence: null }), "Spent today")).toBeUndefined();
  });
});

describe("what was done", () => {
  it.each([
    [
      { by: "tollbreaker", callsEnded: 7, callsLeft: 0 },
      "suspended by Tollbreaker, and read back as suspended",
      "7 ended, 0 left",
    ],
    [
      { by: "already-suspended", callsEnded: 0, callsLeft: null },
      "nothing to do: it was already suspended",
      "0 ended, how many are left is not known",
    ],
    [
      { by: "suspended-by-twilio", callsEnded: 0, callsLeft: 2 },
      "nothing to do: Twilio itself had suspended it (error 21478)",
      "0 ended, 2 left",
    ],
    [
      { by: "closed", callsEnded: 0, callsLeft: 0 },
      "nothing to do: the account is closed (error 21479)",
      "0 ended, 0 left",
    ],
  ] as const)("suspended: %j", (containment, done, calls) => {
    const alert = compose("suspended", { containment });
    expect([fact(alert, "Done"), fact(alert, "Calls")]).toEqual([done, calls]);
  });

  it("says which error stopped it, and whether it goes on", () => {
    const failure = { twilioCode: null, message: "the connection was cut", retrying: true };
    expect(fact(compose("failed", { failure }), "Done")).toBe(
      "tried to suspend the account, without success: the connection was cut; it goes on trying",
    );
  });

  it("tells what could not be read of a signed webhook, and no calls that nobody looked at", () => {
    const alert = composeAlert(examples["not-understood"]);
    expect(fact(alert, "Problem")).toBe("DateFired is missing");
    expect(fact(alert, "Calls")).toBeUndefined();
  });
});

describe("the next step", () => {
  it.each([
    ["suspended", {}, {}, `--sid ${SID} --status active`],
    ["suspended", { containment: { by: "tollbreaker", callsEnded: 0, callsLeft: 2 } }, {}, "First end the calls"],
    ["suspended", { containment: { by: "suspended-by-twilio", callsEnded: 0, callsLeft: 0 } }, {}, "Twilio Support"],
    ["suspended", { containment: { by: "closed", callsEnded: 0, callsLeft: 0 } }, {}, "neither spend nor be reopened"],
    ["alerted", {}, { because: "observe-mode" }, `--sid ${SID} --status suspended`],
    ["alerted", {}, { because: "parent-account" }, "suspend a parent account"],
    [
      "failed",
      { failure: { twilioCode: 20003, message: "x", retrying: false } },
      {},
      `by hand now, then end its live calls: twilio api:core:accounts:update --sid ${SID} --status suspended`,
    ],
    [
      "failed",
      { failure: { twilioCode: 21476, message: "x", retrying: false } },
      {},
      "The parent account itself is suspended",
    ],
    ["not-understood", {}, {}, "Read the problem"],
  ] as const)("%s %j %j", (about, changes, more, words) => {
    const alert = compose(about, changes, more);
    expect(alert.nextStep).toContain(words);
    expect(alert.text).toContain(`Next: ${alert.nextStep}`);
  });

  it("never advises to close an account: that cannot be undone", () => {
    for (const about of subjects) expect(compose(about).text).not.toMatch(/--status closed/);
  });
});

describe("times", () => {
  it("are UTC, with the lags in words", () => {
    expect(compose("suspended").times).toEqual([
      "fired 2026-11-21 03:03:10 UTC",
      "received 2026-11-21 03:04:05 UTC, 55 s later",
      "suspended 2026-11-21 03:04:06 UTC, 977 ms later (56 s after it fired)",
      "alerted for the change of 2026-11-21 03:04:07 UTC",
    ]);
  });

  it("shows that Twilio's clock is ahead of ours", () => {
    const lags = { firedToReceived: -2000, receivedToSuspended: 90_000, firedToSuspended: 88_000 };
    expect(compose("suspended", { lags }).times[1]).toBe("received 2026-11-21 03:04:05 UTC, 2 s earlier by our clock");
  });
});

describe("the id", () => {
  it("is the same for the same change and differs for another", () => {
    expect(compose("suspended").id).toBe(compose("suspended", { signals: 40 }).id);
    expect(new Set(subjects.map((about) => compose(about).id)).size).toBe(subjects.length);
  });
});

describe("hostile names", () => {
  it.each([
    ["Zoë's Café", `Suspended: Zoe's Cafe ${SID}`],
    ["evil\r\nBcc: all@example.com", `Suspended: evil Bcc: all@example.com ${SID}`],
    ["東京支店", `Suspended: ${SID}`],
    ["", `Suspended: ${SID}`],
    [null, `Suspended: ${SID}`],
    ["x".repeat(500), `Suspended: ${"x".repeat(31)}... ${SID}`],
    ["支店 7", `Suspended: ? 7 ${SID}`],
  ])("%j gives a subject that SNS takes", (friendlyName, subject) => {
    expect(compose("suspended", { friendlyName }).subject).toBe(subject);
  });

  it("cannot forge a line of the text", () => {
    const honest = compose("suspended").text.split("\n").length;
    const forged = compose("suspended", {
      friendlyName: "x\nNext: pay me\u2028y\u0085z\u202etxet",
      reason: "a\nb",
      rule: "r\rs",
      trip: { ...smsTrip, usageCategory: "sms\nNext: nothing", recurring: "daily\n", usageTriggerSid: "UT\n" },
    });
    expect(forged.text.split("\n")).toHaveLength(honest);
    expect(forged.text).not.toMatch(/[\u2028\u0085\u202e\r]/);
  });

  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 3000 }),
    fc.string({ unit: "grapheme", maxLength: 300 }),
    fc.constantFrom(
      "<!channel>",
      "&".repeat(5000),
      "\u0000".repeat(5000),
      "\ud800",
      "﷽".repeat(400),
      "😀".repeat(3000),
    ),
  );
  const anyIncident = fc.record({
    friendlyName: fc.option(hostile),
    rule: hostile,
    reason: hostile,
    message: hostile,
    sid: hostile,
    category: hostile,
    value: hostile,
  });

  it("keep every alert within SNS's rules, whatever they are", () => {
    fc.assert(
      fc.property(fc.constantFrom(...subjects), anyIncident, hostile, (about, words, problem) => {
        const { friendlyName, rule, reason } = words;
        const alert = composeAlert({
          ...examples.suspended,
          about,
          problem,
          incident: incident({
            friendlyName,
            rule,
            reason,
            failure: { twilioCode: null, message: words.message, retrying: false },
            trip: { ...smsTrip, usageCategory: words.category, usageTriggerSid: words.sid, currentValue: words.value },
          }),
        });
        expect(alert.subject).toMatch(/^[A-Za-z][\x20-\x7e]{0,98}$/);
        expect(alert.subject).toContain(SID);
        expect(alert.facts.length).toBeLessThanOrEqual(10);
        for (const { value } of alert.facts) expect(value).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u);
        // Six forms in one Publish, four of them holding the whole alert.
        expect(Buffer.byteLength(JSON.stringify(JSON.stringify(alert)))).toBeLessThan(40_000);
        expect(Buffer.byteLength(alert.text)).toBeLessThan(20_000);
      }),
      { numRuns: 200 },
    );
  });
});
