import { type Check, missingFrom } from "../../incidents/checklist.ts";
import { checklistRead } from "../../incidents/coming-back.ts";
import { wishOf } from "../../incidents/wish.ts";
import type { Account } from "../../twilio/accounts.ts";
import { type Reading, readChecklistAnew } from "../read-checklist.ts";
import { isArmed, type Journey, type Step } from "./journey.ts";

/** The responder's last word: the stored list may be old, and so may the operator's answers to it. */
export const checkAnew: Step = async (journey, record) => {
  // It was checked by an earlier delivery, and Twilio may have been asked to set it active since.
  if (isArmed(record)) return { kind: "on", record };
  const { responder, order, until } = journey;
  const reading = await readChecklistAnew(responder, record, until);
  const checked = await responder.store.save(checklistRead(record, reading.checklist, wishOf(order.command)));
  const why = whyNot(journey, reading);
  return why === undefined ? { kind: "on", record: checked } : { kind: "refused", record: checked, why };
};

function whyNot(journey: Journey, { account, checklist }: Reading): string | undefined {
  if (account === undefined) return "the account could not be read from Twilio";
  const unfit = unfitness(journey, account);
  if (unfit !== undefined) return unfit;
  const held = checklist.items.find(({ id, answer }) => id === "suspended-by" && answer === "not-done");
  if (held !== undefined) return held.why;
  const missing = missingFrom(checklist, journey.order.command);
  if (missing.length === 0) return undefined;
  return `not in order, and neither acknowledged nor asked to be cleaned up: ${missing.map(shown).join("; ")}`;
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
      return "the account is active already, set so by somebody past us and perhaps unguarded: to bring it back armed, suspend it (tollbreaker suspend SID), then reactivate it";
  }
}

function shown({ id, why }: Check): string {
  return `${id} (${why})`;
}
