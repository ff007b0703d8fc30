import { compare, isDecimal } from "../decimal.ts";
import type { UsageTriggerSignal } from "../inbox/messages.ts";
import { firingOf } from "../incidents/firing.ts";
import { ON_ITS_WAY_MS } from "../policy/first-moment.ts";
import { measureOf, measureOfLimit } from "../policy/measure.ts";
import { firedAtOf, periodStart } from "../policy/period.ts";
import type { Policy } from "../policy/policy.ts";
import { valueFor } from "../policy/rule-for.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { foundSignal } from "./found-signal.ts";
import { otherTollbreaker } from "./other-tollbreaker.ts";
import { isOurs } from "./our-triggers.ts";

interface Situation {
  accountSid: string;
  /** Where our webhooks are. */
  publicUrl: string;
  /** ISO 8601 UTC; null when it never was. */
  lastReactivatedAt: string | null;
  /** Of another Tollbreaker's triggers those count that have the numbers of a limit of this policy; left out, all do. */
  policy?: Policy;
  now: Date;
}

const DAY_MS = 24 * 3600_000;
/** What fired in the last minutes of a period is found only in the next one. */
const LEAST_MS = 3600_000;
/** What was dealt with is remembered for 40 days (FIRED): older firings would all look lost. */
const LONGEST_MS = 31 * DAY_MS;

/**
 * Pure. Those of our triggers whose firing in this period, or within the hour, should have been dealt with by now.
 * @param onItsWayMs how long a firing's webhook may still be on its way: it is not lost, Twilio retries it for a while
 */
export function firedTriggers(
  triggers: readonly UsageTrigger[],
  situation: Situation,
  onItsWayMs: number = ON_ITS_WAY_MS,
): UsageTrigger[] {
  const isOurBusiness = (trigger: UsageTrigger) => isOurs(trigger, situation.publicUrl) && isJudged(trigger, situation);
  return triggers.filter((trigger) => isOurBusiness(trigger) && isDue(trigger, situation, onItsWayMs));
}

/** Another stage's limits are none of ours; but a limit that is reached is reached, whomever its trigger calls. */
function isJudged(trigger: UsageTrigger, { accountSid, publicUrl, policy }: Situation): boolean {
  if (policy === undefined || otherTollbreaker(trigger, publicUrl) === undefined) return true;
  return Object.entries(policy.limits).some(([name, limit]) => {
    const isSameMeasure = measureOfLimit(limit) === measureOf(trigger);
    return isSameMeasure && isSameValue(trigger.triggerValue, valueFor(accountSid, name, limit, policy));
  });
}

function isSameValue(one: string, other: string): boolean {
  return isDecimal(one) && isDecimal(other) && compare(one, other) === 0;
}

function isDue(trigger: UsageTrigger, { lastReactivatedAt, now }: Situation, onItsWayMs: number): boolean {
  const firedAt = firedAtOf(trigger);
  if (firedAt === null || firedAt.getTime() > now.getTime() - onItsWayMs) return false;
  const start = periodStart(trigger.recurring, now)?.getTime() ?? now.getTime() - DAY_MS;
  const since = Math.min(Math.max(start, now.getTime() - LONGEST_MS), now.getTime() - LEAST_MS);
  const isOld = firedAt.getTime() < since;
  // DateFired has whole seconds.
  return !isOld && (lastReactivatedAt === null || firedAt.getTime() > Date.parse(lastReactivatedAt) - 1000);
}

/** @param since milliseconds since the epoch */
export function hasFiredSince(trigger: UsageTrigger, since: number): boolean {
  const firedAt = firedAtOf(trigger);
  return firedAt !== null && firedAt.getTime() >= since;
}

/**
 * Pure. A signal for each firing that nobody has dealt with: its webhook was lost.
 * @param handled when each firing (`firingOf`) was last dealt with, ISO 8601 UTC
 */
export function lostFirings(
  fired: readonly UsageTrigger[],
  handled: ReadonlyMap<string, string>,
  { accountSid, now }: Situation,
  found: "sweep-fired" | "reconciled" = "sweep-fired",
): UsageTriggerSignal[] {
  return fired.flatMap((trigger) => {
    const firedAt = firedAtOf(trigger);
    const handledAt = handled.get(firingOf(trigger.sid, trigger));
    if (firedAt === null || (handledAt !== undefined && Date.parse(handledAt) >= firedAt.getTime())) return [];
    const id = `sweep:${trigger.sid}:${firedAt.toISOString().replace(".000Z", "Z")}`;
    const asFired = { ...trigger, currentValue: reachedBy(trigger) };
    return [foundSignal({ accountSid, trigger: asFired, found, id, firedAt, now })];
  });
}

/** It fired, so it had reached its value: what is listed by now may be the next period's, and smaller. */
function reachedBy({ currentValue, triggerValue }: UsageTrigger): string {
  if (!isDecimal(triggerValue)) return currentValue;
  return isDecimal(currentValue) && compare(currentValue, triggerValue) >= 0 ? currentValue : triggerValue;
}
