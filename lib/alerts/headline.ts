import type { AlertedBecause, AlertSubject, Incident, Reactivation, Wish } from "../incidents/incident.ts";
import { wentLive } from "../incidents/went-live.ts";
import { operatorOf } from "./asked.ts";
import { categoryOf, followsInWords, nameOf } from "./facts.ts";
import { defanged } from "./plain-text.ts";
import { lag, utc } from "./times.ts";

/** One sentence: what happened, and whether money is still being lost; and another one where it is not the first time. */
export function headlineOf(about: AlertSubject, incident: Incident, known: Known): string {
  return `${happened(about, incident, known)}${inARow(about, incident)}`;
}

interface Known {
  because: AlertedBecause | null;
  note: string | null;
  at: string;
}

/** Of a guard's firing, where something is told of it for the first time. */
function inARow(about: AlertSubject, { recurrence }: Incident): string {
  const isNew = about === "suspended" || about === "alerted" || about === "failed";
  return isNew && recurrence !== null ? ` It is the ${followsInWords(recurrence)}.` : "";
}

function happened(about: AlertSubject, incident: Incident, { because, note, at }: Known): string {
  const name = nameOf(incident);
  switch (about) {
    case "suspended":
      return `${name} ${howSuspended(incident)}${moneyAfterSuspension(incident)}.`;
    case "alerted":
      return because === "rule"
        ? `${name} tripped on ${whatTripped(incident)}: a warning, nothing was suspended.`
        : `${name} tripped on ${whatTripped(incident)} and was NOT suspended${whyNot(because)}: it may still be losing money.`;
    case "failed":
      return failedToSuspend(incident);
    case "not-understood":
      return `A webhook that Twilio signed for ${name} could not be understood: nothing was done because of it, and whether money is being lost is not known.`;
    case "reactivated":
      return `${name} was reactivated${by(incident.reactivation)}${afterSuspension(incident)}: it can spend again${guarded(incident)}.`;
    case "not-reactivated":
      return notReactivated(incident, at);
    case "dismissed":
      return `The incident of ${name} was dismissed${by(incident.dismissal)}: ${whatDismissedLeaves(incident)}${noted(note)}.`;
    case "tampered":
      return `${name} is active again although its incident says suspended${noted(note)}.`;
    case "calls-ended":
      return `No call of ${name} is live any more: the loss has stopped. An earlier alert said that calls were live, or might be.`;
    case "reminder":
      return `${name} is still ${incident.state}${noted(note)}.`;
  }
}

/** @param count the accounts that wait. */
export function brakeHeadline(count: number): string {
  const held =
    count === 1
      ? "1 account tripped and was NOT suspended. It may still be losing money, and it waits for a person."
      : `${count} accounts tripped and were NOT suspended. They may still be losing money, and they wait for a person.`;
  return `Too many accounts tripped in a short time, so the brake holds: ${held}`;
}

function howSuspended({ trip, errors, rule, containment, suspension }: Incident): string {
  if (suspension !== null) return howSuspendedFor(suspension, containment);
  const on = trip === null ? errors && defanged(rule, 80) : categoryOf(trip);
  const what = trip === null ? `the errors of ${on}` : `its trigger on ${on}`;
  switch (containment?.by) {
    case "closed":
      return on === null ? "is closed" : `tripped on ${on} although it is closed`;
    case "already-suspended":
    case "suspended-by-twilio":
      return on === null ? "was already suspended" : `was already suspended when ${what} came in`;
    case undefined:
    case "tollbreaker":
      return on === null ? "was suspended" : `was suspended after tripping on ${on}`;
  }
}

function howSuspendedFor(wish: Wish, containment: Incident["containment"]): string {
  switch (containment?.by) {
    case "closed":
      return `is closed already; ${operatorOf(wish)} asked to suspend it`;
    case "already-suspended":
    case "suspended-by-twilio":
      return `was already suspended when ${operatorOf(wish)} asked for it`;
    case undefined:
    case "tollbreaker":
      return `was suspended by ${operatorOf(wish)}`;
  }
}

function moneyAfterSuspension({ containment }: Incident): string {
  const left = containment?.callsLeft ?? null;
  if (left === null) return ", but calls may still be live and losing money";
  if (left === 1) return ", but 1 call is still live and losing money";
  return left > 1
    ? `, but ${left} calls are still live and losing money`
    : ": no call is left, and the loss has stopped";
}

function whatTripped({ trip, errors, rule }: Incident): string {
  if (errors !== null) return `${errors.count} errors of the rule ${defanged(rule, 80)}`;
  return trip === null ? defanged(rule, 80) || "an unnamed rule" : categoryOf(trip);
}

function whyNot(because: AlertedBecause | null): string {
  switch (because) {
    case null:
    case "rule":
    case "brake":
      return "";
    case "exempt":
      return " because the policy exempts it";
    case "unconfirmed":
      return " because its usage of today does not confirm it";
    case "observe-mode":
      return " because Tollbreaker runs in observe mode";
    case "parent-account":
      return " because it is the parent account";
  }
}

function failedToSuspend(incident: Incident): string {
  const { suspension, reactivation } = incident;
  const name = nameOf(incident);
  const loss = `it may still be losing money, and ${whoActs(incident)}`;
  // An incident fails after a reactivation only when the account had to be suspended again.
  if (reactivation !== null) return `${name} could NOT be suspended again after its reactivation failed: ${loss}.`;
  if (suspension !== null) return `${name} could NOT be suspended, which ${operatorOf(suspension)} asked for: ${loss}.`;
  return `${name} tripped on ${whatTripped(incident)} and could NOT be suspended: ${loss}.`;
}

function whoActs({ failure }: Incident): string {
  return failure?.retrying === true ? "Tollbreaker goes on trying" : "a person must act now";
}

function afterSuspension({ reactivation }: Incident): string {
  const suspendedFor = reactivation?.suspendedFor ?? null;
  return suspendedFor === null ? "" : ` after ${lag(suspendedFor)}`;
}

function guarded({ reactivation }: Incident): string {
  const until = reactivation?.probationUntil ?? null;
  return until === null ? "" : `, on probation until ${utc(until)}`;
}

function notReactivated(incident: Incident, at: string): string {
  const { reactivation } = incident;
  const name = nameOf(incident);
  const again = `was suspended again, because its reactivation failed${moneyAfterSuspension(incident)}`;
  switch (wentLive(reactivation)) {
    case "no":
      // Not "it is still suspended": it may be active past us, or unreadable, and refused for that.
      return `${name} was NOT reactivated: Tollbreaker did not set it active${callsOf(incident)}.`;
    case "not-known":
      return `${name} may have been active for a moment and ${again}.`;
    case "yes":
      return `${name} was active${forHowLong(reactivation, at)} and ${again}.`;
  }
}

function forHowLong(reactivation: Reactivation | null, at: string): string {
  const time = Date.parse(at) - Date.parse(reactivation?.activatedAt ?? "");
  return time >= 0 ? ` for ${lag(time)}` : "";
}

function callsOf({ checklist }: Incident): string {
  const calls = checklist?.items.find(({ id }) => id === "live-calls");
  return calls?.answer === "done" ? ", and no call was live" : ", but calls may be live and losing money";
}

function whatDismissedLeaves({ failure, suspendedAt }: Incident): string {
  if (failure !== null) return "Tollbreaker could not suspend the account, and it may still be spending";
  // Nobody can dismiss a suspended account unless it is closed.
  return suspendedAt === null
    ? "the account was not suspended, and goes on spending as it likes"
    : "the account is closed, and can spend nothing";
}

function noted(note: string | null): string {
  const said = defanged(note ?? "", 300);
  return said === "" ? "" : `; ${said}`;
}

function by(wish: Wish | null): string {
  return wish === null ? "" : ` by ${operatorOf(wish)}`;
}
