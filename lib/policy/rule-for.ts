import { compare, isDecimal, withoutTrailingZeros } from "../decimal.ts";
import type { Signal, UsageTriggerSignal } from "../inbox/messages.ts";
import type { Confirmation, Limit, Policy, Then } from "./policy.ts";

/** What the policy says about a signal. */
export interface Rule {
  /** The name in the policy, or a description where it has none. */
  name: string;
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
      return named(signal.rule, rule?.then ?? "alert", rule?.confirm);
    }
    case "top-spender":
      return named("parent: suspend-top", policy.parent === "suspend-top" ? "suspend" : "alert");
    case "spend-rule": {
      const rule = own(policy.rates, signal.rule);
      return named(signal.rule, rule?.then ?? "alert");
    }
    case "not-understood":
      return named("signed, not understood", "alert");
  }
}

function named(name: string, effect: Then, confirm: Confirmation | null = null): Rule {
  return { name, effect, confirm, at: null };
}

function ruleForFiring(signal: UsageTriggerSignal, policy: Policy): Rule {
  const name = isListed(signal.limit, policy) ? signal.limit : matchingLimit(signal, policy);
  const limit = name === undefined ? undefined : own(policy.limits, name);
  if (name === undefined || limit === undefined) return named(description(signal), policy.unlisted);
  const at = isAbout(limit, signal) ? valueFor(signal.accountSid, name, limit, policy) : null;
  return { ...named(name, limit.then), at };
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

function isAbout({ category, by, every }: Limit, signal: UsageTriggerSignal): boolean {
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

/** What this limit is for this account, as a decimal string. */
export function valueFor(accountSid: string, name: string, limit: Limit, policy: Policy): string {
  const forAccount = own(policy.accounts, accountSid);
  return (forAccount === undefined ? undefined : own(forAccount, name)) ?? limit.at;
}

function description({ usageCategory, triggerBy, recurring, triggerValue }: UsageTriggerSignal): string {
  const value = isDecimal(triggerValue) ? withoutTrailingZeros(triggerValue) : triggerValue;
  return `${short(usageCategory)} by ${short(triggerBy)}, ${recurring === "" ? "once" : short(recurring)}, at ${short(value)}`;
}

// Whoever can sign for an account can write much here, and each alert of the incident keeps it.
function short(text: string): string {
  return [...text].slice(0, 64).join("");
}

// A name from outside may be `constructor` or `__proto__`.
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
