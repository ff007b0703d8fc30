import { withoutTrailingZeros } from "../decimal.ts";

/** What a usage trigger watches, as its webhook tells it and as Twilio lists it. */
export interface Watching {
  /** "daily", "monthly", "yearly"; "alltime" and empty are the same: once. */
  recurring: string;
  usageCategory: string;
  triggerBy: string;
  triggerValue: string;
}

/**
 * The name under which a firing is noted as dealt with: the trigger and all that was judged of it. Whoever can sign for
 * an account can sign another trigger's numbers with this one's SID; that must not pass for this one's firing.
 */
export function firingOf(usageTriggerSid: string, watching: Watching): string {
  const { recurring, usageCategory, triggerBy, triggerValue } = watching;
  const period = recurring === "" ? "alltime" : recurring;
  return [usageTriggerSid, period, usageCategory, triggerBy, withoutTrailingZeros(triggerValue)].join("#");
}
