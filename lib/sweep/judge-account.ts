import type { UsageTriggerSignal } from "../inbox/messages.ts";
import type { Nudge } from "../inbox/nudges.ts";
import type { Policy } from "../policy/policy.ts";
import { isGuard } from "../triggers/guards.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import type { FirstSight, Known } from "./known.ts";
import { firedTriggers, lostFirings } from "./lost-firings.ts";
import { overLimits } from "./over-limits.ts";
import { planRepairs, type RepairPlan } from "./plan-repairs.ts";
import type { SweptAccount } from "./shard.ts";
import { type Sampling, takeSample, valuesOf } from "./spend-sample.ts";
import { watchIncident } from "./watch-incident.ts";

/** What is to be done about an account, by one reading of its usage triggers and what is remembered of it. */
export interface Findings {
  lost: UsageTriggerSignal[];
  over: UsageTriggerSignal[];
  nudges: Nudge[];
  plan: RepairPlan;
  sampling: Sampling;
  /** Of values over their limit, for the next sweep. */
  firstSights: Readonly<Record<string, FirstSight>>;
}

export interface Reading {
  account: SweptAccount;
  /** When its status was listed, ISO 8601 UTC. */
  listedAt: string;
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

/** Pure. */
export function judgeAccount({ account, listedAt, triggers, known, handled }: Reading, law: Law): Findings {
  const { accountSid } = account;
  const { policy, now } = law;
  const { lastReactivatedAt } = known;
  const plan = planRepairs(triggers, { accountSid, known, ...law });
  const situation = { accountSid, lastReactivatedAt, ...law };
  const inForce = [...plan.keep, ...plan.update.map(({ trigger }) => trigger), ...guardsInForce(triggers, plan)];
  // What Twilio holds suspended spends nothing.
  const { signals, over } = overLimits(accountSid, account.status === "active" ? inForce : [], known, now);
  return {
    lost: lostFirings(firedTriggers(triggers, situation), handled, situation),
    over: signals,
    nudges: watchIncident(known.open, { account, listedAt, policy, now }),
    plan,
    sampling: takeSample(valuesOf(triggers, policy), known.memory, {
      isWatched: Object.keys(policy.rates).length > 0,
      now,
    }),
    firstSights: over,
  };
}

function guardsInForce(triggers: readonly UsageTrigger[], { endedGuards, update }: RepairPlan): UsageTrigger[] {
  const others = new Set([...endedGuards, ...update.map(({ trigger }) => trigger)]);
  return triggers.filter((trigger) => isGuard(trigger) && !others.has(trigger));
}
