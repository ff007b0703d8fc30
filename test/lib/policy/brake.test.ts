import { describe, expect, test } from "vitest";
import {
  type BrakeState,
  countLate,
  freePlaces,
  giveBack,
  NO_BRAKE_STATE,
  nextInLine,
  passBrake,
  release,
  releaseOf,
  releaseReached,
  type Waiting,
  within,
} from "../../../lib/policy/brake.ts";
import fc from "../../support/fast-check.ts";

const BEGIN = Date.parse("2026-11-21T03:00:00.000Z");
const BRAKE = { suspensions: 3, within: 60_000 };
const iso = (at: number) => new Date(at).toISOString();

interface Step {
  accountSid: string;
  /** Milliseconds since the one before. */
  after: number;
  /** What becomes of the request, if one is made. */
  ends: "suspended" | "not" | "not, as is known later";
}

const steps = fc.array(
  fc.record({
    accountSid: fc.integer({ min: 1, max: 8 }).map((nth) => `AC${nth}`),
    // Around the window's length, too: its edges are where a brake leaks.
    after: fc.oneof(fc.nat(30_000), fc.constantFrom(0, 1, 59_999, 60_000, 60_001)),
    ends: fc.constantFrom<Step["ends"][]>("suspended", "suspended", "not", "not, as is known later"),
  }),
  { maxLength: 60 },
);

interface Asked {
  accountSid: string;
  at: number;
  isFree: boolean;
  ends: Step["ends"];
}

function ask(state: BrakeState, accountSid: string, at: number, brake = BRAKE) {
  return passBrake(state, { accountSid, now: new Date(at), brake });
}

/** As accounts of one worker each: a request that is slow to fail is given back only before the account asks again. */
function play(sequence: readonly Step[]): { asked: Asked[]; state: BrakeState } {
  let state = NO_BRAKE_STATE;
  let at = BEGIN;
  const open = new Map<string, string>();
  const asked: Asked[] = [];
  for (const { accountSid, after, ends } of sequence) {
    at += after;
    const left = open.get(accountSid);
    if (left !== undefined) state = giveBack(state, { accountSid, at: left }).next;
    open.delete(accountSid);
    const passage = ask(state, accountSid, at);
    state = passage.next;
    if (passage.kind === "free" && ends === "not") state = giveBack(state, { accountSid, at: passage.at }).next;
    if (passage.kind === "free" && ends === "not, as is known later") open.set(accountSid, passage.at);
    // Twice in the same millisecond, the second one's place is a millisecond younger.
    const place = passage.kind === "free" ? Date.parse(passage.at) : at;
    asked.push({ accountSid, at: place, isFree: passage.kind === "free", ends });
  }
  for (const [accountSid, place] of open) state = giveBack(state, { accountSid, at: place }).next;
  return { asked, state };
}

const accountsOf = (list: readonly { accountSid: string }[]) => new Set(list.map(({ accountSid }) => accountSid));

describe("whoever asks, and whenever", () => {
  test("never more than so many different accounts are suspended in any window", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const suspended = play(sequence).asked.filter(({ isFree, ends }) => isFree && ends === "suspended");
        for (const { at } of suspended) {
          const window = suspended.filter((one) => one.at > at - BRAKE.within && one.at <= at);
          expect(accountsOf(window).size).toBeLessThanOrEqual(BRAKE.suspensions);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("what was not suspended holds nobody: those that fail at once change nothing for the others", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const { asked } = play(
          sequence.map((one) => ({ ...one, ends: one.ends === "suspended" ? "suspended" : "not" })),
        );
        const suspended = (until: number, { at }: Asked) =>
          asked.slice(0, until).filter((one) => one.isFree && one.ends === "suspended" && one.at > at - BRAKE.within);
        for (const [index, one] of asked.entries()) {
          const before = accountsOf(suspended(index, one));
          expect(one.isFree).toBe(before.has(one.accountSid) || before.size < BRAKE.suspensions);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("in the end exactly those count that were suspended within the window", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const { asked, state } = play(sequence);
        const now = asked.at(-1)?.at ?? BEGIN;
        const counted = asked.filter((one) => one.isFree && one.ends === "suspended" && one.at > now - BRAKE.within);
        expect(accountsOf(within(BRAKE, state.suspensions, new Date(now)))).toEqual(accountsOf(counted));
        expect(freePlaces(state, BRAKE, new Date(now))).toBe(BRAKE.suspensions - accountsOf(counted).size);
      }),
      { numRuns: 1000 },
    );
  });

  test("the state stays small, however often the same account is suspended, and however many workers were alone", () => {
    const again = play(
      Array.from({ length: 500 }, () => ({ accountSid: "AC1", after: 10, ends: "suspended" as const })),
    );
    expect(again.state.suspensions).toHaveLength(2);
    const suspensions = Array.from({ length: 20_000 }, (_, n) => ({
      accountSid: `AC${`${n}`.padStart(32, "0")}`,
      at: iso(BEGIN),
    }));
    const many = { suspensions: 30_000, within: 60_000 };
    const { next } = ask({ ...NO_BRAKE_STATE, suspensions }, "ACx", BEGIN + 1, many);
    // An item of DynamoDB holds 400 KB.
    expect(JSON.stringify(next).length).toBeLessThan(200_000);
    expect(next.suspensions.at(-1)).toEqual({ accountSid: "ACx", at: iso(BEGIN + 1) });
    expect(freePlaces(next, { suspensions: 1000, within: 60_000 }, new Date(BEGIN + 1))).toBe(0);
  });
});

const full = (suspensions = ["AC1", "AC2", "AC3"]) =>
  play(suspensions.map((accountSid) => ({ accountSid, after: 0, ends: "suspended" }))).state;

test("the last moment of the window counts, the next does not", () => {
  expect(ask(full(), "AC4", BEGIN + BRAKE.within - 1).kind).toBe("held");
  expect(ask(full(), "AC4", BEGIN + BRAKE.within).kind).toBe("free");
  expect(freePlaces(full(), BRAKE, new Date(BEGIN + BRAKE.within - 1))).toBe(0);
  expect(freePlaces(full(), BRAKE, new Date(BEGIN + BRAKE.within))).toBe(3);
});

test("a policy that allows fewer than were let through holds the others, and not those", () => {
  const tighter = { suspensions: 1, within: 60_000 };
  expect(ask(full(), "AC4", BEGIN, tighter).kind).toBe("held");
  expect(ask(full(), "AC2", BEGIN, tighter).kind).toBe("free");
  expect(freePlaces(full(), tighter, new Date(BEGIN))).toBe(0);
});

test("who is held takes nothing, and learns by which place", () => {
  const state = full();
  const later = ask(state, "AC1", BEGIN + 7).next;
  expect(ask(state, "AC4", BEGIN + 9)).toEqual({ kind: "held", heldBy: iso(BEGIN), next: state });
  expect(ask(later, "AC4", BEGIN + 9)).toEqual({ kind: "held", heldBy: iso(BEGIN + 7), next: later });
});

describe("a place that is given back", () => {
  test("leaves an earlier suspension of the same account counted, in the same millisecond too", () => {
    for (const after of [0, 5000]) {
      const state = full(["AC1"]);
      const passage = ask(state, "AC1", BEGIN + after);
      if (passage.kind === "held") throw new Error("it has a place");
      expect(passage.next.suspensions).toHaveLength(2);
      const { next } = giveBack(passage.next, { accountSid: "AC1", at: passage.at });
      expect(next.suspensions).toEqual(state.suspensions);
    }
  });

  test("that is gone already, or was another's, changes nothing", () => {
    const state = full();
    for (const place of [
      { accountSid: "AC1", at: iso(BEGIN + 1) },
      { accountSid: "AC4", at: iso(BEGIN) },
    ])
      expect(giveBack(state, place).next).toBe(state);
  });

  test("counts all the same once it turns out that it happened, and only once", () => {
    const state = full(["AC2", "AC3", "AC4"]);
    const late = { accountSid: "AC1", at: iso(BEGIN + 50) };
    const { next } = countLate(state, late, BRAKE);
    expect(next.suspensions).toEqual([...state.suspensions, late]);
    expect(countLate(next, late, BRAKE).next).toBe(next);
    expect(countLate(next, { ...late, at: iso(BEGIN) }, BRAKE).next).toBe(next);
    // One too many: it must not let anybody else through before it leaves the window.
    expect(ask(next, "AC5", BEGIN + 55).kind).toBe("held");
    expect(ask(next, "AC1", BEGIN + 55).kind).toBe("free");
    expect(countLate(state, { accountSid: "AC1", at: iso(BEGIN + 60_000) }, BRAKE).next.suspensions).toHaveLength(1);
  });
});

const held = (nth: number, changes: Partial<Waiting> = {}): Waiting => ({
  ...{ accountSid: `AC${nth}`, incidentId: `incident of AC${nth}`, since: iso(BEGIN + nth) },
  ...{ heldBy: iso(BEGIN), calledAt: null, namedBy: null },
  ...changes,
});

describe("who is asked again when a place is given back", () => {
  const place = { accountSid: "AC1", at: iso(BEGIN) };
  const inLine = (waiting: readonly Waiting[], free: number, now = BEGIN + 10_000) =>
    nextInLine(waiting, { place, free, now: new Date(now) }).map(({ accountSid }) => accountSid);

  test("the oldest, as many as places are free", () => {
    const waiting = [held(30), held(10), held(20)];
    expect([0, 1, 2, 3, 9].map((free) => inLine(waiting, free))).toEqual([
      [],
      ["AC10"],
      ["AC10", "AC20"],
      ["AC10", "AC20", "AC30"],
      ["AC10", "AC20", "AC30"],
    ]);
  });

  test("only of those that it helped to hold: others wait for a person", () => {
    const waiting = [
      held(1, { heldBy: iso(BEGIN - 1) }),
      held(2, { heldBy: iso(BEGIN) }),
      held(3, { heldBy: iso(BEGIN + 1) }),
    ];
    expect(inLine(waiting, 9)).toEqual(["AC2", "AC3"]);
  });

  test("not one that was asked a moment ago, for which a place is kept; two minutes later once more", () => {
    const waiting = [held(1, { calledAt: iso(BEGIN) }), held(2), held(3)];
    expect(inLine(waiting, 2, BEGIN + 119_999)).toEqual(["AC2"]);
    expect(inLine(waiting, 1, BEGIN + 119_999)).toEqual([]);
    expect(inLine(waiting, 2, BEGIN + 120_000)).toEqual(["AC1", "AC2"]);
  });

  test("given back and taken again: nobody is asked for whom there is no room, and all are while there is", () => {
    fc.assert(
      fc.property(fc.nat(12), fc.nat(12), (waits, free) => {
        const waiting = Array.from({ length: waits }, (_, nth) => held(nth));
        expect(inLine(waiting, free)).toHaveLength(Math.min(waits, free));
      }),
    );
  });
});

describe("releasing", () => {
  const suspensions = [{ accountSid: "AC1", at: iso(0) }];
  const maker = { incidentId: "i", until: iso(1) };
  const alert = { maker, last: { incidentId: "j", at: iso(0), waiting: 9 }, notBefore: iso(5) };
  const state: BrakeState = { ...NO_BRAKE_STATE, suspensions, alert };

  test("counts anew, tells people anew, and is remembered by all that happens next", () => {
    const { next } = release(state, "r1");
    const releases = [{ command: "r1", reached: "" }];
    expect(next).toEqual({ suspensions: [], releases, alert: { maker, last: null, notBefore: null } });
    const passage = ask(next, "AC3", 1);
    if (passage.kind === "held") throw new Error("it counts anew");
    expect(giveBack(passage.next, { accountSid: "AC3", at: passage.at }).next.releases).toEqual(releases);
  });

  test("by the same command once more changes nothing", () => {
    const counting = { ...release(state, "r1").next, suspensions };
    expect(release(counting, "r1").next).toBe(counting);
    expect(release(counting, "r2").next).toMatchObject({
      suspensions: [],
      releases: [{ command: "r1" }, { command: "r2" }],
    });
  });

  test("goes down the list, never up, until it is through", () => {
    const reaching = (before: BrakeState, reached: string | null, command = "r1") =>
      releaseReached(before, { command, reached }).next;
    const both = release(release(state, "r2").next, "r1").next;
    const some = reaching(both, "AC5");
    expect(some.releases).toEqual([
      { command: "r2", reached: "" },
      { command: "r1", reached: "AC5" },
    ]);
    for (const reached of ["AC4", "AC5"]) expect(reaching(some, reached)).toBe(some);
    expect(releaseOf(reaching(some, "AC6"), "r1")).toEqual({ command: "r1", reached: "AC6" });
    const through = reaching(some, null);
    expect(releaseOf(through, "r1")).toEqual({ command: "r1", reached: null });
    for (const reached of ["AC9", null]) expect(reaching(through, reached)).toBe(through);
    expect(reaching(both, "AC5", "unknown")).toBe(both);
  });

  test("remembers no more than the last ones", () => {
    let many = state;
    for (let nth = 0; nth < 500; nth += 1) many = release(many, `r${nth}`).next;
    expect(many.releases).toHaveLength(50);
    expect(many.releases.at(-1)).toEqual({ command: "r499", reached: "" });
  });
});
