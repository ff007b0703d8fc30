import type { IncidentRecord } from "../../incidents/change.ts";
import { armed } from "../../incidents/coming-back.ts";
import { basesOf, guardsFor, isCallingUs, isGuard } from "../../triggers/guards.ts";
import { withoutOthers } from "../../triggers/other-tollbreaker.ts";
import { type WantedTrigger, watchesTheSame } from "../../triggers/wanted.ts";
import { fetchAccount } from "../../twilio/accounts.ts";
import { retrying } from "../../twilio/backoff.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import { deleteUsageTrigger, type UsageTrigger } from "../../twilio/usage-triggers.ts";
import { createMissing } from "./create-missing.ts";
import { isArmed, type Journey, REQUEST_TIMEOUT_MS, reactivationOf, type Step } from "./journey.ts";
import { spentBefore } from "./spent-before.ts";
import { currentTriggers } from "./trigger-sightings.ts";

/** Its guards, before it is live: an account is never active and unguarded. */
export const arm: Step = async (journey, record) =>
  isArmed(record) ? { kind: "on", record } : armAnew(journey, record);

/**
 * Right before each request for `active`: a guard fires once, and what is charged late, or what somebody changed, may have
 * left none. For a suspended account only: new guards count from the present value on.
 */
export const keepArmed: Step = async (journey, record) => {
  const { guards } = reactivationOf(record);
  const list = await currentTriggers(journey, guards, () => false);
  if (list.kind === "failed") {
    return { kind: "failed", record, why: `its guards could not be read: ${wordsFor(list.failure)}` };
  }
  const standing = list.body.filter(({ sid, dateFired }) => guards.includes(sid) && dateFired === null);
  const isGuarded = guardsOf(journey, record).every((wanted) => standing.some((one) => isGuardFor(one, wanted)));
  return isGuarded ? { kind: "on", record } : armAnew(journey, record);
};

function isGuardFor(trigger: UsageTrigger, wanted: WantedTrigger): boolean {
  return watchesTheSame(trigger, wanted) && isCallingUs(trigger, wanted);
}

/**
 * Each time with another tag, which those who saw the one before can't know, and the same in each delivery, so that none is
 * made twice.
 */
export function guardsOf({ responder, order, accountSid }: Journey, record: IncidentRecord): WantedTrigger[] {
  const [before] = reactivationOf(record).guards;
  const making = before === undefined ? order.command.id : `${order.command.id} instead of ${before}`;
  return guardsFor(responder.policy, accountSid, responder.publicUrl, making);
}

const armAnew: Step = async (journey, record) => {
  const { responder, twilio, accountSid, until } = journey;
  const { policy, store, clock } = responder;
  const guards = guardsOf(journey, record);
  const creation = await createMissing(journey, guards);
  if (creation.kind === "failed") {
    return { kind: "failed", record, why: `its usage triggers could not be created: ${creation.why}` };
  }
  const account = await retrying(() => fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (account.kind === "failed") {
    return { kind: "failed", record, why: `the account could not be read: ${wordsFor(account.failure)}` };
  }
  const passed = { ...(await spentBefore(journey, creation.all)), ...basesOf(guards, creation.there) };
  const { authToken } = account.body;
  const tokenMark = authToken === undefined ? null : await responder.markOf(accountSid, authToken);
  const now = clock.now();
  const end = new Date(now.getTime() + policy.probation.for);
  const why = `${guards.length} usage triggers guard it, each at ${policy.probation.share} of its limit above the present value`;
  const sids = creation.there.map(({ sid }) => sid);
  const arming = { guards: sids, until: end, why, tokenMark, passed };
  const saved = await store.change(record, (current) => armed(current, arming, now));
  await removeStale(journey, creation.all, sids);
  return { kind: "on", record: saved };
};

/**
 * Guards of an earlier probation would trip too early, and those that fired are of no use. One that stays does no more than
 * that, so a failure is none.
 */
async function removeStale(
  { twilio, accountSid, responder }: Journey,
  all: readonly UsageTrigger[],
  present: readonly string[],
): Promise<void> {
  const ours = withoutOthers(all, responder.publicUrl);
  for (const { sid } of ours.filter((one) => isGuard(one) && !present.includes(one.sid))) {
    const answer = await deleteUsageTrigger(twilio, accountSid, sid, REQUEST_TIMEOUT_MS);
    if (answer.kind === "failed") responder.log.warn("guard-not-removed", { accountSid, usageTriggerSid: sid });
  }
}
