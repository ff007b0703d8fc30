import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Asked, endingOf } from "../../../cli/acting/ending.ts";
import { follow, type UnderWay } from "../../../cli/acting/follow.ts";
import type { IncidentStory } from "../../../cli/incident-view.ts";
import { terminal } from "../../../cli/terminal.ts";
import { failed, openIncident } from "../../../lib/incidents/record.ts";
import { wishOf } from "../../../lib/incidents/wish.ts";
import { suspend } from "../../support/commands.ts";
import { patientClock } from "../../support/patient-clock.ts";
import { ACCOUNT, ID, own, ScriptedApi, suspendedIncident } from "../scripted-api.ts";

let api: ScriptedApi;
beforeEach(async () => {
  api = new ScriptedApi();
  await api.listen();
});
afterEach(() => api.close());

const seat = () => ({ input: new PassThrough(), output: new PassThrough(), interrupts: new EventEmitter() });
const quiet = (at = seat()) => terminal(new PassThrough(), new PassThrough(), {}, at);
const server = () => ({ url: api.environment["TOLLBREAKER_URL"] ?? "", token: "t", local: false });
const underWay = (asked: Asked) => ({ command: "c1", incidentId: ID, asked });
const pace = { every: 5, atMost: 60 };
/** However slow this machine is, there are twelve readings in `pace.atMost`. */
const patience = () => patientClock(new Date("2026-11-21T03:10:00Z"));
const watching = (of: UnderWay, watch: (incident: IncidentStory) => void = () => {}, at?: ReturnType<typeof seat>) =>
  follow(server(), of, quiet(at), watch, pace, patience());

describe("follow", () => {
  it("gives up when the time is over, and leaves no listener behind", async () => {
    const at = seat();
    const ending = await watching(underWay("suspend"), () => {}, at);
    expect(ending).toEqual({ kind: "unknown", because: "time-out" });
    expect(api.received).toHaveLength(12);
    expect(at.interrupts.listenerCount("SIGINT")).toBe(0);
  });

  it("shows an incident that tells what its last line does: the line is written first", async () => {
    api.add(own("c1", "suspended"));
    const whole = { ...api.incident, state: "failed" };
    const early = { ...api.incident, updatedAt: "2026-11-21T03:04:05.000Z" };
    let readings = 0;
    api.on(`GET /api/incidents/${ID}`, () => ({ status: 200, json: ++readings < 3 ? early : whole }));
    const ending = await watching(underWay("suspend"));
    expect(ending).toMatchObject({ kind: "done", incident: { state: "failed" } });
    readings = -100;
    expect(await watching(underWay("suspend"))).toMatchObject({ kind: "done" });
  });

  it("waits for an incident that is not there yet", async () => {
    let readings = 0;
    api.on(`GET /api/incidents/${ID}`, (_received, of) => {
      readings += 1;
      if (readings < 3) return { status: 404, json: { code: "incident-not-found", detail: "No." } };
      of.add(own("c1", "suspended"));
      return { status: 200, json: of.incident };
    });
    const seen: number[] = [];
    const watch = () => void seen.push(readings);
    expect(await watching(underWay("suspend"), watch)).toMatchObject({ kind: "done" });
    expect(seen).toEqual([3]);
  });

  it("finds the incident that the first sending of a suspension opened, where the second named another", async () => {
    const named = { ...underWay("suspend"), incidentId: "20261121T030409000-00000000" };
    const listing = `GET /api/incidents?account=${ACCOUNT}&limit=3`;
    api.on(listing, (_received, { incident }) => ({ status: 200, json: { incidents: [incident], next: null } }));
    const of = { ...named, accountSid: ACCOUNT };
    expect(await watching(of)).toMatchObject({ kind: "unknown" });
    api.add(own("c1", "opened"), own("c1", "suspended"));
    expect(await watching(of)).toMatchObject({ kind: "done", incident: { id: ID } });
    expect(await watching(named)).toMatchObject({ kind: "unknown" });
  });

  it("ends at once when the token is refused", async () => {
    api.on(`GET /api/incidents/${ID}`, () => ({ status: 401, json: { code: "token-expired", detail: "No." } }));
    await expect(watching(underWay("dismiss"))).rejects.toMatchObject({ exit: 5 });
    expect(api.received).toHaveLength(1);
  });

  it("shows what it waits for on a terminal, and wipes it away", async () => {
    const stderr = Object.assign(new PassThrough(), { isTTY: true });
    const shown = stderr.setEncoding("utf8");
    await follow(server(), underWay("dismiss"), terminal(new PassThrough(), stderr, {}), () => {}, pace, patience());
    const text: string = shown.read();
    expect(text).toContain("waiting (Ctrl-C stops watching, not the command)");
    expect(text.endsWith("\r\u001b[K")).toBe(true);
  });
});

describe("endingOf", () => {
  const AT = new Date("2026-11-21T03:10:00.000Z");
  const incident = suspendedIncident();
  const line = { at: "2026-11-21T03:10:00.000Z", what: "", who: "olga", why: "w", detail: {} };
  const telling = (...entries: object[]) => ({
    ...incident,
    timeline: entries.map((entry) => ({ ...line, ...entry })),
  });

  it.each([
    ["reactivate", "reactivated", "done"],
    ["reactivate", "reactivation-refused", "refused"],
    ["reactivate", "reactivation-failed", "failed"],
    ["reactivate", "failed", "failed"],
    ["reactivate", "command-refused", "refused"],
    ["dismiss", "dismissed", "done"],
    ["suspend", "suspended", "done"],
    ["restore-numbers", "numbers-restored", "done"],
    ["check", "checked", "done"],
    ["check", "command-refused", "refused"],
  ] as const)("%s ends at %s: %s", (asked, what, kind) => {
    expect(endingOf(telling(own("c1", what, "because")), "c1", asked)).toMatchObject({ kind, what, why: "because" });
    expect(endingOf(telling(own("another", what)), "c1", asked)).toBeUndefined();
  });

  it.each(["checked", "armed", "activated", "alert-published"])("a reactivation is not over at %s", (what) => {
    expect(endingOf(telling(own("c1", "reactivation-asked"), own("c1", what)), "c1", "reactivate")).toBeUndefined();
  });

  it("a suspension is over when Twilio refused it for good, and not while it is tried again", () => {
    const failed = (retrying: boolean) =>
      telling(own("c1", "suspension-asked"), { what: "failed", why: "no", detail: { retrying } });
    expect(endingOf(failed(false), "c1", "suspend")).toMatchObject({ kind: "failed", why: "no" });
    expect(endingOf(failed(true), "c1", "suspend")).toBeUndefined();
  });

  it("nor while it is tried again under its own name", () => {
    const command = suspend(ACCOUNT, { id: "c1" });
    const opening = openIncident(ID, { signal: command, rule: "by hand", reason: command.reason }, AT);
    const failing = (retrying: boolean) => {
      const failure = { twilioCode: null, message: "HTTP 500", retrying };
      return failed(opening.record, failure, AT, wishOf(command)).entries;
    };
    const early = [...opening.entries, ...failing(true)];
    expect(endingOf(telling(...early), "c1", "suspend")).toBeUndefined();
    expect(endingOf(telling(...early, own("c1", "suspended")), "c1", "suspend")).toMatchObject({ kind: "done" });
    expect(endingOf(telling(...early, ...failing(false)), "c1", "suspend")).toMatchObject({ kind: "failed" });
  });

  it("what failed before it began is no end of it", () => {
    const earlier = { what: "failed", at: "2026-11-21T03:09:00.000Z", detail: { retrying: false } };
    expect(endingOf(telling(earlier, own("c1", "suspension-asked")), "c1", "suspend")).toBeUndefined();
  });
});
