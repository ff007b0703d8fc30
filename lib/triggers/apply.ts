import { retrying, type Until, waitToRetry } from "../twilio/backoff.ts";
import type { Answer, TwilioClient } from "../twilio/client.ts";
import { describeFailure, type TwilioFailure } from "../twilio/failures.ts";
import {
  createUsageTrigger,
  deleteUsageTrigger,
  listUsageTriggers,
  type UsageTrigger,
  updateUsageTrigger,
} from "../twilio/usage-triggers.ts";
import { isNothing, type TriggerPlan } from "./plan.ts";

/** What was done of a plan, in FriendlyNames, and what was not. */
export interface Applied {
  created: readonly string[];
  updated: readonly string[];
  removed: readonly string[];
  /** Empty when everything was done. */
  failures: readonly NotDone[];
}

interface NotDone {
  /** Such as `create tollbreaker: daily-spend`. */
  what: string;
  failure: TwilioFailure;
}

const REQUEST_TIMEOUT_MS = 8000;

interface Step {
  did: "created" | "updated" | "removed";
  what: string;
  friendlyName: string;
  send(): Promise<Answer<unknown>>;
}

type Changes = Pick<TriggerPlan, "accountSid" | "create" | "update" | "remove">;

/**
 * Carries out one account's plan: creates, then updates, then removes. Nothing is removed unless all that replaces it is
 * there. Stops where trying again may help: of a creation without an answer nobody knows whether it happened, so the
 * triggers have to be listed and planned again, which finds it. A plan with a `problem` is not to be carried out.
 */
export async function applyPlan(twilio: TwilioClient, plan: Changes): Promise<Applied> {
  const before = await carryOut([...creations(twilio, plan), ...updates(twilio, plan)]);
  if (before.failures.length > 0) return before;
  const after = await carryOut(removals(twilio, plan));
  return { ...before, removed: after.removed, failures: after.failures };
}

function creations(twilio: TwilioClient, { accountSid, create }: Changes): Step[] {
  return create.map((wanted) => ({
    did: "created",
    what: `create ${wanted.friendlyName}`,
    friendlyName: wanted.friendlyName,
    send: () => createUsageTrigger(twilio, accountSid, wanted, REQUEST_TIMEOUT_MS),
  }));
}

function updates(twilio: TwilioClient, { accountSid, update }: Changes): Step[] {
  return update.map(({ trigger, wanted }) => ({
    did: "updated",
    what: `update ${wanted.friendlyName}`,
    friendlyName: wanted.friendlyName,
    send: () => updateUsageTrigger(twilio, accountSid, trigger.sid, wanted, REQUEST_TIMEOUT_MS),
  }));
}

function removals(twilio: TwilioClient, { accountSid, remove }: Pick<Changes, "accountSid" | "remove">): Step[] {
  return remove.map(({ sid, friendlyName }) => ({
    did: "removed",
    what: `remove ${friendlyName}`,
    friendlyName,
    send: async () => goneIsGone(await deleteUsageTrigger(twilio, accountSid, sid, REQUEST_TIMEOUT_MS)),
  }));
}

/** Removes these triggers, whatever a policy wants. */
export async function removeTriggers(
  twilio: TwilioClient,
  accountSid: string,
  remove: readonly UsageTrigger[],
): Promise<Applied> {
  return carryOut(removals(twilio, { accountSid, remove }));
}

// Somebody else was faster.
function goneIsGone(answer: Answer<unknown>): Answer<unknown> {
  return answer.kind === "failed" && answer.failure.kind === "not-found" ? { kind: "ok", body: undefined } : answer;
}

async function carryOut(steps: readonly Step[]): Promise<Applied> {
  const done = { created: [] as string[], updated: [] as string[], removed: [] as string[] };
  const failures: NotDone[] = [];
  for (const { did, what, friendlyName, send } of steps) {
    const answer = await send();
    if (answer.kind === "ok") done[did].push(friendlyName);
    else failures.push({ what, failure: answer.failure });
    if (answer.kind === "failed" && answer.failure.kind === "retryable") break;
  }
  return { ...done, failures };
}

/** What became of one account. The names of triggers that were created, updated and removed on the way, in any case. */
export type Ordered = Omit<Applied, "failures"> & ({ kind: "in-order" } | { kind: "failed"; why: string });

/** Once to do it, once to see it, and once more where somebody else was at it in the same moment. */
const MOST_ROUNDS = 3;

/**
 * Reads the account's usage triggers, plans, carries out the plan, and reads again, until nothing is left to be done.
 * Repeatable: a run that was cut anywhere is finished by the next one.
 * @param planOf pure: what is to be done, by what there is
 */
export async function bringInOrder(
  twilio: TwilioClient,
  accountSid: string,
  planOf: (existing: readonly UsageTrigger[]) => TriggerPlan,
  until: Until,
): Promise<Ordered> {
  let done: Omit<Applied, "failures"> = { created: [], updated: [], removed: [] };
  const failed = (why: string): Ordered => ({ kind: "failed", why, ...done });
  for (let attempt = 0, rounds = 0; ; attempt++) {
    const list = await retrying(() => listUsageTriggers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
    if (list.kind === "failed") return failed(`its triggers could not be read: ${describeFailure(list.failure)}`);
    const plan = planOf(list.body);
    if (plan.problem !== undefined) return failed(plan.problem);
    if (isNothing(plan)) return { kind: "in-order", ...done };
    if (rounds === MOST_ROUNDS) return failed(`Twilio took it, and lists it otherwise: ${remaining(plan)}`);
    const applied = await applyPlan(twilio, plan);
    done = added(done, applied);
    const { failures } = applied;
    if (failures.length === 0) rounds += 1;
    else if (failures.some(({ failure }) => failure.kind !== "retryable")) return failed(inWords(failures));
    else if (!(await waitToRetry(until, attempt))) return failed(inWords(failures));
  }
}

function added(done: Omit<Applied, "failures">, { created, updated, removed }: Applied): Omit<Applied, "failures"> {
  return {
    created: [...done.created, ...created],
    updated: [...done.updated, ...updated],
    removed: [...done.removed, ...removed],
  };
}

function inWords(failures: readonly NotDone[]): string {
  return failures.map(({ what, failure }) => `${what}: ${describeFailure(failure)}`).join("; ");
}

function remaining({ create, update, remove }: TriggerPlan): string {
  return [
    ...create.map(({ friendlyName }) => `${friendlyName} is missing`),
    ...update.map(({ trigger }) => `${trigger.friendlyName} calls ${trigger.callbackUrl || "nobody"}`),
    ...remove.map(({ friendlyName }) => `${friendlyName} is still there`),
  ].join(", ");
}
