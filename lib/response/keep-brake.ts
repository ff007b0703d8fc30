import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { BrakeStore, VersionedBrake } from "../incidents/brake-store.ts";
import type { Log } from "../log.ts";
import { announce, type BrakeState, giveBack, NO_BRAKE_STATE, passBrake, type Waiting } from "../policy/brake.ts";
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
  // What all workers let through, as far as this one has seen it, and what it let through without the store. Who waits
  // is only known to the store.
  let alone = NO_BRAKE_STATE;

  function learn({ suspensions }: BrakeState): void {
    const all = [...alone.suspensions, ...suspensions].map((one) => [one.accountSid, one] as const);
    alone = { suspensions: [...new Map(all).values()], waiting: [] };
  }

  function mayPassAlone(accountSid: string): Permit {
    const { kind, at, next } = passBrake(alone, { accountSid, incidentId: "", now: clock.now(), brake });
    alone = { ...next, waiting: [] };
    return { isFree: kind === "free", giveBack: async () => forget(accountSid, at) };
  }

  function forget(accountSid: string, at: string): void {
    alone = giveBack(alone, { accountSid, at }).next;
  }

  async function strikeOut(accountSid: string, at: string): Promise<void> {
    forget(accountSid, at);
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
          return passBrake(state, { accountSid, incidentId, now: clock.now(), brake });
        }, known);
        learn(next);
        return { isFree: kind === "free", giveBack: () => strikeOut(accountSid, at) };
      } catch (error) {
        log.error("brake-unreadable", { accountSid, reason: messageOf(error) });
        return mayPassAlone(accountSid);
      }
    },
    async announce(accountSid, incidentId) {
      const told = { accountSid, incidentId, now: clock.now() };
      const { names } = await store.update((state) => announce(state, told));
      return names;
    },
  };
}
