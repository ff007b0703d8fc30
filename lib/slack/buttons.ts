import type { Button } from "@slack/types";
import type { IncidentAlert } from "../alerts/read-notification.ts";

/** What can be pressed under an incident's message. */
export const BUTTONS = ["reactivate", "keep-suspended", "suspend", "dismiss"] as const;
export type ButtonId = (typeof BUTTONS)[number];

/** The link to the incident is a button, too: Slack tells us of its presses, which mean nothing. */
export const OPEN_INCIDENT = "open-incident";

/** Those that make sense now; when pressed, each is checked anew. */
export function buttonsFor({ about, incident }: Pick<IncidentAlert, "about" | "incident">): ButtonId[] {
  switch (incident.state) {
    case "suspended":
      return whileSuspended(about, incident.containment?.by);
    case "alerted":
      // Twilio lets nobody suspend a parent account.
      return incident.because === "parent-account" ? ["dismiss"] : ["suspend", "dismiss"];
    case "failed":
      return ["suspend", "dismiss"];
    case "open":
    case "reactivating":
    case "reactivated":
    case "dismissed":
      return [];
  }
}

function whileSuspended(about: string, by: string | undefined): ButtonId[] {
  // Closed is for ever.
  if (by === "closed") return ["dismiss"];
  // Somebody set it active past us: before it can come back clean and guarded, it has to be suspended.
  return about === "tampered" ? ["suspend"] : ["reactivate", "keep-suspended"];
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
