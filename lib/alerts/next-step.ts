import type { AlertedBecause, AlertSubject, Incident } from "../incidents/incident.ts";

/** What a person should do now, in words that can be followed at 3 a.m. */
export function nextStep(about: AlertSubject, incident: Incident, because: AlertedBecause | null): string {
  switch (about) {
    case "suspended":
      return afterSuspension(incident);
    case "alerted":
      return afterAlert(incident, because);
    case "failed":
      return afterFailure(incident);
    case "not-understood":
      return "Read the problem and the received fields in the incident. If a usage trigger fired, judge its account's spend in Twilio's Console yourself: Tollbreaker suspends nothing on a webhook it cannot read.";
  }
}

function afterSuspension({ accountSid, containment }: Incident): string {
  switch (containment?.by) {
    case "suspended-by-twilio":
      return "Ask Twilio Support why; only they can reactivate this account.";
    case "closed":
      return "Nothing: a closed account can neither spend nor be reopened.";
    case undefined:
    case "tollbreaker":
    case "already-suspended":
      return `${liveCalls(containment?.callsLeft)}Find and mend the cause (a leaked credential, an unprotected form, a runaway program). Only then reactivate: ${setStatus(accountSid, "active")}`;
  }
}

// https://www.twilio.com/docs/iam/api/subaccounts: calls in progress don't end when a subaccount is suspended.
function liveCalls(left: number | null | undefined): string {
  if (left === 0) return "";
  return "First end the calls that are still live: they survive a suspension and cost money. ";
}

function afterAlert({ accountSid, failure }: Incident, because: AlertedBecause | null): string {
  if (because === "parent-account") {
    return "Twilio lets nobody suspend a parent account by API. Find the cause, replace leaked credentials, and call Twilio Support at once if this is fraud.";
  }
  if (failure !== null) return byHand(accountSid);
  if (because === "brake") {
    return `Look for one cause behind all of them (Twilio's billing, a mistake in the policy, one leaked credential). Suspend by hand those that really overspend; for this one: ${setStatus(accountSid, "suspended")}`;
  }
  if (because === "rule") return "Look at the account before it reaches a limit that suspends it.";
  return `Judge the spend. If it is not wanted, suspend it by hand and end its live calls: ${setStatus(accountSid, "suspended")}`;
}

function afterFailure({ accountSid, failure }: Incident): string {
  if (failure?.twilioCode === 21476) return "The parent account itself is suspended: call Twilio Support.";
  return byHand(accountSid);
}

function byHand(accountSid: string): string {
  return `Suspend it by hand now, then end its live calls: ${setStatus(accountSid, "suspended")}`;
}

function setStatus(accountSid: string, status: "active" | "suspended"): string {
  return `twilio api:core:accounts:update --sid ${accountSid} --status ${status}`;
}
