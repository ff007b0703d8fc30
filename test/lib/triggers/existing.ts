import type { WantedTrigger } from "../../../lib/triggers/wanted.ts";
import type { UsageTrigger } from "../../../lib/twilio/usage-triggers.ts";

let made = 0;

/** A trigger as Twilio lists it, of `wanted`, and with `changes`. */
export function existing(wanted: WantedTrigger, changes: Partial<UsageTrigger> = {}): UsageTrigger {
  const { limit: _, ...kept } = wanted;
  made += 1;
  return {
    ...kept,
    sid: `UT${made.toString(16).padStart(32, "0")}`,
    accountSid: `AC${"1".repeat(32)}`,
    callbackMethod: "POST",
    // Twilio's own spelling.
    triggerValue: wanted.triggerValue.includes(".") ? `${wanted.triggerValue}000` : `${wanted.triggerValue}.000000`,
    currentValue: "0",
    dateFired: null,
    ...changes,
  };
}
