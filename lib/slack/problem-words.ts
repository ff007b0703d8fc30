import type { Problem } from "../http/problem.ts";

/** A refusal for somebody in Slack: the API's advice names its routes, which nobody can follow here. */
export function problemWords({ code, detail, fix }: Problem, incidentId: string): string {
  const advice = ADVICE[code]?.(incidentId) ?? fix;
  return advice === undefined ? detail : `${detail} What to do: ${advice}.`;
}

const tollbreaker = (words: string) => `npm run -s tollbreaker -- ${words}`;

const ADVICE: Readonly<Record<string, (incidentId: string) => string>> = {
  "state-conflict": () => "look at the incident's message: it shows how things stand",
  "checklist-incomplete": () => "close this, and press Reactivate again: the check-list has changed meanwhile",
  "checklist-changed": () => "close this, and press Reactivate again: it shows the check-list as it is now",
  "checklist-unnamed": () => "close this, and press Reactivate again: it shows the check-list as it is now",
  "checklist-unread": () => "press Reactivate again in a few seconds",
  "account-closed": (id) => `dismiss the incident: ${tollbreaker(`incidents dismiss ${id} --reason '...'`)}`,
  "suspension-not-ours": (id) =>
    `ask Twilio Support, and send them the report: ${tollbreaker(`incidents report ${id}`)}`,
  "acknowledgement-missing": () => "close this, and press Suspend now again: the policy has changed meanwhile",
};
