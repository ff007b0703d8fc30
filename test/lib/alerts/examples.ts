import type { AlertOccasion } from "../../../lib/alerts/compose.ts";
import type { Checklist } from "../../../lib/incidents/checklist.ts";
import type {
  ErrorEvidence,
  Incident,
  Reactivation,
  SpendRanking,
  Trip,
  Wish,
} from "../../../lib/incidents/incident.ts";

export const SID = "AC0123456789abcdef0123456789abcdef";

export const smsTrip: Trip = {
  usageTriggerSid: "UT00112233445566778899aabbccddeeff",
  usageCategory: "sms-outbound",
  triggerBy: "price",
  recurring: "daily",
  triggerValue: "50.000000",
  currentValue: "1360.520000",
  overshoot: "1310.52",
  overshootPercent: "2621.0",
};

function counted(currentValue: string, triggerValue: string, currency: string | null) {
  return { usageCategory: "sms-outbound", triggerBy: "price", currentValue, triggerValue, currency };
}

export const pumping: ErrorEvidence = {
  count: 20,
  within: 600_000,
  firstAt: "2026-11-21T03:01:00.000Z",
  lastAt: "2026-11-21T03:04:05.000Z",
  samples: [
    {
      sid: "NO00112233445566778899aabbccddeeff",
      code: 30450,
      at: "2026-11-21T03:01:00.000Z",
      note: "Message delivery blocked (SMS Pumping Protection)",
    },
    {
      sid: "NO112233445566778899aabbccddeeff00",
      code: 30450,
      at: "2026-11-21T03:01:20.000Z",
      note: "Message delivery blocked (SMS Pumping Protection)",
    },
    { sid: "NO2233445566778899aabbccddeeff0011", code: 60410, at: "2026-11-21T03:02:00.000Z", note: "" },
  ],
};

export const ranking: SpendRanking = {
  currency: "USD",
  total: "5210.75",
  spenders: [
    { accountSid: SID, friendlyName: "Acme Europe", price: "4102.5", share: "78.7" },
    {
      accountSid: "AC1123456789abcdef0123456789abcdef",
      friendlyName: "Northwind Traders",
      price: "1001",
      share: "19.2",
    },
    { accountSid: "AC2123456789abcdef0123456789abcdef", friendlyName: "", price: "107.25", share: "2.1" },
  ],
  unread: 1,
  readAt: "2026-11-21T03:04:07.000Z",
};

/** Read two hours after the suspension: the keys are still there, and the daily trigger has fired. */
export const checklist: Checklist = {
  readAt: "2026-11-21T05:09:30.000Z",
  items: [
    { id: "suspended-by", answer: "done", why: "Twilio lets us change its status" },
    { id: "live-calls", answer: "done", why: "no call is live" },
    {
      id: "api-keys",
      answer: "not-done",
      why: "1 from before the incident, 1 made during it: SK00112233445566778899aabbccddeeff, SK112233445566778899aabbccddeeff00",
    },
    {
      id: "auth-token",
      answer: "not-done",
      why: "it is still the one that the account had when it was suspended",
    },
    { id: "triggers", answer: "done", why: "all 3 usage triggers are there and call us" },
  ],
};

/** What alice asks for, from the command line. */
export const wish: Wish = {
  command: "reactivate-4b1d",
  operator: "alice",
  road: "cli",
  reason: "the leaked key is revoked, the sign-up form has a captcha",
  at: "2026-11-21T05:10:00.000Z",
};

/** A way back on which everything went well, changed by `changes`. */
export function reactivation(changes: Partial<Reactivation> = {}): Reactivation {
  return {
    ...wish,
    acknowledge: [],
    cleanup: ["api-keys", "auth-token", "voice-countries"],
    countries: ["GB", "US"],
    seen: [],
    cleaned: ["api-keys", "auth-token", "voice-countries"],
    guards: ["UTaa112233445566778899aabbccddeeff", "UTbb112233445566778899aabbccddeeff"],
    probationUntil: "2026-11-22T05:10:01.000Z",
    activatedAt: "2026-11-21T05:10:02.000Z",
    suspendedFor: 7_555_900,
    failure: null,
    ...changes,
  };
}

/** The same, ended before anything was changed at Twilio. */
export const refused = reactivation({
  ...{ cleanup: ["auth-token"], cleaned: [], countries: [], guards: [] },
  ...{ probationUntil: null, activatedAt: null, suspendedFor: null },
  failure: `not in order, and neither acknowledged as it is now nor asked to be cleaned up: api-keys (${checklist.items[2]?.why})`,
});

/** An incident in which everything went well, changed by `changes`. */
export function incident(changes: Partial<Incident> = {}): Incident {
  return {
    id: "20261121T030405123-1f3a9c2e",
    accountSid: SID,
    friendlyName: "Acme Europe",
    state: "suspended",
    rule: "daily-sms",
    reason: "sms-outbound by price reached 1360.52, its limit is 50",
    trip: smsTrip,
    openedAt: "2026-11-21T03:04:05.123Z",
    updatedAt: "2026-11-21T03:04:07.300Z",
    firedAt: "2026-11-21T03:03:10.000Z",
    receivedAt: "2026-11-21T03:04:05.123Z",
    suspendedAt: "2026-11-21T03:04:06.100Z",
    reactivatedAt: null,
    lags: { firedToReceived: 55_123, receivedToSuspended: 977, firedToSuspended: 56_100 },
    containment: { by: "tollbreaker", callsEnded: 7, callsLeft: 0 },
    failure: null,
    evidence: {
      currency: "USD",
      categoryPriceToday: "1360.52",
      totalPriceToday: "1401.9",
      readAt: "2026-11-21T03:04:07.000Z",
    },
    because: null,
    errors: null,
    ranking: null,
    signals: 1,
    alerts: [],
    checklist: null,
    suspension: null,
    reactivation: null,
    dismissal: null,
    recurrence: null,
    ...changes,
  };
}

const notContained = {
  suspendedAt: null,
  containment: null,
  lags: { firedToReceived: 55_123, receivedToSuspended: null, firedToSuspended: null },
} satisfies Partial<Incident>;

const incidentUrl = "https://tollbreaker.example.com/api/incidents/20261121T030405123-1f3a9c2e";
const at = "2026-11-21T03:04:07.300Z";

/** One occasion of each kind; docs/alerts.md shows what becomes of them. */
export const examples = {
  suspended: { about: "suspended", incident: incident(), incidentUrl, at },
  "suspended by an error rule": {
    about: "suspended",
    incident: incident({
      rule: "sms-pumping",
      reason: "20 errors within 10 minutes; Usage Records of today: totalprice by price is 61.3, the rule asks for 20",
      trip: null,
      errors: pumping,
      firedAt: null,
      lags: { firedToReceived: null, receivedToSuspended: 977, firedToSuspended: null },
      evidence: null,
    }),
    incidentUrl,
    at,
  },
  "suspended by an operator": {
    about: "suspended",
    incident: incident({
      suspension: {
        ...wish,
        reason: "its usage of today is not theirs, they say on the phone",
        at: "2026-11-21T03:04:05.400Z",
      },
      because: null,
      reason: "its usage of today is not theirs, they say on the phone",
      lags: { firedToReceived: 55_123, receivedToSuspended: 977, firedToSuspended: 56_100 },
    }),
    incidentUrl,
    at,
  },
  reactivated: {
    about: "reactivated",
    incident: incident({
      state: "reactivated",
      reason: wish.reason,
      checklist,
      reactivation: reactivation(),
      reactivatedAt: "2026-11-21T05:10:02.000Z",
    }),
    incidentUrl,
    at: "2026-11-21T05:10:04.000Z",
  },
  "not reactivated": {
    about: "not-reactivated",
    incident: incident({ reason: refused.failure ?? "", checklist, reactivation: refused }),
    incidentUrl,
    at: "2026-11-21T05:10:01.000Z",
  },
  "suspended again": {
    about: "not-reactivated",
    incident: incident({
      reason: "its auth token could not be changed: Twilio error 20500 (HTTP 500): Internal Server Error",
      checklist,
      reactivation: reactivation({
        cleaned: ["api-keys"],
        failure: "its auth token could not be changed: Twilio error 20500 (HTTP 500): Internal Server Error",
      }),
    }),
    incidentUrl,
    at: "2026-11-21T05:10:11.000Z",
  },
  dismissed: {
    about: "dismissed",
    note: "daily-sms has fired at 50 and is spent until 2026-11-22 00:00 UTC; its guard fires once 50 more was used (daily-sms is at 1360.52 now)",
    incident: incident({
      ...notContained,
      state: "dismissed",
      because: null,
      reason: "their campaign of the week, agreed on with sales",
      dismissal: {
        ...wish,
        road: "slack",
        reason: "their campaign of the week, agreed on with sales",
        at: "2026-11-21T03:20:00.000Z",
      },
    }),
    incidentUrl,
    at: "2026-11-21T03:20:01.000Z",
  },
  "active again": {
    about: "tampered",
    note: "somebody set it active past Tollbreaker: it may be spending, and may be unguarded",
    incident: incident(),
    incidentUrl,
    at: "2026-11-21T06:00:00.000Z",
  },
  "still waiting": {
    about: "reminder",
    note: "it has waited for a person for 3 days; its 2 phone numbers are still billed each month",
    incident: incident(),
    incidentUrl,
    at: "2026-11-24T03:04:06.000Z",
  },
  "calls ended": {
    about: "calls-ended",
    note: "the alert of 2026-11-21 03:04:07 UTC, which said that calls were live, or might be",
    incident: incident({ updatedAt: "2026-11-21T03:05:12.000Z" }),
    incidentUrl,
    at: "2026-11-21T03:05:12.000Z",
  },
  "a warning": {
    about: "alerted",
    because: "rule",
    incident: incident({
      ...notContained,
      state: "alerted",
      because: "rule",
      rule: "daily-warning",
      reason: "totalprice by price reached 84.1, its limit is 80",
      trip: {
        ...smsTrip,
        usageCategory: "totalprice",
        triggerValue: "80.000000",
        currentValue: "84.10",
        overshoot: "4.1",
        overshootPercent: "5.1",
      },
      evidence: { currency: "USD", categoryPriceToday: "84.6", totalPriceToday: "84.6", readAt: at },
    }),
    incidentUrl,
    at,
  },
  "observe mode": {
    about: "alerted",
    because: "observe-mode",
    incident: incident({
      ...notContained,
      state: "alerted",
      because: "observe-mode",
      reason: "sms-outbound by price reached 1360.52, its limit is 50; in observe mode nothing is suspended",
      evidence: null,
    }),
    incidentUrl,
    at,
  },
  "the brake": {
    about: "alerted",
    because: "brake",
    waiting: [
      { accountSid: SID, friendlyName: "Acme Europe", counted: counted("1360.52", "50.00", "USD") },
      {
        accountSid: "AC1123456789abcdef0123456789abcdef",
        friendlyName: "Northwind Traders",
        counted: counted("112.5", "100", null),
      },
      { accountSid: "AC2123456789abcdef0123456789abcdef", friendlyName: null, counted: null },
    ],
    incident: incident({
      ...notContained,
      state: "alerted",
      because: "brake",
      reason:
        "sms-outbound by price reached 1360.52, its limit is 50; not suspended, because the brake holds: too many accounts were suspended in a short time",
    }),
    incidentUrl,
    at,
  },
  "the parent account": {
    about: "alerted",
    because: "parent-account",
    incident: incident({
      ...notContained,
      state: "alerted",
      because: "parent-account",
      accountSid: "ACfedcba9876543210fedcba9876543210",
      friendlyName: "Acme",
      rule: "totalprice by price, daily, at 5000",
      reason:
        "totalprice by price reached 5210.75, its limit is 5000; the parent account cannot be suspended: a person is needed",
      trip: {
        ...smsTrip,
        usageCategory: "totalprice",
        triggerValue: "5000.000000",
        currentValue: "5210.75",
        overshoot: "210.75",
        overshootPercent: "4.2",
      },
      evidence: { currency: "USD", categoryPriceToday: "5210.75", totalPriceToday: "5210.75", readAt: at },
      ranking,
    }),
    incidentUrl,
    at,
  },
  failed: {
    about: "failed",
    incident: incident({
      ...notContained,
      state: "failed",
      reason: "Twilio refused the suspension",
      failure: { twilioCode: 20003, message: "Authenticate", retrying: false },
      evidence: null,
    }),
    incidentUrl,
    at,
  },
  "not understood": {
    about: "not-understood",
    problem: "DateFired is missing",
    incident: incident({
      ...notContained,
      state: "alerted",
      rule: "signed, not understood",
      reason: "signed, but not understood: DateFired is missing",
      trip: null,
      firedAt: null,
      lags: { firedToReceived: null, receivedToSuspended: null, firedToSuspended: null },
      evidence: null,
    }),
    incidentUrl,
    at,
  },
} as const satisfies Record<string, AlertOccasion>;
