import { compare, isDecimal, multiply, subtract, withoutTrailingZeros } from "../decimal.ts";
import type { Signal, UsageTriggerSignal } from "../inbox/messages.ts";
import type { AlertedBecause, IncidentState } from "../incidents/incident.ts";
import { isOfEarlierPeriod, isStale, timeOf } from "./age.ts";
import { exemptionOf, isProtected } from "./exemption.ts";
import { isTooOldToBelieve } from "./first-moment.ts";
import { measureOf } from "./measure.ts";
import type { Confirmation, Limit, Policy } from "./policy.ts";
import {
  allowanceOf,
  type GuardCounts,
  guardBases,
  guardCountOf,
  guardEnd,
  guardedLimit,
  guardKey,
  interimOf,
  periodEnd,
  probationEnd,
} from "./probation.ts";
import { type Raises, raisedPolicy } from "./raise.ts";
import { type Rule, ruleFor } from "./rule-for.ts";

/** What to do about a signal, and why, in words that go into the incident's history. */
export type Verdict = (
  | {
      kind: "suspend";
      /** Read the account's usage first, and suspend only if it agrees. */
      confirm: Confirmation | null;
    }
  /** It should be contained already, and yet it fired: make sure that it still is. */
  | { kind: "hold" }
  /** Tell people, and touch nothing. */
  | { kind: "alert"; about: "alerted" | "not-understood"; because: AlertedBecause | null }
  /** It belongs to a story that is being told already: write it down there. */
  | { kind: "join" }
  /** The policy says that this is nothing. */
  | { kind: "ignore" }
) & {
  reason: string;
  /** The rule's name. */
  rule: string;
  /** Whether it is the policy's own. */
  isNamed: boolean;
};

/** What is known of the account. */
export interface Circumstances extends GuardCounts {
  /** The state of the account's open incident; null when it has none. */
  state: IncidentState | null;
  /** Why that incident is only alerted. */
  because: AlertedBecause | null;
  /** When that incident's account was suspended, ISO 8601 UTC; null when it was not. */
  suspendedAt: string | null;
  /** When we began to watch, ISO 8601 UTC; null where that is not on record (yet). */
  firstMoment: string | null;
  parentSid: string;
  /** Its limits that somebody raised for a while. Left out, or where they could not be read, the policy's own values count. */
  raises?: Raises;
}

/**
 * Pure and total: the same signal in the same circumstances under the same policy always gets the same verdict. The
 * order of the questions is what must never happen, first; what the operator wishes, second.
 */
export function decide(signal: Signal, circumstances: Circumstances, policy: Policy, now: Date): Verdict {
  const inForce = raisedPolicy(policy, signal.accountSid, circumstances.raises ?? {}, now);
  // A guard may have been made before its limit was raised, or while it was.
  const guarded =
    signal.kind === "usage-trigger"
      ? (guardedLimit(signal, guardBases(inForce, circumstances), inForce) ??
        guardedLimit(signal, guardBases(policy, circumstances), policy))
      : undefined;
  const known = guarded === undefined ? signal : { ...signal, limit: guarded, probation: true };
  const rule = ruleFor(known, inForce);
  const law = { policy: inForce, rule, isGuard: guarded !== undefined, now };
  return { ...judge(known, circumstances, law), rule: rule.name, isNamed: rule.isNamed };
}

interface Law {
  policy: Policy;
  rule: Rule;
  /** By its numbers: what its address says, somebody may have written there. */
  isGuard: boolean;
  now: Date;
}

type Judgement = Verdict extends infer V ? (V extends Verdict ? Omit<V, "rule" | "isNamed"> : never) : never;

function judge(signal: Signal, circumstances: Circumstances, law: Law): Judgement {
  const { state, because, lastReactivatedAt, firstMoment, parentSid } = circumstances;
  const { policy, rule, isGuard, now } = law;
  if (state === "suspended" || state === "reactivating") return whileContained(signal, circumstances, law);
  if (signal.kind === "not-understood") {
    return {
      kind: "alert",
      about: "not-understood",
      because: null,
      reason: `signed, but not understood: ${signal.problem}`,
    };
  }
  if (isOfEarlierPeriod(signal, now)) {
    return {
      kind: "ignore",
      reason: `${whatHappened(signal)}; too long ago to be believed: Twilio's own list decides`,
    };
  }
  if (isFromBeforeUs(signal, firstMoment)) {
    return {
      kind: "ignore",
      reason: `${whatHappened(signal)}; it fired before Tollbreaker watched${firstMoment === null ? "" : ` (${firstMoment})`}, so it is not believed: Twilio's own list decides`,
    };
  }
  if (signal.accountSid === parentSid) {
    return tell(
      "parent-account",
      `${whatHappened(signal)}; the parent account cannot be suspended: a person is needed`,
    );
  }
  if (!isGuard && isOldNews(signal, lastReactivatedAt)) {
    return { kind: "join", reason: `fired before the account was reactivated at ${lastReactivatedAt}` };
  }
  if (isOldSpend(signal, circumstances, law)) {
    return { kind: "join", reason: `${whatHappened(signal)}; it was spent before the account was reactivated` };
  }
  if ((isGuard || rule.at === null) && isPastProbation(signal, circumstances, law)) {
    return { kind: "ignore", reason: `${whatHappened(signal)}; it guarded a probation that is over` };
  }
  if (isBelow(signal, rule)) {
    return { kind: "ignore", reason: `${whatHappened(signal)}; the policy allows this account ${rule.at}` };
  }
  if (isGuard && isWithinRaise(signal, circumstances, law)) {
    return {
      kind: "ignore",
      reason: `${whatHappened(signal)}; its limit was raised since, and allows this account more`,
    };
  }
  // Before whatever would be told: news of a lesser kind must not make it look like an account that may be suspended.
  if (state === "alerted" && because === "brake") return { kind: "join", reason: WAITS };
  if (rule.effect === "alert") return tell("rule", whatHappened(signal));
  if (isStale(signal, now)) return tell("rule", `${whatHappened(signal)}; too long ago to suspend the account for it`);
  const exemption = exemptionOf(signal.accountSid, policy, now);
  if (exemption !== undefined) return tell("exempt", `${whatHappened(signal)}; exempt: ${exemption}`);
  if (policy.mode === "observe")
    return tell("observe-mode", `${whatHappened(signal)}; in observe mode nothing is suspended`);
  return { kind: "suspend", confirm: rule.confirm, reason: whatHappened(signal) };
}

const WAITS = "held by the brake: it waits for an operator";

function tell(because: AlertedBecause, reason: string): Judgement {
  return { kind: "alert", about: "alerted", because, reason };
}

/**
 * Somebody may have set the account active by hand, past us: then what fires after the suspension is new spend, and an
 * incident that says `suspended` is no proof. What fired before it is only late.
 */
function whileContained(
  signal: Signal,
  { because, suspendedAt, firstMoment, parentSid }: Circumstances,
  { policy, rule, now }: Law,
): Judgement {
  if (because === "brake") return { kind: "join", reason: WAITS };
  const mayBeSuspended =
    rule.effect === "suspend" && signal.accountSid !== parentSid && !isProtected(signal.accountSid, policy, now);
  const isSince = signal.kind === "usage-trigger" && suspendedAt !== null && timeOf(signal) > Date.parse(suspendedAt);
  const isNew = isSince && !isFromBeforeUs(signal, firstMoment);
  // `reactivating`: messages of one account are handled in order, so nobody is at it any more.
  return mayBeSuspended && isNew && !isBelow(signal, rule)
    ? { kind: "hold", reason: `fired after the account was suspended: ${whatHappened(signal)}` }
    : { kind: "join", reason: "the account is already contained" };
}

/**
 * A trigger made for another value than the policy now has for this account must not suspend it. One that guards a
 * reactivated account has a smaller value on purpose.
 */
function isBelow(signal: Signal, { at }: Rule): boolean {
  if (signal.kind !== "usage-trigger" || signal.probation || at === null || !isDecimal(signal.currentValue))
    return false;
  return compare(signal.currentValue, at) < 0;
}

/** Of what we found ourselves, by Twilio's list, all is news: who found it has asked the same. */
function isFromBeforeUs(signal: Signal, firstMoment: string | null): boolean {
  if (signal.kind !== "usage-trigger" || signal.found !== "webhook" || signal.firedAt === null) return false;
  return isTooOldToBelieve(Date.parse(signal.firedAt), signal.receivedAt, firstMoment);
}

/**
 * Twilio can deliver late and again. DateFired has whole seconds: what fired within the second of the reactivation may
 * have fired after it, and counts as new. Better once too often. Not asked of its guards, by their numbers: they were made
 * for this reactivation, fire once, and count from what had been used by then.
 */
function isOldNews(signal: Signal, lastReactivatedAt: string | null): boolean {
  return lastReactivatedAt !== null && timeOf(signal) < wholeSecond(Date.parse(lastReactivatedAt));
}

/**
 * A trigger that had not fired when the account was reactivated, or that somebody removed and the sweep made anew, fires
 * for what was spent before. The guards watch what comes on top, and so does this: from the same share of the limit on it
 * is new spend. So is all spend of an account that was below the limit when it came back.
 */
function isOldSpend(signal: Signal, { passed, lastReactivatedAt }: Circumstances, { policy, rule }: Law): boolean {
  if (signal.kind !== "usage-trigger" || signal.probation || lastReactivatedAt === null) return false;
  const before = passed[measureOf(signal)];
  const limit = rule.at ?? signal.triggerValue;
  if (before === undefined || !isDecimal(limit) || !isDecimal(signal.currentValue)) return false;
  const fired = new Date(timeOf(signal)).toISOString();
  if (!isSamePeriod(signal.recurring, lastReactivatedAt, fired) || compare(before, limit) < 0) return false;
  return compare(subtract(signal.currentValue, before), multiply(limit, policy.probation.share)) < 0;
}

/** "Recurring times are in GMT": https://www.twilio.com/docs/usage/api/usage-trigger */
const PERIOD_LETTERS: ReadonlyMap<string, number> = new Map([
  ["daily", "2026-11-21".length],
  ["monthly", "2026-11".length],
  ["yearly", "2026".length],
]);

function isSamePeriod(recurring: string, a: string, b: string): boolean {
  const letters = PERIOD_LETTERS.get(recurring) ?? 0;
  return a.slice(0, letters) === b.slice(0, letters);
}

/**
 * A guard's value was added to what had been used at the reactivation: once its limit's own trigger watches again, that
 * says nothing. Between the end of the probation and then the account is allowed its whole limit.
 */
function isPastProbation(signal: Signal, counts: Circumstances, { policy }: Law): boolean {
  if (signal.kind !== "usage-trigger" || !signal.probation) return false;
  const { lastReactivatedAt } = counts;
  const time = timeOf(signal);
  const name = signal.limit ?? "";
  const limit = Object.hasOwn(policy.limits, name) ? policy.limits[name] : undefined;
  const interim = limit && interimOf(name, limit, counts);
  if (limit !== undefined && interim !== undefined) {
    return time > periodEnd(limit.every, new Date(interim.since)) || isWithinLimit(signal, name, limit, counts, policy);
  }
  if (lastReactivatedAt === null || time <= probationEnd(lastReactivatedAt, policy)) return false;
  if (limit === undefined || time > guardEnd(limit, lastReactivatedAt, policy)) return true;
  return isWithinLimit(signal, name, limit, counts, policy);
}

/** Whether less than the whole limit was used since its guard began to count. */
function isWithinLimit(
  signal: UsageTriggerSignal,
  name: string,
  limit: Limit,
  counts: GuardCounts,
  policy: Policy,
): boolean {
  const base = guardBases(policy, counts)[guardKey(name, signal)];
  if (base === undefined || !isDecimal(signal.currentValue)) return false;
  const allowed = allowanceOf(name, limit, signal.accountSid, policy, "1");
  return compare(subtract(signal.currentValue, base), allowed) < 0;
}

/** A guard whose limit was raised after it was made: it allows what a guard of the raised limit would. */
function isWithinRaise(signal: Signal, circumstances: Circumstances, { policy, now }: Law): boolean {
  if (signal.kind !== "usage-trigger") return false;
  const { accountSid, currentValue } = signal;
  const name = signal.limit ?? "";
  const { raises = {} } = circumstances;
  const limit = Object.hasOwn(policy.limits, name) ? policy.limits[name] : undefined;
  const isRaised = Object.hasOwn(raises, name) && raises[name]?.ended === null;
  if (limit === undefined || !isRaised || !isDecimal(currentValue)) return false;
  const count = guardCountOf(name, policy, circumstances, now);
  if (count === undefined) return false;
  return compare(subtract(currentValue, count.base), allowanceOf(name, limit, accountSid, policy, count.share)) < 0;
}

function wholeSecond(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}

const HOW_FOUND: Readonly<Record<UsageTriggerSignal["found"], string>> = {
  webhook: "",
  "sweep-fired": "; the sweep found the firing, whose webhook was lost or ignored",
  "sweep-over": "; Twilio had not fired its trigger when the sweep saw it twice",
  reconciled: "; as Twilio lists the account's own triggers",
};

function whatHappened(signal: Exclude<Signal, { kind: "not-understood" }>): string {
  switch (signal.kind) {
    case "usage-trigger": {
      const [reached, limit] = [signal.currentValue, signal.triggerValue].map(withoutTrailingZeros);
      const what = `${signal.usageCategory} by ${signal.triggerBy} reached ${reached}, its limit is ${limit}`;
      return what + HOW_FOUND[signal.found];
    }
    case "error-rule":
      return `${signal.count} errors within ${signal.within / 60_000} minutes`;
    case "spend-rule":
      return signal.why;
    case "top-spender":
      return `it makes ${signal.share} % of today's spend (${withoutTrailingZeros(signal.price)} ${signal.currency}), and the parent's own trigger fired`;
  }
}
