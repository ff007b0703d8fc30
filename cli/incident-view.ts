import * as z from "zod/mini";

/**
 * What the command line reads from the operator API, checked because a server of another version, or another server
 * altogether, may have answered. The tests hold these schemas to the record in lib/incidents/incident.ts.
 */

const text = z.nullable(z.string());
const count = z.nullable(z.number());

const Trip = z.object({
  usageCategory: z.string(),
  triggerBy: z.string(),
  recurring: z.string(),
  triggerValue: z.string(),
  currentValue: z.string(),
  overshoot: z.string(),
  overshootPercent: text,
  usageTriggerSid: z.string(),
});

const Lags = z.object({ firedToReceived: count, receivedToSuspended: count, firedToSuspended: count });
const Containment = z.object({ by: z.string(), callsEnded: z.number(), callsLeft: count });
const Failure = z.object({ twilioCode: count, message: z.string(), retrying: z.boolean() });
const Evidence = z.object({
  currency: z.string(),
  categoryPriceToday: text,
  totalPriceToday: text,
  readAt: z.string(),
});
export type EvidenceView = z.infer<typeof Evidence>;

const Errors = z.object({
  count: z.number(),
  within: z.number(),
  firstAt: z.string(),
  lastAt: z.string(),
  samples: z.readonly(z.array(z.object({ sid: z.string(), code: z.number(), at: z.string(), note: z.string() }))),
});
export type ErrorsView = z.infer<typeof Errors>;

const Ranking = z.object({
  currency: z.string(),
  total: z.string(),
  spenders: z.readonly(
    z.array(z.object({ accountSid: z.string(), friendlyName: z.string(), price: z.string(), share: text })),
  ),
  unread: z.number(),
  readAt: z.string(),
});
export type RankingView = z.infer<typeof Ranking>;

const Alert = z.object({ about: z.string(), rule: z.string(), because: text, at: z.string(), publishedAt: text });

/** A server that knows nothing of it leaves it out. */
const unlessOlder = <T extends z.core.$ZodType>(schema: T) => z._default(z.nullable(schema), null);

const Checks = z.readonly(z.array(z.object({ id: z.string(), answer: z.string(), why: z.string() })));
export const Checklist = z.object({
  readAt: z.string(),
  items: Checks,
  /** The account's status at Twilio; left out where it could not be read. */
  account: z.optional(z.string()),
  /** By which it is answered. A server that asks for none leaves it out. */
  digest: z.optional(z.string()),
});
export type CheckView = z.infer<typeof Checks>[number];
export type ChecklistView = z.infer<typeof Checklist>;

const Recurrence = z.object({ limit: z.string(), first: z.string(), previous: z.string(), nth: z.number() });

const wish = { command: z.string(), operator: z.string(), road: z.string(), reason: z.string(), at: z.string() };
const Wish = z.object(wish);
export type WishView = z.infer<typeof Wish>;

const names = z.readonly(z.array(z.string()));
const Reactivation = z.object({
  ...wish,
  acknowledge: names,
  cleanup: names,
  countries: names,
  /** The check-list that was answered; left out by a server that does not tell it. */
  seen: z.optional(Checks),
  cleaned: names,
  guards: names,
  probationUntil: text,
  activatedAt: text,
  suspendedFor: count,
  failure: text,
});
export type ReactivationView = z.infer<typeof Reactivation>;

export const IncidentView = z.object({
  id: z.string(),
  accountSid: z.string(),
  friendlyName: text,
  state: z.string(),
  rule: z.string(),
  reason: z.string(),
  trip: z.nullable(Trip),
  openedAt: z.string(),
  updatedAt: z.optional(z.string()),
  firedAt: text,
  receivedAt: z.string(),
  suspendedAt: text,
  reactivatedAt: text,
  lags: Lags,
  containment: z.nullable(Containment),
  failure: z.nullable(Failure),
  evidence: z.nullable(Evidence),
  because: text,
  errors: z.nullable(Errors),
  ranking: z.nullable(Ranking),
  signals: z.number(),
  alerts: z.array(Alert),
  checklist: unlessOlder(Checklist),
  recurrence: unlessOlder(Recurrence),
  suspension: unlessOlder(Wish),
  reactivation: unlessOlder(Reactivation),
  dismissal: unlessOlder(Wish),
});
export type IncidentView = z.infer<typeof IncidentView>;

const TimelineView = z.object({
  at: z.string(),
  what: z.string(),
  who: z.string(),
  why: z.string(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type TimelineView = z.infer<typeof TimelineView>;

export const IncidentStory = z.extend(IncidentView, { timeline: z.array(TimelineView) });
export type IncidentStory = z.infer<typeof IncidentStory>;

export const IncidentListing = z.object({ incidents: z.array(IncidentView), next: text });
export type IncidentListing = z.infer<typeof IncidentListing>;
