import type { ContextBlock, HeaderBlock, KnownBlock, MrkdwnElement, SectionBlock } from "@slack/types";
import type { Alert, Fact, Severity } from "./alert.ts";
import { escaped } from "./slack-text.ts";

/** What an incoming webhook takes; `text` is what notifications show and what remains where blocks can't be shown. */
export interface SlackMessage {
  text: string;
  blocks: KnownBlock[];
}

/** The parts of an alert that Slack shows. */
export type SlackAlert = Pick<
  Alert,
  "severity" | "subject" | "headline" | "facts" | "times" | "nextStep" | "incidentUrl"
>;

/** An alert in Block Kit, escaped and within Slack's limits whatever the alert says. What is empty is left out. */
export function slackMessage(alert: SlackAlert): SlackMessage {
  return {
    text: escaped(alert.headline, LIMITS.text),
    blocks: [
      header(alert.severity, alert.subject),
      ...section(alert.headline),
      ...fields(alert.facts),
      ...section(alert.nextStep, "Next step"),
      ...link(alert.incidentUrl),
      ...context(alert.times),
    ],
  };
}

/** A message that is not an incident's alert, in the same dress. */
export function plainSlackMessage(title: string, text: string, severity: Severity): SlackMessage {
  const shown = text.trim() === "" ? "(an empty message)" : text;
  return {
    text: escaped(`${title}: ${shown}`, LIMITS.text),
    blocks: [
      header(severity, title),
      { type: "section", text: { type: "plain_text", text: escaped(shown, LIMITS.section) } },
    ],
  };
}

// https://docs.slack.dev/reference/block-kit/blocks; `text` may have 40,000, but Slack advises 4,000.
export const LIMITS = {
  text: 3000,
  header: 150,
  section: 3000,
  field: 2000,
  fields: 10,
  contextText: 2000,
  link: 2500,
};

const MARKS = { critical: "🔴", warning: "🟡", info: "🔵" } as const satisfies Record<Severity, string>;

export function header(severity: Severity, title: string): HeaderBlock {
  return { type: "header", text: { type: "plain_text", text: escaped(`${MARKS[severity]} ${title}`, LIMITS.header) } };
}

export function section(text: string, label?: string): SectionBlock[] {
  return text === "" ? [] : [{ type: "section", text: mrkdwn(text, LIMITS.section, label) }];
}

export function fields(facts: readonly Fact[]): SectionBlock[] {
  const all = facts.map(({ label, value }) => mrkdwn(value, LIMITS.field, label));
  const sections = Math.ceil(all.length / LIMITS.fields);
  return Array.from({ length: sections }, (_, index) => ({
    type: "section",
    fields: all.slice(index * LIMITS.fields, (index + 1) * LIMITS.fields),
  }));
}

// A link and no button: of a button whose app takes no presses, Slack shows a warning to whoever presses it.
function link(url: string): SectionBlock[] {
  const address = URL.parse(url)?.href.replaceAll("|", "%7C");
  if (address === undefined || address.length > LIMITS.link) return section(url, "Incident");
  const text = `*Incident*\n<${address.replaceAll("&", "&amp;")}>`;
  return [{ type: "section", text: { type: "mrkdwn", text, verbatim: true } }];
}

export function context(times: readonly string[]): ContextBlock[] {
  if (times.length === 0) return [];
  return [{ type: "context", elements: [mrkdwn(times.join(" · "), LIMITS.contextText)] }];
}

// `verbatim`: without it Slack would turn addresses and @names inside a friendly name into links and mentions.
function mrkdwn(text: string, limit: number, label?: string): MrkdwnElement {
  const before = label === undefined ? "" : `*${label}*\n`;
  return { type: "mrkdwn", text: before + escaped(text, limit - before.length), verbatim: true };
}
