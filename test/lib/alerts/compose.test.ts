import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AlertOccasion, composeAlert } from "../../../lib/alerts/compose.ts";
import {
  ALERTED_BECAUSE,
  type AlertSubject,
  type Containment,
  type Incident,
  type Trip,
} from "../../../lib/incidents/incident.ts";
import { examples, incident, pumping, ranking, SID, smsTrip } from "./examples.ts";

const subjects = ["suspended", "alerted", "failed", "not-understood"] as const satisfies AlertSubject[];

function compose(
  about: AlertSubject,
  changes: Partial<Incident> = {},
  more: Pick<AlertOccasion, "because" | "waiting"> = {},
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
    ["alerted", {}, { because: "rule" }, "warning"],
    ["alerted", {}, { because: "unconfirmed" }, "warning"],
    ["alerted", {}, { because: "parent-account" }, "critical"],
    ["alerted", {}, { because: "exempt" }, "critical"],
    ["alerted", {}, { because: "brake" }, "critical"],
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
      { ...contained("tollbreaker", 0), trip: null, errors: pumping, rule: "sms-pumping" },
      "Acme Europe was suspended after tripping on sms-pumping: no call is left, and the loss has stopped.",
    ],
    [
      { ...contained("already-suspended", 0), trip: null, errors: pumping, rule: "sms-pumping" },
      "Acme Europe was already suspended when the errors of sms-pumping came in: no call is left, and the loss has stopped.",
    ],
    [
      { ...contained("already-suspended", 0), trip: null },
      "Acme Europe was already suspended: no call is left, and the loss has stopped.",
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
    [
      "exempt",
      "Acme Europe tripped on sms-outbound and was NOT suspended because the policy exempts it: it may still be losing money.",
    ],
    ["rule", "Acme Europe tripped on sms-outbound: a warning, nothing was suspended."],
  ] as const)("alerted because of %s", (because, line) => {
    expect(compose("alerted", {}, { because }).headline).toBe(line);
  });

  it.each([
    [
      "unconfirmed",
      "Acme Europe tripped on 20 errors of the rule sms-pumping and was NOT suspended because its usage of today does not confirm it: it may still be losing money.",
    ],
    ["rule", "Acme Europe tripped on 20 errors of the rule sms-pumping: a warning, nothing was suspended."],
  ] as const)("errors, alerted because of %s", (because, line) => {
    expect(compose("alerted", { trip: null, errors: pumping, rule: "sms-pumping" }, { because }).headline).toBe(line);
  });

  it.each([
    [
      1,
      "Too many accounts tripped in a short time, so the brake holds: 1 account tripped and was NOT suspended. It may still be losing money, and it waits for a person.",
    ],
    [
      2,
      "Too many accounts tripped in a short time, so the brake holds: 2 accounts tripped and were NOT suspended. They may still be losing money, and they wait for a person.",
    ],
  ])("the brake, which keeps %i waiting", (count, line) => {
    const waiting = Array.from({ length: count }, () => ({ accountSid: SID, friendlyName: null }));
    expect(compose("alerted", {}, { because: "brake", waiting }).headline).toBe(line);
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
    [{}, "1,360.52 USD, 2,721 % of its limit of 50 USD", "1,310.52 USD (2,621 %)"],
    [{ evidence: null }, "1,360.52, 2,721 % of its limit of 50 (in the account's currency)", "1,310.52 (2,621 %)"],
    [trip({ overshootPercent: null }), "1,360.52 USD, 2,721 % of its limit of 50 USD", "1,310.52 USD"],
    [trip(counted), "13,057 messages, 1,305.7 % of its limit of 1,000 messages", "12,057 messages (2,621 %)"],
    [
      trip({ ...counted, usageCategory: "calls-outbound" }),
      "13,057 calls, 1,305.7 % of its limit of 1,000 calls",
      "12,057 calls (2,621 %)",
    ],
    [
      trip({ ...counted, usageCategory: "calls", triggerBy: "usage" }),
      "13,057 minutes, 1,305.7 % of its limit of 1,000 minutes",
      "12,057 minutes (2,621 %)",
    ],
    [
      trip({ ...counted, usageCategory: "lookups" }),
      "13,057 units, 1,305.7 % of its limit of 1,000 units",
      "12,057 units (2,621 %)",
    ],
    [
      trip({ usageCategory: "totalprice", triggerBy: "usage" }),
      "1,360.52 USD, 2,721 % of its limit of 50 USD",
      "1,310.52 USD (2,621 %)",
    ],
    // More digits than a double holds: shown to the last one.
    [
      trip({ currentValue: "9007199254740993.123456" }),
      "9,007,199,254,740,993.123456 USD, 18,014,398,509,481,986.2 % of its limit of 50 USD",
      "1,310.52 USD (2,621 %)",
    ],
    [
      trip({ currentValue: "60.500000", overshoot: "10.5" }),
      "60.50 USD, 121 % of its limit of 50 USD",
      "10.50 USD (2,621 %)",
    ],
    [trip({ currentValue: "a lot" }), "a lot USD, its limit is 50 USD", "1,310.52 USD (2,621 %)"],
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

describe("the share of the limit", () => {
  it.each([
    ["84.10", "80.000000", "84.10 USD, 105.1 % of its limit of 80 USD"],
    ["50", "100", "50 USD, 50 % of its limit of 100 USD"],
    // A trigger at zero, and numbers that are none, have no share.
    ["5", "0", "5 USD, its limit is 0 USD"],
    ["lots", "100", "lots USD, its limit is 100 USD"],
  ])("%s of %s", (currentValue, triggerValue, reached) => {
    const trip = { ...smsTrip, currentValue, triggerValue };
    expect(fact(compose("alerted", { trip }, { because: "rule" }), "Reached")).toBe(reached);
  });
});

describe("a rule on errors", () => {
  const unfired = { firedAt: null, lags: { firedToReceived: null, receivedToSuspended: null, firedToSuspended: null } };
  const errors = (changes: Partial<typeof pumping> = {}) =>
    compose("alerted", { ...unfired, trip: null, errors: { ...pumping, ...changes } }, { because: "unconfirmed" });

  it("says how many of which errors came within which time", () => {
    expect(fact(errors(), "Errors")).toBe(
      "20 within 10 min: 30450 (Message delivery blocked (SMS Pumping Protection)), 60410",
    );
    expect(fact(errors({ count: 500, within: 90_000, samples: [] }), "Errors")).toBe(
      "500 within 1 min 30 s: no sample was kept",
    );
  });

  it("says when they were counted, and nothing of a trigger that fired", () => {
    expect(errors().times[0]).toBe("counted from 2026-11-21 03:01:00 UTC to 2026-11-21 03:04:05 UTC");
    expect(errors().text).not.toMatch(/fired/i);
  });

  it("as the share of the spend, has no moment at which it fired", () => {
    const alert = compose("suspended", { ...unfired, trip: null, rule: "parent: suspend-top" });
    expect(alert.text).not.toMatch(/fired/i);
  });
});

describe("the parent's ranking", () => {
  const spenders = (changes: Partial<typeof ranking>) =>
    fact(compose("alerted", { ranking: { ...ranking, ...changes } }, { because: "parent-account" }), "Top spenders");

  it("names the first five, and how many could not be read", () => {
    const seven = Array.from({ length: 7 }, (_, nth) => ({
      accountSid: SID,
      friendlyName: `Account ${nth}`,
      price: "10",
      share: "14.3",
    }));
    expect(spenders({ spenders: seven, total: "70", unread: 0 })).toBe(
      `${[0, 1, 2, 3, 4].map((nth) => `Account ${nth} 10 USD (14.3 %)`).join(", ")}; in all 70 USD today`,
    );
    expect(spenders({ unread: 2 })).toMatch(/; in all 5,210\.75 USD today; 2 accounts could not be read$/);
  });

  it("of nothing says so", () => {
    expect(spenders({ spenders: [], total: "0", currency: "", unread: 0 })).toBe(
      "no subaccount spent anything; in all 0 today",
    );
  });
});

describe("the brake", () => {
  const held = (count: number) =>
    compose(
      "alerted",
      {},
      {
        because: "brake",
        waiting: Array.from({ length: count }, (_, nth) => ({
          accountSid: `AC${String(nth).padStart(32, "0")}`,
          friendlyName: nth % 2 === 0 ? `Account ${nth}` : null,
        })),
      },
    );

  it("names the accounts that wait, by name and SID", () => {
    expect(held(2).subject).toBe("THE BRAKE HOLDS: 2 accounts NOT suspended");
    expect(fact(held(2), "Waiting")).toBe(`Account 0 (AC${"0".repeat(32)}), AC${"0".repeat(31)}1`);
  });

  it("names the first twenty of many, and counts the others", () => {
    expect(held(1000).subject).toBe("THE BRAKE HOLDS: 1000 accounts NOT suspended");
    expect(fact(held(25), "Waiting")?.match(/AC\d{32}/g)).toHaveLength(20);
    expect(fact(held(25), "Waiting")).toMatch(/, and 5 more$/);
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
    const alert = composeAlert(examples["not understood"]);
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
    ["alerted", {}, { because: "exempt" }, `--sid ${SID} --status suspended`],
    ["alerted", {}, { because: "unconfirmed" }, `--sid ${SID} --status suspended`],
    ["alerted", {}, { because: "rule" }, "before it reaches a limit that suspends it"],
    ["alerted", {}, { because: "brake" }, `for this one: twilio api:core:accounts:update --sid ${SID}`],
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
    byErrors: fc.boolean(),
  });
  const why = fc.constantFrom(null, ...ALERTED_BECAUSE);
  const tripOf = ({ category, sid, value }: { category: string; sid: string; value: string }) => ({
    ...smsTrip,
    usageCategory: category,
    usageTriggerSid: sid,
    currentValue: value,
  });
  const rankingOf = (friendlyName: string) => ({
    ...ranking,
    spenders: Array.from({ length: 10 }, () => ({ accountSid: SID, friendlyName, price: "10", share: "10.0" })),
  });

  it("keep every alert within SNS's rules, whatever they are", () => {
    fc.assert(
      fc.property(fc.constantFrom(...subjects), anyIncident, hostile, why, (about, words, problem, because) => {
        const { friendlyName, rule, reason, message: note } = words;
        const isHeld = because === "brake";
        const alert = composeAlert({
          ...examples.suspended,
          about,
          problem: about === "not-understood" ? problem : null,
          because,
          waiting: isHeld ? Array.from({ length: 1000 }, () => ({ accountSid: SID, friendlyName })) : [],
          incident: incident({
            friendlyName,
            rule,
            reason,
            failure: { twilioCode: null, message: words.message, retrying: false },
            ...(words.byErrors
              ? { trip: null, errors: { ...pumping, samples: pumping.samples.map((one) => ({ ...one, note })) } }
              : { trip: tripOf(words), ranking: because === "parent-account" ? rankingOf(friendlyName ?? "") : null }),
            ...(because === "parent-account" ? { containment: null } : {}),
          }),
        });
        expect(alert.subject).toMatch(/^[A-Za-z][\x20-\x7e]{0,98}$/);
        expect(alert.subject).toContain(isHeld ? "1000 accounts" : SID);
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
