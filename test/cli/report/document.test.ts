import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { IncidentStory } from "../../../cli/incident-view.ts";
import { incidentReport } from "../../../cli/report/document.ts";
import { openIncident } from "../../../lib/incidents/record.ts";
import { errorsCounted, tripping } from "../../support/signals.ts";
import { ACCOUNT, freshChecklist, ID, own, ScriptedApi, suspendedIncident } from "../scripted-api.ts";
import { runAt } from "../scripted-terminal.ts";

const SUSPENDED = "2026-11-21T03:04:06.000Z";
const COMMAND = "key-1";

function broughtBack(changes: Partial<IncidentStory> = {}): IncidentStory {
  const api = new ScriptedApi();
  const evidence = (at: string, price: string) => ({
    at,
    what: "evidence-read",
    detail: { currency: "USD", categoryPriceToday: price, totalPriceToday: null },
  });
  api.add(
    { at: "2026-11-21T03:04:05.000Z", what: "opened", who: "twilio", why: "it fired", detail: { dateFired: "x|y" } },
    { at: SUSPENDED, what: "suspended", why: "over its limit", detail: { by: "tollbreaker" } },
    evidence("2026-11-21T03:04:07.000Z", "140.75"),
    { at: "2026-11-21T03:04:08.000Z", what: "calls-ended", why: "3 were ended", detail: { ended: 3, left: 0 } },
    own(COMMAND, "reactivation-asked", "key revoked"),
    own(COMMAND, "api-keys-deleted", "2 API keys were deleted"),
    own(COMMAND, "activated", "Twilio says so"),
    own(COMMAND, "reactivated", "key revoked"),
    own("key-2", "checked", "", { who: "bob", detail: { command: "key-2", road: "slack" } }),
  );
  return {
    ...suspendedIncident(),
    state: "reactivated",
    suspendedAt: SUSPENDED,
    reactivatedAt: "2026-11-21T05:07:06.000Z",
    lags: { firedToReceived: 100, receivedToSuspended: 1500, firedToSuspended: 1600 },
    containment: { by: "tollbreaker", callsEnded: 3, callsLeft: 0 },
    evidence: { currency: "USD", categoryPriceToday: "140.75", totalPriceToday: null, readAt: SUSPENDED },
    checklist: { ...freshChecklist(), readAt: SUSPENDED },
    reactivation: {
      ...{ command: COMMAND, operator: "olga", road: "cli", reason: "key revoked", at: SUSPENDED },
      ...{ acknowledge: ["auth-token"], cleanup: ["api-keys", "voice-countries"], countries: ["US", "CA"] },
      ...{ cleaned: ["api-keys", "voice-countries"], guards: ["UT1", "UT2"], probationUntil: null },
      ...{ activatedAt: SUSPENDED, suspendedFor: 7_380_000, failure: null },
    },
    timeline: api.incident.timeline,
    ...changes,
  };
}

/** The rows of a section's tables. */
function section(report: string, title: string): string {
  return report.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
}

describe("incidentReport", () => {
  it("sums up", () => {
    const text = section(incidentReport(broughtBack()), "Summary");
    expect(text).toContain("The rule `daily-spend` tripped at 2026-11-21 03:03:35.000: totalprice by price");
    expect(text).toContain("130.25 of 100 USD (+30.3 %)");
    expect(text).toContain(
      "suspended at 2026-11-21 03:04:06.000, 1.6 s after it fired. 3 live calls were ended, 0 were",
    );
    expect(text).toContain("olga brought it back at 2026-11-21 05:07:06.000 after 2 h 3 min: key revoked.\n");
    expect(text).toContain(`| AccountSid | \`${ACCOUNT}\` |`);
  });

  it("suspended twice: the lag of the first, and when it was active in between", () => {
    const by = { by: "tollbreaker" };
    const again = {
      command: "key-9",
      operator: "bob",
      road: "api",
      reason: "it is active",
      at: "2026-11-21T03:30:00.000Z",
    };
    const { timeline } = new ScriptedApi().incident;
    const line = (time: string, what: string, who: string, detail = {}) => ({
      ...{ at: `2026-11-21T03:${time}Z`, what, who, why: "leaked key", detail },
    });
    const incident = broughtBack({
      ...{ state: "suspended", trip: null, firedAt: null, reactivation: null, suspension: again },
      ...{ receivedAt: "2026-11-21T03:04:05.900Z", suspendedAt: "2026-11-21T03:30:00.500Z" },
      lags: { firedToReceived: null, receivedToSuspended: 1_554_600, firedToSuspended: null },
      containment: { by: "tollbreaker", callsEnded: 1, callsLeft: 0 },
      timeline: [
        ...timeline,
        line("04:05.950", "opened", "olga", { command: "key-1", road: "cli", cleanup: "" }),
        line("04:06.000", "suspended", "olga", { ...by, command: "key-1" }),
        line("04:07.000", "suspended", "bob", { command: "key-2" }),
        line("20:00.000", "found-active", "tollbreaker"),
        line("30:00.500", "suspended", "bob", { ...by, command: "key-9" }),
        line("30:00.501", "suspension-asked", "bob", { command: "key-9" }),
        line("40:00.000", "suspended", "tollbreaker", by),
      ],
    });
    const report = incidentReport(incident);
    const text = section(report, "Summary");
    expect(text).toContain(
      "asked for at 2026-11-21 03:04:05.950 by olga. The account was suspended at 2026-11-21 03:04:06.000",
    );
    expect(text).toContain("1 live call was ended, 0 were left.");
    expect(text).toContain("| Suspended first | 2026-11-21 03:04:06.000 |");
    // Of the last one nobody saw what was before: that is when it was found.
    expect(text).toMatch(/\| Found active.* \| 2026-11-21 03:20:00\.000, 2026-11-21 03:40:00\.000 \|/);
    expect(text).toContain("| Suspended again | 2026-11-21 03:30:00.500, 2026-11-21 03:40:00.000 |");
    expect(section(report, "Numbers")).toContain("| Received to suspended | 100 ms |");
    const rows = section(report, "Actions").match(/^\| 2026.*$/gm) ?? [];
    expect(rows.map((row) => row.split(" | ")[1])).toEqual([
      "Account suspended",
      "Found active, set so past Tollbreaker",
      "Account suspended",
      "Account suspended",
    ]);
    expect(section(report, "People")).toMatch(/\| bob \| .*suspend \| it is active \| `suspended` \|$/m);
    expect(section(report, "Time-line (UTC)")).not.toContain("cleanup: ");
  });

  it("tripped anew by a signal: the lag of the suspension that answered it", () => {
    const line = (at: string) => ({
      at,
      what: "suspended",
      who: "tollbreaker",
      why: "",
      detail: { by: "tollbreaker" },
    });
    const [first, second] = ["2026-11-21T03:04:06.000Z", "2026-11-21T05:00:02.000Z"];
    const times = { firedAt: "2026-11-21T05:00:00.000Z", receivedAt: "2026-11-21T05:00:01.000Z", suspendedAt: second };
    const report = incidentReport(broughtBack({ ...times, timeline: [line(first), line(second)] }));
    expect(section(report, "Numbers")).toMatch(/Received to suspended \| 1\.0 s .*\n\| Fired to suspended \| 2\.0 s /);
    expect(section(report, "Summary")).toContain("suspended at 2026-11-21 03:04:06.000. It was found active");
  });

  it("says which rule opened it, where another one tripped later", () => {
    const told = { about: "alerted", because: "rule", at: SUSPENDED, publishedAt: null };
    const opened = { at: SUSPENDED, what: "opened", who: "twilio", why: "it reached 87", detail: {} };
    const report = incidentReport(broughtBack({ alerts: [{ ...told, rule: "daily-warning" }], timeline: [opened] }));
    expect(report).toMatch(
      /First detected.* \| 2026-11-21 03:04:05\.000, by the rule `daily-warning`: it reached 87 \|/,
    );
    expect(incidentReport(broughtBack())).toMatch(/First detected.* \| 2026-11-21 03:04:05\.000 \|/);
  });

  it("begins no paragraph with a name, which could make a heading of it", () => {
    const suspension = { command: "c", operator: "# x", road: "cli", reason: "leaked key", at: SUSPENDED };
    const text = section(incidentReport(broughtBack({ trip: null, errors: null, suspension })), "Summary");
    expect(text).toMatch(/^The suspension was asked for at 2026-11-21 03:04:06.000 by # x\./m);
    expect(text).not.toMatch(/^#/m);
  });

  it("has the cost before and after, and the difference", () => {
    const text = section(incidentReport(broughtBack()), "Cost before and after");
    expect(text).toMatch(/\| at firing \(daily\) \| \| 130\.25 USD \| usage trigger \|/);
    expect(text).toMatch(
      /03:04:07\.000 \| that day \(GMT\), after the suspension \| 140\.75 USD \| \| Usage Records \|/,
    );
    expect(text).toContain("the figure of `totalprice` grew by 10.5 USD");
  });

  it("compares no figures that are not of the same day and unit", () => {
    const { trip } = broughtBack();
    if (trip === null) throw new Error("nothing tripped");
    for (const changes of [{ triggerBy: "count" }, { recurring: "monthly" }])
      expect(incidentReport(broughtBack({ trip: { ...trip, ...changes } }))).not.toContain("grew by");
    expect(incidentReport(broughtBack({ evidence: null }))).not.toContain("grew by");
  });

  it("lists what was done to the account, and by whom", () => {
    const rows = section(incidentReport(broughtBack()), "Actions").match(/^\| 2026.*$/gm) ?? [];
    expect(rows.map((row) => row.split(" | ")[1])).toEqual([
      "Account suspended",
      "Live calls ended",
      "API keys deleted",
      "Account set active",
      "Reactivation completed",
    ]);
    expect(rows[2]).toMatch(/\| olga \| 2 API keys were deleted \|$/);
  });

  it("lists each request with its road, reason and outcome", () => {
    const rows = section(incidentReport(broughtBack()), "People").match(/^\| 2026.*$/gm);
    expect(rows).toEqual([
      expect.stringMatching(/\| olga \| cli \| reactivate \| key revoked \| `reactivated` \|$/),
      expect.stringMatching(/\| bob \| slack \| read the check-list \| \| `checked` \|$/),
    ]);
  });

  it("says how each item of the check-list was answered", () => {
    const text = section(incidentReport(broughtBack()), "Check-list");
    expect(text).toContain("| `live-calls` | done | no call is live | |");
    expect(text).toContain("| `api-keys` | not-done | 2 from before the incident | cleaned up, as olga asked |");
    expect(text).toContain("| `auth-token` | cannot-tell | it was not seen | acknowledged by olga |");
    expect(text).toContain("Cleaned up besides: `voice-countries` (US, CA).");
    expect(incidentReport(broughtBack({ reactivation: null }))).toContain("| not yet |");
  });

  it("has every line of the history, and what identifies the incident", () => {
    const incident = broughtBack();
    const report = incidentReport(incident);
    expect(section(report, "Time-line (UTC)").match(/^\| 2026/gm)).toHaveLength(incident.timeline.length);
    expect(section(report, "Time-line (UTC)")).toContain("dateFired: x\\|y");
    for (const sid of [ID, ACCOUNT, "UT1", "UT2"]) expect(section(report, "Identifiers")).toContain(`\`${sid}\``);
    expect(section(report, "To be added by hand")).toContain("- [ ] Root cause");
  });

  it("of errors, without a suspension, and of hardly anything", () => {
    const at = new Date("2026-11-21T03:04:05.000Z");
    const signal = tripping(errorsCounted(ACCOUNT, { count: 23, within: 600_000, receivedAt: at.toISOString() }));
    const opened: unknown = { ...openIncident(ID, signal, at).record.incident, state: "alerted", because: "brake" };
    const report = incidentReport(IncidentStory.parse({ ...Object(opened), timeline: [] }));
    expect(report).toContain("counted 23 errors within 10 min");
    expect(report).toContain("held by the brake");
    expect(report).toContain("Nothing was changed on the account.");
    expect(report).not.toMatch(/null|undefined/);
  });

  it("is the same at another time", async () => {
    const incident = broughtBack();
    const report = incidentReport(incident);
    await setTimeout(5);
    expect(incidentReport(incident)).toBe(report);
  });

  it("lets no text break out of its cell, begin a line, or become a link", () => {
    const evil = "x | y\n# z `c` [l](http://e.example) <b>\u202e\u001b[1m";
    const wish = { command: "c", operator: evil, road: evil, reason: evil, at: evil };
    const entry = {
      at: SUSPENDED,
      what: evil,
      who: evil,
      why: evil,
      detail: { [evil]: evil, command: "c", road: evil },
    };
    const item = { id: evil, answer: evil, why: evil };
    const report = incidentReport(
      broughtBack({
        ...{ id: evil, friendlyName: evil, rule: evil, state: evil, suspension: wish, dismissal: wish },
        checklist: { readAt: evil, items: [item] },
        timeline: [entry, { ...entry, what: "activated" }],
      }),
    );
    expect(report.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const withoutCode = report.replaceAll(/(?<!\\)(`+) .*? \1/g, "");
    expect(withoutCode).not.toMatch(/(?<!\\|- )(?:[<[]|:\/\/)/);
    expect(report.match(/^#+ /gm)).toEqual(incidentReport(broughtBack({ suspension: wish })).match(/^#+ /gm));
    for (const line of report.split("\n").filter((text) => text.startsWith("|"))) {
      const cells = line.split(/(?<!\\)\|/).length;
      expect([4, 5, 6, 7, 8]).toContain(cells);
    }
  });
});

describe("incidents report", () => {
  const file = join(tmpdir(), `report-${process.pid}.md`);
  let api: ScriptedApi;
  beforeEach(async () => {
    api = new ScriptedApi();
    await api.listen();
    api.incident = broughtBack();
  });
  afterEach(async () => {
    await api.close();
    await rm(file, { force: true });
  });
  const report = (...flags: string[]) => runAt(["incidents", "report", ID, ...flags], api.environment);

  it("goes to standard output, or to a file", async () => {
    const { code, stdout } = await report();
    expect({ code, stdout }).toEqual({ code: 0, stdout: incidentReport(api.incident) });
    const written = await report("--out", file);
    expect(written).toMatchObject({ code: 0, stdout: "" });
    expect(await readFile(file, "utf8")).toBe(stdout);
  });

  it("to where nothing can be written: exit 1", async () => {
    const { code, stderr } = await report("--out", tmpdir());
    expect(code).toBe(1);
    expect(stderr).toContain("(report-not-written)");
  });
});
