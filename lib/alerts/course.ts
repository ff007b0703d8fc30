import type { AlertSubject, Incident, Reactivation, Wish } from "../incidents/incident.ts";
import { lag, later, utc } from "./times.ts";

/** When it fired, came in, was suspended and came back, or when somebody asked for it, with the lags between them. */
export function timesOf(about: AlertSubject, incident: Incident): string[] {
  const { suspension, reactivation, dismissal } = incident;
  switch (about) {
    case "alerted":
    case "not-understood":
    case "tampered":
    case "reminder":
    case "calls-ended":
      return signalTimes(about, incident);
    case "suspended":
      return suspension === null ? signalTimes(about, incident) : askedTimes(suspension, incident);
    case "failed":
      if (reactivation !== null) return comingBackTimes(reactivation, incident);
      return suspension === null ? signalTimes(about, incident) : askedTimes(suspension, incident);
    case "reactivated":
    case "not-reactivated":
      return reactivation === null ? signalTimes(about, incident) : comingBackTimes(reactivation, incident);
    case "dismissed":
      return [...signalTimes(about, incident), ...(dismissal === null ? [] : [`asked ${utc(dismissal.at)}`])];
  }
}

function askedTimes({ at }: Wish, { suspendedAt }: Incident): string[] {
  return [
    `asked ${utc(at)}`,
    ...(suspendedAt === null ? [] : [`suspended ${utc(suspendedAt)}, ${since(at, suspendedAt)}`]),
  ];
}

function comingBackTimes({ at, activatedAt }: Reactivation, { suspendedAt }: Incident): string[] {
  return [
    ...(suspendedAt === null ? [] : [`suspended ${utc(suspendedAt)}`]),
    `asked ${utc(at)}`,
    ...(activatedAt === null ? [] : [`active ${utc(activatedAt)}, ${since(at, activatedAt)}`]),
  ];
}

function since(from: string, to: string): string {
  return later(Date.parse(to) - Date.parse(from));
}

function signalTimes(about: AlertSubject, incident: Incident): string[] {
  const { receivedAt, suspendedAt, lags } = incident;
  const received = lags.firedToReceived === null ? "" : `, ${later(lags.firedToReceived)}`;
  return [
    ...begun(about, incident),
    `received ${utc(receivedAt)}${received}`,
    ...(suspendedAt === null ? [] : [`suspended ${utc(suspendedAt)}${suspendedLater(lags)}`]),
  ];
}

/** Errors and shares of the spend have no moment at which they fire. */
function begun(about: AlertSubject, { firedAt, errors, trip }: Incident): string[] {
  if (errors !== null) return [`counted from ${utc(errors.firstAt)} to ${utc(errors.lastAt)}`];
  if (firedAt !== null) return [`fired ${utc(firedAt)}`];
  return trip !== null || about === "not-understood" ? ["fired at a time that could not be read"] : [];
}

function suspendedLater({ receivedToSuspended, firedToSuspended }: Incident["lags"]): string {
  const sinceReceived = receivedToSuspended === null ? "" : `, ${later(receivedToSuspended)}`;
  return firedToSuspended === null ? sinceReceived : `${sinceReceived} (${lag(firedToSuspended)} after it fired)`;
}
