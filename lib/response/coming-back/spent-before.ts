import { compare, isDecimal } from "../../decimal.ts";
import { limitKey } from "../../policy/decide.ts";
import { type WantedTrigger, wantedTriggers, watchesTheSame } from "../../triggers/wanted.ts";
import { retrying } from "../../twilio/backoff.ts";
import { readUsageToday } from "../../twilio/usage-records.ts";
import type { UsageTrigger } from "../../twilio/usage-triggers.ts";
import { type Journey, REQUEST_TIMEOUT_MS } from "./journey.ts";

/**
 * What the account had used by now of each limit that it has passed. Its trigger may fire for that only after the
 * reactivation: one that had not fired yet, or one that is missing and made anew by the sweep.
 */
export async function spentBefore(
  journey: Journey,
  triggers: readonly UsageTrigger[],
): Promise<Record<string, string>> {
  const { responder, accountSid } = journey;
  const passed = triggers.filter(({ currentValue, triggerValue }) => isAtLeast(currentValue, triggerValue));
  const missing = wantedTriggers(responder.policy, accountSid, responder.publicUrl).filter(
    (wanted) => wanted.recurring === "daily" && !triggers.some((trigger) => watchesTheSame(trigger, wanted)),
  );
  const read = await Promise.all(missing.map((wanted) => readPassed(journey, wanted)));
  return Object.fromEntries([...passed.map(({ sid, currentValue }) => [sid, currentValue]), ...read.flat()]);
}

/** Usage Records know the running day only; what they do not say trips the account once too often, and no more. */
async function readPassed(
  { twilio, accountSid, until }: Journey,
  { limit, usageCategory, triggerBy, triggerValue }: WantedTrigger,
): Promise<[string, string][]> {
  const answer = await retrying(() => readUsageToday(twilio, accountSid, usageCategory, REQUEST_TIMEOUT_MS), until);
  const usage = answer.kind === "ok" ? answer.body : undefined;
  const value = triggerBy === "count" || triggerBy === "usage" || triggerBy === "price" ? usage?.[triggerBy] : null;
  return value !== null && value !== undefined && isAtLeast(value, triggerValue) ? [[limitKey(limit), value]] : [];
}

function isAtLeast(value: string, limit: string): boolean {
  return isDecimal(value) && isDecimal(limit) && compare(value, limit) >= 0;
}
