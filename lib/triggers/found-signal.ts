import type { UsageTriggerSignal } from "../inbox/messages.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";
import { isOnProbation, limitOf } from "./our-triggers.ts";

interface Find {
  accountSid: string;
  trigger: UsageTrigger;
  found: "sweep-fired" | "sweep-over" | "reconciled";
  /** The same for the same find, so that each sweep that makes it asks once. At most 64 characters. */
  id: string;
  /** Null where it has not fired. */
  firedAt: Date | null;
  now: Date;
}

/** A firing as its webhook would have told of it, by what Twilio lists. */
export function foundSignal({ accountSid, trigger, found, id, firedAt, now }: Find): UsageTriggerSignal {
  return {
    kind: "usage-trigger",
    id,
    accountSid,
    receivedAt: now.toISOString(),
    usageTriggerSid: trigger.sid,
    firedAt: firedAt?.toISOString() ?? null,
    dateFired: trigger.dateFired ?? "",
    recurring: trigger.recurring === "alltime" ? "" : trigger.recurring,
    usageCategory: trigger.usageCategory,
    triggerBy: trigger.triggerBy,
    triggerValue: trigger.triggerValue,
    currentValue: trigger.currentValue,
    usageRecordUri: `/2010-04-01/Accounts/${accountSid}/Usage/Records.json?Category=${encodeURIComponent(trigger.usageCategory)}`,
    idempotencyToken: id,
    limit: limitOf(trigger),
    probation: isOnProbation(trigger),
    found,
    fingerprint: id,
  };
}
