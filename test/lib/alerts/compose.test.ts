import { describe, expect, it } from "vitest";
import { type AlertOccasion, composeAlert } from "../../../lib/alerts/compose.ts";
import { defanged } from "../../../lib/alerts/plain-text.ts";
import { slackMessage } from "../../../lib/alerts/slack-message.ts";
import {
  ALERT_SUBJECTS,
  ALERTED_BECAUSE,
  type AlertSubject,
  type Containment,
  type Incident,
  type Trip,
} from "../../../lib/incidents/incident.ts";
import { tellsOfLiveCalls } from "../../../lib/incidents/live-calls.ts";
import fc from "../../support/fast-check.ts";
import {
  checklist,
  examples,
  incident,
  pumping,
  ranking,
  reactivation,
  refused,
  SID,
  smsTrip,
  wish,
} from "./examples.ts";

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
    ["reactivated", { reactivation: reactivation() }, {}, "info"],
    ["dismissed", { dismissal: wish }, {}, "info"],
    ["tampered", {}, {}, "critical"],
    ["reminder", {}, {}, "warning"],
    ["calls-ended", {}, {}, "info"],
    // It stayed as it was; or it was live, or may have been, and spent money.
    ["not-reactivated", { reactivation: refused }, {}, "warning"],
    ["not-reactivated", { reactivation: reactivation({ failure: "x" }) }, {}, "critical"],
    ["not-reactivated", { reactivation: reactivation({ failure: "x", activatedAt: null }) }, {}, "critical"],
    ["not-reactivated", {}, {}, "critical"],
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

  it("says what was counted against the limit of each, where that is known", () => {
    const counted = {
      usageCategory: "sms",
      triggerBy: "count",
      currentValue: "5200",
      triggerValue: "5000",
      currency: null,
    };
    const waiting = [{ accountSid: SID, friendlyName: null, counted }];
    const alert = compose("alerted", {}, { because: "brake", waiting });
    expect(fact(alert, "Waiting")).toBe(`${SID} at 5,200 messages of 5,000 messages (sms)`);
  });

  it("names the first twenty of many, and counts the others", () => {
    expect(held(1000).subject).toBe("THE BRAKE HOLDS: 1000 accounts NOT suspended");
    expect(fact(held(25), "Waiting")?.match(/AC\d{32}/g)).toHaveLength(20);
    expect(fact(held(25), "Waiting")).toMatch(/, and 5 more$/);
  });

  it.each(["&".repeat(64), "<>".repeat(32), "a.b".repeat(21), "😀".repeat(64), "x".repeat(64)])(
    "cuts no name, and counts those without room in a Slack field: %s",
    (friendlyName) => {
      const waiting = Array.from({ length: 12_345 }, () => ({ accountSid: SID, friendlyName }));
      const alert = compose("alerted", {}, { because: "brake", waiting });
      const names = fact(alert, "Waiting") ?? "";
      const one = `${defanged(friendlyName, 64)} (${SID})`;
      const shown = names.split(`(${SID})`).length - 1;
      expect(names).toBe(`${Array.from({ length: shown }, () => one).join(", ")}, and ${12_345 - shown} more`);
      expect(shown).toBeGreaterThan(3);
      expect(JSON.stringify(slackMessage(alert).blocks)).toContain(`, and ${12_345 - shown} more"`);
      expect(alert.text).toContain(names);
    },
  );
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

describe("what a person decided", () => {
  it("of a suspension: who, why and by which road, and what had tripped before in one line", () => {
    const alert = composeAlert(examples["suspended by an operator"]);
    expect(alert.headline).toBe("Acme Europe was suspended by alice: no call is left, and the loss has stopped.");
    expect(fact(alert, "Asked by")).toBe("alice, from the command line");
    expect(fact(alert, "Reason")).toBe("its usage of today is not theirs, they say on the phone");
    expect(fact(alert, "Tripped")).toBe(
      "daily-sms: sms-outbound by price reached 1,360.52 USD, 2,721 % of its limit of 50 USD",
    );
    for (const label of ["Rule", "Fired", "Reached"]) expect(fact(alert, label)).toBeUndefined();
    expect(alert.text).not.toMatch(/tripping|Fired/);
    expect(alert.times).toEqual([
      "asked 2026-11-21 03:04:05 UTC",
      "suspended 2026-11-21 03:04:06 UTC, 700 ms later",
      "alerted for the change of 2026-11-21 03:04:07 UTC",
    ]);
  });

  it("of a suspension before which nothing had tripped, nothing of a trip is said", () => {
    const alert = compose("suspended", { suspension: wish, trip: null, evidence: null });
    expect(fact(alert, "Tripped")).toBeUndefined();
    expect(fact(compose("suspended", { suspension: wish, trip: null, errors: pumping }), "Tripped")).toMatch(
      /^daily-sms: 20 within 10 min: 30450/,
    );
  });

  it.each([
    ["already-suspended", /^Acme Europe was already suspended when alice asked for it: no call/],
    ["suspended-by-twilio", /^Acme Europe was already suspended when alice asked for it: no call/],
    ["closed", /^Acme Europe is closed already; alice asked to suspend it: no call/],
  ] as const)("of an account that was %s says so", (by, line) => {
    const containment = { by, callsEnded: 0, callsLeft: 0 };
    expect(compose("suspended", { suspension: wish, containment }).headline).toMatch(line);
  });

  it.each([
    ["api", "through the API"],
    ["cli", "from the command line"],
    ["slack", "from Slack"],
    ["console", "from the console"],
  ] as const)("names the road %s as %s", (road, words) => {
    expect(fact(compose("dismissed", { dismissal: { ...wish, road } }), "Asked by")).toBe(`alice, ${words}`);
  });

  it("that Twilio did not carry out tells who waits for it", () => {
    const failure = { twilioCode: 20003, message: "Authenticate", retrying: false };
    const alert = compose("failed", { failure, suspension: wish, trip: null });
    expect(alert.headline).toBe(
      "Acme Europe could NOT be suspended, which alice asked for: it may still be losing money, and a person must act now.",
    );
    expect(fact(alert, "Asked by")).toBe("alice, from the command line");
  });
});

describe("a reactivation", () => {
  it("tells who and why, how long it was suspended, what was cleaned and acknowledged, and what guards it", () => {
    const alert = composeAlert(examples.reactivated);
    expect(alert.headline).toBe(
      "Acme Europe was reactivated by alice after 2 h 5 min: it can spend again, on probation until 2026-11-22 05:10:01 UTC.",
    );
    expect(alert.subject).toBe(`Reactivated: Acme Europe ${SID}`);
    expect(fact(alert, "Asked by")).toBe("alice, from the command line");
    expect(fact(alert, "Reason")).toBe(wish.reason);
    expect(fact(alert, "Suspended")).toBe("for 2 h 5 min");
    expect(fact(alert, "Cleaned")).toBe("API keys deleted, auth token replaced, voice only to GB US");
    expect(fact(alert, "Acknowledged")).toBe("nothing");
    expect(fact(alert, "Guards")).toBe("2 more usage triggers at a share of the limits, until 2026-11-22 05:10:01 UTC");
    expect(alert.times).toContain("active 2026-11-21 05:10:02 UTC, 2 s later");
  });

  it("with one guard, nothing cleaned and everything acknowledged", () => {
    const plain = reactivation({ cleaned: [], acknowledge: ["api-keys", "auth-token"], guards: ["UT1"] });
    const alert = compose("reactivated", { reactivation: plain });
    expect(fact(alert, "Cleaned")).toBe("nothing");
    expect(fact(alert, "Acknowledged")).toBe("api-keys, auth-token");
    expect(fact(alert, "Guards")).toMatch(/^1 more usage trigger at/);
  });

  it("that was refused tells why, and which items are open", () => {
    const alert = composeAlert(examples["not reactivated"]);
    expect(alert.headline).toBe(
      "Acme Europe was NOT reactivated: Tollbreaker did not set it active, and no call was live.",
    );
    expect(fact(alert, "Why not")).toBe(refused.failure);
    // auth-token is asked to be cleaned, so it is not open.
    expect(fact(alert, "Open")).toMatch(/^api-keys \(1 from before the incident, .*\)$/);
  });

  it.each([
    ["not-done", "1 call is still live, and costs money"],
    ["cannot-tell", "the live calls could not be read"],
  ] as const)("that was refused says that calls may be live when that item is %s", (answer, why) => {
    const items = checklist.items.map((item) => (item.id === "live-calls" ? { ...item, answer, why } : item));
    expect(compose("not-reactivated", { reactivation: refused, checklist: { ...checklist, items } }).headline).toBe(
      "Acme Europe was NOT reactivated: Tollbreaker did not set it active, but calls may be live and losing money.",
    );
  });

  it("that failed after the account was live says for how long, and that money may have been lost", () => {
    expect(composeAlert(examples["suspended again"]).headline).toBe(
      "Acme Europe was active for 9 s and was suspended again, because its reactivation failed: no call is left, and the loss has stopped.",
    );
    const containment = { by: "tollbreaker", callsEnded: 2, callsLeft: 1 } as const;
    const unknown = reactivation({ activatedAt: null, failure: "no answer" });
    const alert = compose("not-reactivated", { reactivation: unknown, containment });
    expect(alert.headline).toBe(
      "Acme Europe may have been active for a moment and was suspended again, because its reactivation failed, but 1 call is still live and losing money.",
    );
    expect([fact(alert, "Done"), fact(alert, "Calls")]).toEqual([
      "suspended again, and read back as suspended",
      "2 ended, 1 left",
    ]);
  });

  it("that failed, and after which it could not be suspended, is the worst of all", () => {
    const failure = { twilioCode: null, message: "Twilio did not suspend it again", retrying: false };
    const alert = compose("failed", { failure, reactivation: reactivation({ failure: failure.message }) });
    expect(alert.severity).toBe("critical");
    expect(alert.headline).toBe(
      "Acme Europe could NOT be suspended again after its reactivation failed: it may still be losing money, and a person must act now.",
    );
    expect(fact(alert, "Asked by")).toBe("alice, from the command line");
    expect(alert.times).toContain("active 2026-11-21 05:10:02 UTC, 2 s later");
  });
});

describe("what the sweep found", () => {
  it("of an account that is active again says so, and what may come of it", () => {
    const alert = composeAlert(examples["active again"]);
    expect(alert.subject).toBe(`ACTIVE AGAIN: Acme Europe ${SID}`);
    expect(alert.headline).toBe(
      "Acme Europe is active again although its incident says suspended; somebody set it active past Tollbreaker: it may be spending, and may be unguarded.",
    );
    expect(fact(alert, "Noticed")).toBe(examples["active again"].note);
  });

  it.each([
    ["suspended", /^Acme Europe is still suspended; it has waited for a person for 3 days; /],
    ["alerted", /^Acme Europe is still alerted; /],
  ] as const)("of an account that is still %s says how long it waits", (state, headline) => {
    const alert = composeAlert({ ...examples["still waiting"], incident: incident({ state }) });
    expect(alert.headline).toMatch(headline);
  });
});

describe("a correction", () => {
  it("says that the loss has stopped, and which alert was wrong", () => {
    const alert = composeAlert(examples["calls ended"]);
    expect(alert.subject).toBe(`Calls ended: Acme Europe ${SID}`);
    expect(alert.headline).toBe(
      "No call of Acme Europe is live any more: the loss has stopped. An earlier alert said that calls were live, or might be.",
    );
    expect(fact(alert, "Corrects")).toBe(examples["calls ended"].note);
    expect(fact(alert, "Calls")).toBe("7 ended, 0 left");
    expect(alert.nextStep).not.toContain("still live");
  });

  it.each([
    ["suspended", {}],
    ["reminder", {}],
    ["not-reactivated", { reactivation: refused }],
    ["not-reactivated", { reactivation: reactivation({ failure: "x" }) }],
    ["failed", { failure: { twilioCode: null, message: "x", retrying: true } }],
    ["alerted", {}],
    ["dismissed", { dismissal: wish }],
    ["reactivated", { reactivation: reactivation() }],
  ] as const)("is owed for whatever says that calls are live, or may be: %s %j", (about, changes) => {
    const items = (answer: "done" | "cannot-tell") => [{ id: "live-calls", answer, why: "" } as const];
    for (const callsLeft of [0, 1, 3, null]) {
      for (const answer of ["done", "cannot-tell"] as const) {
        const containment = { by: "tollbreaker", callsEnded: 1, callsLeft } as const;
        const told = incident({ ...changes, containment, checklist: { ...checklist, items: items(answer) } });
        const { headline, nextStep } = compose(about, told);
        const saysSo = /live and losing money|calls that are still live/.test(headline + nextStep);
        expect(tellsOfLiveCalls(about, told), `${headline} ${nextStep}`).toBe(saysSo);
      }
    }
  });
});

describe("a dismissal", () => {
  const contained = incident();
  it.each([
    ["alerted of", { suspendedAt: null }, "the account was not suspended, and goes on spending as it likes"],
    [
      "failed",
      { suspendedAt: null, failure: { twilioCode: 20003, message: "x", retrying: false } },
      "Tollbreaker could not suspend the account, and it may still be spending",
    ],
    ["closed", { containment: contained.containment }, "the account is closed, and can spend nothing"],
  ] as const)("of an account that was %s says whether it spends", (_, changes, words) => {
    const alert = compose("dismissed", { ...changes, dismissal: wish });
    expect(alert.headline).toBe(`The incident of Acme Europe was dismissed by alice: ${words}.`);
    expect(fact(alert, "Reason")).toBe(wish.reason);
  });
});

describe("the next step", () => {
  const ID = "20261121T030405123-1f3a9c2e";
  const REPORT = `send them the report: \`npm run -s tollbreaker -- incidents report ${ID}\``;
  const failure = { twilioCode: 20003, message: "x", retrying: false };
  const byTwilio = {
    ...checklist,
    items: [{ id: "suspended-by", answer: "not-done", why: "Twilio itself suspended this account" }],
  } as const;
  it.each([
    ["suspended", {}, {}, `\`npm run -s tollbreaker -- incidents reactivate ${ID} --reason '...'\``],
    ["suspended", { containment: { by: "tollbreaker", callsEnded: 0, callsLeft: 2 } }, {}, "First end the calls"],
    ["suspended", { containment: { by: "suspended-by-twilio", callsEnded: 0, callsLeft: 0 } }, {}, REPORT],
    ["suspended", { containment: { by: "closed", callsEnded: 0, callsLeft: 0 } }, {}, "neither spend nor be reopened"],
    ["alerted", {}, { because: "observe-mode" }, `suspend ${SID} --reason '...' --acknowledge observe-mode\``],
    ["alerted", {}, { because: "parent-account" }, "suspend a parent account"],
    ["alerted", {}, { because: "exempt" }, `suspend ${SID} --reason '...' --acknowledge exempt\``],
    ["alerted", {}, { because: "unconfirmed" }, `suspend ${SID} --reason '...'\``],
    ["alerted", {}, { because: "unconfirmed" }, `incidents dismiss ${ID} --reason '...'\``],
    ["alerted", {}, { because: "rule" }, "before it reaches a limit that suspends it"],
    ["alerted", {}, { because: "rule" }, `incidents dismiss ${ID}`],
    ["alerted", {}, { because: "brake" }, "`npm run -s tollbreaker -- brake release --reason '...'`"],
    ["alerted", {}, { because: "brake" }, `this one alone with \`npm run -s tollbreaker -- suspend ${SID}`],
    ["failed", { failure }, {}, `Try again now: \`npm run -s tollbreaker -- suspend ${SID} --reason '...'\``],
    ["failed", { failure }, {}, "docs/runbook.md, under Past Tollbreaker"],
    ["failed", { failure: { ...failure, twilioCode: 21476 } }, {}, "The parent account itself is suspended"],
    ["reactivated", { reactivation: reactivation() }, {}, "Give the account's programs its new auth token"],
    ["reactivated", { reactivation: reactivation() }, {}, "Make new API keys"],
    ["reactivated", { reactivation: reactivation({ cleaned: ["unroute-numbers"] }) }, {}, "incidents restore-numbers"],
    ["reactivated", { reactivation: reactivation({ cleaned: [] }) }, {}, /^Watch its spend/],
    ["not-reactivated", { reactivation: refused, checklist }, {}, "what is open (api-keys), then ask again: `npm run"],
    ["not-reactivated", { reactivation: refused }, {}, "Mend what is said above, then ask again: `npm run"],
    ["not-reactivated", { reactivation: refused, checklist: byTwilio }, {}, REPORT],
    [
      "tampered",
      {},
      {},
      `suspend it first: \`npm run -s tollbreaker -- suspend ${SID} --reason '...'\` Then bring it back`,
    ],
    ["reminder", {}, {}, "Only then reactivate"],
    ["reminder", { state: "alerted", because: "exempt" }, {}, "--acknowledge exempt"],
    ["reminder", { state: "failed", failure }, {}, "Try again now"],
    ["dismissed", { dismissal: wish }, {}, "what trips next opens a new incident"],
    ["not-understood", {}, {}, "Read the problem"],
  ] as const)("%s %j %j", (about, changes, more, words) => {
    const alert = compose(about, changes, more);
    if (typeof words === "string") expect(alert.nextStep).toContain(words);
    else expect(alert.nextStep).toMatch(words);
    expect(alert.text).toContain(`Next: ${alert.nextStep}`);
  });

  it("never advises to close an account: that cannot be undone", () => {
    for (const about of ALERT_SUBJECTS) expect(compose(about).text).not.toMatch(/status[ =]closed/i);
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
    expect(new Set(ALERT_SUBJECTS.map((about) => compose(about).id)).size).toBe(ALERT_SUBJECTS.length);
  });
});

describe("hostile names", () => {
  it.each([
    ["Zoë's Café", `Suspended: Zoe's Cafe ${SID}`],
    ["evil\r\nBcc: all@example.com", `Suspended: evil Bcc: all[@]example[.]com ${SID}`],
    ["evil․com", `Suspended: evil[.]com ${SID}`],
    ["call +1 800 555 0100", `Suspended: call +1800... ${SID}`],
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
    byPerson: fc.boolean(),
  });
  const decidedBy = ({ reason, message }: { reason: string; message: string }) => {
    const asked = { ...wish, operator: message, reason };
    return {
      suspension: asked,
      dismissal: asked,
      reactivation: { ...reactivation({ failure: message, cleanup: [] }), ...asked },
      checklist: {
        ...checklist,
        items: checklist.items.map((one) => ({ ...one, answer: "not-done", why: reason }) as const),
      },
    };
  };
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
      fc.property(fc.constantFrom(...ALERT_SUBJECTS), anyIncident, hostile, why, (about, words, problem, because) => {
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
            ...(words.byPerson ? decidedBy(words) : {}),
          }),
        });
        expect(alert.subject).toMatch(/^[A-Za-z][\x20-\x7e]{0,98}$/);
        expect(alert.subject).toContain(isHeld ? "1000 accounts" : SID);
        expect(alert.facts.length).toBeLessThanOrEqual(10);
        for (const { value } of alert.facts) expect(value).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u);
        // Six forms in one Publish of at most 256 KB: four hold the whole alert, two its text.
        expect(Buffer.byteLength(JSON.stringify(JSON.stringify(alert)))).toBeLessThan(50_000);
        expect(Buffer.byteLength(JSON.stringify(alert.text))).toBeLessThan(20_000);
      }),
      { numRuns: 200 },
    );
  });
});
