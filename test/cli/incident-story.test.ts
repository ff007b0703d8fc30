import { describe, expect, it } from "vitest";
import { incidentStory } from "../../cli/incident-story.ts";
import { IncidentStory } from "../../cli/incident-view.ts";
import type { Incident, SpendRanking, TimelineEntry } from "../../lib/incidents/incident.ts";

const NOW = new Date("2026-11-21T03:05:00Z");

// Typed as the record is, so that a change there that the command line could not read does not compile here.
const timeline: TimelineEntry[] = [
  {
    at: "2026-11-21T03:04:05.000Z",
    what: "opened",
    who: "twilio",
    why: "it fired",
    detail: { dateFired: "x", n: null },
  },
  { at: "2026-11-21T03:04:06.000Z", what: "failed", who: "tollbreaker", why: "", detail: {} },
];
const incident: Incident & { timeline: TimelineEntry[] } = {
  id: "20261121T030405000-1f3a9c2e",
  accountSid: `AC${"a".repeat(32)}`,
  friendlyName: null,
  state: "failed",
  rule: "sms by price, daily, at 1000",
  reason: "Twilio refused",
  trip: null,
  openedAt: "2026-11-21T03:04:05.000Z",
  updatedAt: "2026-11-21T03:04:06.000Z",
  firedAt: null,
  receivedAt: "2026-11-21T03:04:05.000Z",
  suspendedAt: null,
  reactivatedAt: null,
  lags: { firedToReceived: null, receivedToSuspended: null, firedToSuspended: null },
  containment: null,
  failure: null,
  evidence: null,
  because: null,
  errors: null,
  ranking: null,
  signals: 1,
  alerts: [],
  checklist: null,
  suspension: null,
  reactivation: null,
  dismissal: null,
  recurrence: null,
  timeline,
};

function story(changes: Partial<Incident>): string {
  const readable: IncidentStory = { ...incident, ...changes };
  return incidentStory(IncidentStory.parse(readable), (_colour, text) => text, NOW);
}

describe("incidentStory", () => {
  it("leaves out what isn't known", () => {
    const text = story({});
    for (const title of ["What tripped", "How long", "What was done", "What it has cost", "Who was told", "Suspended"])
      expect(text).not.toContain(title);
    expect(text).toContain("(no name) (AC");
    expect(text).toContain("dateFired: x, n: unknown");
    expect(text).not.toContain("null");
  });

  it("says what Twilio refused, and whether a person is needed", () => {
    const failure = { twilioCode: 20003, message: "Authenticate", retrying: false };
    expect(story({ failure })).toMatch(/Failed +Authenticate \(Twilio error 20003\); a person is needed/);
    const worded = { ...failure, message: "Twilio error 20003 (HTTP 401): Authenticate" };
    expect(story({ failure: worded })).toMatch(/Failed +Twilio error 20003 \(HTTP 401\): Authenticate; a person/);
    expect(story({ failure: { ...failure, twilioCode: null, retrying: true } })).toMatch(/Authenticate; still trying/);
  });

  it("never says that no call is left when that isn't known", () => {
    const by = "tollbreaker" as const;
    expect(story({ containment: { by, callsEnded: 3, callsLeft: null } })).toMatch(/Calls left +unknown/);
    expect(story({ containment: { by, callsEnded: 3, callsLeft: 0 } })).toMatch(/Calls left +0$/m);
  });

  it("shows money with its currency", () => {
    const evidence = {
      currency: "USD",
      categoryPriceToday: "1300.50",
      totalPriceToday: null,
      readAt: incident.updatedAt,
    };
    expect(story({ evidence })).toMatch(/Category today \(GMT\) +1,300\.5 USD/);
    expect(story({ evidence })).not.toContain("All of today");
  });

  it("tells a due alert from a published one", () => {
    const alert = {
      id: "1",
      about: "failed" as const,
      rule: "daily-spend",
      because: null,
      problem: null,
      note: null,
      isNamed: true,
      saidCallsLive: false,
      at: incident.updatedAt,
    };
    expect(story({ alerts: [{ ...alert, publishedAt: null }] })).toMatch(/Alert: failed +not sent yet, daily-spend$/m);
    expect(story({ alerts: [{ ...alert, publishedAt: alert.at }] })).toMatch(/published 2026-11-21 03:04:06Z, daily-/);
  });

  it("tells the alerts of a ladder apart", () => {
    const alert = {
      id: "1",
      about: "alerted" as const,
      problem: null,
      note: null,
      isNamed: true,
      saidCallsLive: false,
      at: incident.updatedAt,
      publishedAt: null,
    };
    const text = story({
      alerts: [
        { ...alert, rule: "daily-warning", because: "rule" },
        { ...alert, rule: "daily-spend", because: "brake" },
      ],
    });
    expect(text).toMatch(
      /Alert: alerted +not sent yet, daily-warning, rule\n +Alert: alerted +.*, daily-spend, brake$/m,
    );
  });

  it.each([
    ["rule", "a warning: the rule only alerts"],
    ["observe-mode", "not suspended: observe mode"],
    ["exempt", "not suspended: the policy exempts it"],
    ["parent-account", "not suspended: the parent account"],
    ["unconfirmed", "not suspended: its usage of the day did not confirm it"],
    ["brake", "not suspended: held by the brake, waits for an operator"],
  ] as const)("says why nothing was suspended: %s", (because, words) => {
    expect(story({ because })).toContain(`  Outcome                ${words}\n`);
  });

  it("counts the errors that tripped a rule, and names their codes", () => {
    const sample = { sid: "NO1", code: 30450, at: incident.updatedAt, note: "Message delivery blocked" };
    const errors = {
      count: 23,
      within: 600_000,
      firstAt: "2026-11-21T03:01:00.000Z",
      lastAt: "2026-11-21T03:04:05.000Z",
      samples: [sample, { ...sample, sid: "NO2" }, { ...sample, sid: "NO3", code: 60410, note: "" }],
    };
    const text = story({ errors, rule: "sms-pumping" });
    expect(text).toMatch(/Rule +sms-pumping$/m);
    expect(text).toMatch(/Errors +23 within 10 min$/m);
    expect(text).toMatch(/First and last +2026-11-21 03:01:00Z and 2026-11-21 03:04:05Z$/m);
    expect(text).toMatch(/Codes +30450 \(Message delivery blocked\), 60410$/m);
    expect(text).toMatch(/Samples +NO1, NO2, NO3$/m);
    expect(story({ errors: { ...errors, samples: [] } })).not.toMatch(/Codes|Samples/);
  });

  describe("who spent most", () => {
    const ranking: SpendRanking = {
      currency: "USD",
      total: "5210.750000",
      spenders: [
        { accountSid: `AC${"b".repeat(32)}`, friendlyName: "Northwind", price: "4102.5", share: "78.7" },
        { accountSid: `AC${"c".repeat(32)}`, friendlyName: "", price: "1108.25", share: null },
      ],
      unread: 1,
      readAt: incident.updatedAt,
    };

    it("is a table, highest first", () => {
      expect(story({ ranking })).toContain(
        [
          "Who spent most today (GMT)",
          "  Account    SID                                 Spent         Share",
          `  Northwind  AC${"b".repeat(32)}  4,102.5 USD   78.7 %`,
          `  (no name)  AC${"c".repeat(32)}  1,108.25 USD`,
          "  In all 5,210.75 USD, read 2026-11-21 03:04:06Z; 1 account could not be read",
        ].join("\n"),
      );
    });

    it("of nothing has no rows", () => {
      expect(story({ ranking: { ...ranking, currency: "", total: "0", spenders: [], unread: 0 } })).toContain(
        "Who spent most today (GMT)\n  In all 0, read 2026-11-21 03:04:06Z\n",
      );
    });

    it("lets no name act on the terminal, or begin a line", () => {
      const spenders = [{ accountSid: "AC\u001b[2J", friendlyName: "x\ny\u001b[1m", price: "\u001b", share: "\u001b" }];
      const text = story({ ranking: { ...ranking, currency: "\u001b", spenders } });
      expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
      expect(text).toContain("  x\\u{a}y\\u{1b}[1m");
    });
  });

  it("neutralises every text of the timeline", () => {
    const entry = {
      at: "\u001b[1m",
      what: "\u001b[2m",
      who: "\u001b[3m",
      why: "\u001b[4m\n",
      detail: { "\u001b[5m": "\u001b[6m" },
    };
    const text = incidentStory(IncidentStory.parse({ ...incident, timeline: [entry] }), (_colour, text) => text, NOW);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(text.match(/\\u\{1b\}/g)).toHaveLength(6);
  });

  describe("the way back", () => {
    const wish = {
      command: "c1",
      operator: "olga",
      road: "cli" as const,
      reason: "key revoked",
      at: incident.updatedAt,
    };
    const checklist: Incident["checklist"] = {
      readAt: incident.updatedAt,
      items: [
        { id: "live-calls", answer: "done", why: "no call is live" },
        { id: "api-keys", answer: "not-done", why: "2 keys\u001b[2J" },
        { id: "suspended-by", answer: "cannot-tell", why: "not known" },
      ],
    };
    const reactivation: Incident["reactivation"] = {
      ...wish,
      acknowledge: ["suspended-by"],
      cleanup: ["api-keys", "voice-countries"],
      countries: ["US", "CA"],
      seen: [],
      cleaned: ["api-keys"],
      guards: ["UT1"],
      probationUntil: "2026-11-22T03:04:06.000Z",
      activatedAt: null,
      suspendedFor: 123_000,
      failure: "its voice permissions",
    };

    it("begins with the check-list: each item, and what can be done about it", () => {
      const lines = story({ checklist }).split("\n");
      const from = lines.indexOf("Check-list before it may come back, read 54 s ago");
      expect(lines.slice(from + 1, from + 6)).toEqual([
        "  ✓ live-calls    no call is live",
        "  ✗ api-keys      2 keys\\u{1b}[2J",
        "                  --cleanup api-keys      deletes all its API keys; programs that use one stop",
        "                  --acknowledge api-keys  comes back as it is",
        "  ? suspended-by  not known",
      ]);
    });

    it("tells who asked for what, and how far it is", () => {
      const text = story({ suspension: { ...wish, road: "slack" }, reactivation, dismissal: wish });
      expect(text).toMatch(/^ {2}Suspension +olga, 2026-11-21 03:04:06Z, by slack: key revoked$/m);
      expect(text).toMatch(/^ {2}Reactivation +olga, .*, by cli: key revoked$/m);
      expect(text).toMatch(
        /^ {4}cleaned up +api-keys\n {4}still to clean up +voice-countries\n {4}countries +US, CA$/m,
      );
      expect(text).toMatch(/^ {4}guards +1 usage trigger, until 2026-11-22 03:04:06Z$/m);
      expect(text).toMatch(/^ {4}suspended for +2 min 3 s\n {4}it failed +its voice permissions$/m);
      expect(text).toMatch(/^ {2}Dismissal +olga, /m);
    });

    it("ends with what to type now", () => {
      const typed = `npm run -s tollbreaker -- incidents reactivate ${incident.id} --reason '...'`;
      expect(
        story({ state: "suspended" }).endsWith(`What now\n  once the cause is found and mended:\n      ${typed}`),
      ).toBe(true);
    });
  });

  it("reads an incident of a server that knows nothing of the way back", () => {
    const { checklist, suspension, reactivation, dismissal, ...older } = incident;
    expect(IncidentStory.parse(older)).toMatchObject({ checklist, suspension, reactivation, dismissal });
    expect(incidentStory(IncidentStory.parse(older), (_colour, text) => text, NOW)).toBe(story({}));
  });
});
