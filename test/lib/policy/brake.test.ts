import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { announce, type BrakeState, giveBack, NO_BRAKE_STATE, passBrake, release } from "../../../lib/policy/brake.ts";

const BEGIN = Date.parse("2026-11-21T03:00:00.000Z");
const BRAKE = { suspensions: 3, within: 60_000 };

interface Ask {
  accountSid: string;
  /** Milliseconds since the one before. */
  after: number;
}

const asks = fc.array(
  fc.record({
    accountSid: fc.integer({ min: 1, max: 8 }).map((nth) => `AC${nth}`),
    // Around the window's length, too: its edges are where a brake leaks.
    after: fc.oneof(fc.nat(30_000), fc.constantFrom(0, 1, 59_999, 60_000, 60_001)),
  }),
  { maxLength: 60 },
);

interface Asked {
  accountSid: string;
  at: number;
  isFree: boolean;
}

const incidentOf = (accountSid: string) => `incident of ${accountSid}`;

function ask(state: BrakeState, accountSid: string, at: number, brake = BRAKE, incidentId = incidentOf(accountSid)) {
  return passBrake(state, { accountSid, incidentId, now: new Date(at), brake });
}

function play(sequence: readonly Ask[]): { asked: Asked[]; state: BrakeState } {
  let state = NO_BRAKE_STATE;
  let at = BEGIN;
  const asked = sequence.map(({ accountSid, after }) => {
    at += after;
    const { kind, next } = ask(state, accountSid, at);
    state = next;
    return { accountSid, at, isFree: kind === "free" };
  });
  return { asked, state };
}

const accountsOf = (list: readonly { accountSid: string }[]) => new Set(list.map(({ accountSid }) => accountSid));

describe("whoever asks, and whenever", () => {
  test("never more than so many different accounts are let through in any window", () => {
    fc.assert(
      fc.property(asks, (sequence) => {
        const free = play(sequence).asked.filter(({ isFree }) => isFree);
        for (const { at } of free) {
          const window = free.filter((one) => one.at > at - BRAKE.within && one.at <= at);
          expect(accountsOf(window).size).toBeLessThanOrEqual(BRAKE.suspensions);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("nobody is held without need", () => {
    fc.assert(
      fc.property(asks, (sequence) => {
        const { asked } = play(sequence);
        for (const [index, { accountSid, at, isFree }] of asked.entries()) {
          const before = asked.slice(0, index).filter((one) => one.isFree && one.at > at - BRAKE.within);
          const isFull = accountsOf(before).size >= BRAKE.suspensions && !accountsOf(before).has(accountSid);
          expect(isFree).toBe(!isFull);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("who waits is listed once, and not any more once it is let through", () => {
    fc.assert(
      fc.property(asks, (sequence) => {
        const { asked, state } = play(sequence);
        const last = new Map(asked.map(({ accountSid, isFree }) => [accountSid, isFree]));
        const held = [...last].flatMap(([accountSid, isFree]) => (isFree ? [] : [accountSid]));
        expect(state.waiting.map(({ accountSid }) => accountSid).sort()).toEqual(held.sort());
      }),
    );
  });

  test("the state stays small: what is older than the window is forgotten", () => {
    const { state } = play(Array.from({ length: 500 }, () => ({ accountSid: "AC1", after: 30_000 })));
    expect(state.suspensions.length).toBeLessThanOrEqual(2);
  });
});

test("the last moment of the window counts, the next does not", () => {
  const full = play(["AC1", "AC2", "AC3"].map((accountSid) => ({ accountSid, after: 0 }))).state;
  expect(ask(full, "AC4", BEGIN + BRAKE.within - 1).kind).toBe("held");
  expect(ask(full, "AC4", BEGIN + BRAKE.within).kind).toBe("free");
});

test("a policy that allows fewer than were let through holds the others, and not those", () => {
  const full = play(["AC1", "AC2", "AC3"].map((accountSid) => ({ accountSid, after: 0 }))).state;
  const tighter = { suspensions: 1, within: 60_000 };
  expect(ask(full, "AC4", BEGIN, tighter).kind).toBe("held");
  expect(ask(full, "AC2", BEGIN, tighter).kind).toBe("free");
});

test("an account that waits with a new incident is listed anew, so that people are told again", () => {
  const { state } = play(["AC1", "AC2", "AC3", "AC4"].map((accountSid) => ({ accountSid, after: 0 })));
  const told = announce(state, { accountSid: "AC4", incidentId: incidentOf("AC4"), now: new Date(BEGIN) }).next;
  const { next } = ask(told, "AC4", BEGIN + 1, BRAKE, "a later incident");
  expect(next.waiting).toMatchObject([{ accountSid: "AC4", incidentId: "a later incident", announcedBy: null }]);
});

describe("what was not needed", () => {
  test("is struck out as though it had never been asked for", () => {
    fc.assert(
      fc.property(asks, fc.integer({ min: 1, max: 9 }), (sequence, nth) => {
        const { state, asked } = play(sequence);
        const accountSid = `AC${nth}`;
        const now = (asked.at(-1)?.at ?? BEGIN) + 1;
        const { at, next } = ask(state, accountSid, now);
        const { next: after } = giveBack(next, { accountSid, at });
        const inTime = state.suspensions.filter((one) => Date.parse(one.at) > now - BRAKE.within);
        expect(after.suspensions).toEqual(inTime);
        const isElse = (one: { accountSid: string }) => one.accountSid !== accountSid;
        expect(after.waiting.filter(isElse)).toEqual(state.waiting.filter(isElse));
      }),
    );
  });

  test("leaves an earlier suspension of the same account counted", () => {
    const { state } = play([{ accountSid: "AC1", after: 0 }]);
    const { at, next } = ask(state, "AC1", BEGIN + 5000);
    expect(giveBack(next, { accountSid: "AC1", at }).next.suspensions).toEqual(state.suspensions);
  });
});

describe("the alerts of those that wait", () => {
  const waiting = fc
    .uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 })
    .map((all) => all.map((nth) => `AC${nth}`));
  const tell = (state: BrakeState, accountSid: string) =>
    announce(state, { accountSid, incidentId: incidentOf(accountSid), now: new Date(BEGIN) });

  /** All come at once, or some of them only after others were told of. */
  const course = waiting.chain((accounts) =>
    fc.record({
      accounts: fc.constant(accounts),
      late: fc.subarray(accounts, { maxLength: accounts.length - 1 }),
      order: fc.shuffledSubarray(accounts, { minLength: accounts.length }),
      lateOrder: fc.shuffledSubarray(accounts, { minLength: accounts.length }),
    }),
  );
  const held = (state: BrakeState, accounts: readonly string[]) =>
    accounts.reduce((next, account) => ask(next, account, BEGIN, { suspensions: 0, within: 60_000 }).next, state);

  test("name each exactly once, whoever comes first, and the same ones when they are asked again", () => {
    fc.assert(
      fc.property(course, ({ accounts, late, order, lateOrder }) => {
        const early = accounts.filter((account) => !late.includes(account));
        let state = held(NO_BRAKE_STATE, early);
        const named = new Map<string, string[]>();
        const tellAll = (all: readonly string[]) => {
          for (const account of all) {
            const { names, next } = tell(state, account);
            named.set(
              account,
              names.map(({ accountSid }) => accountSid),
            );
            state = next;
          }
        };
        tellAll(order.filter((account) => early.includes(account)));
        const first = new Map(named);
        state = held(state, late);
        tellAll(lateOrder);
        expect([...named.values()].flat().sort()).toEqual([...accounts].sort());
        for (const [account, names] of first) expect(named.get(account)).toEqual(names);
      }),
      { numRuns: 500 },
    );
  });

  test("the first names all that wait", () => {
    const accounts = Array.from({ length: 12 }, (_, nth) => `AC${nth}`);
    const { names } = tell(held(NO_BRAKE_STATE, accounts), "AC7");
    expect(names.map(({ accountSid }) => accountSid)).toEqual(accounts);
  });

  test("of one that is too many for the list name it, too", () => {
    const accounts = Array.from({ length: 1005 }, (_, nth) => `AC${String(nth).padStart(32, "0")}`);
    const last = accounts.at(-1) ?? "";
    const state = held(NO_BRAKE_STATE, accounts);
    expect(state.waiting).toHaveLength(1000);
    // An item of DynamoDB holds 400 KB.
    expect(JSON.stringify(state).length).toBeLessThan(300_000);
    expect(tell(state, last).names).toMatchObject([{ accountSid: last, incidentId: incidentOf(last) }]);
    expect(tell(tell(state, last).next, last).names).toHaveLength(1);
  });
});

describe("releasing", () => {
  const suspensions = [{ accountSid: "AC1", at: new Date(0).toISOString() }];
  const waiting = [{ accountSid: "AC2", incidentId: incidentOf("AC2"), since: "", announcedBy: null }];
  const state: BrakeState = { ...NO_BRAKE_STATE, suspensions, waiting };

  test("counts anew, lets nobody off the list, and is remembered by all that happens next", () => {
    const { next } = release(state, "r1");
    expect(next).toEqual({ suspensions: [], waiting, released: ["r1"] });
    const passed = ask(next, "AC3", 1).next;
    expect(giveBack(passed, { accountSid: "AC3", at: new Date(1).toISOString() }).next.released).toEqual(["r1"]);
  });

  test("by the same command once more changes nothing", () => {
    const counting = { ...release(state, "r1").next, suspensions };
    expect(release(counting, "r1").next).toBe(counting);
    expect(release(counting, "r2").next).toMatchObject({ suspensions: [], released: ["r1", "r2"] });
  });

  test("remembers no more than the last ones", () => {
    let many = state;
    for (let nth = 0; nth < 500; nth += 1) many = release(many, `r${nth}`).next;
    expect(many.released.length).toBeLessThan(100);
    expect(many.released.at(-1)).toBe("r499");
  });
});
