import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { inTime } from "../in-time.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { BrakeStore, VersionedBrake } from "../incidents/brake-store.ts";
import type { Log } from "../log.ts";
import {
  type BrakeState,
  countLate,
  freePlaces,
  giveBack,
  NO_BRAKE_STATE,
  nextInLine,
  passBrake,
  type Release,
  release,
  releaseOf,
  releaseReached,
  type Suspension,
  type Waiting,
  within,
} from "../policy/brake.ts";
import type { Brake } from "../policy/policy.ts";
import type { Until } from "../twilio/backoff.ts";
import { type BrakeAnnouncement, brakeAnnouncer } from "./announce-waiting.ts";

/** Asked before each suspension. */
export interface BrakeKeeper {
  /**
   * For an account that tripped. Nothing is asked or written before `mayAsk`.
   * @param known the brake as read a moment ago.
   */
  permitFor(accountSid: string, incidentId: string, known: VersionedBrake): Permit;
  /** The same while our own store can't be read: each warm function then keeps a brake of its own. */
  permitAlone(accountSid: string): Permit;
  /** For what the brake never holds: what a person wants, and an account on its way back. It does not count. */
  bypassFor(accountSid: string): Permit;
  /**
   * The account's incident was dismissed: it waits no more.
   * @param incidentId only where it waits with this one; with any when left out
   * @throws what the store throws.
   */
  strikeOff(accountSid: string, incidentId?: string): Promise<void>;
  /**
   * A person has looked: none counts any more. Repeatable.
   * @param command the id by which this release is known when it comes again.
   * @returns how far it came.
   */
  release(command: string): Promise<Release>;
  noteRelease(release: Release): Promise<void>;
  /** All that wait, by AccountSid. @param after leaves out those up to this one */
  waiting(after?: string): AsyncIterable<readonly Waiting[]>;
  /**
   * Whether the alert of this incident, whose account waits, is to be published, and whom it names. It may take 15 seconds:
   * accounts that trip together are named together. @throws what the store throws.
   */
  announce(accountSid: string, incidentId: string, until: Until): Promise<BrakeAnnouncement>;
}

/** One asking for a suspension. It never rejects. */
export interface Permit {
  /**
   * Takes a place, and answers whether there was one; if not, the account is on the list of those that wait. Only for an
   * account that was read as active and is about to be asked for. Asked again it answers the same.
   */
  mayAsk(): Promise<boolean>;
  /**
   * How it ended. A place whose suspension did not happen is given back, and whoever it held is asked again. A suspension
   * that is `ours` without a place counts from `since` on, or from now on: an earlier request for it came true.
   * @param since when it happened, ISO 8601 UTC; null where that is not known
   */
  settle(outcome: PermitOutcome, since?: string | null): Promise<void>;
}

/**
 * Twilio says that the account is suspended, because we asked (`ours`: only while the record did not say so before), or
 * whatever we asked (`not-ours`); or nobody knows that it is (`not-suspended`).
 */
export type PermitOutcome = "ours" | "not-ours" | "not-suspended";

export interface BrakeKeeperOptions {
  store: BrakeStore;
  /** Where those are asked again who were held by places that were given back. */
  inbox: Inbox;
  brake: Brake;
  clock: Clock;
  log: Log;
  /**
   * Milliseconds: our own store is not waited for longer before the account is asked to be suspended, nor before what was done
   * is recorded. 500 when left out.
   */
  patience?: number;
}

type Passed = Held | Free;
interface Held {
  isFree: false;
}
interface Free {
  isFree: true;
  giveBack(): Promise<void>;
  /** Until it is off the list of those that wait. */
  leaving?: Promise<void>;
}

/** What a person wants while our own store can't be read. */
export const FREE_PASS: Permit = { mayAsk: async () => true, settle: async () => {} };

const PATIENCE_MS = 500;

/** Who is held looks once more after it is on the list, because a place may have been given back before it was. */
const MOST_LOOKS = 4;

export function brakeKeeper(options: BrakeKeeperOptions): BrakeKeeper {
  const { store, inbox, brake, clock, log, patience = PATIENCE_MS } = options;
  /** What this worker has seen of the brake of all workers. */
  let seen: readonly Suspension[] = [];
  /** What it let through without the store. The others learn of it as soon as the store is back. */
  let alone: readonly Suspension[] = [];

  function permitFor(accountSid: string, incidentId: string, known: VersionedBrake): Permit {
    let passing: Promise<Passed> | undefined;
    return {
      async mayAsk() {
        passing ??= passTogether(accountSid, incidentId, known);
        return (await passing).isFree;
      },
      async settle(outcome, since = null) {
        const passed = await passing;
        if (outcome !== "ours" && passed?.isFree) await passed.giveBack();
        if (outcome === "not-suspended") return;
        const noting = passed?.isFree ? [passed.leaving] : [leaveList(accountSid)];
        if (outcome === "ours" && !passed?.isFree) noting.push(countWithoutPlace(accountSid, since));
        // None of it rejects; calls have to be ended, and what was done to be recorded.
        await inTime(Promise.all(noting), patience);
      },
    };
  }

  function permitAlone(accountSid: string): Permit {
    let passed: Passed | undefined;
    return {
      async mayAsk() {
        passed ??= passAlone(accountSid);
        return passed.isFree;
      },
      async settle(outcome) {
        if (outcome !== "ours" && passed?.isFree) await passed.giveBack();
      },
    };
  }

  async function passTogether(accountSid: string, incidentId: string, known: VersionedBrake): Promise<Passed> {
    const asked = takeOrWait(accountSid, incidentId, known);
    try {
      const passed = await inTime(asked, patience);
      if (passed.kind === "in-time") return passed.value;
      log.warn("brake-late", { accountSid });
      // What it takes afterwards is not used.
      asked.then((late) => (late.isFree ? late.giveBack() : undefined)).catch(() => undefined);
    } catch (error) {
      log.error("brake-unreadable", { accountSid, reason: messageOf(error) });
    }
    return passAlone(accountSid);
  }

  async function takeOrWait(accountSid: string, incidentId: string, known: VersionedBrake): Promise<Passed> {
    const since = clock.now().toISOString();
    let passage = await take(accountSid, known);
    for (let looks = 1; passage.kind === "held" && looks < MOST_LOOKS; looks++) {
      const { heldBy } = passage;
      if (!(await joinList({ accountSid, incidentId, since, heldBy }))) return { isFree: false };
      passage = await take(accountSid);
      if (passage.kind === "held" && passage.heldBy === heldBy) break;
    }
    if (passage.kind === "held") return { isFree: false };
    const place = { accountSid, at: passage.at };
    // Beside the request to Twilio, which it must not hold up.
    return { isFree: true, giveBack: () => giveBackPlace(place), leaving: leaveList(accountSid) };
  }

  async function take(accountSid: string, known?: VersionedBrake) {
    let merged: readonly Suspension[] = [];
    const passage = await store.update((state) => {
      learn(state);
      merged = alone;
      const all = alone.length === 0 ? state : { ...state, suspensions: united(state.suspensions, alone) };
      // The time of this try: of two workers, the one that writes later also asked later.
      const passed = passBrake(all, { accountSid, now: clock.now(), brake });
      if (passed.kind === "held" || all !== state) return passed;
      return { ...passed, takes: { place: { accountSid, at: passed.at }, limit: brake.suspensions } };
    }, known);
    alone = alone.filter((one) => !merged.includes(one));
    learn(passage.next);
    return passage;
  }

  function learn({ suspensions }: BrakeState): void {
    seen = within(brake, united(seen, suspensions), clock.now());
  }

  function passAlone(accountSid: string): Passed {
    const now = clock.now();
    const passage = passBrake({ ...NO_BRAKE_STATE, suspensions: united(seen, alone) }, { accountSid, now, brake });
    if (passage.kind === "held") return { isFree: false };
    const place = { accountSid, at: passage.at };
    alone = within(brake, [...alone, place], now);
    return { isFree: true, giveBack: () => giveBackAlone(place) };
  }

  async function giveBackAlone(place: Suspension): Promise<void> {
    // The others may have learnt of it by now.
    if (alone.includes(place)) alone = alone.filter((one) => one !== place);
    else await giveBackPlace(place);
  }

  async function giveBackPlace(place: Suspension): Promise<void> {
    try {
      const { wasTaken } = await store.update((state) => {
        const { next } = giveBack(state, place);
        return { next, givesBack: place, wasTaken: next !== state };
      });
      seen = seen.filter((one) => !isSame(one, place));
      if (wasTaken) await askAgain(place);
    } catch (error) {
      log.warn("brake-not-given-back", { accountSid: place.accountSid, reason: messageOf(error) });
    }
  }

  /** Those that the place helped to hold; each in its own account's order. */
  async function askAgain(place: Suspension): Promise<void> {
    const waiting: Waiting[] = [];
    for await (const page of store.waiting.pages()) waiting.push(...page);
    if (waiting.length === 0) return;
    const now = clock.now();
    // Read after it was given back: of several at the same time, the last one sees all places that are free.
    const { free } = await store.update((state) => ({ next: state, free: freePlaces(state, brake, now) }));
    for (const one of nextInLine(waiting, { place, free, now })) {
      if (!(await store.waiting.markCalled(one, now))) continue;
      const { accountSid, incidentId } = one;
      const id = `brake:${place.accountSid}:${place.at}`;
      const receivedAt = now.toISOString();
      await inbox.put({ kind: "drive", id, accountSid, incidentId, receivedAt, isPlaceFree: true });
      log.info("brake-asked-again", { accountSid, incidentId, insteadOf: place.accountSid });
    }
  }

  async function countWithoutPlace(accountSid: string, since: string | null): Promise<void> {
    const now = clock.now();
    const place = { accountSid, at: since ?? now.toISOString() };
    if (within(brake, [place], now).length === 0) return;
    try {
      learn((await store.update((state) => countLate(state, place, brake))).next);
    } catch (error) {
      alone = within(brake, [...alone, place], clock.now());
      log.warn("brake-not-counted", { accountSid, reason: messageOf(error) });
    }
  }

  /** @returns whether it is on the list of those that wait. */
  async function joinList(held: Parameters<BrakeStore["waiting"]["add"]>[0]): Promise<boolean> {
    try {
      await store.waiting.add(held);
      return true;
    } catch (error) {
      log.warn("brake-list-not-updated", { accountSid: held.accountSid, reason: messageOf(error) });
      return false;
    }
  }

  async function leaveList(accountSid: string): Promise<void> {
    try {
      await store.waiting.end(accountSid, clock.now());
    } catch (error) {
      log.warn("brake-list-not-updated", { accountSid, reason: messageOf(error) });
    }
  }

  return {
    permitFor,
    permitAlone,
    bypassFor: (accountSid) => ({
      mayAsk: async () => true,
      settle: async (outcome) => (outcome === "not-suspended" ? undefined : leaveList(accountSid)),
    }),
    strikeOff: (accountSid, incidentId) => store.waiting.end(accountSid, clock.now(), incidentId),
    async release(command) {
      seen = [];
      alone = [];
      const { next } = await store.update((state) => release(state, command));
      return releaseOf(next, command) ?? { command, reached: null };
    },
    async noteRelease(reached) {
      await store.update((state) => releaseReached(state, reached));
    },
    waiting: (after) => store.waiting.pages(after),
    announce: brakeAnnouncer({ store, clock, log }),
  };
}

function isSame(one: Suspension, other: Suspension): boolean {
  return one.accountSid === other.accountSid && one.at === other.at;
}

function united(one: readonly Suspension[], other: readonly Suspension[]): Suspension[] {
  const all = [...one, ...other].map((entry) => [`${entry.accountSid} ${entry.at}`, entry] as const);
  return [...new Map(all).values()];
}
