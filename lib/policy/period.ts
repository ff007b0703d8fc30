import { parseTime } from "../twilio/times.ts";
import type { UsageTrigger } from "../twilio/usage-triggers.ts";

/** In which a usage trigger counts, and fires at most once: "Recurring times are in GMT." */
export type Recurring = UsageTrigger["recurring"];

/** Whether it fires again in each period. */
export function isRecurring(recurring: Recurring): boolean {
  return periodStart(recurring, new Date()) !== null;
}

/** When the period that `now` lies in began; null for a trigger that fires once and counts for ever. */
export function periodStart(recurring: Recurring, now: Date): Date | null {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  switch (recurring) {
    case "daily":
      return new Date(Date.UTC(year, month, day));
    case "monthly":
      return new Date(Date.UTC(year, month));
    case "yearly":
      return new Date(Date.UTC(year, 0));
    default:
      return null;
  }
}

/**
 * So long after a new period has begun, Twilio may still show the value of the old one, and only then begin again from
 * zero: "it can take some amount of time for the data used by usage triggers to be reflected"
 * (https://www.twilio.com/docs/usage/api/usage-trigger).
 */
export const LATE_MS = 60 * 60_000;

/** Whether what is shown now may still be the value of the period before. */
export function isEarly(recurring: Recurring, now: Date): boolean {
  const start = periodStart(recurring, now);
  return start !== null && now.getTime() - start.getTime() < LATE_MS;
}

/**
 * Names the time in which a find stays one find: since a period or an hour began, or since the account came back in it.
 * @param start the beginning of an ISO 8601 UTC time; null for what counts for ever
 * @param lastReactivatedAt ISO 8601 UTC
 * @returns at most 16 letters, so that it fits into a fingerprint with a SID
 */
export function occasionOf(start: string | null, lastReactivatedAt: string | null): string {
  if (lastReactivatedAt === null || (start !== null && lastReactivatedAt < start)) return start ?? "once";
  return `${lastReactivatedAt.slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

/** DateFired as Twilio lists it; null where it never fired, or where that is no time. */
export function firedAtOf({ dateFired }: Pick<UsageTrigger, "dateFired">): Date | null {
  return dateFired === null ? null : parseTime(dateFired);
}

/** What fired in this period will not fire again in it. One that fires once never again. */
export function hasFiredInPeriod(trigger: UsageTrigger, now: Date): boolean {
  const start = periodStart(trigger.recurring, now);
  if (start === null) return trigger.dateFired !== null;
  const firedAt = firedAtOf(trigger);
  return firedAt !== null && firedAt >= start;
}
