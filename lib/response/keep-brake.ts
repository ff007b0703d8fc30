import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { BrakeStore, VersionedBrake } from "../incidents/brake-store.ts";
import type { Log } from "../log.ts";
import { announce, NO_BRAKE_STATE, passBrake, type Waiting } from "../policy/brake.ts";
import type { Brake } from "../policy/policy.ts";

/** Asked before each suspension. */
export interface BrakeKeeper {
  /**
   * Whether the account may be suspended now; if not, it is on the list of those that wait.
   * @param known the brake as read a moment ago.
   */
  mayPass(accountSid: string, incidentId: string, known: VersionedBrake): Promise<boolean>;
  /** The same while our own store can't be read: each warm function then keeps a brake of its own. */
  mayPassAlone(accountSid: string): boolean;
  /** The waiting accounts that the alert of this incident has to name; empty when another alert names it. */
  announce(incidentId: string): Promise<readonly Waiting[]>;
}

export interface BrakeKeeperOptions {
  store: BrakeStore;
  brake: Brake;
  clock: Clock;
  log: Log;
}

export function brakeKeeper({ store, brake, clock, log }: BrakeKeeperOptions): BrakeKeeper {
  let alone = NO_BRAKE_STATE;

  function mayPassAlone(accountSid: string): boolean {
    const passage = passBrake(alone, { accountSid, incidentId: "", now: clock.now(), brake });
    // Who waits is only known to the store, and is not remembered here.
    alone = { ...passage.next, waiting: [] };
    return passage.kind === "free";
  }

  return {
    mayPassAlone,
    async mayPass(accountSid, incidentId, known) {
      const now = clock.now();
      try {
        const passage = await store.update((state) => passBrake(state, { accountSid, incidentId, now, brake }), known);
        return passage.kind === "free";
      } catch (error) {
        log.error("brake-unreadable", { accountSid, reason: messageOf(error) });
        return mayPassAlone(accountSid);
      }
    },
    async announce(incidentId) {
      const { names } = await store.update((state) => announce(state, incidentId));
      return names;
    },
  };
}
