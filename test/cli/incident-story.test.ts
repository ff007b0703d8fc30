import { describe, expect, it } from "vitest";
import { incidentStory } from "../../cli/incident-story.ts";
import { IncidentStory } from "../../cli/incident-view.ts";
import type { Incident, TimelineEntry } from "../../lib/incidents/incident.ts";

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
  signals: 1,
  alerts: [],
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
    const alert = { id: "1", about: "failed" as const, because: null, problem: null, at: incident.updatedAt };
    expect(story({ alerts: [{ ...alert, publishedAt: null }] })).toMatch(/Alert: failed +not sent yet/);
    expect(story({ alerts: [{ ...alert, publishedAt: alert.at }] })).toMatch(/published 2026-11-21 03:04:06Z/);
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
});
