import { cut } from "../cut.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { type Applied, applyPlan, noRoomFor, suspendingFirst } from "../triggers/apply.ts";
import { MOST_TRIGGERS } from "../triggers/plan.ts";
import type { TwilioClient } from "../twilio/client.ts";
import { describeFailure, isRefusal } from "../twilio/failures.ts";
import { listUsageTriggers, type UsageTrigger } from "../twilio/usage-triggers.ts";
import type { Recalled } from "./known.ts";
import { needsRepair, planRepairs, type Repairing, type RepairPlan } from "./plan-repairs.ts";
import { REQUEST_TIMEOUT_MS, type Sweeper, type Turn } from "./sweeper.ts";

/** What was done, also before a failure. */
export interface RepairWork {
  created: number;
  updated: number;
  removed: number;
  /** FriendlyNames of what was created and updated. */
  renewed: readonly string[];
  /** What was created, with the present value of what it watches. */
  shown: readonly UsageTrigger[];
}

export type Repair =
  | ({ kind: "repaired" } & RepairWork)
  /** Somebody else is at it. */
  | { kind: "busy" }
  /** The next sweep goes on from there. */
  | ({ kind: "failed"; why: string; isRefused: boolean } & RepairWork);

export const NO_WORK: RepairWork = { created: 0, updated: 0, removed: 0, renewed: [], shown: [] };

/** Longer than a thousand triggers take. Whoever died at it holds up the next one for no more than this. */
const LEASE_MS = 60_000;
const MARGIN_MS = 1000;

/**
 * Brings an account's usage triggers in order. One worker at a time, and by a list that is read again once it is alone:
 * so that two sweeps never make a trigger twice.
 */
export async function repairAccount(sweeper: Sweeper, repairing: Repairing, turn: Turn): Promise<Repair> {
  const { memory, clock, log } = sweeper;
  const { accountSid } = repairing;
  const now = clock.now();
  const until = new Date(now.getTime() + LEASE_MS);
  if (!(await memory.claimRepair(accountSid, turn.sweepId, { now, until }))) return { kind: "busy" };
  // Nothing of ours may still be on its way when somebody else begins.
  const twilio = turn.twilio.endingAt(until.getTime() - MARGIN_MS);
  const repair = await repairAlone({ twilio, log }, repairing, () => recallNow(sweeper, repairing, turn));
  await endLease(sweeper, accountSid, turn);
  return repair;
}

/** What was recalled with the shard may be minutes old: an account can have been suspended and brought back since. */
async function recallNow({ memory }: Sweeper, { accountSid }: Repairing, { until }: Turn): Promise<Recalled> {
  const recalled = await memory.recall([accountSid], until, "consistent");
  return recalled.get(accountSid) ?? { kind: "unreadable", why: "nothing was recalled", open: undefined };
}

/** It ends by itself: what was repaired must not look as if it was not. */
async function endLease({ memory, log }: Sweeper, accountSid: string, { sweepId }: Turn): Promise<void> {
  try {
    await memory.endRepair(accountSid, sweepId);
  } catch (error) {
    log.warn("repair-lease-not-ended", { accountSid, reason: messageOf(error) });
  }
}

async function repairAlone(
  { twilio, log }: { twilio: TwilioClient; log: Log },
  repairing: Repairing,
  recall: () => Promise<Recalled>,
): Promise<Repair> {
  const list = await listUsageTriggers(twilio, repairing.accountSid, REQUEST_TIMEOUT_MS);
  if (list.kind === "failed")
    return { kind: "failed", why: describeFailure(list.failure), isRefused: false, ...NO_WORK };
  // After the list: who made what is listed, a reactivation perhaps, is known by now.
  const recalled = await recall();
  if (recalled.kind === "unreadable") return { kind: "failed", why: recalled.why, isRefused: false, ...NO_WORK };
  // What it is billed in was asked a moment ago, and is not stored yet.
  const known = { ...recalled.known, currency: repairing.known.currency };
  const plan = planRepairs(list.body, { ...repairing, known });
  if (!needsRepair(plan)) return { kind: "repaired", ...NO_WORK };
  noteStrayed(log, plan);
  const create = suspendingFirst([...plan.create, ...plan.takeOver], repairing.policy);
  const room = MOST_TRIGGERS - list.body.length;
  return repairOf(plan, await applyPlan(twilio, { ...plan, create, needless: plan.endedGuards }, room));
}

/** Whoever looks for the one who did it has nothing else: it is put right in a moment. */
function noteStrayed(log: Log, { accountSid, update }: RepairPlan): void {
  for (const { trigger, wanted } of update) {
    const { sid, callbackUrl, callbackMethod } = trigger;
    const called = `${callbackMethod} ${cut(callbackUrl, 300)}`;
    log.warn("trigger-strayed", { accountSid, usageTriggerSid: sid, limit: wanted.limit, called });
  }
}

function repairOf({ problem }: RepairPlan, applied: Applied): Repair {
  const { failures, noRoom } = applied;
  const [first] = failures;
  const work = workOf(applied);
  if (noRoom.length > 0) return { kind: "failed", why: problem ?? noRoomFor(noRoom), isRefused: true, ...work };
  if (first === undefined) return { kind: "repaired", ...work };
  const isRefused = failures.some(({ failure }) => isRefusal(failure));
  return { kind: "failed", why: `${first.what}: ${describeFailure(first.failure)}`, isRefused, ...work };
}

function workOf({ created, updated, removed, shown }: Applied): RepairWork {
  const counts = { created: created.length, updated: updated.length, removed: removed.length };
  return { ...counts, renewed: [...created, ...updated], shown };
}
