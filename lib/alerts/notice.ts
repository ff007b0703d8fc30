import type { Fact, Severity } from "./alert.ts";
import { letter } from "./letter.ts";
import { defanged } from "./plain-text.ts";

/** What people are told that is no change of an incident: a rehearsal, what the sweep armed or repaired, the daily summary. */
export interface Notice {
  /** The same for each redelivery. */
  id: string;
  about: "notice";
  kind: NoticeKind;
  severity: Severity;
  /** At most 99 printable ASCII characters: SNS's rule for a subject. */
  subject: string;
  headline: string;
  facts: Fact[];
  /** Empty where nothing is to be done. */
  nextStep: string;
  /** Plain text for e-mail. */
  text: string;
  /** ISO 8601 UTC. */
  at: string;
  /** Of a rehearsal; null for anything else. */
  drillId: string | null;
  /** Whether something was left out, so that it fits into one message. */
  shortened: boolean;
}

type NoticeKind =
  | "drill"
  | "armed"
  | "found-before"
  | "drift-repaired"
  | "drift-repeated"
  | "other-currency"
  | "other-tollbreaker"
  | "daily-summary"
  | "sweep-trouble"
  | "accounts-set-aside"
  | "list-incomplete"
  | "batch"
  | "limit-raised"
  | "raise-ended";

/** Account names in it are shown defanged, as in an alert. */
export function notice(said: Omit<Notice, "about" | "text" | "shortened">): Notice {
  const headline = defanged(said.headline, MOST_SHOWN);
  const facts = said.facts.map(({ label, value }) => ({ label, value: defanged(value, MOST_SHOWN) }));
  const shown = { ...said, headline, facts };
  return { about: "notice", ...shown, text: letter(shown), shortened: false };
}

/** Characters: twenty names with a reason each are fewer. */
const MOST_SHOWN = 20_000;
