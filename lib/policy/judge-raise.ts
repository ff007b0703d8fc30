import { compare, isDecimal, withoutTrailingZeros } from "../decimal.ts";
import { nearest } from "./nearest.ts";
import type { Policy } from "./policy.ts";
import { ceilingOf, raisableLimit, raisableNames } from "./raise.ts";
import { ownValueFor } from "./rule-for.ts";

/** A limit to be raised, as somebody asked for it. */
export interface AskedRaise {
  accountSid: string;
  limit: string;
  /** As it was written: perhaps no number. */
  to: string;
  /** As it was written: perhaps no time. */
  until: string;
}

/** What is wrong with it: a stable code, and what a person needs to mend it. */
export interface RaiseMistake {
  code: "limit-not-raisable" | "raise-value-invalid" | "raise-too-low" | "raise-too-high" | "raise-until-invalid";
  detail: string;
  expected: string;
  got: string;
  fix: string;
}

const VALUE = /^(0|[1-9]\d{0,11})(\.\d{1,6})?$/;

/** Pure. Everything that keeps a limit from being raised like this; none where nothing does. @param at when it was asked for */
export function raiseMistakes(asked: AskedRaise, policy: Policy, at: Date): RaiseMistake[] {
  const { limit, accountSid } = asked;
  const raisable = raisableLimit(limit, accountSid, policy);
  if (raisable.kind === "refused") return [notRaisable(limit, raisable.why, policy)];
  return [...valueMistakes(asked, raisable.value, policy), ...untilMistakes(asked.until, policy, at)];
}

/** Pure. Why no limit of this name can be raised, or could have been; undefined where one can. */
export function limitMistake(limit: string, accountSid: string, policy: Policy): RaiseMistake | undefined {
  const raisable = raisableLimit(limit, accountSid, policy);
  return raisable.kind === "refused" ? notRaisable(limit, raisable.why, policy) : undefined;
}

function notRaisable(limit: string, why: string, policy: Policy): RaiseMistake {
  const names = raisableNames(policy);
  const meant = nearest(limit, names);
  return {
    code: "limit-not-raisable",
    detail: `This limit cannot be raised for a while: ${why}.`,
    expected: names.length === 0 ? "a policy with limits that can be raised" : `one of ${names.join(", ")}`,
    got: JSON.stringify(limit.slice(0, 80)),
    fix: meant === undefined ? "name another limit, or change the policy and deploy it" : `did you mean ${meant}?`,
  };
}

function valueMistakes(asked: AskedRaise, value: string, policy: Policy): RaiseMistake[] {
  const { to } = asked;
  const ceiling = ceilingOf(value, policy);
  const expected = `more than ${withoutTrailingZeros(value)}, and ${withoutTrailingZeros(ceiling)} at most`;
  const got = JSON.stringify(to.slice(0, 80));
  if (!VALUE.test(to) || !isDecimal(to)) return [{ code: "raise-value-invalid", ...NO_VALUE, expected, got }];
  if (isFraction(asked, policy)) return [{ code: "raise-value-invalid", ...NO_FRACTION, expected, got }];
  if (compare(to, value) <= 0) return [{ code: "raise-too-low", ...TOO_LOW, expected, got }];
  if (compare(to, ceiling) > 0) {
    const times = policy.raise.times === 1 ? "allows no raise" : `allows ${policy.raise.times} times the limit`;
    return [{ code: "raise-too-high", detail: `The policy ${times} (raise: times).`, expected, got, fix: TOO_HIGH }];
  }
  const twin = twinOf(asked, policy);
  if (twin === undefined) return [];
  const detail = `The limit ${twin} of the same measure has this value: the two would be the same usage trigger.`;
  return [
    { code: "raise-value-invalid", detail, expected: `${expected}, but not this`, got, fix: "take another value" },
  ];
}

const NO_VALUE = { detail: "The value cannot be used.", fix: "write plain digits, such as 500 or 12.5" };
const NO_FRACTION = { detail: "This limit counts things, which are whole.", fix: "take a whole number" };
const TOO_LOW = {
  detail: "That is not more than the policy allows this account anyway.",
  fix: "raise it to more; to lower a limit, change the policy and deploy it",
};
const TOO_HIGH = "raise it to less; for good, give the account a value of its own under `accounts` and deploy it";

function isFraction({ limit, to }: AskedRaise, { limits, rates }: Policy): boolean {
  const rule = Object.hasOwn(limits, limit) ? limits[limit] : rates[limit];
  return rule?.by === "count" && to.includes(".");
}

/** A callback without a limit's name is matched by its numbers, so they must tell the limits apart. */
function twinOf({ accountSid, limit: name, to }: AskedRaise, policy: Policy): string | undefined {
  const limit = Object.hasOwn(policy.limits, name) ? policy.limits[name] : undefined;
  const twin = Object.entries(policy.limits).find(
    ([other, { category, by, every, at }]) =>
      other !== name &&
      category === limit?.category &&
      by === limit.by &&
      every === limit.every &&
      compare(ownValueFor(accountSid, other, { at }, policy), to) === 0,
  );
  return twin?.[0];
}

const DAY_MS = 24 * 3600_000;

function untilMistakes(until: string, policy: Policy, at: Date): RaiseMistake[] {
  const time = Date.parse(until);
  const latest = new Date(at.getTime() + policy.raise.for);
  if (/^\d{4}-.*(Z|[+-]\d\d:\d\d)$/.test(until) && time > at.getTime() && time <= latest.getTime()) return [];
  const days = policy.raise.for / DAY_MS;
  const longest = days >= 2 ? `${Number(days.toFixed(1))} days` : `${Number((days * 24).toFixed(1))} hours`;
  return [
    {
      code: "raise-until-invalid",
      detail: `It has to end by itself, within ${longest} (the policy's raise: for).`,
      expected: `an ISO 8601 time with its zone, after now and not after ${latest.toISOString()}`,
      got: JSON.stringify(until.slice(0, 80)),
      fix: `write it in UTC, such as ${new Date(Math.min(at.getTime() + 4 * 3600_000, latest.getTime())).toISOString().replace(/\.\d+Z$/, "Z")}`,
    },
  ];
}
