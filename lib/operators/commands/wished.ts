import type { CheckId, CleanupId } from "../../incidents/checklist.ts";

/** What an operator asks for, as it was read from a request: of the right shape, and not yet checked against anything. */
export type Wished =
  | WishedReactivation
  | WishedDismissal
  | WishedCheck
  | WishedRestoration
  | WishedSuspension
  | WishedAdoption
  | WishedRelease
  | WishedBatch
  | WishedRaise
  | WishedRaiseEnd;

/** Those that concern an incident that there is. */
export type WishedOfIncident = WishedReactivation | WishedDismissal | WishedCheck | WishedRestoration;

interface Request {
  /** What the sender calls this request: the same operator's same request again is the same command. */
  requestId?: string;
}

interface OfIncident extends Request {
  incidentId: string;
}

export interface WishedReactivation extends OfIncident {
  kind: "reactivate";
  reason: string;
  acknowledge: readonly CheckId[];
  cleanup: readonly CleanupId[];
  /** ISO 3166-1 alpha-2; only with the clean-up `voice-countries`. */
  countries: readonly string[];
  /** `digestOf` the check-list that was shown and is answered; needed for what is acknowledged. */
  checklist?: string | undefined;
}

interface WishedDismissal extends OfIncident {
  kind: "dismiss";
  reason: string;
}

interface WishedCheck extends OfIncident {
  kind: "check";
}

interface WishedRestoration extends OfIncident {
  kind: "restore-numbers";
  reason: string;
}

export const OBJECTIONS = ["exempt", "observe-mode"] as const;
/** What the policy says against suspending an account. */
export type Objection = (typeof OBJECTIONS)[number];

export interface WishedSuspension extends Request {
  kind: "suspend";
  accountSid: string;
  reason: string;
  acknowledge: readonly Objection[];
}

export interface WishedAdoption extends Request {
  kind: "adopt";
  accountSid: string;
  reason: string;
}

export interface WishedRelease extends Request {
  kind: "release-brake";
  reason: string;
  /** Only these of the accounts that wait, perhaps none; null: all. */
  accounts: readonly string[] | null;
}

export interface WishedRaise extends Request {
  kind: "raise-limit";
  accountSid: string;
  limit: string;
  reason: string;
  /** As they were written. */
  to: string;
  until: string;
}

export interface WishedRaiseEnd extends Request {
  kind: "end-raise";
  accountSid: string;
  limit: string;
  reason: string;
}

export interface WishedBatch extends Request {
  kind: "batch";
  action: "reactivate" | "dismiss";
  reason: string;
  /** What the incidents tripped by, and since when (ISO 8601 UTC): others are left out. */
  rules: readonly string[];
  since: string;
  acknowledge: readonly CheckId[];
  cleanup: readonly CleanupId[];
  countries: readonly string[];
  /** Each with the digest of the check-list that was shown. */
  incidents: readonly { id: string; checklist?: string | undefined }[];
}
