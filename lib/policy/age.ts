import type { Signal } from "../inbox/messages.ts";
import { periodStart } from "./period.ts";

/** Milliseconds since the epoch; what has no readable time of its own counts as happened when it came. */
export function timeOf(signal: Signal): number {
  return Date.parse((signal.kind === "usage-trigger" ? signal.firedAt : null) ?? signal.receivedAt);
}

/** How late what Twilio or the sweep tells may come, and still be true. */
const LATE_MS = 60 * 60_000;
/** For a trigger that fires once: it has no period that could be over. */
const ONCE_MS = 24 * 3600_000;

/**
 * A recorded webhook that is sent again, or a message that comes back from the dead letters: in its period the trigger may
 * have fired for something that is long over. What of it still counts, Twilio lists.
 */
export function isOfEarlierPeriod(signal: Signal, now: Date): boolean {
  if (signal.kind !== "usage-trigger") return false;
  const latest = new Date(now.getTime() - LATE_MS);
  const start = periodStart(signal.recurring, latest)?.getTime() ?? latest.getTime() - ONCE_MS;
  return timeOf(signal) < start;
}

/** What was counted or estimated then says nothing about now. */
export function isStale(signal: Signal, now: Date): boolean {
  if (signal.kind === "usage-trigger" || signal.kind === "not-understood") return false;
  const span = signal.kind === "error-rule" ? signal.within : 0;
  return Date.parse(signal.receivedAt) < now.getTime() - LATE_MS - span;
}
