import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { INCIDENT_STATES, type IncidentState } from "../../../lib/incidents/incident.ts";
import { type Circumstances, decide } from "../../../lib/policy/decide.ts";
import { firing, notUnderstood } from "../../support/signals.ts";

const PARENT = `AC${"0".repeat(32)}`;
const ACCOUNT = `AC${"1".repeat(32)}`;
const SUSPENDED_AT = "2026-11-21T03:00:00.500Z";

const ORDINARY: Circumstances = {
  state: null,
  suspendedAt: null,
  lastReactivatedAt: null,
  parentSid: PARENT,
  mode: "enforce",
};
const fired = (firedAt: string | null, receivedAt = "2026-11-21T04:00:00.000Z") =>
  firing(ACCOUNT, { firedAt, receivedAt });
const decideOn = (changes: Partial<Circumstances>, signal = firing(ACCOUNT)) =>
  decide(signal, { ...ORDINARY, ...changes });

describe("a firing is enforced, told, or joined, by the state of the account's incident", () => {
  test.each<[IncidentState | null, string, string]>([
    [null, "suspend", "alert"],
    ["open", "suspend", "alert"],
    ["alerted", "suspend", "join"],
    ["failed", "suspend", "join"],
    ["suspended", "join", "join"],
    ["reactivating", "join", "join"],
    ["reactivated", "suspend", "join"],
    ["dismissed", "suspend", "join"],
  ])("%s: %s in enforce mode, %s in observe mode", (state, enforced, observed) => {
    expect(decideOn({ state }).kind).toBe(enforced);
    expect(decideOn({ state, mode: "observe" }).kind).toBe(observed);
    expect(decide(firing(PARENT), { ...ORDINARY, state }).kind).toBe(observed);
    expect(decide(notUnderstood(ACCOUNT), { ...ORDINARY, state }).kind).toBe(observed);
  });

  test("the reason says what was reached, in numbers that a person writes", () => {
    const signal = firing(ACCOUNT, { currentValue: "100.500000", triggerValue: "100.000000" });
    expect(decide(signal, ORDINARY)).toEqual({
      kind: "suspend",
      reason: "totalprice by price reached 100.5, its limit is 100",
    });
  });

  test("each alert says why nothing was suspended", () => {
    expect(decide(firing(PARENT), ORDINARY)).toMatchObject({ about: "alerted", because: "parent-account" });
    expect(decideOn({ mode: "observe" })).toMatchObject({ about: "alerted", because: "observe-mode" });
    expect(decide(notUnderstood(ACCOUNT), ORDINARY)).toMatchObject({ about: "not-understood", because: null });
  });
});

describe("old news", () => {
  const lastReactivatedAt = "2026-11-21T03:00:00.500Z";

  test.each([
    ["a minute before", "2026-11-21T02:59:00.000Z", "join"],
    ["the second before", "2026-11-21T02:59:59.000Z", "join"],
    // DateFired has whole seconds: this may have fired at 03:00:00.900.
    ["within the second", "2026-11-21T03:00:00.000Z", "suspend"],
    ["a second after", "2026-11-21T03:00:01.000Z", "suspend"],
  ])("fired %s of the reactivation: %s", (_, firedAt, kind) => {
    expect(decideOn({ lastReactivatedAt }, fired(firedAt)).kind).toBe(kind);
  });

  test("a firing whose time cannot be read counts by when it came", () => {
    expect(decideOn({ lastReactivatedAt }, fired(null, "2026-11-21T02:00:00.000Z")).kind).toBe("join");
    expect(decideOn({ lastReactivatedAt }, fired(null, "2026-11-21T04:00:00.000Z")).kind).toBe("suspend");
  });

  test("says since when it is old", () => {
    expect(decideOn({ lastReactivatedAt }, fired("2026-11-21T02:59:00.000Z"))).toEqual({
      kind: "join",
      reason: `fired before the account was reactivated at ${lastReactivatedAt}`,
    });
  });
});

describe("a firing of a suspended account", () => {
  const suspended = { state: "suspended", suspendedAt: SUSPENDED_AT } as const;

  test.each([
    ["before", "2026-11-21T02:59:59.000Z", "join"],
    ["within the second", "2026-11-21T03:00:00.000Z", "join"],
    ["after", "2026-11-21T03:00:01.000Z", "hold"],
  ])("%s the suspension: %s", (_, firedAt, kind) => {
    expect(decideOn(suspended, fired(firedAt)).kind).toBe(kind);
  });

  test("is not held in observe mode, nor while it is reactivated, nor for the parent", () => {
    const after = fired("2026-11-21T03:30:00.000Z");
    expect(decideOn({ ...suspended, mode: "observe" }, after).kind).toBe("join");
    expect(decideOn({ ...suspended, state: "reactivating" }, after).kind).toBe("join");
    expect(decide({ ...after, accountSid: PARENT }, { ...ORDINARY, ...suspended }).kind).toBe("join");
  });
});

describe("whatever the signal and the circumstances", () => {
  const time = fc
    .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
    .map((date) => date.toISOString());
  const accountSid = fc.constantFrom(ACCOUNT, PARENT);
  const signals = fc.oneof(
    fc
      .record({ accountSid, firedAt: fc.option(time), receivedAt: time, currentValue: fc.string() })
      .map(({ accountSid: sid, ...changes }) => firing(sid, changes)),
    fc
      .record({ accountSid, receivedAt: time, problem: fc.string() })
      .map(({ accountSid: sid, ...changes }) => notUnderstood(sid, changes)),
  );
  const circumstances = fc.record<Circumstances>({
    state: fc.constantFrom(null, ...INCIDENT_STATES),
    suspendedAt: fc.option(time),
    lastReactivatedAt: fc.option(time),
    parentSid: fc.constant(PARENT),
    mode: fc.constantFrom("enforce", "observe"),
  });
  const always = (holds: (...given: [ReturnType<typeof decide>, Circumstances, string, string]) => boolean) =>
    fc.assert(
      fc.property(signals, circumstances, (signal, given) =>
        holds(decide(signal, given), given, signal.accountSid, signal.kind),
      ),
      { numRuns: 2000 },
    );
  const touches = ({ kind }: ReturnType<typeof decide>) => kind === "suspend" || kind === "hold";

  test("there is a verdict with a reason, and always the same one", () => {
    fc.assert(
      fc.property(signals, circumstances, (signal, given) => {
        const verdict = decide(signal, given);
        expect(verdict.reason).not.toBe("");
        expect(decide(signal, given)).toEqual(verdict);
      }),
    );
  });
  test("the parent is never touched", () => always((verdict, _, account) => account !== PARENT || !touches(verdict)));
  test("nothing is touched in observe mode", () =>
    always((verdict, { mode }) => mode === "enforce" || !touches(verdict)));
  test("nothing is touched for what was not understood", () =>
    always((verdict, _, __, kind) => kind !== "not-understood" || !touches(verdict)));
  test("what is contained is not suspended", () =>
    always((verdict, { state }) => (state !== "suspended" && state !== "reactivating") || verdict.kind !== "suspend"));
  test("only what is suspended is held", () =>
    always((verdict, { state }) => verdict.kind !== "hold" || state === "suspended"));
  test("people are told once for each incident", () =>
    always((verdict, { state }) => verdict.kind !== "alert" || state === null || state === "open"));
});
