import * as z from "zod/mini";
import { ALERTED_BECAUSE, INCIDENT_STATES, type Incident, type TimelineEntry } from "./incident.ts";
import type { IncidentRecord } from "./record.ts";

/**
 * The shape of what is read back from the table: checked, so that a type is a fact and not a hope.
 */
const nullableText = z.nullable(z.string());
const nullableNumber = z.nullable(z.number());

const IncidentItem = z.object({
  id: z.string(),
  accountSid: z.string(),
  friendlyName: nullableText,
  state: z.enum(INCIDENT_STATES),
  rule: z.string(),
  reason: z.string(),
  trip: z.nullable(
    z.object({
      usageTriggerSid: z.string(),
      usageCategory: z.string(),
      triggerBy: z.string(),
      recurring: z.string(),
      triggerValue: z.string(),
      currentValue: z.string(),
      overshoot: z.string(),
      overshootPercent: nullableText,
    }),
  ),
  openedAt: z.string(),
  updatedAt: z.string(),
  firedAt: nullableText,
  receivedAt: z.string(),
  suspendedAt: nullableText,
  reactivatedAt: nullableText,
  lags: z.object({
    firedToReceived: nullableNumber,
    receivedToSuspended: nullableNumber,
    firedToSuspended: nullableNumber,
  }),
  containment: z.nullable(
    z.object({
      by: z.enum(["tollbreaker", "already-suspended", "suspended-by-twilio", "closed"]),
      callsEnded: z.number(),
      callsLeft: nullableNumber,
    }),
  ),
  failure: z.nullable(z.object({ twilioCode: nullableNumber, message: z.string(), retrying: z.boolean() })),
  evidence: z.nullable(
    z.object({
      currency: z.string(),
      categoryPriceToday: nullableText,
      totalPriceToday: nullableText,
      readAt: z.string(),
    }),
  ),
  because: z.nullable(z.enum(ALERTED_BECAUSE)),
  errors: z.nullable(
    z.object({
      count: z.number(),
      within: z.number(),
      firstAt: z.string(),
      lastAt: z.string(),
      samples: z.array(z.object({ sid: z.string(), code: z.number(), at: z.string(), note: z.string() })),
    }),
  ),
  ranking: z.nullable(
    z.object({
      currency: z.string(),
      total: z.string(),
      spenders: z.array(
        z.object({ accountSid: z.string(), friendlyName: z.string(), price: z.string(), share: nullableText }),
      ),
      unread: z.number(),
      readAt: z.string(),
    }),
  ),
  signals: z.number(),
  alerts: z.array(
    z.object({
      id: z.string(),
      about: z.enum(["suspended", "alerted", "failed", "not-understood"]),
      rule: z.string(),
      because: z.nullable(z.enum(ALERTED_BECAUSE)),
      problem: nullableText,
      at: z.string(),
      publishedAt: nullableText,
    }),
  ),
});

/** An incident's head: the incident itself, and what the responder keeps beside it. */
export const HeadItem = z.extend(IncidentItem, {
  openedBy: z.string(),
  joined: z.array(z.string()),
  callsDue: z.boolean(),
  version: z.number(),
});
type HeadItem = z.infer<typeof HeadItem>;

const EntryItem = z.object({
  at: z.string(),
  what: z.string(),
  who: z.string(),
  why: z.string(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

export function headItem({ incident, ...rest }: IncidentRecord): Record<string, unknown> {
  return { ...incident, ...rest };
}

export function recordOf({ openedBy, joined, callsDue, version, ...incident }: HeadItem): IncidentRecord {
  return { incident, openedBy, joined, callsDue, version };
}

/** @throws ZodError when the item is not an incident's head. */
export function incidentOf(item: unknown): Incident {
  return recordOf(z.parse(HeadItem, item)).incident;
}

export function entryOf(item: unknown): TimelineEntry {
  return z.parse(EntryItem, item);
}
