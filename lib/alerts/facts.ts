import type { AlertSubject, Evidence, Incident, Trip } from "../incidents/incident.ts";
import type { Fact } from "./alert.ts";
import { decimal, isMoney, measured, money } from "./amounts.ts";
import { oneLine } from "./plain-text.ts";
import { lag, later, utc } from "./times.ts";

/**
 * What is known of an incident, most urgent first: at most ten, which is what one Slack section holds.
 * @param problem what could not be read of a signed webhook.
 */
export function factsOf(about: AlertSubject, incident: Incident, problem: string | null): Fact[] {
  const { trip, evidence } = incident;
  const currency = evidence?.currency ?? null;
  return [
    { label: "Account", value: account(incident) },
    ...(problem === null ? [] : [{ label: "Problem", value: oneLine(problem, 600) || "not described" }]),
    { label: "Rule", value: oneLine(incident.rule, 200) || "none" },
    ...(trip === null ? [] : tripFacts(trip, currency)),
    ...(evidence === null ? [] : spendToday(evidence, trip)),
    { label: "Done", value: done(about, incident) },
    ...(about === "not-understood" ? [] : [{ label: "Calls", value: calls(incident) }]),
    { label: "Why", value: oneLine(incident.reason, 600) || "no reason was recorded" },
  ];
}

/** What to call the account: its friendly name, or its SID where the name is not known. */
export function nameOf({ friendlyName, accountSid }: Incident): string {
  return oneLine(friendlyName ?? "", 64) || accountSid;
}

function account({ friendlyName, accountSid }: Incident): string {
  const name = oneLine(friendlyName ?? "", 64);
  return name === "" ? `${accountSid} (its name is not known)` : `${name} (${accountSid})`;
}

/** When it fired, came in and was suspended, with the lags between them. */
export function timesOf({ firedAt, receivedAt, suspendedAt, lags }: Incident): string[] {
  const received = lags.firedToReceived === null ? "" : `, ${later(lags.firedToReceived)}`;
  return [
    `fired ${firedAt === null ? "at a time that could not be read" : utc(firedAt)}`,
    `received ${utc(receivedAt)}${received}`,
    ...(suspendedAt === null ? [] : [`suspended ${utc(suspendedAt)}${suspendedLater(lags)}`]),
  ];
}

function suspendedLater({ receivedToSuspended, firedToSuspended }: Incident["lags"]): string {
  const sinceReceived = receivedToSuspended === null ? "" : `, ${later(receivedToSuspended)}`;
  return firedToSuspended === null ? sinceReceived : `${sinceReceived} (${lag(firedToSuspended)} after it fired)`;
}

function tripFacts(trip: Trip, currency: string | null): Fact[] {
  const recurring = trip.recurring === "" ? "once" : oneLine(trip.recurring, 20);
  const over = measured(trip, trip.overshoot, currency);
  // Usage triggers carry no currency; only Usage Records do.
  const unnamed = isMoney(trip) && currency === null ? " (in the account's currency)" : "";
  const percent = trip.overshootPercent === null ? "" : ` (${decimal(trip.overshootPercent)} %)`;
  return [
    {
      label: "Fired",
      value: `${categoryOf(trip)} by ${oneLine(trip.triggerBy, 20)}, ${recurring}, trigger ${oneLine(trip.usageTriggerSid, 40)}`,
    },
    {
      label: "Reached",
      value: `${measured(trip, trip.currentValue, currency)} against a limit of ${measured(trip, trip.triggerValue, currency)}${unnamed}`,
    },
    { label: "Overshoot", value: `${over}${percent}` },
  ];
}

/** The usage category, or words for an empty one. */
export function categoryOf(trip: Trip): string {
  return oneLine(trip.usageCategory, 80) || "an unnamed category";
}

function spendToday({ currency, categoryPriceToday, totalPriceToday, readAt }: Evidence, trip: Trip | null): Fact[] {
  const parts: string[] = [];
  if (categoryPriceToday !== null && trip !== null) {
    parts.push(`${money(categoryPriceToday, currency)} for ${categoryOf(trip)}`);
  }
  if (totalPriceToday !== null) parts.push(`${money(totalPriceToday, currency)} in all`);
  if (parts.length === 0) return [];
  return [{ label: "Spent today", value: `${parts.join(", ")} (read ${utc(readAt)}; Twilio's figures lag)` }];
}

function done(about: AlertSubject, incident: Incident): string {
  switch (about) {
    case "suspended":
      return suspendedHow(incident);
    case "alerted":
      return "nothing was changed on the account: recorded and alerted only";
    case "failed":
      return `tried to suspend the account, without success: ${failureOf(incident)}`;
    case "not-understood":
      return "nothing was changed on the account because of it; the webhook is kept";
  }
}

function suspendedHow({ containment }: Incident): string {
  switch (containment?.by) {
    case undefined:
    case "tollbreaker":
      return "suspended by Tollbreaker, and read back as suspended";
    case "already-suspended":
      return "nothing to do: it was already suspended";
    case "suspended-by-twilio":
      return "nothing to do: Twilio itself had suspended it (error 21478)";
    case "closed":
      return "nothing to do: the account is closed (error 21479)";
  }
}

function failureOf({ failure }: Incident): string {
  if (failure === null) return "no reason was recorded";
  const code = failure.twilioCode === null ? "" : ` (Twilio error ${failure.twilioCode})`;
  const goesOn = failure.retrying ? "it goes on trying" : "it has given up";
  return `${oneLine(failure.message, 400) || "no message"}${code}; ${goesOn}`;
}

function calls({ containment }: Incident): string {
  if (containment === null) return "none were ended";
  const left = containment.callsLeft === null ? "how many are left is not known" : `${containment.callsLeft} left`;
  return `${containment.callsEnded} ended, ${left}`;
}
