import type { Button, KnownBlock } from "@slack/types";
import * as z from "zod/mini";
import type { IncidentAlert } from "../alerts/read-notification.ts";
import { context, fields, header, LIMITS, section } from "../alerts/slack-message.ts";
import { escaped } from "../alerts/slack-text.ts";
import { utc } from "../alerts/times.ts";
import { INCIDENT_STATES } from "../incidents/incident.ts";
import { BUTTONS, button, buttonsFor, OPEN_INCIDENT } from "./buttons.ts";
import type { Content } from "./web-api.ts";

/** What an incident's message in the channel keeps of the alert that it began with. */
export const Beginning = z.object({
  headline: z.string(),
  facts: z.array(z.object({ label: z.string(), value: z.string() })),
  times: z.array(z.string()),
});
export type Beginning = z.infer<typeof Beginning>;

/** And what it shows of the latest one: how things stand. */
export const Present = z.object({
  state: z.enum(INCIDENT_STATES),
  /** Who brought it about: an operator's name, or Tollbreaker. */
  who: z.string(),
  /** When, ISO 8601 UTC. */
  at: z.string(),
  severity: z.enum(["critical", "warning", "info"]),
  subject: z.string(),
  headline: z.string(),
  nextStep: z.string(),
  incidentUrl: z.string(),
  buttons: z.array(z.enum(BUTTONS)),
});
export type Present = z.infer<typeof Present>;

export function beginningOf({ headline, facts, times }: IncidentAlert): Beginning {
  return { headline, facts, times };
}

export function presentOf(alert: IncidentAlert): Present {
  const { at, severity, subject, headline, nextStep, incidentUrl, incident } = alert;
  const said = { at, severity, subject, headline, nextStep, incidentUrl };
  return { ...said, state: incident.state, who: whoIn(incident), buttons: buttonsFor(alert) };
}

/** Which of two alerts is the newer: texts that sort by time. One version of an incident may be told of twice. */
export function rankOf({ incident, at }: IncidentAlert): string {
  return `${new Date(incident.updatedAt).toISOString()} ${new Date(at).toISOString()}`;
}

/** What is told beside the state leaves the message as it is: its words would hide how things stand. */
export function isAside({ about }: IncidentAlert): boolean {
  return about === "not-understood" || about === "reminder";
}

function whoIn({ state, suspension, reactivation, dismissal }: IncidentAlert["incident"]): string {
  switch (state) {
    case "reactivating":
    case "reactivated":
      return reactivation?.operator ?? "an operator";
    case "dismissed":
      return dismissal?.operator ?? "an operator";
    case "suspended":
      return suspension?.operator ?? "Tollbreaker";
    case "open":
    case "alerted":
    case "failed":
      return "Tollbreaker";
  }
}

/** The one message of an incident in the channel: how things stand, then how it began. */
export function incidentMessage(incidentId: string, beginning: Beginning, present: Present): Content {
  const { severity, subject, headline, nextStep, state, who, at } = present;
  const isFirst = headline === beginning.headline;
  return {
    text: escaped(headline, LIMITS.text),
    blocks: [
      header(severity, subject),
      ...section(headline),
      ...fields([
        { label: "State", value: state },
        { label: "By", value: who },
        { label: "Since", value: utc(at) },
      ]),
      ...(isFirst ? [] : section(beginning.headline, "It began")),
      ...fields(beginning.facts),
      ...section(nextStep, "Next step"),
      actions(incidentId, present),
      ...context(beginning.times),
    ],
  };
}

function actions(incidentId: string, { buttons, incidentUrl }: Present): KnownBlock {
  const elements: Button[] = buttons.map((id) => button(id, incidentId));
  const text = { type: "plain_text", text: "Open the incident" } as const;
  return {
    type: "actions",
    elements: [...elements, { type: "button", action_id: OPEN_INCIDENT, text, url: incidentUrl }],
  };
}
