import { applyPlan } from "../triggers/apply.ts";
import type { TwilioClient } from "../twilio/client.ts";
import { describeFailure } from "../twilio/failures.ts";
import { listUsageTriggers } from "../twilio/usage-triggers.ts";
import { needsRepair, planRepairs, type Repairing, type RepairPlan } from "./plan-repairs.ts";
import { REQUEST_TIMEOUT_MS, type Sweeper, type Turn } from "./sweeper.ts";

export type Repair =
  | { kind: "repaired"; created: number; updated: number; removed: number }
  /** Somebody else is at it. */
  | { kind: "busy" }
  /** What was done before the failure stays; the next sweep goes on from there. */
  | { kind: "failed"; why: string; isRefused: boolean };

/** Longer than a thousand triggers take. Whoever died at it holds up the next one for no more than this. */
const LEASE_MS = 60_000;
const MARGIN_MS = 1000;

/**
 * Brings an account's usage triggers in order. One worker at a time, and by a list that is read again once it is alone:
 * so that two sweeps never make a trigger twice.
 */
export async function repairAccount(sweeper: Sweeper, repairing: Repairing, turn: Turn): Promise<Repair> {
  const { memory, clock } = sweeper;
  const { accountSid } = repairing;
  const now = clock.now();
  const until = new Date(now.getTime() + LEASE_MS);
  if (!(await memory.claimRepair(accountSid, turn.sweepId, { now, until }))) return { kind: "busy" };
  // Nothing of ours may still be on its way when somebody else begins.
  const repair = await repairAlone(turn.twilio.endingAt(until.getTime() - MARGIN_MS), repairing);
  await memory.endRepair(accountSid, turn.sweepId);
  return repair;
}

async function repairAlone(twilio: TwilioClient, repairing: Repairing): Promise<Repair> {
  const list = await listUsageTriggers(twilio, repairing.accountSid, REQUEST_TIMEOUT_MS);
  if (list.kind === "failed") return { kind: "failed", why: describeFailure(list.failure), isRefused: false };
  const plan = planRepairs(list.body, repairing);
  if (plan.problem !== undefined) return { kind: "failed", why: plan.problem, isRefused: true };
  return needsRepair(plan) ? carryOut(twilio, plan) : { kind: "repaired", created: 0, updated: 0, removed: 0 };
}

async function carryOut(twilio: TwilioClient, plan: RepairPlan): Promise<Repair> {
  const applied = await applyPlan(twilio, { ...plan, remove: [...plan.remove, ...plan.endedGuards] });
  const { created, updated, removed, failures } = applied;
  const [first] = failures;
  if (first === undefined) {
    return { kind: "repaired", created: created.length, updated: updated.length, removed: removed.length };
  }
  const isRefused = failures.some(({ failure }) => failure.kind === "terminal");
  return { kind: "failed", why: `${first.what}: ${describeFailure(first.failure)}`, isRefused };
}
