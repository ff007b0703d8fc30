import type { Policy } from "../policy/policy.ts";
import { retrying, type Until, waitToRetry } from "../twilio/backoff.ts";
import type { Answer, TwilioClient } from "../twilio/client.ts";
import { describeFailure, isRefusal, type TwilioFailure } from "../twilio/failures.ts";
import {
  createUsageTrigger,
  deleteUsageTrigger,
  listUsageTriggers,
  type UsageTrigger,
  updateUsageTrigger,
} from "../twilio/usage-triggers.ts";
import { isNothing, MOST_TRIGGERS, type TriggerPlan } from "./plan.ts";
import type { WantedTrigger } from "./wanted.ts";

/** What was done of a plan, in FriendlyNames, and what was not. */
export interface Applied {
  created: readonly string[];
  updated: readonly string[];
  removed: readonly string[];
  /** What was created, as Twilio answered: with the present value of what it watches. */
  shown: readonly UsageTrigger[];
  /** What the account has no room for. */
  noRoom: readonly string[];
  /** Empty when everything was done that there is room for. */
  failures: readonly NotDone[];
}

type Done = Pick<Applied, "created" | "updated" | "removed">;

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
  /** @returns what there is then; null for nothing. */
  send(): Promise<Answer<UsageTrigger | null>>;
}

interface Changes extends Pick<TriggerPlan, "accountSid" | "create" | "update" | "remove" | "keep"> {
  /** To be removed, whatever becomes of the others. */
  needless?: readonly UsageTrigger[];
}

/**
 * Carries out one account's plan: updates, then removes what is there twice, then creates, then removes the rest. What is
 * created replaces what is removed last: that stays unless all of it is there. An account that can't have more triggers,
 * or of which Twilio refuses one, gets everything else. Creating stops where trying again may help: of a creation without
 * an answer nobody knows whether it happened, so the triggers have to be listed and planned again, which finds it.
 * @param room for how many triggers there is room before anything is removed
 */
export async function applyPlan(twilio: TwilioClient, plan: Changes, room: number): Promise<Applied> {
  const { accountSid, create } = plan;
  const [needless, replaced] = partition(plan);
  const repeatable = await carryOut([...updates(twilio, plan), ...removals(twilio, { accountSid, remove: needless })]);
  const fitting = create.slice(0, Math.max(0, room + repeatable.removed.length));
  const made = await carryOut(creations(twilio, { accountSid, create: fitting }));
  const noRoom = create.slice(fitting.length).map(({ friendlyName }) => friendlyName);
  const done = { ...added(repeatable, made), shown: made.shown, noRoom };
  const failures = [...repeatable.failures, ...made.failures];
  if (failures.length + noRoom.length > 0) return { ...done, failures };
  const after = await carryOut(removals(twilio, { accountSid, remove: replaced }));
  return { ...done, ...added(done, after), failures: after.failures };
}

/** What nothing has to replace, because a trigger of the same name is there and right; and the rest. */
function partition({ remove, keep, update, needless = [] }: Changes): [UsageTrigger[], UsageTrigger[]] {
  const there = new Set([...keep, ...update.map(({ trigger }) => trigger)].map(({ friendlyName }) => friendlyName));
  const isTwin = ({ friendlyName }: UsageTrigger) => there.has(friendlyName);
  return [[...remove.filter(isTwin), ...needless], remove.filter((trigger) => !isTwin(trigger))];
}

/** Those that suspend before those that only alert: there may not be room for all. */
export function suspendingFirst(create: readonly WantedTrigger[], { limits }: Policy): WantedTrigger[] {
  const isWarning = ({ limit }: WantedTrigger) => limits[limit]?.then === "alert";
  return create.toSorted((one, other) => Number(isWarning(one)) - Number(isWarning(other)));
}

function creations(twilio: TwilioClient, { accountSid, create }: Pick<Changes, "accountSid" | "create">): Step[] {
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
function goneIsGone(answer: Answer<unknown>): Answer<null> {
  return answer.kind === "failed" && answer.failure.kind !== "not-found" ? answer : { kind: "ok", body: null };
}

async function carryOut(steps: readonly Step[]): Promise<Applied> {
  const done = { created: [] as string[], updated: [] as string[], removed: [] as string[] };
  const shown: UsageTrigger[] = [];
  const failures: NotDone[] = [];
  for (const { did, what, friendlyName, send } of steps) {
    const answer = await send();
    if (answer.kind === "ok") {
      done[did].push(friendlyName);
      if (did === "created" && answer.body !== null) shown.push(answer.body);
      continue;
    }
    failures.push({ what, failure: answer.failure });
    if (!isRefusal(answer.failure)) break;
  }
  return { ...done, shown, noRoom: [], failures };
}

/** What became of one account. The names of triggers that were created, updated and removed on the way, in any case. */
export type Ordered = Done & ({ kind: "in-order" } | { kind: "failed"; why: string });

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
  let done: Done = { created: [], updated: [], removed: [] };
  const failed = (why: string): Ordered => ({ kind: "failed", why, ...done });
  for (let attempt = 0, rounds = 0; ; attempt++) {
    const list = await retrying(() => listUsageTriggers(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
    if (list.kind === "failed") return failed(`its triggers could not be read: ${describeFailure(list.failure)}`);
    const plan = planOf(list.body);
    if (isNothing(plan)) return { kind: "in-order", ...done };
    if (rounds === MOST_ROUNDS) return failed(`Twilio took it, and lists it otherwise: ${remaining(plan)}`);
    const applied = await applyPlan(twilio, plan, MOST_TRIGGERS - list.body.length);
    done = added(done, applied);
    const { failures, noRoom } = applied;
    if (failures.length === 0 && noRoom.length > 0) return failed(plan.problem ?? noRoomFor(noRoom));
    if (failures.length === 0) rounds += 1;
    else if (failures.some(({ failure }) => isRefusal(failure))) return failed(inWords(failures));
    else if (!(await waitToRetry(until, attempt))) return failed(inWords(failures));
  }
}

/** Why an account can't have these triggers. */
export function noRoomFor(friendlyNames: readonly string[]): string {
  return `Twilio allows ${MOST_TRIGGERS} usage triggers, and there is no room for ${friendlyNames.join(", ")}: delete some that are not needed`;
}

function added(done: Done, { created, updated, removed }: Done): Done {
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
