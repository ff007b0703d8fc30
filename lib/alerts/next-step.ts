import { type Check, missingFrom } from "../incidents/checklist.ts";
import type { AlertedBecause, AlertSubject, Incident } from "../incidents/incident.ts";
import { wentLive } from "../incidents/went-live.ts";

/** What a person should do now, in words that can be followed at 3 a.m.; docs/runbook.md has the rest. */
export function nextStep(about: AlertSubject, incident: Incident, because: AlertedBecause | null): string {
  switch (about) {
    case "suspended":
    case "calls-ended":
      return afterSuspension(incident);
    case "alerted":
      return afterAlert(incident, because);
    case "failed":
      return afterFailure(incident);
    case "not-understood":
      return "Read the problem and the received fields in the incident. If a usage trigger fired, judge its account's spend in Twilio's Console yourself: Tollbreaker suspends nothing on a webhook it cannot read.";
    case "reactivated":
      return afterReactivation(incident);
    case "not-reactivated":
      return afterNoReactivation(incident);
    case "tampered":
      return `Find out who set it active, and why. To have it clean and guarded, suspend it first: ${suspend(incident)} Then bring it back: ${reactivate(incident)}`;
    case "reminder":
      return afterWaiting(incident);
    case "dismissed":
      return `Nothing, if that was right: what trips next opens a new incident. If it was not: ${suspend(incident)}`;
  }
}

function afterSuspension(incident: Incident): string {
  const { containment } = incident;
  switch (containment?.by) {
    case "suspended-by-twilio":
      return toTwilioSupport(incident);
    case "closed":
      return "Nothing: a closed account can neither spend nor be reopened.";
    case undefined:
    case "tollbreaker":
    case "already-suspended":
      return `${liveCalls(containment?.callsLeft)}Find and mend the cause (a leaked credential, an unprotected form, a runaway program). Only then reactivate: ${reactivate(incident)}`;
  }
}

// https://www.twilio.com/docs/iam/api/subaccounts: calls in progress don't end when a subaccount is suspended.
function liveCalls(left: number | null | undefined): string {
  if (left === 0) return "";
  return "First end the calls that are still live: they survive a suspension and cost money (docs/runbook.md). ";
}

function afterAlert(incident: Incident, because: AlertedBecause | null): string {
  if (because === "parent-account") {
    return "Twilio lets nobody suspend a parent account by API. Find the cause, replace leaked credentials, and call Twilio Support at once if this is fraud.";
  }
  if (incident.failure !== null) return byHand(incident);
  if (because === "brake") {
    return `Look for one cause behind all of them (Twilio's billing, a mistake in the policy, one leaked credential). Suspend those that really overspend: all that wait with ${tollbreaker("brake release --reason '...'")} or this one alone with ${suspend(incident)}`;
  }
  if (because === "rule") {
    return `Look at the account before it reaches a limit that suspends it. If all is well: ${dismiss(incident)}`;
  }
  return `Judge the spend. If it is not wanted: ${suspend(incident, because)} If it is: ${dismiss(incident)}`;
}

function afterFailure(incident: Incident): string {
  if (incident.failure?.twilioCode === 21476) return "The parent account itself is suspended: call Twilio Support.";
  return byHand(incident);
}

function byHand(incident: Incident): string {
  return `Try again now: ${suspend(incident)} If Twilio refuses that too, suspend it past Tollbreaker and end its live calls: docs/runbook.md, under Past Tollbreaker. Never close an account: that cannot be undone.`;
}

function afterWaiting(incident: Incident): string {
  switch (incident.state) {
    case "alerted":
      return afterAlert(incident, incident.because);
    case "failed":
      return afterFailure(incident);
    default:
      return afterSuspension(incident);
  }
}

function afterReactivation({ reactivation }: Incident): string {
  const cleaned = reactivation?.cleaned ?? [];
  const steps = [
    ...(cleaned.includes("auth-token")
      ? ["Give the account's programs its new auth token: a parent operator reads it in Twilio's Console."]
      : []),
    ...(cleaned.includes("api-keys") ? ["Make new API keys for the programs that used one."] : []),
    ...(cleaned.includes("unroute-numbers")
      ? ["Its numbers answer nothing until they get their webhooks back (incidents restore-numbers)."]
      : []),
  ];
  return [...steps, "Watch its spend: if the cause is still there, it trips again at a share of its limits."].join(" ");
}

function afterNoReactivation(incident: Incident): string {
  const { checklist, reactivation, containment } = incident;
  const open = checklist === null || reactivation === null ? [] : missingFrom(checklist, reactivation);
  if (containment?.by === "suspended-by-twilio" || open.some(isByTwilio)) return toTwilioSupport(incident);
  const calls = wentLive(reactivation) === "no" ? "" : liveCalls(containment?.callsLeft);
  const again = `ask again: ${reactivate(incident)}`;
  if (open.length === 0) return `${calls}Mend what is said above, then ${again}`;
  return `${calls}Have done, or acknowledge, what is open (${open.map(({ id }) => id).join(", ")}), then ${again}`;
}

function isByTwilio({ id, answer }: Check): boolean {
  return id === "suspended-by" && answer === "not-done";
}

function toTwilioSupport({ id }: Incident): string {
  return `Only Twilio Support can reactivate this account: ask why they suspended it, and send them the report: ${tollbreaker(`incidents report ${id}`)}`;
}

function reactivate({ id }: Incident): string {
  return tollbreaker(`incidents reactivate ${id} --reason '...'`);
}

function dismiss({ id }: Incident): string {
  return tollbreaker(`incidents dismiss ${id} --reason '...'`);
}

function suspend({ accountSid }: Incident, because: AlertedBecause | null = null): string {
  // What the policy says against it must be known to whoever asks.
  const known = because === "exempt" || because === "observe-mode" ? ` --acknowledge ${because}` : "";
  return tollbreaker(`suspend ${accountSid} --reason '...'${known}`);
}

// In backticks, so that a command in the middle of a sentence can be told from it; Slack shows them as code.
function tollbreaker(words: string): string {
  return `\`npm run -s tollbreaker -- ${words}\``;
}
