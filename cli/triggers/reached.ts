import { compare, isDecimal } from "../../lib/decimal.ts";
import { measureOf } from "../../lib/policy/measure.ts";
import type { WantedTrigger } from "../../lib/triggers/wanted.ts";
import type { UsageTrigger } from "../../lib/twilio/usage-triggers.ts";

/**
 * The present value of what a trigger would watch, where another trigger of the account shows it and it has reached the
 * new one's: Twilio would fire it at once.
 */
export function reached(existing: readonly UsageTrigger[], wanted: WantedTrigger): string | undefined {
  const measure = measureOf(wanted);
  const shown = existing.find((one) => measureOf(one) === measure && isDecimal(one.currentValue));
  return shown !== undefined && compare(shown.currentValue, wanted.triggerValue) >= 0 ? shown.currentValue : undefined;
}
