import { compare, isDecimal } from "../decimal.ts";
import { identityOf, type Signal, type UsageTriggerSignal } from "../inbox/messages.ts";
import { isOfEarlierPeriod } from "./age.ts";
import type { Limit, Policy } from "./policy.ts";
import { isAbout, type Rule, ruleFor, valueFor } from "./rule-for.ts";

/** As short as what is dropped in it can be found again. */
export const STOP_SLOT_MS = 1000;
/**
 * As long as SQS drops repeats:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
 */
export const NOTE_SLOT_MS = 5 * 60_000;

/**
 * Pure. What a signal stands for at the door: of those of one account that stand for the same, the inbox keeps one in five
 * minutes and drops the others. So whoever can sign for an account, and sends what they like as fast as they can, has a
 * handful of messages waiting, and a genuine firing is never behind more than that. By content alone, because the door knows
 * nothing else; where it can't tell, the signal may suspend.
 *
 * What is dropped is not lost: a webhook that may suspend, and comes to nothing, makes the responder read Twilio's own list
 * of the account's triggers (lib/response/reconcile.ts). What we found or counted ourselves stands for itself alone: it is
 * little, and there is no list to find it in again.
 */
export function standsFor(signal: Signal, policy: Policy, now: Date): string {
  if (signal.kind === "not-understood") return `note:not-understood:${slotOf(now, NOTE_SLOT_MS)}`;
  if (signal.kind !== "usage-trigger" || signal.found !== "webhook") return identityOf(signal);
  return maySuspend(signal, policy, now)
    ? `stop:${stopOf(signal, policy, now)}:${slotOf(now, STOP_SLOT_MS)}`
    : `note:${noteOf(signal, policy, now)}:${slotOf(now, NOTE_SLOT_MS)}`;
}

/**
 * A spend that leaps over the warning and over the limit fires both triggers at once, and the warning has reached the limit's
 * value, too. By its own rule it only alerts: it must not stand for the firing that suspends, which would then wait for
 * Twilio's list, and for our own store.
 */
function stopOf(signal: UsageTriggerSignal, policy: Policy, now: Date): string {
  if (!doesSuspend(signal, policy, now)) return "doubtful";
  return isRecent(signal, now) ? "recent" : "late";
}

function slotOf(now: Date, milliseconds: number): number {
  return Math.floor(now.getTime() / milliseconds);
}

/** Pure. Whether it may suspend its account, by all that can be known without the account's history. */
export function maySuspend(signal: Signal, policy: Policy, now: Date): boolean {
  if (doesSuspend(signal, policy, now)) return true;
  if (signal.kind !== "usage-trigger" || isOfEarlierPeriod(signal, now)) return false;
  return Object.entries(policy.limits).some(([name, limit]) => hasReached(name, limit, signal, policy));
}

/** Pure. Whether its own rule suspends for it. */
export function doesSuspend(signal: Signal, policy: Policy, now: Date): boolean {
  const rule = ruleFor(signal, policy);
  if (rule.effect !== "suspend") return false;
  return signal.kind !== "usage-trigger" || (!isOfEarlierPeriod(signal, now) && !isBelow(signal, rule));
}

/**
 * By Twilio's numbers, whatever limit the address names. A trigger that fires once may be a guard, whose value says nothing
 * without what the responder knows of the account.
 */
function hasReached(name: string, limit: Limit, signal: UsageTriggerSignal, policy: Policy): boolean {
  if (limit.then !== "suspend" || limit.category !== signal.usageCategory || limit.by !== signal.triggerBy)
    return false;
  if (isOnce(signal)) return true;
  return isAbout(limit, signal) && !isBelow(signal, { at: valueFor(signal.accountSid, name, limit, policy) });
}

function isOnce({ recurring }: UsageTriggerSignal): boolean {
  return recurring === "" || recurring === "alltime";
}

// What calls itself a guard has a smaller value on purpose.
function isBelow({ currentValue, probation }: UsageTriggerSignal, { at }: Pick<Rule, "at">): boolean {
  return !probation && at !== null && isDecimal(currentValue) && compare(currentValue, at) < 0;
}

const RECENT_MS = 10 * 60_000;
const CLOCK_SKEW_MS = 5 * 60_000;

function isRecent({ firedAt, receivedAt }: UsageTriggerSignal, now: Date): boolean {
  const age = now.getTime() - Date.parse(firedAt ?? receivedAt);
  return age < RECENT_MS && age > -CLOCK_SKEW_MS;
}

/**
 * What nobody is told of must not stand for what people are told of; and made-up rules are one. What is late, or doesn't have
 * the numbers of its limit, may come to nothing by what the responder knows of the account.
 */
function noteOf(signal: UsageTriggerSignal, policy: Policy, now: Date): string {
  if (isOfEarlierPeriod(signal, now)) return "old";
  const rule = ruleFor(signal, policy);
  if (isBelow(signal, rule)) return "below";
  if (signal.probation || (rule.isNamed && rule.at === null) || !isRecent(signal, now)) return "doubtful";
  return rule.isNamed ? `rule:${rule.name}` : "unlisted";
}
