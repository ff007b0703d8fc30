import { armed } from "../../incidents/coming-back.ts";
import { guardsFor, isGuard } from "../../triggers/guards.ts";
import { fetchAccount } from "../../twilio/accounts.ts";
import { retrying } from "../../twilio/backoff.ts";
import { describeFailure } from "../../twilio/failures.ts";
import { deleteUsageTrigger, type UsageTrigger } from "../../twilio/usage-triggers.ts";
import { createMissing } from "./create-missing.ts";
import { isArmed, type Journey, REQUEST_TIMEOUT_MS, type Step } from "./journey.ts";
import { spentBefore } from "./spent-before.ts";

/** Its guards, before it is live: an account is never active and unguarded. */
export const arm: Step = async (journey, record) => {
  if (isArmed(record)) return { kind: "on", record };
  const { responder, order, twilio, accountSid, until } = journey;
  const { policy, publicUrl, store, clock } = responder;
  const guards = guardsFor(policy, accountSid, publicUrl, order.command.id);
  const creation = await createMissing(twilio, accountSid, guards, until);
  if (creation.kind === "failed") {
    return { kind: "failed", record, why: `its usage triggers could not be created: ${creation.why}` };
  }
  const account = await retrying(() => fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (account.kind === "failed") {
    return { kind: "failed", record, why: `the account could not be read: ${describeFailure(account.failure)}` };
  }
  const passed = await spentBefore(journey, creation.all);
  const { authToken } = account.body;
  const tokenMark = authToken === undefined ? null : await responder.markOf(accountSid, authToken);
  const now = clock.now();
  const end = new Date(now.getTime() + policy.probation.for);
  const why = `${guards.length} usage triggers guard it, each at ${policy.probation.share} of its limit above the present value`;
  const sids = creation.there.map(({ sid }) => sid);
  const saved = await store.save(armed(record, { guards: sids, until: end, why, tokenMark, passed }, now));
  await removeStale(journey, creation.all, sids);
  return { kind: "on", record: saved };
};

/** Guards of an earlier probation would trip too early. One that stays does no more than that, so a failure is none. */
async function removeStale(
  { twilio, accountSid, responder }: Journey,
  all: readonly UsageTrigger[],
  present: readonly string[],
): Promise<void> {
  for (const { sid } of all.filter((one) => isGuard(one) && !present.includes(one.sid))) {
    const answer = await deleteUsageTrigger(twilio, accountSid, sid, REQUEST_TIMEOUT_MS);
    if (answer.kind === "failed") responder.log.warn("guard-not-removed", { accountSid, usageTriggerSid: sid });
  }
}
