import { compare, isDecimal, percentOf } from "../../lib/decimal.ts";
import { isGuard } from "../../lib/triggers/guards.ts";
import { isMarked, type WantedTrigger } from "../../lib/triggers/wanted.ts";
import type { UsageTrigger } from "../../lib/twilio/usage-triggers.ts";
import type { Environment } from "../server.ts";
import { printableJson, type Terminal } from "../terminal.ts";
import { findTwilio, policyOf } from "../twilio-access.ts";
import { differenceOf } from "./difference.ts";
import { notAllRead } from "./plan.ts";
import { statusText } from "./status-text.ts";
import { type Survey, type Surveyed, survey } from "./survey.ts";

/**
 * `armed`: as wanted. `missing`: not there. `foreign`: somebody made it call another address, or in another way. `outdated`: it watches
 * something else than the policy wants. `spent`: it fires once, and has.
 */
export type LimitState = "armed" | "missing" | "foreign" | "outdated" | "spent";

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
}

export interface AccountStatus {
  accountSid: string;
  friendlyName: string;
  status: string;
  limits: LimitStatus[];
  /** Ours that guard it after a reactivation. */
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
  const found = await survey(access, policyOf(access), terminal);
  const accounts = found.surveyed.map(statusOf);
  if (json) terminal.print(printableJson({ accounts, unread: unreadView(found) }));
  else terminal.print(statusText(accounts, terminal.paint, new Date()));
  if (found.unread.length > 0) throw notAllRead(found.unread);
}

function unreadView({ unread }: Survey) {
  return unread.map(({ account, why }) => ({ accountSid: account.sid, friendlyName: account.friendlyName, why }));
}

/** Pure. */
export function statusOf({ account, triggers: all, wanted, plan, theirs, others }: Surveyed): AccountStatus {
  const triggers = all.filter((trigger) => !theirs.includes(trigger));
  const kept = [...plan.keep, ...plan.update.map(({ trigger }) => trigger)];
  return {
    accountSid: account.sid,
    friendlyName: account.friendlyName,
    status: account.status,
    limits: wanted.map((one) => {
      const isOfLimit = ({ friendlyName }: UsageTrigger) => friendlyName === one.friendlyName;
      const foreign = plan.update.find((update) => update.wanted === one)?.trigger;
      return limitStatus(one, kept.find(isOfLimit), triggers.find(isOfLimit), foreign);
    }),
    guards: triggers.filter(isGuard).length,
    left: plan.remove.filter(({ friendlyName }) => !wanted.some((one) => one.friendlyName === friendlyName)).length,
    others: all.length - triggers.filter(isMarked).length,
    otherTollbreakers: others,
  };
}

function limitStatus(
  wanted: WantedTrigger,
  kept: UsageTrigger | undefined,
  old: UsageTrigger | undefined,
  foreign: UsageTrigger | undefined,
): LimitStatus {
  const { limit, triggerValue: at } = wanted;
  const shown = kept ?? old;
  const value = shown !== undefined && isDecimal(shown.currentValue) ? shown.currentValue : null;
  return {
    limit,
    state: stateOf(kept, old, foreign !== undefined),
    currentValue: value,
    at,
    percent: value === null ? null : percentOf(value, at),
    dateFired: shown?.dateFired ?? null,
    differs: foreign === undefined ? null : differenceOf(foreign, wanted),
  };
}

function stateOf(kept: UsageTrigger | undefined, old: UsageTrigger | undefined, isForeign: boolean): LimitState {
  if (kept === undefined) return old === undefined ? "missing" : "outdated";
  if (isForeign) return "foreign";
  const firesOnce = kept.recurring === "" || kept.recurring === "alltime";
  return firesOnce && kept.dateFired !== null ? "spent" : "armed";
}

/** Where the policy has no limits, nothing is: no trigger would fire. */
export function isArmed({ limits }: AccountStatus): boolean {
  return limits.length > 0 && limits.every(({ state }) => state === "armed" || state === "spent");
}

/** For sorting: what needs a look comes first, and then who is nearest to a limit. */
export function byUrgency(one: AccountStatus, other: AccountStatus): number {
  return Number(isArmed(one)) - Number(isArmed(other)) || compare(highest(other), highest(one));
}

function highest({ limits }: AccountStatus): string {
  const percents = limits.flatMap(({ percent }) => percent ?? []);
  return percents.reduce((most, percent) => (compare(percent, most) > 0 ? percent : most), "0");
}
