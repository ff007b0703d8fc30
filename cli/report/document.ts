import type { IncidentStory } from "../incident-view.ts";
import { accountName } from "../wording.ts";
import { actions } from "./actions.ts";
import { checklist } from "./checklist.ts";
import { cost } from "./cost.ts";
import { identifiers } from "./identifiers.ts";
import { code, heading, plain } from "./markdown.ts";
import { numbers } from "./numbers.ts";
import { people } from "./people.ts";
import { summary } from "./summary.ts";
import { timeline } from "./timeline.ts";

/**
 * One incident as Markdown, for a post-mortem, a refund request, or the root-cause analysis that Twilio asks for
 * (Fraud & Abuse Response Guide: time-line in UTC, accounts, costs before and after, actions). The same incident makes
 * the same text, so that two reports can be compared.
 */
export function incidentReport(incident: IncidentStory): string {
  const sections: readonly (readonly [title: string, body: string])[] = [
    ["Summary", summary(incident)],
    ["Numbers", numbers(incident)],
    ["Cost before and after", cost(incident)],
    ["Actions", actions(incident)],
    ["People", people(incident)],
    ["Check-list", checklist(incident)],
    ["Time-line (UTC)", timeline(incident)],
    ["Identifiers", identifiers(incident)],
    ["To be added by hand", BY_HAND],
  ];
  const parts = sections.filter(([, body]) => body !== "").map(([title, body]) => `${heading(2, title)}\n\n${body}`);
  return `${[title(incident), ...parts].join("\n\n")}\n`;
}

function title(incident: IncidentStory): string {
  return [
    heading(1, `Incident of ${plain(accountName(incident))}`),
    `Incident ${code(incident.id)}. All times are UTC. Amounts are as Twilio gave them.`,
  ].join("\n\n");
}

// Tollbreaker keeps neither phone numbers nor messages, and no program knows the cause.
const BY_HAND = [
  "Twilio asks for these as well; Tollbreaker does not know them:",
  "",
  "- [ ] Root cause, and how it was found",
  "- [ ] When it was first noticed, if not by Tollbreaker",
  "- [ ] Affected phone numbers, and the prefixes and countries that were called or written to",
  "- [ ] What was done so that it cannot happen again",
  "- [ ] Twilio's ticket number",
].join("\n");
