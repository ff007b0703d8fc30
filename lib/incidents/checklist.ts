/**
 * What has to be in order before a contained account may go live again. Read from Twilio, not believed: "a missed
 * clean-up step leads to a second takeover" (Twilio's Fraud & Abuse Response Guide).
 */
export interface Checklist {
  /** ISO 8601 UTC. */
  readAt: string;
  items: readonly Check[];
}

export interface Check {
  id: CheckId;
  answer: CheckAnswer;
  /** What was seen, in words for a person. */
  why: string;
}

export const CHECK_IDS = ["suspended-by", "live-calls", "api-keys", "auth-token", "triggers"] as const;
export type CheckId = (typeof CHECK_IDS)[number];

export const CHECK_ANSWERS = ["done", "not-done", "cannot-tell"] as const;
type CheckAnswer = (typeof CHECK_ANSWERS)[number];

/**
 * What can be asked to be done on the way back. The first four are done while the account is suspended, because a
 * suspended account's own credentials answer 401; the last two need them, so they are done right after it is live.
 */
export const CLEANUP_IDS = [
  "live-calls",
  "api-keys",
  "triggers",
  "unroute-numbers",
  "auth-token",
  "voice-countries",
] as const;
export type CleanupId = (typeof CLEANUP_IDS)[number];

/** What an operator answers to the check-list. */
export interface Answers {
  acknowledge: readonly CheckId[];
  cleanup: readonly CleanupId[];
}

/** The items that are not known to be done, and neither acknowledged nor asked to be done: each must be one of them. */
export function missingFrom({ items }: Checklist, { acknowledge, cleanup }: Answers): Check[] {
  const asked: ReadonlySet<string> = new Set([...acknowledge, ...cleanup]);
  return items.filter(({ id, answer }) => answer !== "done" && !asked.has(id));
}
