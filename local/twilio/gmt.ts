/** Dates as Twilio writes them; usage is counted by GMT days. */

/** `Sun, 04 Oct 2026 12:00:00 +0000` */
export const rfc2822 = (date: Date): string => date.toUTCString().replace("GMT", "+0000");

/** `2026-10-04`. Days written so compare as text. */
export const dayOf = (date: Date): string => date.toISOString().slice(0, 10);

/** `2026-10-04T12:00:00Z` */
export const secondsIso = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

/** `2026-10-04T12:00:00+00:00`, the `as_of` of a Usage Record. */
export const asOf = (date: Date): string => `${date.toISOString().slice(0, 19)}+00:00`;

export const daysBefore = (date: Date, days: number): Date => new Date(date.getTime() - days * 86_400_000);

/** The first and the last day of something, both included. */
export interface Days {
  first: string;
  last: string;
}

export const today = (now: Date): Days => ({ first: dayOf(now), last: dayOf(now) });
export const thisMonth = (now: Date): Days => ({ first: `${dayOf(now).slice(0, 7)}-01`, last: dayOf(now) });
export const thisYear = (now: Date): Days => ({ first: `${dayOf(now).slice(0, 4)}-01-01`, last: dayOf(now) });
export const allTime = (now: Date): Days => ({ first: "0000-01-01", last: dayOf(now) });
