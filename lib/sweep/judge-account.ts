import type { UsageTriggerSignal } from "../inbox/messages.ts";
import { valuesOf } from "../policy/measure.ts";
import type { Policy } from "../policy/policy.ts";
import { isGuard } from "../triggers/guards.ts";
import { firedTriggers, hasFiredSince, lostFirings } from "../triggers/lost-firings.ts";
import { withoutOthers } from "../triggers/other-tollbreaker.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import type { FirstSight, Known } from "./known.ts";
import { overAtCreation, overLimits } from "./over-limits.ts";
import { planRepairs, type RepairPlan } from "./plan-repairs.ts";
import type { SweptAccount } from "./shard.ts";
import { type Sampling, takeSample } from "./spend-sample.ts";
import { passedUnguarded } from "./unguarded-limits.ts";

/** What is to be done about an account, by one reading of its usage triggers and what is remembered of it. */
export interface Findings {
  lost: UsageTriggerSignal[];
  over: UsageTriggerSignal[];
  plan: RepairPlan;
  /** Of values over their limit, for the next sweep. */
  firstSights: Readonly<Record<string, FirstSight>>;
}

export interface Reading {
  account: SweptAccount;
  triggers: readonly UsageTrigger[];
  known: Known;
  /** When those of `firedTriggers` were dealt with, ISO 8601 UTC, by UsageTriggerSid. */
  handled: ReadonlyMap<string, string>;
}

export interface Law {
  policy: Policy;
  publicUrl: string;
  now: Date;
}

/** @property since from when on a firing is news to us, in milliseconds since the epoch */
export interface Judging extends Law {
  since: number;
}

/** Pure. */
export function judgeAccount({ account, triggers, known, handled }: Reading, law: Judging): Findings {
  const { accountSid, status } = account;
  const { lastReactivatedAt } = known;
  const { policy, publicUrl, now, since } = law;
  const repairing = { accountSid, status, known, handled, policy, publicUrl, now, since };
  const plan = planRepairs(triggers, repairing);
  const situation = { accountSid, lastReactivatedAt, ...law };
  const fired = firedTriggers(triggers, situation).filter((trigger) => hasFiredSince(trigger, law.since));
  const inForce = [
    ...plan.keep,
    ...plan.update.map(({ trigger }) => trigger),
    ...guardsInForce(withoutOthers(triggers, publicUrl), plan),
  ];
  // What Twilio holds suspended spends nothing.
  const { signals, over } = overLimits(accountSid, account.status === "active" ? inForce : [], known, law);
  return {
    lost: lostFirings(fired, handled, situation),
    over: [...signals, ...passedUnguarded(withoutOthers(triggers, publicUrl), repairing)],
    plan,
    firstSights: over,
  };
}

/** What is to be done about an account once its triggers are repaired. */
export interface Aftermath {
  /** Limits that were passed while nothing watched them. */
  over: UsageTriggerSignal[];
  sampling: Sampling;
}

/**
 * Pure. The answer to a creation shows the present value, too: whoever removes our triggers after each sweep hides nothing
 * from it.
 * @param created as Twilio's answers show them
 */
export function judgeCreated(
  { account, triggers, known }: Pick<Reading, "account" | "triggers" | "known">,
  created: readonly UsageTrigger[],
  { policy, now }: Law,
): Aftermath {
  const isWatched = Object.keys(policy.rates).length > 0;
  return {
    over: account.status === "active" ? overAtCreation(account.accountSid, created, known, { policy, now }) : [],
    sampling: takeSample(valuesOf([...triggers, ...created], policy), known.memory, { isWatched, now }),
  };
}

function guardsInForce(triggers: readonly UsageTrigger[], { endedGuards, remove, update }: RepairPlan): UsageTrigger[] {
  const others = new Set([...endedGuards, ...remove, ...update.map(({ trigger }) => trigger)]);
  return triggers.filter((trigger) => isGuard(trigger) && !others.has(trigger));
}
