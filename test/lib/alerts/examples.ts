import type { AlertOccasion } from "../../../lib/alerts/compose.ts";
import type { Incident, Trip } from "../../../lib/incidents/incident.ts";

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

/** An incident in which everything went well, changed by `changes`. */
export function incident(changes: Partial<Incident> = {}): Incident {
  return {
    id: "20261121T030405123-1f3a9c2e",
    accountSid: SID,
    friendlyName: "Acme Europe",
    state: "suspended",
    rule: "sms-outbound price daily over 50",
    reason: "the usage trigger fired and the account may be suspended",
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
    signals: 1,
    alerts: [],
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
  alerted: {
    about: "alerted",
    because: "observe-mode",
    incident: incident({
      ...notContained,
      state: "alerted",
      reason: "MODE is observe: nothing is suspended",
      evidence: null,
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
  "not-understood": {
    about: "not-understood",
    problem: "DateFired is missing",
    incident: incident({
      ...notContained,
      state: "alerted",
      rule: "signed, not understood",
      reason: "the webhook is signed by this account, but its fields are not those of a usage trigger",
      trip: null,
      firedAt: null,
      lags: { firedToReceived: null, receivedToSuspended: null, firedToSuspended: null },
      evidence: null,
    }),
    incidentUrl,
    at,
  },
} as const satisfies Record<AlertOccasion["about"], AlertOccasion>;
