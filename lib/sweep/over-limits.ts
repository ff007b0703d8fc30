import { compare, isDecimal } from "../decimal.ts";
import type { UsageTriggerSignal } from "../inbox/messages.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { foundSignal } from "./found-signal.ts";
import { type AccountMemory, type FirstSight, isContained, type Known } from "./known.ts";
import { hasFiredInPeriod, periodStart } from "./period.ts";
import { measureOf } from "./spend-sample.ts";

export interface OverLimits {
  signals: UsageTriggerSignal[];
  /** What to remember for the next sweep, by UsageTriggerSid. */
  over: Readonly<Record<string, FirstSight>>;
}

/** Twilio evaluates "about once a minute": what has not fired after this should have. */
const TIME_TO_FIRE_MS = 2 * 60_000;

/**
 * Pure. Values at or over their limit whose trigger has not fired in its period: remembered at first sight, a signal at
 * the second, because Twilio may just be about to fire. Of an account that is contained already, none.
 * @param triggers those that the policy wants, and those that guard a probation
 */
export function overLimits(accountSid: string, triggers: readonly UsageTrigger[], known: Known, now: Date): OverLimits {
  if (isContained(known)) return { signals: [], over: {} };
  const unfired = triggers.filter((trigger) => isOver(trigger) && !hasFiredInPeriod(trigger, now));
  const sights = unfired.flatMap((trigger) => {
    const seen = sightOf(trigger, known, now);
    return seen === undefined ? [] : [{ trigger, seen }];
  });
  const ripe = sights.filter(({ seen }) => Date.parse(seen.at) <= now.getTime() - TIME_TO_FIRE_MS);
  return {
    signals: ripe.map(({ trigger, seen }) => {
      const id = `sweep-over:${trigger.sid}:${seen.period}`;
      return foundSignal({ accountSid, trigger, found: "sweep-over", id, firedAt: null, now });
    }),
    over: Object.fromEntries(sights.map(({ trigger, seen }) => [trigger.sid, seen])),
  };
}

function isOver({ currentValue, triggerValue }: UsageTrigger): boolean {
  return isDecimal(currentValue) && isDecimal(triggerValue) && compare(currentValue, triggerValue) >= 0;
}

/** When it was first seen over its limit in this period; undefined for what was spent before a reactivation. */
function sightOf(trigger: UsageTrigger, { memory, lastReactivatedAt }: Known, now: Date): FirstSight | undefined {
  const period = periodStart(trigger.recurring, now)?.toISOString().slice(0, 10) ?? "once";
  const seen = memory?.over[trigger.sid];
  if (seen?.period === period && (lastReactivatedAt === null || seen.at > lastReactivatedAt)) return seen;
  return isOldNews(trigger, memory, lastReactivatedAt, now) ? undefined : { period, at: now.toISOString() };
}

/**
 * An account that was reactivated in this period may have been over the limit when it came back: its guards watch it.
 * Unless it was seen below the limit since.
 */
function isOldNews(
  trigger: UsageTrigger,
  memory: AccountMemory | undefined,
  lastReactivatedAt: string | null,
  now: Date,
): boolean {
  const start = periodStart(trigger.recurring, now);
  // What fires once was made for what is spent from its creation on, as a guard is.
  if (lastReactivatedAt === null || start === null || Date.parse(lastReactivatedAt) < start.getTime()) return false;
  const value = memory?.values[measureOf(trigger)];
  const seenSince = memory?.sampledAt !== null && memory !== undefined && memory.sampledAt > lastReactivatedAt;
  return !(seenSince && value !== undefined && compare(value, trigger.triggerValue) < 0);
}
