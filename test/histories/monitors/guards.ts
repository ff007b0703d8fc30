import { guardKey } from "../../../lib/policy/probation.ts";
import { accountIn, PUBLIC_URL, recordsIn, waitingIn } from "../core.ts";
import { PROBATION_SHARE, SPEND_AT } from "../world/world.ts";
import { isEnforced, nameOf, openRecord } from "./about.ts";
import type { MakeMonitor } from "./monitor.ts";

const DAY_MS = 24 * 3600_000;
const MICROS = 1_000_000;

/**
 * Invariant 10: never active and unguarded. An account is set active only once a guard stands for each limit that suspends,
 * and in the end none that nobody looks after has spent what would suspend it.
 */
export const guards: MakeMonitor = (world, violated) => {
  const { twilio, table, time } = world;

  function judgeActivation(accountSid: string): void {
    const record = openRecord(world, accountSid);
    const name = nameOf(world, accountSid);
    if (record?.incident.state !== "reactivating") {
      violated("unasked-activation", `${name} was to be active while ${record?.incident.state}`);
      return;
    }
    if (record.mayBeLiveSince === null)
      violated("activation-not-written", `${name} was to be active before that was written down`);
    const most = spendOf(accountSid).ever + SPEND_AT * PROBATION_SHARE;
    const guarding = twilio.triggers(accountSid).filter((one) => stands(one) && one.triggerValue / MICROS <= most);
    const standing = new Set(guarding.map(({ sid }) => sid));
    if (!(record.incident.reactivation?.guards ?? []).some((guard) => standing.has(guard)))
      violated("unguarded", `${name} was to be active without a guard`);
  }

  function judgeSpend(accountSid: string): void {
    if (twilio.known(accountSid).status !== "active" || !isEnforced(world.policy(), accountSid)) return;
    if (openRecord(world, accountSid) !== undefined) return;
    const today = new Date(time.now()).toISOString().slice(0, 10);
    const { lastReactivatedAt, passed } = accountIn(table, accountSid);
    const isDismissed = recordsIn(table).some(
      ({ incident: one }) =>
        one.accountSid === accountSid && one.state === "dismissed" && one.updatedAt.slice(0, 10) === today,
    );
    if (isDismissed || waitingIn(table).some((one) => one.accountSid === accountSid)) return;
    const name = nameOf(world, accountSid);
    const spent = spendOf(accountSid);
    if (lastReactivatedAt?.slice(0, 10) !== today && spent.today >= SPEND_AT)
      violated("overspent", `${name} has spent ${spent.today} today, and nothing came of it`);
    const base = numberIn(passed, guardKey("spend", { usageCategory: "totalprice", triggerBy: "price" }));
    const isOnProbation = lastReactivatedAt !== undefined && time.now() <= Date.parse(lastReactivatedAt) + DAY_MS;
    if (isOnProbation && base !== undefined && spent.ever - base >= SPEND_AT * PROBATION_SHARE)
      violated("overspent-on-probation", `${name} has spent ${spent.ever - base} since it came back`);
  }

  /** Left running by whatever exit: its trigger of today is spent, and a guard stands for it. */
  function judgeSpentLimit(accountSid: string): void {
    if (twilio.known(accountSid).status !== "active" || !isEnforced(world.policy(), accountSid)) return;
    const state = openRecord(world, accountSid)?.incident.state;
    if (state === "open" || state === "suspended" || state === "reactivating") return;
    if (waitingIn(table).some((one) => one.accountSid === accountSid)) return;
    const ours = twilio
      .triggers(accountSid)
      .filter(({ friendlyName }) => friendlyName.startsWith("tollbreaker: spend"));
    const today = new Date(time.now()).toISOString().slice(0, 10);
    const isSpent = ours.some(
      ({ recurring, dateFired }) => recurring === "daily" && dateFired?.toISOString().slice(0, 10) === today,
    );
    const isWatched = ours.some((one) => stands(one));
    if (isSpent && !isWatched)
      violated("left-unguarded", `the limit of ${nameOf(world, accountSid)} is spent, and nothing stands for it`);
  }

  function spendOf(accountSid: string): { today: number; ever: number } {
    const days = [...twilio.known(accountSid).ledger].map(
      ([day, used]) => [day, (used.get("totalprice")?.price ?? 0) / MICROS] as const,
    );
    const today = new Date(time.now()).toISOString().slice(0, 10);
    return { today: new Map(days).get(today) ?? 0, ever: days.reduce((sum, [, price]) => sum + price, 0) };
  }

  return {
    watch(seen) {
      if (seen.what === "status-asked" && seen.status === "active" && twilio.known(seen.accountSid).status !== "active")
        judgeActivation(seen.accountSid);
    },
    atTheEnd() {
      for (const accountSid of twilio.sids) {
        judgeSpend(accountSid);
        judgeSpentLimit(accountSid);
      }
    },
  };
};

function stands({ dateFired, callbackUrl }: { dateFired: Date | null; callbackUrl: string }): boolean {
  return dateFired === null && callbackUrl.startsWith(PUBLIC_URL);
}

function numberIn(values: unknown, name: string): number | undefined {
  const value: unknown = typeof values === "object" && values !== null ? Reflect.get(values, name) : undefined;
  return typeof value === "string" ? Number(value) : undefined;
}
