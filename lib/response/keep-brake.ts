import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { BrakeStore, VersionedBrake } from "../incidents/brake-store.ts";
import type { Log } from "../log.ts";
import {
  announce,
  type BrakeState,
  giveBack,
  NO_BRAKE_STATE,
  passBrake,
  release,
  type Suspension,
  strikeOff,
  type Waiting,
  within,
} from "../policy/brake.ts";
import type { Brake } from "../policy/policy.ts";

/** Asked before each suspension. */
export interface BrakeKeeper {
  /**
   * Whether the account may be suspended now; if not, it is on the list of those that wait.
   * @param known the brake as read a moment ago.
   */
  mayPass(accountSid: string, incidentId: string, known: VersionedBrake): Promise<Permit>;
  /** The same while our own store can't be read: each warm function then keeps a brake of its own. */
  mayPassAlone(accountSid: string): Permit;
  /** A person wants it suspended: it neither counts nor waits any more. Never throws. */
  passByHand(accountSid: string): Promise<Permit>;
  /** The account's incident was dismissed: it waits no more. @throws what the store throws. */
  strikeOff(accountSid: string): Promise<void>;
  /**
   * A person lets accounts pass: none counts any more.
   * @param command the id by which this release is known when it comes again.
   * @returns those of `accounts` that wait, perhaps none.
   */
  release(command: string, accounts: readonly string[]): Promise<readonly Waiting[]>;
  /** The waiting accounts that the alert of this incident has to name; empty when another alert names it. */
  announce(accountSid: string, incidentId: string): Promise<readonly Waiting[]>;
}

export interface Permit {
  isFree: boolean;
  /** It was not needed: the account does not count, and does not wait. Never throws. */
  giveBack(): Promise<void>;
}

export interface BrakeKeeperOptions {
  store: BrakeStore;
  brake: Brake;
  clock: Clock;
  log: Log;
}

export function brakeKeeper({ store, brake, clock, log }: BrakeKeeperOptions): BrakeKeeper {
  /** What this worker has seen of the brake of all workers. */
  let seen: readonly Suspension[] = [];
  /** What it let through without the store. The others learn of it as soon as the store is back. */
  let alone: readonly Suspension[] = [];

  function learn({ suspensions }: BrakeState): void {
    seen = within(brake, united(seen, suspensions), clock.now());
  }

  function mayPassAlone(accountSid: string): Permit {
    const now = clock.now();
    const { kind, at } = passBrake(
      { ...NO_BRAKE_STATE, suspensions: united(seen, alone) },
      { accountSid, incidentId: "", now, brake },
    );
    alone = within(brake, kind === "free" ? [...alone, { accountSid, at }] : alone, now);
    const forget = async () => {
      alone = alone.filter((one) => one.accountSid !== accountSid || one.at !== at);
    };
    return { isFree: kind === "free", giveBack: forget };
  }

  async function strikeOut(accountSid: string, at: string): Promise<void> {
    try {
      await store.update((state) => giveBack(state, { accountSid, at }));
    } catch (error) {
      log.warn("brake-not-given-back", { accountSid, reason: messageOf(error) });
    }
  }

  return {
    mayPassAlone,
    async mayPass(accountSid, incidentId, known) {
      try {
        const { kind, at, next } = await store.update((state) => {
          learn(state);
          // The time of this try: of two workers, the one that writes later also asked later.
          const all = { ...state, suspensions: united(state.suspensions, alone) };
          return passBrake(all, { accountSid, incidentId, now: clock.now(), brake });
        }, known);
        learn(next);
        return { isFree: kind === "free", giveBack: () => strikeOut(accountSid, at) };
      } catch (error) {
        log.error("brake-unreadable", { accountSid, reason: messageOf(error) });
        return mayPassAlone(accountSid);
      }
    },
    async passByHand(accountSid) {
      try {
        await store.update((state) => strikeOff(state, accountSid));
      } catch (error) {
        log.warn("brake-list-not-updated", { accountSid, reason: messageOf(error) });
      }
      return { isFree: true, giveBack: async () => {} };
    },
    async strikeOff(accountSid) {
      await store.update((state) => strikeOff(state, accountSid));
    },
    async release(command, accounts) {
      seen = [];
      alone = [];
      const { next } = await store.update((state) => release(state, command));
      return next.waiting.filter(({ accountSid }) => accounts.includes(accountSid));
    },
    async announce(accountSid, incidentId) {
      const told = { accountSid, incidentId, now: clock.now() };
      const { names } = await store.update((state) => announce(state, told));
      return names;
    },
  };
}

function united(one: readonly Suspension[], other: readonly Suspension[]): Suspension[] {
  const all = [...one, ...other].map((entry) => [`${entry.accountSid} ${entry.at}`, entry] as const);
  return [...new Map(all).values()];
}
