import { compare, withoutTrailingZeros } from "../decimal.ts";
import { nearest } from "./nearest.ts";
import type { Limit, Policy, SpendRule } from "./policy.ts";
import { USAGE_CATEGORIES } from "./usage-categories.ts";

/**
 * What is allowed in a policy and yet may not be meant, one sentence each.
 * @param now decides which exemptions are over
 */
export function notesOn(policy: Policy, now: Date): string[] {
  return [
    ...suspendsNothing(policy),
    ...unknownCategories(policy),
    ...lateWarnings(policy),
    ...neverFirst(policy),
    ...needlessConfirmations(policy),
    ...unusualSids(policy),
    ...endedExemptions(policy, now),
  ];
}

function suspendsNothing({ mode, limits, rates }: Policy): string[] {
  if (mode === "observe") return ["mode is observe: nothing is suspended."];
  if (Object.keys(limits).length === 0) return ["There are no limits: no usage trigger watches the subaccounts."];
  const isToothless = [...Object.values(limits), ...Object.values(rates)].every(({ then }) => then === "alert");
  return isToothless ? ["No limit suspends: each one only alerts."] : [];
}

function unknownCategories({ limits, rates, errors }: Policy): string[] {
  const named = [
    ...[...Object.entries(limits), ...Object.entries(rates)].map(
      ([name, { category }]) => [`limits.${name}`, category] as const,
    ),
    ...Object.entries(errors).flatMap(([name, { confirm }]) =>
      confirm ? [[`errors.${name}.confirm`, confirm.category] as const] : [],
    ),
  ];
  return named
    .filter(([, category]) => !USAGE_CATEGORIES.has(category))
    .map(([where, category]) => `${where}: Twilio's list of categories has no ${category}.${advice(category)}`);
}

function advice(category: string): string {
  const meant = nearest(category, USAGE_CATEGORIES);
  return meant === undefined ? " It may be newer than the list." : ` Did you mean ${meant}?`;
}

/** A warning behind the suspension comes only when the suspension did not hold. */
function lateWarnings({ limits }: Policy): string[] {
  const all = Object.entries(limits);
  return all.flatMap(([name, limit]) => {
    const before = all.find(([, other]) => isSuspensionBefore(other, limit));
    return before === undefined
      ? []
      : [`limits.${name} warns at ${limit.at}, after ${before[0]} has suspended at ${before[1].at}.`];
  });
}

function isSuspensionBefore(other: Limit, { category, by, every, at, then }: Limit): boolean {
  const isSameMeasure = other.category === category && other.by === by && other.every === every;
  return isSameMeasure && then === "alert" && other.then === "suspend" && compare(other.at, at) < 0;
}

/** Whoever spends so much in an hour has spent as much on that day, unless the day has just begun. */
function neverFirst({ limits, rates }: Policy): string[] {
  const days = Object.entries(limits).filter(([, { every, then }]) => every === "day" && then === "suspend");
  return Object.entries(rates).flatMap(([name, rule]) => {
    const least = leastOf(rule);
    const before = days.find(
      ([, day]) => day.category === rule.category && day.by === rule.by && compare(least, day.at) >= 0,
    );
    return before === undefined
      ? []
      : [
          `limits.${name} needs ${withoutTrailingZeros(least)} in an hour, and ${before[0]} suspends at ${before[1].at} in a day.`,
        ];
  });
}

/** The least that an hour must reach for the rule to trip. */
function leastOf(rule: SpendRule): string {
  return rule.kind === "rate" ? rule.at : rule.atLeast;
}

function needlessConfirmations({ errors }: Policy): string[] {
  return Object.entries(errors)
    .filter(([, { then, confirm }]) => then === "alert" && confirm !== null)
    .map(([name]) => `errors.${name}.confirm is not asked: the rule only alerts.`);
}

/** SIDs are compared letter by letter, so an exemption with another spelling would not protect. */
function unusualSids({ exempt, accounts }: Policy): string[] {
  return [...exempt.map(({ account }) => account), ...Object.keys(accounts)]
    .filter((sid) => /[A-F]/.test(sid.slice(2)))
    .map((sid) => `${sid} has capital letters. Twilio writes SIDs in small ones: copy it from the Console.`);
}

function endedExemptions({ exempt }: Policy, now: Date): string[] {
  const today = now.toISOString().slice(0, 10);
  return exempt
    .filter(({ until }) => until !== null && until < today)
    .map(({ account, until }) => `The exemption of ${account} ended with ${until}.`);
}
