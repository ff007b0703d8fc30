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

// RFC 2822 with its zone: `Sat, 13 Oct 2012 21:32:30 +0000`. JavaScript would read half of it as local time.
const WITH_ZONE = /\d{1,2}:\d{2}:\d{2} (?:[+-]\d{4}|GMT|UTC)$/;

/** DateFired as Twilio lists it; null where it never fired, or where that is no time. */
export function firedAtOf({ dateFired }: Pick<UsageTrigger, "dateFired">): Date | null {
  if (dateFired === null || !WITH_ZONE.test(dateFired)) return null;
  const time = new Date(dateFired);
  return Number.isNaN(time.getTime()) ? null : time;
}

/** What fired in this period will not fire again in it. One that fires once never again. */
export function hasFiredInPeriod(trigger: UsageTrigger, now: Date): boolean {
  const start = periodStart(trigger.recurring, now);
  if (start === null) return trigger.dateFired !== null;
  const firedAt = firedAtOf(trigger);
  return firedAt !== null && firedAt >= start;
}
