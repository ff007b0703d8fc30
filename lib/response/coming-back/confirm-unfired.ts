import { compare, isDecimal, withoutTrailingZeros } from "../../decimal.ts";
import { retrying } from "../../twilio/backoff.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import { listUsageTriggers, type UsageTrigger } from "../../twilio/usage-triggers.ts";
import { REQUEST_TIMEOUT_MS, reactivationOf, type Step } from "./journey.ts";

/**
 * The last look before the end, at Twilio's own list: a guard that has fired meanwhile is spent, and its message may be
 * lost, dropped, or wait at a full brake. An account that overspends while it comes back does not come back.
 */
export const confirmUnfired: Step = async ({ twilio, accountSid, until }, record) => {
  const list = await retrying(() => listUsageTriggers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (list.kind === "failed") {
    return { kind: "failed", record, why: `whether a guard has fired could not be read: ${wordsFor(list.failure)}` };
  }
  const { guards } = reactivationOf(record);
  const spent = list.body.filter((trigger) => guards.includes(trigger.sid) && isReached(trigger));
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
