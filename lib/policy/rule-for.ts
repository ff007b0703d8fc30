import { cut } from "../cut.ts";
import { compare, isDecimal, withoutTrailingZeros } from "../decimal.ts";
import type { Signal, UsageTriggerSignal } from "../inbox/messages.ts";
import type { Confirmation, Limit, Policy, Then } from "./policy.ts";

const SUSPEND_TOP = "parent: suspend-top";

/** What the policy says about a signal. */
export interface Rule {
  /** The name in the policy, or a description where it has none. */
  name: string;
  /** Whether it is the policy's own, or our own: a trigger that no limit names may be made up. */
  isNamed: boolean;
  effect: Then;
  /** What Usage Records must say before an account is suspended. */
  confirm: Confirmation | null;
  /** The account's own limit, as a decimal string, where the signal's value can be compared with it. */
  at: string | null;
}

export function ruleFor(signal: Signal, policy: Policy): Rule {
  switch (signal.kind) {
    case "usage-trigger":
      return ruleForFiring(signal, policy);
    case "error-rule": {
      const rule = own(policy.errors, signal.rule);
      // A rule that the policy no longer has decides nothing any more.
      return ruleOf(signal.rule, rule?.then ?? "alert", rule?.confirm);
    }
    case "top-spender":
      return ruleOf(SUSPEND_TOP, policy.parent === "suspend-top" ? "suspend" : "alert");
    case "spend-rule": {
      const rule = own(policy.rates, signal.rule);
      return ruleOf(signal.rule, rule?.then ?? "alert");
    }
    case "not-understood":
      return ruleOf("signed, not understood", "alert");
  }
}

/** What the policy says by now of an incident's rule, by its name; of one that it does not have, as of any unlisted trigger. */
export function effectOf(rule: string, { limits, errors, rates, parent, unlisted }: Policy): Then {
  const named = own(limits, rule) ?? own(errors, rule) ?? own(rates, rule);
  if (named !== undefined) return named.then;
  if (rule === SUSPEND_TOP) return parent === "suspend-top" ? "suspend" : "alert";
  return unlisted;
}

function ruleOf(name: string, effect: Then, confirm: Confirmation | null = null): Rule {
  return { name, isNamed: true, effect, confirm, at: null };
}

/**
 * The limit that the callback's address names, unless the trigger's own numbers are those of one that suspends, and is
 * reached: whoever holds the account's auth token can write another name into the address of a trigger, and Twilio signs
 * it; the numbers are Twilio's.
 */
function ruleForFiring(signal: UsageTriggerSignal, policy: Policy): Rule {
  const named = isListed(signal.limit, policy) ? signal.limit : undefined;
  const byNumbers = matchingLimit(signal, policy);
  const name = named === undefined || suspends(byNumbers, signal, policy) ? byNumbers : named;
  const limit = name === undefined ? undefined : own(policy.limits, name);
  if (name === undefined || limit === undefined) {
    return { ...ruleOf(description(signal), policy.unlisted), isNamed: false };
  }
  const at = isAbout(limit, signal) ? valueFor(signal.accountSid, name, limit, policy) : null;
  return { ...ruleOf(name, limit.then), at };
}

/** Whether it is a limit that suspends, and this firing has reached it. */
function suspends(name: string | undefined, signal: UsageTriggerSignal, policy: Policy): boolean {
  const limit = name === undefined ? undefined : own(policy.limits, name);
  if (name === undefined || limit?.then !== "suspend" || !isDecimal(signal.currentValue)) return false;
  return compare(signal.currentValue, valueFor(signal.accountSid, name, limit, policy)) >= 0;
}

function isListed(name: string | null, { limits }: Policy): name is string {
  return name !== null && Object.hasOwn(limits, name);
}

/**
 * A callback whose address names no limit is matched by its fields: several limits may share a category. A trigger with
 * a limit's ordinary value is of that limit, too, where the account has its own value by now.
 */
function matchingLimit(signal: UsageTriggerSignal, policy: Policy): string | undefined {
  const limits = Object.entries(policy.limits).filter(([, limit]) => isAbout(limit, signal));
  const isOwn = ([name, limit]: [string, Limit]) =>
    isEqual(valueFor(signal.accountSid, name, limit, policy), signal.triggerValue);
  const match = limits.find(isOwn) ?? limits.find(([, limit]) => isEqual(limit.at, signal.triggerValue));
  return match?.[0];
}

function isEqual(at: string, triggerValue: string): boolean {
  return isDecimal(triggerValue) && compare(at, triggerValue) === 0;
}

export function isAbout({ category, by, every }: Limit, signal: UsageTriggerSignal): boolean {
  return category === signal.usageCategory && by === signal.triggerBy && RECURRING[every].includes(signal.recurring);
}

// "An empty value or a value of `alltime` reads non-recurring UsageTriggers":
// https://www.twilio.com/docs/usage/api/usage-trigger
const RECURRING: Readonly<Record<Limit["every"], readonly string[]>> = {
  day: ["daily"],
  month: ["monthly"],
  year: ["yearly"],
  once: ["", "alltime"],
};

/** At which value this limit trips for this account, as a decimal string. */
export function valueFor(accountSid: string, name: string, limit: Limit, policy: Policy): string {
  return entryFor(policy.rests, accountSid, name) ?? ownValueFor(accountSid, name, limit, policy);
}

/** The same without what is left of a raise that is over. */
export function ownValueFor(accountSid: string, name: string, limit: Pick<Limit, "at">, policy: Policy): string {
  return entryFor(policy.accounts, accountSid, name) ?? limit.at;
}

function entryFor(accounts: Policy["accounts"] = {}, accountSid: string, name: string): string | undefined {
  const forAccount = own(accounts, accountSid);
  return forAccount === undefined ? undefined : own(forAccount, name);
}

function description({ usageCategory, triggerBy, recurring, triggerValue }: UsageTriggerSignal): string {
  const value = isDecimal(triggerValue) ? withoutTrailingZeros(triggerValue) : triggerValue;
  return `${short(usageCategory)} by ${short(triggerBy)}, ${recurring === "" ? "once" : short(recurring)}, at ${short(value)}`;
}

// Whoever can sign for an account can write much here, and each alert of the incident keeps it.
function short(text: string): string {
  return cut(text, 64);
}

// A name from outside may be `constructor` or `__proto__`.
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
