import { holdOf } from "./hold.ts";
import type { IncidentStory, IncidentView, ReactivationView } from "./incident-view.ts";
import { time } from "./wording.ts";

/** What can be done about an incident in its present state, as commands to type. */

export interface NextStep {
  /** When to do it; empty where there is no choice. */
  when: string;
  /** Without `npm run -s tollbreaker --`; empty where no command helps. */
  command: string;
}

/** As it is typed. */
export function typed(command: string): string {
  return `npm run -s tollbreaker -- ${command}`;
}

export function nextSteps(incident: IncidentStory): NextStep[] {
  const { id, state } = incident;
  const suspend = suspendCommand(incident);
  switch (state) {
    case "open":
      return [step("it is being dealt with; look again in a few seconds", `incidents show ${id}`)];
    case "suspended":
      return afterSuspension(incident);
    case "alerted":
      return afterAlert(incident);
    case "failed":
      return [step("try again", suspend), step("if it may go on running", dismissCommand(incident))];
    case "reactivating":
      return [
        step("look how far it is", `incidents show ${id}`),
        step("if it hangs, or something looks wrong, make it safe", suspend),
      ];
    case "reactivated":
      return [...restoring(incident), step("for the post-mortem", `incidents report ${id}`)];
    case "dismissed":
      return [step("for the post-mortem", `incidents report ${id}`)];
    default:
      return [];
  }
}

/** What the people of a reactivated account have to do. */
export function afterReactivation({ id, reactivation }: Pick<IncidentView, "id" | "reactivation">): string[] {
  const cleaned = reactivation?.cleaned ?? [];
  return [
    ...(cleaned.includes("auth-token")
      ? ["Its programs need the new auth token: a parent operator reads it in Twilio's Console."]
      : []),
    ...(cleaned.includes("api-keys") ? ["Its programs that used an API key need a new one."] : []),
    ...(cleaned.includes("unroute-numbers")
      ? [`Its numbers call nothing until they have their webhooks back: ${typed(restoreCommand(id))}`]
      : []),
    ...probation(reactivation),
  ];
}

function probation(reactivation: ReactivationView | null): string[] {
  const until = reactivation?.probationUntil ?? null;
  return until === null ? [] : [`Until ${time(until)} it trips at a share of its limits.`];
}

function afterSuspension(incident: IncidentStory): NextStep[] {
  const { id } = incident;
  const reactivate = step("once the cause is found and mended", `incidents reactivate ${id} --reason '...'`);
  switch (holdOf(incident)) {
    case "closed":
      return [step("the account is closed for good", dismissCommand(incident))];
    case "twilio":
      return [
        step("only Twilio Support can lift it; send them the report", `incidents report ${id}`),
        step("once they have", `incidents check ${id}`),
      ];
    case "active":
      return [step("it is active, set so past Tollbreaker: suspend it first", suspendCommand(incident)), reactivate];
    case undefined:
      return [reactivate];
  }
}

function afterAlert(incident: IncidentView): NextStep[] {
  const dismiss = step("if it is all right", dismissCommand(incident));
  switch (incident.because) {
    case "brake":
      return [
        step("look who else waits", "brake show"),
        step("if it shall be suspended", suspendCommand(incident)),
        step("if all that wait shall be", "brake release --reason '...'"),
        dismiss,
      ];
    case "parent-account":
      return [
        step("Twilio lets nobody suspend a parent: docs/runbook.md. Once it is settled", dismissCommand(incident)),
      ];
    default:
      return [step("if it shall be suspended", suspendCommand(incident)), dismiss];
  }
}

function restoring({ id, reactivation, timeline }: IncidentStory): NextStep[] {
  const isUnrouted = reactivation?.cleaned.includes("unroute-numbers") ?? false;
  const isRestored = timeline.some(({ what }) => what === "numbers-restored");
  if (!isUnrouted || isRestored) return [];
  return [step("its numbers call nothing; to give them their webhooks back", restoreCommand(id))];
}

function suspendCommand({ accountSid, because }: IncidentView): string {
  // What the policy says against it must be known to whoever asks.
  const known = because === "exempt" || because === "observe-mode" ? ` --acknowledge ${because}` : "";
  return `suspend ${accountSid} --reason '...'${known}`;
}

function dismissCommand({ id }: IncidentView): string {
  return `incidents dismiss ${id} --reason '...'`;
}

function restoreCommand(id: string): string {
  return `incidents restore-numbers ${id} --reason '...'`;
}

function step(when: string, command: string): NextStep {
  return { when, command };
}
