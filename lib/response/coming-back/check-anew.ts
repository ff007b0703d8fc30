import { type IncidentRecord, touch } from "../../incidents/change.ts";
import { type Answers, type Check, missingFrom } from "../../incidents/checklist.ts";
import { checklistRead } from "../../incidents/coming-back.ts";
import { wishOf } from "../../incidents/wish.ts";
import { type Account, fetchAccount } from "../../twilio/accounts.ts";
import { retrying } from "../../twilio/backoff.ts";
import { wordsFor } from "../../twilio/refusals.ts";
import { type Reading, readChecklistAnew } from "../read-checklist.ts";
import { isArmed, type Journey, type Progress, REQUEST_TIMEOUT_MS, reactivationOf, type Step } from "./journey.ts";
import { ACTIVE_ALREADY } from "./refuse-if-active.ts";

/**
 * The responder's last word: the stored list may be old, and so may the operator's answers to it. In each delivery, as
 * hours may have passed since the one before, until the account is active.
 */
export const checkAnew: Step = async (journey, record) => {
  if (reactivationOf(record).activatedAt !== null) return { kind: "on", record };
  const { responder, order, until, twilio, accountSid } = journey;
  const account = await retrying(() => fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (account.kind === "failed") {
    return notFit(record, `the account could not be read from Twilio: ${wordsFor(account.failure)}`);
  }
  // By an earlier delivery of this command, which was cut.
  if (isArmed(record) && account.body.status === "active") return { kind: "on", record };
  const reading = await readChecklistAnew(responder, record, until);
  const wish = wishOf(order.command);
  const checked = await responder.store.change(record, (current) => checklistRead(current, reading.checklist, wish));
  const why = whyNot(journey, { ...reading, account: reading.account ?? account.body });
  return why === undefined ? { kind: "on", record: toBeCleaned(checked) } : notFit(checked, why);
};

function notFit(record: IncidentRecord, why: string): Progress {
  const isUntouched = !isArmed(record) && reactivationOf(record).cleaned.length === 0;
  return { kind: isUntouched ? "refused" : "failed", record, why };
}

/** What an earlier delivery cleaned may have come back: each clean-up looks first at what is there. */
function toBeCleaned(record: IncidentRecord): IncidentRecord {
  return touch(record, record.incident.updatedAt, { reactivation: { ...reactivationOf(record), cleaned: [] } });
}

function whyNot(journey: Journey, { account, checklist }: Reading & { account: Account }): string | undefined {
  const unfit = unfitness(journey, account);
  if (unfit !== undefined) return unfit;
  const held = checklist.items.find(({ id, answer }) => id === "suspended-by" && answer === "not-done");
  if (held !== undefined) return held.why;
  const missing = missingFrom(checklist, answersIn(journey));
  if (missing.length === 0) return undefined;
  return `not in order, and neither acknowledged as it is now nor asked to be cleaned up: ${missing.map(shown).join("; ")}`;
}

/** Where no limit suspends, no clean-up makes a guard: that has to be acknowledged. */
function answersIn({ responder, order }: Journey): Answers {
  const { acknowledge, cleanup, seen } = order.command;
  const hasGuards = Object.values(responder.policy.limits).some(({ then }) => then === "suspend");
  return { acknowledge, seen, cleanup: hasGuards ? cleanup : cleanup.filter((id) => id !== "triggers") };
}

function unfitness({ accountSid, responder }: Journey, { sid, ownerAccountSid, status }: Account): string | undefined {
  if (sid !== accountSid) return `Twilio answered for ${sid} instead of ${accountSid}`;
  if (ownerAccountSid !== responder.twilio.accountSid) return `the account belongs to ${ownerAccountSid}, not to us`;
  switch (status) {
    case "suspended":
      return undefined;
    case "closed":
      return "the account is closed, which is final: dismiss its incident";
    case "active":
      return ACTIVE_ALREADY;
  }
}

function shown({ id, why }: Check): string {
  return `${id} (${why})`;
}
