import type { AlertedBecause, AlertSubject, Incident } from "../incidents/incident.ts";
import type { WaitingAccount } from "./compose.ts";
import { ascii } from "./plain-text.ts";

const SUBJECTS = {
  suspended: "Suspended",
  alerted: "NOT suspended",
  failed: "FAILED to suspend",
  "not-understood": "Webhook not understood",
  reactivated: "Reactivated",
  "not-reactivated": "NOT reactivated",
  dismissed: "Dismissed",
  tampered: "ACTIVE AGAIN",
  reminder: "Still waiting",
  "calls-ended": "Calls ended",
} as const satisfies Record<AlertSubject, string>;

/**
 * https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: less than 100 characters, ASCII, no line breaks. The
 * longest is 22 + 2 + 34 + 37 = 95: the SID is never cut off, because it is what an operator searches for.
 */
export function subjectOf(
  about: AlertSubject,
  { friendlyName, accountSid }: Pick<Incident, "friendlyName" | "accountSid">,
  because: AlertedBecause | null,
): string {
  const name = ascii(friendlyName ?? "", 34);
  const readable = /[A-Za-z0-9]/.test(name) ? `${name} ` : "";
  return `${because === "rule" ? "Warning" : SUBJECTS[about]}: ${readable}${ascii(accountSid, 36)}`;
}

export function brakeSubject(waiting: readonly WaitingAccount[]): string {
  const count = waiting.length;
  return `THE BRAKE HOLDS: ${count === 1 ? "1 account" : `${count} accounts`} NOT suspended`;
}
