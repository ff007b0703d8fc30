import type { AlertSubject } from "../incidents/incident.ts";
import type { Alert, Severity } from "./alert.ts";
import { letter } from "./letter.ts";
import type { Notice } from "./notice.ts";
import { ascii, defanged, oneLine } from "./plain-text.ts";
import { coreOf } from "./shed.ts";
import { subjectOf } from "./subject.ts";
import { utc } from "./times.ts";

/**
 * What people are told where the alert itself could not be composed, or written down: a defect of ours must not keep from
 * them that something happened. Made of nothing but short strings and words of ours, so that it can't fail in its turn.
 */
export function plainAlert(occasion: Pick<Alert, "about" | "at" | "incidentUrl" | "incident">): Alert {
  const { about } = occasion;
  const incident = coreOf(occasion.incident);
  const { accountSid, state } = incident;
  const name = defanged(incident.friendlyName ?? "", 64);
  const at = oneLine(occasion.at, 100);
  const said = {
    headline: `${name === "" ? accountSid : name} (${state}): ${WHAT[about]}. The details could not be shown: see the incident.`,
    facts: [
      { label: "Account", value: name === "" ? accountSid : `${name} (${accountSid})` },
      { label: "State", value: state },
      { label: "What", value: WHAT[about] },
    ],
    times: [`alerted for the change of ${utc(at)}`],
    nextStep: `${NEXT} The cause is in the log, as alert-not-composed: it is a defect of Tollbreaker.`,
    incidentUrl: oneLine(occasion.incidentUrl, 500),
  };
  return {
    id: `${incident.id}:${about}:${at}`,
    about,
    severity: SEVERITIES[about],
    subject: subjectOf(about, incident, null),
    text: letter(said),
    ...said,
    incident,
    at,
    shortened: true,
  };
}

const NEXT = "Look at the incident and at the account in Twilio's Console: money may still be running out.";

const WHAT = {
  suspended: "it was suspended",
  alerted: "it tripped and was not suspended",
  failed: "it could not be suspended",
  "not-understood": "a webhook that Twilio signed for it could not be understood",
  reactivated: "it was reactivated",
  "not-reactivated": "it was not reactivated",
  dismissed: "its incident was dismissed",
  tampered: "it is active again although its incident says suspended",
  reminder: "it still waits for a person",
  "calls-ended": "its live calls were ended",
} as const satisfies Record<AlertSubject, string>;

/** Where the details are not known, the louder one. */
const SEVERITIES = {
  suspended: "critical",
  alerted: "critical",
  failed: "critical",
  "not-understood": "warning",
  reactivated: "info",
  "not-reactivated": "critical",
  dismissed: "info",
  tampered: "critical",
  reminder: "warning",
  "calls-ended": "info",
} as const satisfies Record<AlertSubject, Severity>;

/** The same for a notice. */
export function plainNotice(told: Notice): Notice {
  const { kind, severity } = told;
  const said = {
    headline: `${ascii(told.subject, 99) || "A notice"}. The details could not be shown: see the log.`,
    facts: [{ label: "Kind", value: kind }],
    nextStep: "Look into the log for alert-not-composed: it is a defect of Tollbreaker.",
  };
  const drillId = told.drillId && oneLine(told.drillId, 100);
  return {
    ...{ id: oneLine(told.id, 200), about: "notice", kind, severity, subject: ascii(told.subject, 99) },
    ...said,
    ...{ text: letter(said), at: oneLine(told.at, 100), drillId, shortened: true },
  };
}
