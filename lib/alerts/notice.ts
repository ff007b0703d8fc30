import type { Fact, Severity } from "./alert.ts";

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
}

type NoticeKind =
  | "drill"
  | "armed"
  | "drift-repaired"
  | "drift-repeated"
  | "other-currency"
  | "daily-summary"
  | "sweep-trouble"
  | "accounts-set-aside"
  | "list-incomplete";

export function notice(said: Omit<Notice, "about" | "text">): Notice {
  const facts = said.facts.map(({ label, value }) => `${label.padEnd(12)} ${value}`);
  const next = said.nextStep === "" ? [] : ["", `Next: ${said.nextStep}`];
  return { about: "notice", ...said, text: [said.headline, "", ...facts, ...next].join("\n") };
}
