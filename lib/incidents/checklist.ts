import { createHash } from "node:crypto";

/**
 * What has to be in order before a contained account may go live again. Read from Twilio, not believed: "a missed
 * clean-up step leads to a second takeover" (Twilio's Fraud & Abuse Response Guide).
 */
export interface Checklist {
  /** ISO 8601 UTC. */
  readAt: string;
  items: readonly Check[];
  /** The account's status at Twilio; absent where it could not be read. */
  account?: "active" | "suspended" | "closed" | undefined;
}

export interface Check {
  id: CheckId;
  answer: CheckAnswer;
  /** What was seen, in words for a person. */
  why: string;
}

/**
 * By which a request says which check-list it answers: the same for lists that say the same, whenever they were read. 16
 * hexadecimal digits.
 */
export function digestOf({ items }: Pick<Checklist, "items">): string {
  const said = items.map(({ id, answer, why }) => [id, answer, why]);
  return createHash("sha256").update(JSON.stringify(said)).digest("hex").slice(0, DIGEST_LENGTH);
}

const DIGEST_LENGTH = 16;
export const CHECKLIST_DIGEST = /^[0-9a-f]{16}$/;

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
  /** The list that was answered. Without it, the answers are to whatever is read. */
  seen?: readonly Check[];
}

/**
 * The items that are not known to be done, and neither acknowledged nor asked to be done: each must be one of them. What
 * was acknowledged is what was seen: keys that somebody made since are not.
 */
export function missingFrom({ items }: Checklist, { acknowledge, cleanup, seen }: Answers): Check[] {
  const asked: ReadonlySet<string> = new Set(cleanup);
  const known: ReadonlySet<string> = new Set(acknowledge);
  const covers = (item: Check) => known.has(item.id) && (seen === undefined || seen.some((one) => isAsSeen(item, one)));
  return items.filter((item) => item.answer !== "done" && !asked.has(item.id) && !covers(item));
}

/** Calls come and go, and an error is worded by what went wrong: of these only the answer counts. */
function isAsSeen({ id, answer, why }: Check, seen: Check): boolean {
  if (id !== seen.id || answer !== seen.answer) return false;
  return id === "live-calls" || answer === "cannot-tell" || why === seen.why;
}
