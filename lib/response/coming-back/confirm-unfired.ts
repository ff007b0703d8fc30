import { compare, isDecimal, withoutTrailingZeros } from "../../decimal.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import type { UsageTrigger } from "../../twilio/usage-triggers.ts";
import { reactivationOf, type Step } from "./journey.ts";
import { currentTriggers } from "./trigger-sightings.ts";

/**
 * The last look before the end, at each guard itself: one that has fired meanwhile is spent, and its message may be lost,
 * dropped, or wait at a full brake. An account that overspends while it comes back does not come back.
 */
export const confirmUnfired: Step = async (journey, record) => {
  const { guards } = reactivationOf(record);
  const triggers = await currentTriggers(journey, guards, () => false);
  if (triggers.kind === "failed") {
    return {
      kind: "failed",
      record,
      why: `whether a guard has fired could not be read: ${wordsFor(triggers.failure)}`,
    };
  }
  const spent = triggers.body.filter((trigger) => guards.includes(trigger.sid) && isReached(trigger));
  if (spent.length === 0) return { kind: "on", record };
  return { kind: "failed", record, why: `it spent too much while it came back: ${spent.map(inWords).join("; ")}` };
};

/** Twilio may be about to fire it: "about once a minute". */
function isReached({ dateFired, currentValue, triggerValue }: UsageTrigger): boolean {
  if (dateFired !== null) return true;
  return isDecimal(currentValue) && isDecimal(triggerValue) && compare(currentValue, triggerValue) >= 0;
}

function inWords({ dateFired, usageCategory, triggerBy, ...trigger }: UsageTrigger): string {
  const [reached, at] = [trigger.currentValue, trigger.triggerValue].map((value) =>
    isDecimal(value) ? withoutTrailingZeros(value) : value,
  );
  const what = dateFired === null ? "reached its value" : "fired";
  return `its guard on ${usageCategory} by ${triggerBy} ${what} (${reached}, at ${at})`;
}
