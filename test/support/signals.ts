import { randomUUID } from "node:crypto";
import type { NotUnderstoodSignal, UsageTriggerSignal } from "../../lib/inbox/messages.ts";

const A_TRIGGER = "UT0123456789abcdef0123456789abcdef";

/** A firing that was received just now, as the webhook stores it; each call is another firing. */
export function firing(accountSid: string, changes: Partial<UsageTriggerSignal> = {}): UsageTriggerSignal {
  const now = Date.now();
  return {
    kind: "usage-trigger",
    id: `firing-${randomUUID()}`,
    accountSid,
    receivedAt: new Date(now).toISOString(),
    firedAt: new Date(now - 30_000).toISOString(),
    dateFired: new Date(now - 30_000).toUTCString(),
    usageTriggerSid: A_TRIGGER,
    recurring: "daily",
    usageCategory: "totalprice",
    triggerBy: "price",
    triggerValue: "100.000000",
    currentValue: "130.25",
    usageRecordUri: `/2010-04-01/Accounts/${accountSid}/Usage/Records.json?Category=totalprice`,
    idempotencyToken: "a-token",
    ...changes,
  };
}

/** A webhook that was rightly signed and could not be read. */
export function notUnderstood(accountSid: string, changes: Partial<NotUnderstoodSignal> = {}): NotUnderstoodSignal {
  return {
    kind: "not-understood",
    id: `unread-${randomUUID()}`,
    accountSid,
    receivedAt: new Date().toISOString(),
    problem: 'CurrentValue: expected a decimal number such as 1000.000000, got "lots"',
    fields: { AccountSid: accountSid, CurrentValue: "lots" },
    ...changes,
  };
}
