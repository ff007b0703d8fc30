import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Incident } from "../../../lib/incidents/incident.ts";
import { INCIDENT_STATES } from "../../../lib/incidents/incident.ts";
import { remindersDue, watchIncident, watchUntold } from "../../../lib/sweep/watch-incident.ts";
import { ACCOUNT, NOW, POLICY, timeBefore, withIncident } from "./examples.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const account = { accountSid: ACCOUNT, status: "suspended", friendlyName: "" } as const;
const watch = { account, listedAt: NOW.toISOString(), policy: POLICY, now: NOW };
const ago = (milliseconds: number) => timeBefore(milliseconds).toISOString();

const nudges = (changes: Partial<Incident>, more: object = {}, calls = {}) =>
  watchIncident(withIncident({ updatedAt: ago(MINUTE), ...changes }, calls).open, { ...watch, ...more });
const kinds = (...parameters: Parameters<typeof nudges>) => nudges(...parameters).map(({ kind }) => kind);

test("an account without an open incident needs nobody", () => {
  expect(watchIncident(undefined, { ...watch, account: { ...account, status: "active" } })).toEqual([]);
});

describe("tampered", () => {
  const active = { account: { ...account, status: "active" } };
  const suspended = { state: "suspended", suspendedAt: ago(3 * MINUTE) } as const;

  test("Twilio lists it as active, and we suspended it minutes before", () => {
    expect(kinds(suspended, active)).toEqual(["tampered"]);
    expect(kinds(suspended)).toEqual([]);
    expect(kinds({ ...suspended, suspendedAt: ago(MINUTE) }, active)).toEqual([]);
    expect(kinds({ ...suspended, state: "reactivating" }, active)).toEqual([]);
  });

  test("the list may be older than the shard", () => {
    expect(kinds(suspended, { ...active, listedAt: ago(2 * MINUTE) })).toEqual([]);
  });

  test("told once a day, of each suspension that was undone; suspended again each time that it is found", () => {
    const id = (policy: object, listedAt = NOW.toISOString()) =>
      nudges({ ...suspended, suspendedAt: ago(HOUR / 3) }, { ...active, listedAt, policy: { ...POLICY, ...policy } })[0]
        ?.id;
    const [alert, suspend] = [{ tampering: "alert" }, { tampering: "suspend" }];
    expect(id(alert)).toBe(`tampered:an-incident:${ago(HOUR / 3)}:2026-10-04`);
    const [undoneLater] = nudges({ ...suspended, suspendedAt: ago(HOUR / 4) }, active);
    expect(undoneLater?.id).not.toBe(id(alert));
    expect(id(suspend)).not.toBe(id(suspend, ago(5 * MINUTE)));
    expect(id({ ...suspend, mode: "observe" })).toBe(id(alert));
    expect(id({ ...suspend, exempt: [{ account: ACCOUNT, why: "emergency line", until: null }] })).toBe(id(alert));
  });
});

describe("stuck", () => {
  const due = {
    id: "an-alert",
    about: "alerted",
    rule: "",
    because: "rule",
    problem: null,
    note: null,
    isNamed: true,
    saidCallsLive: false,
    at: "",
  } as const;

  test.each([
    ["open", { state: "open" }],
    ["reactivating", { state: "reactivating" }],
    ["failed", { state: "failed", failure: { twilioCode: 21476, message: "", retrying: false } }],
    ["failed, and still trying", { state: "failed", failure: { twilioCode: null, message: "", retrying: true } }],
    ["an alert is due", { state: "alerted", because: "rule", alerts: [{ ...due, publishedAt: null }] }],
  ] as const)("%s, without progress for two minutes", (_, changes) => {
    const stuck = { ...changes, alerts: "alerts" in changes ? [...changes.alerts] : [] };
    expect(kinds({ ...stuck, updatedAt: ago(2 * MINUTE) })).toEqual(["drive"]);
    expect(kinds({ ...stuck, updatedAt: ago(MINUTE) })).toEqual([]);
  });

  test("calls of a suspended account are still to be ended", () => {
    const changes = { state: "suspended", suspendedAt: ago(3 * MINUTE), updatedAt: ago(3 * MINUTE) } as const;
    expect(kinds(changes, {}, { callsDue: true })).toEqual(["drive"]);
    expect(kinds(changes)).toEqual([]);
  });

  test("a suspension that failed: with each sweep, once, even where nothing has changed since", () => {
    const failure = { twilioCode: 21476, message: "", retrying: false };
    const id = (listedAt: string) =>
      nudges({ state: "failed", failure, alerts: [], updatedAt: ago(DAY) }, { listedAt }).find(
        ({ kind }) => kind === "drive",
      )?.id;
    expect(id(ago(MINUTE))).toMatch(/^drive:an-incident:/);
    expect(id(ago(MINUTE))).toBe(id(ago(MINUTE)));
    expect(id(ago(MINUTE))).not.toBe(id(ago(6 * MINUTE)));
  });

  test("asked once for the same standstill, and again for the next", () => {
    const id = (updatedAt: string) => nudges({ state: "open", updatedAt })[0]?.id;
    expect(id(ago(3 * MINUTE))).toBe(id(ago(3 * MINUTE)));
    expect(id(ago(3 * MINUTE))).not.toBe(id(ago(4 * MINUTE)));
  });

  test("asked again after some hours: what waits in the queues is given up in the end", () => {
    const id = (now: Date) => nudges({ state: "open", updatedAt: NOW.toISOString() }, { now })[0]?.id;
    const later = (milliseconds: number) => new Date(NOW.getTime() + milliseconds);
    expect(id(later(3 * MINUTE))).toBe(id(later(5 * HOUR)));
    expect(new Set([3 * MINUTE, 6 * HOUR, 12 * HOUR].map((time) => id(later(time)))).size).toBe(3);
  });
});

describe("over, and people may still have to be told", () => {
  const untold = (updatedAt: string) => {
    const incident = withIncident({ state: "dismissed", updatedAt }).open?.incident;
    return watchUntold(incident === undefined ? [] : [incident], NOW);
  };

  test("driven once nobody has been at it for two minutes, and again after some hours", () => {
    expect(untold(ago(MINUTE))).toEqual([]);
    const [nudge, ...others] = untold(ago(3 * MINUTE));
    expect(others).toEqual([]);
    expect(nudge).toMatchObject({ kind: "drive", accountSid: ACCOUNT, incidentId: "an-incident" });
    expect(untold(ago(3 * MINUTE))).toEqual([nudge]);
  });
});

describe("waiting for a person", () => {
  test("reminders come after half an hour, two hours, and each day", () => {
    const table = [0, 29 * MINUTE, 30 * MINUTE, 2 * HOUR - 1, 2 * HOUR, DAY - 1, DAY, 2 * DAY, 9 * DAY];
    expect(table.map(remindersDue)).toEqual([0, 0, 1, 1, 2, 2, 3, 4, 11]);
  });

  test("a sweep every five minutes sends each of them, in order, none twice", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 * MINUTE }), (late) => {
        const sweeps = Array.from({ length: 900 }, (_, index) => remindersDue(late + index * 5 * MINUTE));
        expect([...new Set(sweeps)]).toEqual([0, 1, 2, 3, 4, 5]);
        expect(sweeps).toEqual(sweeps.toSorted((one, other) => one - other));
      }),
    );
  });

  test.each([
    ["suspended", { state: "suspended", suspendedAt: ago(31 * MINUTE) }, true],
    ["held by the brake", { state: "alerted", because: "brake", openedAt: ago(31 * MINUTE) }, true],
    ["exempt", { state: "alerted", because: "exempt", openedAt: ago(31 * MINUTE) }, true],
    ["a warning", { state: "alerted", because: "rule", openedAt: ago(31 * MINUTE) }, false],
  ] as const)("%s", (_, changes, isAsked) => {
    expect(kinds({ ...changes, alerts: [] })).toEqual(isAsked ? ["remind"] : []);
  });

  test.each([
    ["refused", false, ["drive", "remind"]],
    ["still tried by itself", true, ["drive"]],
  ] as const)("a suspension that failed, %s", (_, retrying, expected) => {
    const failure = { twilioCode: 21476, message: "", retrying };
    const since = { openedAt: ago(31 * MINUTE), updatedAt: ago(31 * MINUTE) };
    expect(kinds({ state: "failed", failure, alerts: [], ...since })).toEqual(expected);
  });

  test("an update in between, such as the reminder before, does not begin the time anew", () => {
    const words = { rule: "", because: null, problem: null, note: null, isNamed: true, saidCallsLive: false };
    const alert = { id: "a", about: "failed", ...words } as const;
    const alerts = [{ ...alert, at: ago(3 * HOUR), publishedAt: ago(3 * HOUR) }];
    const failure = { twilioCode: 21476, message: "", retrying: false };
    const [reminder] = nudges({ state: "failed", failure, alerts, updatedAt: ago(MINUTE), openedAt: ago(DAY) });
    expect(reminder).toMatchObject({ id: "remind:an-incident:2", waited: 3 * HOUR });
  });

  test("what is over waits for nobody", () => {
    for (const state of INCIDENT_STATES.filter((one) => ["reactivated", "dismissed", "open"].includes(one))) {
      expect(kinds({ state, suspendedAt: ago(DAY), openedAt: ago(DAY) })).not.toContain("remind");
    }
  });
});
