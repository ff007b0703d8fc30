import { compare, isDecimal, multiply, subtract } from "../decimal.ts";
import type { UsageTriggerSignal } from "../inbox/messages.ts";
import { measureOf } from "../policy/measure.ts";
import { firedAtOf, hasFiredInPeriod, isEarly, occasionOf, periodStart } from "../policy/period.ts";
import type { Policy } from "../policy/policy.ts";
import { foundSignal } from "../triggers/found-signal.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { type AccountMemory, type FirstSight, isContained, type Known } from "./known.ts";

export interface OverLimits {
  signals: UsageTriggerSignal[];
  /** What to remember for the next sweep, by FriendlyName. */
  over: Readonly<Record<string, FirstSight>>;
}

/** Twilio evaluates "about once a minute": what has not fired after this should have. */
const TIME_TO_FIRE_MS = 2 * 60_000;

/**
 * Pure. Values at or over their limit whose trigger has not fired in its period: remembered at first sight, a signal at
 * the second, because Twilio may just be about to fire. Of an account that is contained already, none.
 * @param triggers those that the policy wants, and those that guard a probation
 */
export function overLimits(
  accountSid: string,
  triggers: readonly UsageTrigger[],
  known: Known,
  law: OverLaw,
): OverLimits {
  const { now } = law;
  const sights = sightsOf(triggers, known, law);
  const ripe = sights.filter(({ seen }) => Date.parse(seen.at) <= now.getTime() - TIME_TO_FIRE_MS);
  return {
    signals: ripe.map((sight) => signalOf(accountSid, sight, known, now)),
    // By name, not by SID: whoever removes a trigger and makes it anew must not begin at the first sight again.
    over: Object.fromEntries(sights.map(({ trigger, seen }) => [trigger.friendlyName, seen])),
  };
}

/**
 * Pure. Of triggers that were made a moment ago, those that are at or over their limit already: a signal at once. Somebody
 * had removed them, so nobody watched meanwhile, and the next sweep may find them removed again. Of an account that was
 * never swept none: it did not spend that past us.
 * @param created as Twilio's answers show them
 */
export function overAtCreation(
  accountSid: string,
  created: readonly UsageTrigger[],
  known: Known,
  law: OverLaw,
): UsageTriggerSignal[] {
  if (known.memory === undefined) return [];
  return sightsOf(created, known, law).map((sight) => signalOf(accountSid, sight, known, law.now));
}

export interface OverLaw {
  policy: Policy;
  now: Date;
}

interface Sight {
  trigger: UsageTrigger;
  seen: FirstSight;
}

function sightsOf(triggers: readonly UsageTrigger[], known: Known, law: OverLaw): Sight[] {
  if (isContained(known)) return [];
  const unfired = triggers.filter((trigger) => isOver(trigger) && !hasFiredInPeriod(trigger, law.now));
  return unfired.flatMap((trigger) => {
    const seen = sightOf(trigger, known, law);
    return seen === undefined ? [] : [{ trigger, seen }];
  });
}

function signalOf(accountSid: string, { trigger }: Sight, { lastReactivatedAt }: Known, now: Date): UsageTriggerSignal {
  const id = `sweep-over:${trigger.sid}:${occasionOf(startOf(trigger, now), lastReactivatedAt)}`;
  return foundSignal({ accountSid, trigger, found: "sweep-over", id, firedAt: null, now });
}

/** The GMT day on which its period began; null for a trigger that fires once. */
function startOf({ recurring }: UsageTrigger, now: Date): string | null {
  return periodStart(recurring, now)?.toISOString().slice(0, "2026-10-04".length) ?? null;
}

function isOver({ currentValue, triggerValue }: UsageTrigger): boolean {
  return isDecimal(currentValue) && isDecimal(triggerValue) && compare(currentValue, triggerValue) >= 0;
}

/** When it was first seen over its limit in this period; undefined for what was spent before that, or before a reactivation. */
function sightOf(trigger: UsageTrigger, known: Known, law: OverLaw): FirstSight | undefined {
  const { memory, lastReactivatedAt } = known;
  const period = startOf(trigger, law.now) ?? "once";
  const seen = memory?.over[trigger.friendlyName];
  if (seen?.period === period && (lastReactivatedAt === null || seen.at > lastReactivatedAt)) return seen;
  if (isOldNews(trigger, known, law) || isOldValue(trigger, memory, law.now)) return undefined;
  return { period, at: law.now.toISOString() };
}

/**
 * In the first hour of a period, what is over the limit may be the value of the one before. It is not when it has fallen
 * since it was last seen, as it began again from zero; or when it has passed the limit since, whenever that was.
 */
function isOldValue(trigger: UsageTrigger, memory: AccountMemory | undefined, now: Date): boolean {
  if (!isEarly(trigger.recurring, now)) return false;
  const before = memory?.values[measureOf(trigger)];
  if (before === undefined || memory === undefined || memory.sampledAt === null) return true;
  if (compare(trigger.currentValue, before) < 0) return false;
  const firedAt = firedAtOf(trigger);
  const hasFiredSince = firedAt !== null && firedAt.getTime() >= Date.parse(memory.sampledAt);
  return compare(before, trigger.triggerValue) >= 0 || hasFiredSince;
}

/**
 * An account that was reactivated in this period may have been over the limit when it came back: its guards watch it.
 * Unless it was not, or has spent as much since as a guard allows.
 */
function isOldNews(trigger: UsageTrigger, known: Known, { policy, now }: OverLaw): boolean {
  const { memory, lastReactivatedAt, passed } = known;
  const start = periodStart(trigger.recurring, now);
  // What fires once was made for what is spent from its creation on, as a guard is.
  if (lastReactivatedAt === null || start === null || Date.parse(lastReactivatedAt) < start.getTime()) return false;
  const before = passed[measureOf(trigger)];
  const wasBelow = wasBelowSince(trigger, memory, lastReactivatedAt);
  if (before === undefined || !isDecimal(before)) return !wasBelow;
  const allowed = multiply(trigger.triggerValue, policy.probation.share);
  const isAbove = compare(before, trigger.triggerValue) >= 0;
  return isAbove && compare(subtract(trigger.currentValue, before), allowed) < 0 && !wasBelow;
}

/** Whether it was seen below the limit since the account was reactivated. */
function wasBelowSince(trigger: UsageTrigger, memory: AccountMemory | undefined, lastReactivatedAt: string): boolean {
  if (memory === undefined || memory.sampledAt === null) return false;
  const value = memory.values[measureOf(trigger)];
  return memory.sampledAt > lastReactivatedAt && value !== undefined && compare(value, trigger.triggerValue) < 0;
}
