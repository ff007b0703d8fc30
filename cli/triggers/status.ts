import { compare, isDecimal, percentOf, subtract } from "../../lib/decimal.ts";
import { isGuard } from "../../lib/triggers/guards.ts";
import type { SpentLimit } from "../../lib/triggers/spent-limits.ts";
import { isMarked, type WantedTrigger } from "../../lib/triggers/wanted.ts";
import type { UsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import { raisedLine } from "../raise-text.ts";
import { raisesBeside } from "../raise-view.ts";
import type { Environment } from "../server.ts";
import { printableJson, type Terminal } from "../terminal.ts";
import { findTwilio, policyOf } from "../twilio-access.ts";
import { differenceOf } from "./difference.ts";
import { notAllRead } from "./plan.ts";
import { statusText } from "./status-text.ts";
import { type Survey, type Surveyed, survey } from "./survey.ts";

/**
 * `armed`: as wanted. `missing`: not there. `foreign`: somebody made it call another address, or in another way. `outdated`: it watches
 * something else than the policy wants. Of a limit that suspends and has fired in its period, so that it is silent until the
 * next: `guarded` where an interim guard stands for it, `unguarded` where the account is active and none does. `spent`: it
 * fires once, and has, and suspends nothing.
 */
export type LimitState = "armed" | "guarded" | "unguarded" | "missing" | "foreign" | "outdated" | "spent";

export interface LimitStatus {
  limit: string;
  state: LimitState;
  /** Decimal strings; null where no trigger shows it. */
  currentValue: string | null;
  at: string;
  percent: string | null;
  /** As Twilio gives it (RFC 2822); null for one that never fired. */
  dateFired: string | null;
  /** How what a foreign one calls is not what it should; null for all others. */
  differs: string | null;
  /** Whether somebody raised it for a while: then `at` is not the policy's. In words, UTC; null where nobody did. */
  raised: string | null;
  /** Until when a limit that has fired is silent, ISO 8601 UTC; null for one that is not, or that is silent for good. */
  silentUntil: string | null;
  /** What stands for it meanwhile; null where nothing does, or nothing has to. */
  guard: GuardStatus | null;
}

/** A guard counts all usage since ever; decimal strings. */
export interface GuardStatus {
  usageTriggerSid: string;
  at: string;
  currentValue: string;
  /** How much more fires it. */
  left: string;
}

export interface AccountStatus {
  accountSid: string;
  friendlyName: string;
  status: string;
  limits: LimitStatus[];
  /** Ours that guard it after a reactivation, or while a limit is spent. */
  guards: number;
  /** Ours that belong to no limit of the policy any more. */
  left: number;
  /** Those that are not ours, another Tollbreaker's included. */
  others: number;
  /** Public URLs of other Tollbreakers that have triggers there. */
  otherTollbreakers: readonly string[];
}

/** `triggers status`: what each account carries, and how far each limit is used. @throws Failure for unread accounts. */
export async function statusCommand(
  { json }: { json?: true },
  environment: Environment,
  terminal: Terminal,
): Promise<void> {
  const access = await findTwilio(environment);
  const found = await survey(access, policyOf(access), terminal, {
    raises: await raisesBeside(environment, terminal),
  });
  const accounts = found.surveyed.map(statusOf);
  if (json) terminal.print(printableJson({ accounts, unread: unreadView(found) }));
  else terminal.print(statusText(accounts, terminal.paint, new Date()));
  if (found.unread.length > 0) throw notAllRead(found.unread);
}

function unreadView({ unread }: Survey) {
  return unread.map(({ account, why }) => ({ accountSid: account.sid, friendlyName: account.friendlyName, why }));
}

/** Pure. */
export function statusOf(surveyed: Surveyed): AccountStatus {
  const { account, wanted, plan, raises, spent, theirs, others } = surveyed;
  const triggers = surveyed.triggers.filter((trigger) => !theirs.includes(trigger));
  const kept = [...plan.keep, ...plan.update.map(({ trigger }) => trigger)];
  return {
    accountSid: account.sid,
    friendlyName: account.friendlyName,
    status: account.status,
    limits: wanted.map((one) => {
      const isOfLimit = ({ friendlyName }: UsageTrigger) => friendlyName === one.friendlyName;
      const foreign = plan.update.find((update) => update.wanted === one)?.trigger;
      const raise = Object.hasOwn(raises, one.limit) ? raises[one.limit] : undefined;
      const found = { kept: kept.find(isOfLimit), old: triggers.find(isOfLimit), foreign };
      const watch = watchOf(
        account.status,
        spent.find(({ name }) => name === one.limit),
      );
      return { ...limitStatus(one, found, watch), raised: raise === undefined ? null : raisedLine(raise) };
    }),
    guards: triggers.filter(isGuard).length,
    left: plan.remove.filter(({ friendlyName }) => !wanted.some((one) => one.friendlyName === friendlyName)).length,
    others: surveyed.triggers.length - triggers.filter(isMarked).length,
    otherTollbreakers: others,
  };
}

interface Found {
  kept: UsageTrigger | undefined;
  old: UsageTrigger | undefined;
  foreign: UsageTrigger | undefined;
}

type Watch = Pick<LimitStatus, "silentUntil" | "guard"> & { state: LimitState | undefined };

/** What watches a limit that has fired; of one that has not, nothing else has to. */
function watchOf(status: string, spent: SpentLimit | undefined): Watch {
  if (spent === undefined) return { state: undefined, silentUntil: null, guard: null };
  const { until, guard } = spent;
  // What Twilio holds suspended spends nothing, and gets its guards as it comes back.
  const unguarded = status === "active" ? "unguarded" : undefined;
  return {
    state: guard === undefined ? unguarded : "guarded",
    silentUntil: until?.toISOString() ?? null,
    guard: guard === undefined ? null : guardStatus(guard),
  };
}

function guardStatus({ sid, triggerValue, currentValue }: UsageTrigger): GuardStatus {
  const left = isDecimal(triggerValue) && isDecimal(currentValue) ? subtract(triggerValue, currentValue) : "";
  return { usageTriggerSid: sid, at: triggerValue, currentValue, left };
}

function limitStatus(wanted: WantedTrigger, { kept, old, foreign }: Found, watch: Watch): Omit<LimitStatus, "raised"> {
  const { limit, triggerValue: at } = wanted;
  const shown = kept ?? old;
  const value = shown !== undefined && isDecimal(shown.currentValue) ? shown.currentValue : null;
  return {
    limit,
    state: stateOf({ kept, old, foreign }, watch),
    currentValue: value,
    at,
    percent: value === null ? null : percentOf(value, at),
    dateFired: shown?.dateFired ?? null,
    differs: foreign === undefined ? null : differenceOf(foreign, wanted),
    silentUntil: watch.silentUntil,
    guard: watch.guard,
  };
}

function stateOf({ kept, old, foreign }: Found, watch: Watch): LimitState {
  if (kept === undefined) return old === undefined ? "missing" : "outdated";
  if (foreign !== undefined) return "foreign";
  if (watch.state !== undefined) return watch.state;
  const firesOnce = kept.recurring === "" || kept.recurring === "alltime";
  return firesOnce && kept.dateFired !== null ? "spent" : "armed";
}

/** Where the policy has no limits, nothing is: no trigger would fire. */
export function isArmed({ limits }: AccountStatus): boolean {
  return limits.length > 0 && limits.every(({ state }) => ["armed", "guarded", "spent"].includes(state));
}

/** For sorting: what needs a look comes first, and then who is nearest to a limit. */
export function byUrgency(one: AccountStatus, other: AccountStatus): number {
  return Number(isArmed(one)) - Number(isArmed(other)) || compare(highest(other), highest(one));
}

function highest({ limits }: AccountStatus): string {
  const percents = limits.flatMap(({ percent }) => percent ?? []);
  return percents.reduce((most, percent) => (compare(percent, most) > 0 ? percent : most), "0");
}
