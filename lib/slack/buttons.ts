import type { Button } from "@slack/types";
import type { IncidentAlert } from "../alerts/read-notification.ts";
import { isClosed, mayDismiss, mayReactivate } from "../operators/commands/standing.ts";

/** What can be pressed under an incident's message. */
export const BUTTONS = ["reactivate", "keep-suspended", "suspend", "dismiss"] as const;
export type ButtonId = (typeof BUTTONS)[number];

/** The link to the incident is a button, too: Slack tells us of its presses, which mean nothing. */
export const OPEN_INCIDENT = "open-incident";

/** Those that make sense now; when pressed, each is checked anew, with the check-list, which an alert does not carry. */
export function buttonsFor({ about, incident }: Pick<IncidentAlert, "about" | "incident">): ButtonId[] {
  const standing = { ...incident, checklist: null };
  // Somebody set it active past us: before it can come back clean and guarded, it has to be suspended.
  const isActive = incident.state === "suspended" && about === "tampered" && !isClosed(standing);
  const comesBack = mayReactivate(standing) && !isActive;
  const makesSense: Readonly<Record<ButtonId, boolean>> = {
    reactivate: comesBack,
    "keep-suspended": comesBack,
    suspend: isActive || isSpending(incident),
    dismiss: mayDismiss(standing),
  };
  return BUTTONS.filter((id) => makesSense[id]);
}

// Twilio lets nobody suspend a parent account.
function isSpending({ state, because }: IncidentAlert["incident"]): boolean {
  return (state === "alerted" || state === "failed") && because !== "parent-account";
}

const LABELS = {
  reactivate: "Reactivate",
  "keep-suspended": "Keep suspended",
  suspend: "Suspend now",
  dismiss: "Dismiss",
} as const satisfies Record<ButtonId, string>;

export function button(id: ButtonId, incidentId: string): Button {
  const style = id === "suspend" ? { style: "danger" as const } : {};
  return { type: "button", action_id: id, text: { type: "plain_text", text: LABELS[id] }, value: incidentId, ...style };
}
