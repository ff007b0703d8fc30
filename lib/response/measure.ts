import type { IncidentRecord } from "../incidents/change.ts";
import type { Log } from "../log.ts";

/** What the dashboard and the alarms go by: one log line for each number, no request. */
export function measure(log: Log, before: IncidentRecord | undefined, after: IncidentRecord | undefined): void {
  if (after === undefined) return;
  const { incident } = after;
  const wasSuspendedAt = before?.incident.suspendedAt ?? null;
  if (incident.state === "suspended" && incident.suspendedAt !== wasSuspendedAt) measureSuspension(log, after);
  const wasHeld = before?.incident.because === "brake";
  if (incident.because === "brake" && !wasHeld) log.count("BrakeHeld", 1);
  if (incident.state === "failed" && before?.incident.state !== "failed") log.count("ContainmentsFailed", 1);
}

function measureSuspension(log: Log, { incident }: IncidentRecord): void {
  const { lags, trip } = incident;
  log.count("Suspensions", 1);
  if (lags.receivedToSuspended !== null) log.measure("ContainmentTime", lags.receivedToSuspended, "Milliseconds");
  if (lags.firedToSuspended !== null) log.measure("FiredToSuspended", lags.firedToSuspended, "Milliseconds");
  if (trip !== null && trip.overshootPercent !== null) {
    log.measure("Overshoot", Number(trip.overshootPercent), "Percent");
  }
}
