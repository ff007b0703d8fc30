import { compare, isDecimal } from "../decimal.ts";
import type { Limit, Policy } from "../policy/policy.ts";
import { valueFor } from "../policy/rule-for.ts";
import type { NewUsageTrigger, UsageTrigger } from "../twilio/usage-triggers.ts";
import { callbackUrl, LIMIT_PARAMETER } from "./callback.ts";

/** A usage trigger that the policy wants on an account. */
export interface WantedTrigger extends NewUsageTrigger {
  /** The limit's name in the policy. */
  limit: string;
}

/** How our triggers' FriendlyName begins: no other trigger is ever changed or removed. */
export const MARK = "tollbreaker: ";

export function isMarked({ friendlyName }: Pick<UsageTrigger, "friendlyName">): boolean {
  return friendlyName.startsWith(MARK);
}

// https://www.twilio.com/docs/usage/api/usage-trigger: empty is for one that fires once.
const RECURRING: Readonly<Record<Limit["every"], string>> = {
  day: "daily",
  month: "monthly",
  year: "yearly",
  once: "",
};

/** One for each limit of the policy, with the account's own value where it has one. */
export function wantedTriggers(policy: Policy, accountSid: string, publicUrl: string): WantedTrigger[] {
  return Object.entries(policy.limits).map(([name, limit]) => ({
    limit: name,
    friendlyName: MARK + name,
    callbackUrl: callbackUrl(publicUrl, { [LIMIT_PARAMETER]: name }),
    usageCategory: limit.category,
    triggerBy: limit.by,
    triggerValue: valueFor(accountSid, name, limit, policy),
    recurring: RECURRING[limit.every],
  }));
}

/** Whether this trigger is the one that is wanted: it watches the same thing, and calls us. */
export function isThere(trigger: UsageTrigger, wanted: WantedTrigger): boolean {
  return callsUs(trigger, wanted) && isWanted(trigger, wanted);
}

/** Whether it watches what is wanted, at the value that is wanted. */
export function isWanted(trigger: UsageTrigger, wanted: WantedTrigger): boolean {
  return watchesTheSame(trigger, wanted) && hasValue(trigger, wanted);
}

/** Whether it watches what is wanted, at whatever value. */
export function watchesTheSame(trigger: UsageTrigger, wanted: WantedTrigger): boolean {
  return (
    trigger.usageCategory === wanted.usageCategory &&
    trigger.triggerBy === wanted.triggerBy &&
    periodOf(trigger) === periodOf(wanted)
  );
}

export function callsUs(trigger: UsageTrigger, { callbackUrl: url }: Pick<WantedTrigger, "callbackUrl">): boolean {
  return isSameAddress(trigger.callbackUrl, url) && trigger.callbackMethod.toUpperCase() === "POST";
}

/**
 * Twilio may keep an address in another spelling (a host in capitals, a default port), and whether it lists the connection
 * overrides is not documented: neither is a reason to write it again and again. Other overrides are somebody's doing.
 */
function isSameAddress(listed: string, ours: string): boolean {
  if (listed === ours) return true;
  if (!URL.canParse(listed)) return false;
  const [one, other] = [new URL(listed), new URL(ours)];
  if (one.hash === "") other.hash = "";
  return one.href === other.href;
}

/** `+N` became another value when the trigger was made; its address tells that it is the one. Fired, it is of no use. */
function hasValue(trigger: UsageTrigger, { triggerValue }: WantedTrigger): boolean {
  if (triggerValue.startsWith("+")) return trigger.dateFired === null;
  return isDecimal(trigger.triggerValue) && compare(trigger.triggerValue, triggerValue) === 0;
}

// "An empty value or a value of `alltime` reads non-recurring UsageTriggers."
export function periodOf({ recurring }: Pick<UsageTrigger, "recurring">): string {
  return recurring === "alltime" ? "" : recurring;
}
