import pLimit from "p-limit";
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { BrakeStore } from "../incidents/brake-store.ts";
import type { Log } from "../log.ts";
import { type BrakeState, oldestFirst, type Waiting } from "../policy/brake.ts";
import {
  alertPublished,
  type BrakeAlert,
  claimAlert,
  isAlertDue,
  postponeAlert,
  withoutMaker,
} from "../policy/brake-alert.ts";
import type { Until } from "../twilio/backoff.ts";

/** What is to be done about the alert of one incident whose account waits at the brake. */
export type BrakeAnnouncement =
  | BrakeAlertToPublish
  /** An alert that was published names the account. */
  | { kind: "told-elsewhere" }
  /**
   * Another one is about to name it, or it is too soon for one, or there is not the time to make one: look again after so many
   * milliseconds, 10 minutes at most.
   */
  | { kind: "later"; ms: number };

export interface BrakeAlertToPublish {
  kind: "tell";
  /** Those that nobody was told of yet, longest first. */
  accounts: readonly Waiting[];
  /**
   * To be called when it is known whether SNS took the alert: only then does it count as told of all these accounts.
   * @throws what the store throws, if it was published: publish it again, it is the same alert.
   */
  settle(isPublished: boolean): Promise<void>;
}

/** Accounts that trip together are named together: until no more came for so long, */
const QUIET_MS = 2000;
/** and no longer than 14 seconds. */
const MOST_ROUNDS = 7;
/** What a round takes, the names, and the publication. */
const LEAST_MS = 8000;
const AT_ONCE = 25;

interface Parts {
  store: BrakeStore;
  clock: Clock;
  log: Log;
}

interface Own {
  accountSid: string;
  incidentId: string;
}

/** One loud alert for all that wait, and nobody who waits without one: whoever looks first makes it for all. */
export function brakeAnnouncer({ store, clock, log }: Parts) {
  return async (accountSid: string, incidentId: string, until: Until): Promise<BrakeAnnouncement> => {
    const own = { accountSid, incidentId };
    if (until.deadline - clock.now().getTime() < LEAST_MS) return { kind: "later", ms: 0 };
    const { namedBy } = await listed(own);
    if (namedBy !== null && namedBy !== incidentId) return { kind: "told-elsewhere" };
    const claim = await update((alert) => claimAlert(alert, { incidentId, now: clock.now() }));
    // Another one was published since.
    if (namedBy === incidentId && claim.kind !== "published") return publishedBefore(own, "");
    switch (claim.kind) {
      case "later":
        return { kind: "later", ms: claim.ms };
      case "published":
        return publishedBefore(own, claim.next.last?.at ?? "");
      case "make":
        return makeAlert(own, until);
    }
  };

  async function makeAlert(own: Own, until: Until): Promise<BrakeAnnouncement> {
    try {
      const waiting = await gather(until);
      const { ms } = await update((alert) => postponedUnlessDue(alert, own, waiting.length));
      return ms === null ? alertOf(own, waiting, ({ namedBy }) => namedBy === null) : { kind: "later", ms };
    } catch (error) {
      await unpublished(own.incidentId);
      throw error;
    }
  }

  /** The same names once more: whoever has come since may not be read, because it is the same alert. */
  async function publishedBefore(own: Own, at: string): Promise<BrakeAlertToPublish> {
    const isOwn = ({ namedBy, since }: Waiting) =>
      namedBy === own.incidentId || (namedBy === null && Date.parse(since) <= Date.parse(at));
    return alertOf(own, await allWaiting(), isOwn);
  }

  /** The account as it waits: who could not be put on the list when it was held is on it from now on. */
  async function listed({ accountSid, incidentId }: Own): Promise<Pick<Waiting, "namedBy">> {
    const found = await store.waiting.get(accountSid);
    if (found?.incidentId === incidentId) return found;
    const since = clock.now().toISOString();
    await store.waiting.add({ accountSid, incidentId, since, heldBy: since });
    return { namedBy: null };
  }

  async function gather({ deadline }: Until): Promise<Waiting[]> {
    let known = new Set((await allWaiting()).map(nameOf));
    for (let round = 1; ; round++) {
      await clock.sleep(QUIET_MS);
      const waiting = await allWaiting();
      const isQuiet = waiting.every((one) => known.has(nameOf(one)));
      const isLast = round === MOST_ROUNDS || deadline - clock.now().getTime() < LEAST_MS;
      if (isQuiet || isLast) return waiting;
      known = new Set(waiting.map(nameOf));
    }
  }

  function postponedUnlessDue(alert: BrakeAlert, { incidentId }: Own, waiting: number) {
    const now = clock.now();
    if (isAlertDue(alert, waiting, now)) return { ms: null, next: alert };
    const next = postponeAlert(alert, incidentId, now);
    return { ms: Math.max(0, Date.parse(next.notBefore ?? "") - now.getTime()), next };
  }

  function alertOf(
    { incidentId }: Own,
    waiting: readonly Waiting[],
    isNamed: (one: Waiting) => boolean,
  ): BrakeAlertToPublish {
    const told = oldestFirst(waiting.filter(isNamed));
    return {
      kind: "tell",
      accounts: told,
      settle: (isPublished) => (isPublished ? published(incidentId, told, waiting.length) : unpublished(incidentId)),
    };
  }

  async function published(incidentId: string, told: readonly Waiting[], waiting: number): Promise<void> {
    await update((alert) => ({ next: alertPublished(alert, { incidentId, waiting, now: clock.now() }) }));
    await pLimit(AT_ONCE).map(told, (one) => store.waiting.markNamed(one, incidentId));
  }

  async function unpublished(incidentId: string): Promise<void> {
    try {
      await update((alert) => ({ next: withoutMaker(alert, incidentId) }));
    } catch (error) {
      // Others look again once its time is over.
      log.warn("brake-alert-not-given-up", { incidentId, reason: messageOf(error) });
    }
  }

  async function update<T extends { next: BrakeAlert }>(change: (alert: BrakeAlert) => T): Promise<T> {
    const { changed } = await store.update((state: BrakeState) => {
      const made = change(state.alert);
      return { changed: made, next: made.next === state.alert ? state : { ...state, alert: made.next } };
    });
    return changed;
  }

  async function allWaiting(): Promise<Waiting[]> {
    const all: Waiting[] = [];
    for await (const page of store.waiting.pages()) all.push(...page);
    return all;
  }
}

function nameOf({ accountSid, incidentId }: Waiting): string {
  return `${accountSid} ${incidentId}`;
}
