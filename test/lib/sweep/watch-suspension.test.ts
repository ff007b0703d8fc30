import { expect, test } from "vitest";
import type { Incident } from "../../../lib/incidents/incident.ts";
import { type Known, NOTHING_KNOWN } from "../../../lib/sweep/known.ts";
import { watchSuspension } from "../../../lib/sweep/watch-suspension.ts";
import { ACCOUNT, NOW, POLICY, remembered, timeBefore, withIncident } from "./examples.ts";

const account = { accountSid: ACCOUNT, status: "suspended", friendlyName: "" } as const;
const watch = { account, listedAt: NOW.toISOString(), policy: POLICY, now: NOW };
const ago = (minutes: number) => timeBefore(minutes * 60_000).toISOString();
const kinds = (known: Known, more: object = {}) =>
  watchSuspension({ kind: "known", known, untold: [] }, { ...watch, ...more }).map(({ kind }) => kind);
const FOUND = ["found-suspended"];

const tampered = (at: string) => ({
  ...({ id: "an-alert", about: "tampered", rule: "", because: null, problem: null, note: null } as const),
  ...{ isNamed: true, saidCallsLive: false, at, publishedAt: null },
});

test.each<[string, Partial<Incident>, string[]]>([
  ["open", { state: "open" }, FOUND],
  ["told of, not suspended", { state: "alerted" }, FOUND],
  ["failed", { state: "failed" }, FOUND],
  ["suspended", { state: "suspended", suspendedAt: ago(10) }, []],
  ["active since, people were told", { state: "suspended", suspendedAt: ago(10), alerts: [tampered(ago(5))] }, FOUND],
  ["suspended again since", { state: "suspended", suspendedAt: ago(3), alerts: [tampered(ago(5))] }, []],
  ["active since, held by the brake", { state: "suspended", suspendedAt: ago(10), because: "brake" }, FOUND],
  ["on its way back", { state: "reactivating" }, []],
])("an account that is suspended, its incident %s", (_, incident, found) => {
  expect(kinds(withIncident(incident))).toEqual(found);
  expect(kinds(withIncident(incident), { account: { ...account, status: "active" } })).toEqual([]);
  expect(kinds(withIncident(incident), { account: { ...account, status: "closed", watchOnly: true } })).toEqual([]);
});

test("without an incident: found where it was ever seen active, or was brought back", () => {
  expect(kinds(remembered())).toEqual(FOUND);
  expect(kinds({ ...NOTHING_KNOWN, lastReactivatedAt: ago(60) })).toEqual(FOUND);
  expect(kinds({ ...remembered(), isClaimed: true })).toEqual([]);
});

test("without an incident, and suspended before it was first seen: nobody's news", () => {
  expect(kinds(NOTHING_KNOWN)).toEqual([]);
  expect(kinds(remembered({ hasBeenActive: false }))).toEqual([]);
});

test("an incident that could not be read is nobody's to judge", () => {
  const recalled = { kind: "unreadable", why: "", open: undefined, untold: [] } as const;
  expect(watchSuspension(recalled, watch)).toEqual([]);
});

test("asked with each sweep, as long as they differ", () => {
  const id = (listedAt: string) =>
    watchSuspension({ kind: "known", known: remembered(), untold: [] }, { ...watch, listedAt })[0]?.id;
  expect(id(ago(5))).toBe(id(ago(5)));
  expect(id(ago(5))).not.toBe(id(ago(10)));
});
