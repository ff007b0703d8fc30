import { isDecimal } from "../../decimal.ts";
import { measureOf, valuesOf } from "../../policy/measure.ts";
import { type WantedTrigger, wantedTriggers } from "../../triggers/wanted.ts";
import { retrying } from "../../twilio/backoff.ts";
import { readUsageToday } from "../../twilio/usage-records.ts";
import type { UsageTrigger } from "../../twilio/usage-triggers.ts";
import { type Journey, REQUEST_TIMEOUT_MS } from "./journey.ts";

/**
 * What the account had used by now, by measure: decimal strings. A limit's trigger may fire for that only after the
 * reactivation: one that had not fired yet, or one that is missing and made anew by the sweep.
 * @param triggers all that the account has
 */
export async function spentBefore(
  journey: Journey,
  triggers: readonly UsageTrigger[],
): Promise<Record<string, string>> {
  const { policy, publicUrl } = journey.responder;
  const shown = valuesOf(triggers, policy);
  const missing = wantedTriggers(policy, journey.accountSid, publicUrl).filter(
    (wanted) => wanted.recurring === "daily" && shown[measureOf(wanted)] === undefined,
  );
  const read = await Promise.all(missing.map((wanted) => readToday(journey, wanted)));
  return { ...shown, ...Object.fromEntries(read.flat()) };
}

/** Usage Records know the running day only; what they do not say trips the account once too often, and no more. */
async function readToday({ twilio, accountSid, until }: Journey, wanted: WantedTrigger): Promise<[string, string][]> {
  const { usageCategory, triggerBy } = wanted;
  const answer = await retrying(() => readUsageToday(twilio, accountSid, usageCategory, REQUEST_TIMEOUT_MS), until);
  const usage = answer.kind === "ok" ? answer.body : undefined;
  const value = triggerBy === "count" || triggerBy === "usage" || triggerBy === "price" ? usage?.[triggerBy] : null;
  return value !== null && value !== undefined && isDecimal(value) ? [[measureOf(wanted), value]] : [];
}
