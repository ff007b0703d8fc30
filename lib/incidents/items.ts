import * as z from "zod/mini";
import { ROADS } from "../inbox/commands.ts";
import type { IncidentRecord } from "./change.ts";
import { CHECK_ANSWERS, CHECK_IDS, CLEANUP_IDS } from "./checklist.ts";
import { ALERT_SUBJECTS, ALERTED_BECAUSE, INCIDENT_STATES, type Incident, type TimelineEntry } from "./incident.ts";

/**
 * The shape of what is read back from the table: checked, so that a type is a fact and not a hope.
 */
const nullableText = z.nullable(z.string());
const nullableNumber = z.nullable(z.number());
const TokenMark = z.object({ mark: z.string(), key: z.string() });
const Wish = z.object({
  command: z.string(),
  operator: z.string(),
  road: z.enum(ROADS),
  reason: z.string(),
  at: z.string(),
  batch: z.optional(z.object({ id: z.string(), of: z.number() })),
});

const Checks = z.array(z.object({ id: z.enum(CHECK_IDS), answer: z.enum(CHECK_ANSWERS), why: z.string() }));

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
      about: z.enum(ALERT_SUBJECTS),
      rule: z.string(),
      because: z.nullable(z.enum(ALERTED_BECAUSE)),
      problem: nullableText,
      note: z._default(nullableText, null),
      isNamed: z._default(z.boolean(), true),
      saidCallsLive: z._default(z.boolean(), false),
      at: z.string(),
      publishedAt: nullableText,
    }),
  ),
  // An incident of an earlier version has none of these.
  checklist: z._default(
    z.nullable(
      z.object({
        readAt: z.string(),
        items: Checks,
        account: z.optional(z.enum(["active", "suspended", "closed"])),
      }),
    ),
    null,
  ),
  recurrence: z._default(
    z.nullable(z.object({ limit: z.string(), first: z.string(), previous: z.string(), nth: z.number() })),
    null,
  ),
  suspension: z._default(z.nullable(Wish), null),
  dismissal: z._default(z.nullable(Wish), null),
  reactivation: z._default(
    z.nullable(
      z.extend(Wish, {
        acknowledge: z.array(z.enum(CHECK_IDS)),
        cleanup: z.array(z.enum(CLEANUP_IDS)),
        countries: z.array(z.string()),
        seen: Checks,
        cleaned: z.array(z.enum(CLEANUP_IDS)),
        guards: z.array(z.string()),
        probationUntil: nullableText,
        activatedAt: nullableText,
        suspendedFor: nullableNumber,
        failure: nullableText,
      }),
    ),
    null,
  ),
});

/** What the guards of spent limits count from, on the account's item, by `guardKey`. */
export const InterimCountsItem = z._default(
  z.record(z.string(), z.object({ since: z.string(), base: nullableText })),
  {},
);

/** An incident's head: the incident itself, and what the responder keeps beside it. */
export const HeadItem = z.extend(IncidentItem, {
  openedBy: z.string(),
  joined: z.array(z.string()),
  callsDue: z.boolean(),
  askedAt: z._default(nullableText, null),
  stopAskedAt: z._default(nullableText, null),
  finishingUntil: z._default(nullableText, null),
  tokenMark: z._default(z.nullable(TokenMark), null),
  rotatingFrom: z._default(z.nullable(TokenMark), null),
  madeTokens: z._default(z.array(TokenMark), []),
  cleanedSoFar: z._default(z.record(z.string(), z.number()), {}),
  knownKeys: z._default(z.nullable(z.array(z.string())), null),
  mayBeLiveSince: z._default(nullableText, null),
  passed: z._default(z.record(z.string(), z.string()), {}),
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

export function recordOf(item: HeadItem): IncidentRecord {
  const { openedBy, joined, callsDue, askedAt, stopAskedAt, finishingUntil, ...others } = item;
  const { tokenMark, rotatingFrom, madeTokens, cleanedSoFar, knownKeys, mayBeLiveSince, passed, version, ...incident } =
    others;
  const work = { callsDue, askedAt, stopAskedAt, finishingUntil };
  const marks = { tokenMark, rotatingFrom, madeTokens, cleanedSoFar };
  return { incident, openedBy, joined, ...work, ...marks, knownKeys, mayBeLiveSince, passed, version };
}

/** @throws ZodError when the item is not an incident's head. */
export function incidentOf(item: unknown): Incident {
  return recordOf(z.parse(HeadItem, item)).incident;
}

export function entryOf(item: unknown): TimelineEntry {
  return z.parse(EntryItem, item);
}
