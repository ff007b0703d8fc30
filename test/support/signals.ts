import { randomUUID } from "node:crypto";
import type {
  ErrorRuleSignal,
  NotUnderstoodSignal,
  Signal,
  TopSpenderSignal,
  UsageTriggerSignal,
} from "../../lib/inbox/messages.ts";
import type { Tripping } from "../../lib/incidents/record.ts";

const A_TRIGGER = "UT0123456789abcdef0123456789abcdef";

/** A firing that was received just now, or at `receivedAt`, as the webhook stores it; each call is another firing. */
export function firing(accountSid: string, changes: Partial<UsageTriggerSignal> = {}): UsageTriggerSignal {
  const now = timeOf(changes);
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
    limit: null,
    probation: false,
    found: "webhook",
    fingerprint: randomUUID(),
    ...changes,
  };
}

/** A signal as the policy saw it. */
export function tripping(signal: Signal, { rule = "daily-spend", reason = "because" } = {}): Tripping {
  return { signal, rule, reason };
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

/** A rule on errors whose count was crossed just now, or at `receivedAt`. */
export function errorsCounted(accountSid: string, changes: Partial<ErrorRuleSignal> = {}): ErrorRuleSignal {
  const now = timeOf(changes);
  return {
    kind: "error-rule",
    id: `errors-${randomUUID()}`,
    accountSid,
    receivedAt: new Date(now).toISOString(),
    rule: "sms-pumping",
    count: 20,
    within: 600_000,
    firstAt: new Date(now - 240_000).toISOString(),
    lastAt: new Date(now).toISOString(),
    samples: [
      {
        sid: `NO${"1".repeat(32)}`,
        code: 30450,
        at: new Date(now - 240_000).toISOString(),
        level: "ERROR",
        road: "debugger",
        note: "Message delivery blocked",
      },
      {
        sid: `NO${"2".repeat(32)}`,
        code: 60410,
        at: new Date(now).toISOString(),
        level: "ERROR",
        road: "event-streams",
        note: "Verification delivery attempt blocked",
      },
    ],
    signedBy: "subaccount",
    ...changes,
  };
}

/** The parent's own trigger fired, and this account makes most of today's spend. */
export function topSpender(accountSid: string, changes: Partial<TopSpenderSignal> = {}): TopSpenderSignal {
  return {
    kind: "top-spender",
    id: `top-spender-${randomUUID()}`,
    accountSid,
    receivedAt: new Date().toISOString(),
    price: "812.50",
    currency: "USD",
    share: "81.3",
    ...changes,
  };
}

/** Milliseconds since the epoch. */
function timeOf({ receivedAt }: { receivedAt?: string }): number {
  return receivedAt === undefined ? Date.now() : Date.parse(receivedAt);
}
