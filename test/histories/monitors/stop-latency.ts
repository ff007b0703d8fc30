import { accountIn, brakeIn, waitingIn } from "../core.ts";
import type { Part } from "../world/faults.ts";
import type { AcceptedCommand, Webhook } from "../world/seen.ts";
import { SPEND_AT } from "../world/world.ts";
import { isEnforced, nameOf, openRecord } from "./about.ts";
import { disturbances } from "./disturbances.ts";
import type { MakeMonitor } from "./monitor.ts";

/** What a stop may take from the answer to its webhook, or to its operator, to the request to suspend. */
const MOST_MS = 2000;
/** A function that died is replaced within its visibility time-out; a slow Twilio may take a run's whole time. */
const RECOVERS_MS = 60_000;
const NOT_OURS: readonly Part[] = ["twilio", "inbox", "follow-up"];
/** Fired longer ago, and what came is a repeat that is looked up and not believed. */
const FRESH_MS = 30_000;

/**
 * Invariant 3: nothing holds up a stop. Not what else is in the queues, whoever sent it; not our own store or SNS when they
 * are out. Allowed for: Twilio or SQS being out (what can't be parked is handed out again before what is behind it), and a
 * function that was killed.
 */
export const stopLatency: MakeMonitor = (world, violated) => {
  const { time, twilio, table, faults, seen: all } = world;
  /** When Twilio was last asked to suspend an account. */
  const askedAt = new Map<string, number>();
  /** When we last suspended it. */
  const stoppedAt = new Map<string, number>();
  const recovering = disturbances(time, all, ({ kind, part }) => kind.startsWith("kill") || NOT_OURS.includes(part));
  const deployedAt = { last: Number.NEGATIVE_INFINITY, policy: world.policy() };

  function isCalm(): boolean {
    const isOneOut = !(faults.outages.has("store") && faults.outages.has("sns"));
    return isOneOut && !recovering.within(RECOVERS_MS, NOT_OURS);
  }

  /** Whether the machine has to suspend this account as things are. */
  function isDue(accountSid: string): boolean {
    const { brake } = world.policy();
    const { suspensions } = brakeIn(table);
    const since = time.now() - brake.within;
    const known = suspensions.filter(({ at }) => Date.parse(at) > since).map((one) => one.accountSid);
    // While the table is out, each worker counts what it has suspended itself.
    const own = [...stoppedAt].filter(([, at]) => at > since).map(([one]) => one);
    const counted = new Set([...known, ...own]);
    const isFree = waitingIn(table).length === 0 && (counted.size < brake.suspensions || counted.has(accountSid));
    const state = openRecord(world, accountSid)?.incident.state;
    const isActive = twilio.known(accountSid).status === "active";
    return isActive && isFree && isEnforced(world.policy(), accountSid) && state !== "reactivating";
  }

  function isFiring({ by, accountSid, limit, isGuard, currentValue, firedAt }: Webhook): boolean {
    const { lastReactivatedAt } = accountIn(table, accountSid);
    const isNews = lastReactivatedAt === undefined || firedAt > Date.parse(lastReactivatedAt) + 1000;
    // Of a guard only the responder knows what it counts from; what fires on the day of a reactivation has been seen.
    const isPlain = !isGuard && (lastReactivatedAt === undefined || isOtherDay(lastReactivatedAt, firedAt));
    const isOver = by === "twilio" && limit === "spend" && currentValue >= SPEND_AT;
    return isOver && isPlain && isNews && time.now() - firedAt < FRESH_MS;
  }

  /** Looks again when the time is over. */
  function expectStop(accountSid: string, who: string): void {
    const from = time.now();
    const { policy } = deployedAt;
    if (!isCalm() || !isDue(accountSid)) return;
    time.after(MOST_MS, () => {
      const isAsked = (askedAt.get(accountSid) ?? 0) >= from - MOST_MS;
      if (isAsked || !isCalm() || !isDue(accountSid) || policy !== world.policy()) return;
      const out = [...faults.outages].join(", ");
      violated(
        "slow-stop",
        `${nameOf(world, accountSid)}: ${who}, and no request within ${MOST_MS} ms; out: ${out || "nothing"}`,
      );
    });
  }

  return {
    watch(seen) {
      if (deployedAt.policy !== world.policy()) Object.assign(deployedAt, { policy: world.policy() });
      if (seen.what === "status-asked" && seen.status === "suspended") askedAt.set(seen.accountSid, time.now());
      if (seen.what === "status-changed" && seen.run !== undefined && seen.to === "suspended")
        stoppedAt.set(seen.accountSid, time.now());
      if (seen.what === "webhook" && seen.status === 204 && isFiring(seen.webhook))
        expectStop(seen.webhook.accountSid, `its firing of ${seen.webhook.currentValue} was taken`);
      if (seen.what === "accepted" && isStop(seen.command))
        expectStop(seen.command.accountSid, "an operator wants it stopped");
    },
  };
};

function isStop({ kind }: AcceptedCommand): boolean {
  return kind === "suspend";
}

function isOtherDay(one: string, other: number): boolean {
  return one.slice(0, 10) !== new Date(other).toISOString().slice(0, 10);
}
