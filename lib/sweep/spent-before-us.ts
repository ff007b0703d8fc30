import { compare, isDecimal } from "../decimal.ts";
import { firingOf } from "../incidents/firing.ts";
import { type Anchor, newsSince } from "../policy/first-moment.ts";
import { measureOf, measureOfLimit, valuesOf } from "../policy/measure.ts";
import { firedAtOf, hasFiredInPeriod } from "../policy/period.ts";
import type { Policy } from "../policy/policy.ts";
import { valueFor } from "../policy/rule-for.ts";
import { basesOf, guardsBy } from "../triggers/guards.ts";
import { isOurs } from "../triggers/our-triggers.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import type { Law, Reading } from "./judge-account.ts";
import { isContained, type Known } from "./known.ts";

/**
 * Pure. Triggers of ours that are spent for their period since before we watched, and that nobody is known to have dealt
 * with: an empty table does not say whether the account was brought back since.
 * @param firstMoment ISO 8601 UTC
 */
export function firedBeforeUs(
  triggers: readonly UsageTrigger[],
  { lastReactivatedAt }: Pick<Known, "lastReactivatedAt">,
  { publicUrl, now }: Pick<Law, "publicUrl" | "now">,
  firstMoment: string,
): UsageTrigger[] {
  const since = lastReactivatedAt === null ? Number.NEGATIVE_INFINITY : Date.parse(lastReactivatedAt) - 1000;
  return triggers.filter((trigger) => {
    const firedAt = firedAtOf(trigger)?.getTime();
    if (firedAt === undefined || !isOurs(trigger, publicUrl) || !hasFiredInPeriod(trigger, now)) return false;
    return firedAt < newsSince(firstMoment, now) && firedAt > since;
  });
}

/**
 * Pure. What is to be kept of an active account whose suspending limit had fired before we watched: from then on it is
 * judged, and guarded, like one that came back in the first moment. Undefined where nothing is, or it is kept already.
 */
export function spentBeforeUs(
  { account, triggers, known, handled }: Reading,
  law: Law,
  firstMoment: string,
): Anchor | undefined {
  const { policy } = law;
  if (account.status !== "active" || isContained(known)) return undefined;
  const suspending = Object.values(policy.limits).filter(({ then }) => then === "suspend");
  const measures = new Set(suspending.map(measureOfLimit));
  const isSpent = firedBeforeUs(triggers, known, law, firstMoment).some(
    (trigger) => measures.has(measureOf(trigger)) && !handled.has(firingOf(trigger.sid, trigger)),
  );
  return isSpent ? { at: firstMoment, passed: valuesOf(triggers, policy) } : undefined;
}

/** As what is known of it once that is kept. */
export function knowingBefore(known: Known, before: Anchor): Known {
  return { ...known, lastReactivatedAt: before.at, passed: before.passed, before };
}

/**
 * Pure. What the guards of such an account count from, by `guardKey`, as far as it is not known yet: the sweep makes them
 * `+N`, and only Twilio's answer tells from which value on.
 */
export function newBases(
  accountSid: string,
  { before, lastReactivatedAt, interims }: Known,
  there: readonly UsageTrigger[],
  { policy, publicUrl, now }: Law,
): Record<string, string> {
  if (before === null || lastReactivatedAt !== before.at) return {};
  const guards = guardsBy(now, { policy, accountSid, publicUrl, lastReactivatedAt, passed: before.passed, interims });
  return basesOf(
    guards.filter(({ triggerValue }) => triggerValue.startsWith("+")),
    there,
  );
}

/** Pure. Its suspending limits that are reached, for a person: `daily-spend at 2400 of 100`. */
export function limitsReached(accountSid: string, triggers: readonly UsageTrigger[], policy: Policy): string[] {
  const values = valuesOf(triggers, policy);
  return Object.entries(policy.limits).flatMap(([name, limit]) => {
    const [at, value] = [valueFor(accountSid, name, limit, policy), values[measureOfLimit(limit)]];
    const isReached = limit.then === "suspend" && value !== undefined && isDecimal(value) && compare(value, at) >= 0;
    return isReached ? [`${name} at ${value} of ${at}`] : [];
  });
}
