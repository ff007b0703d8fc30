import type { SpendSample } from "../../../../lib/sweep/spend-rules/sample.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** A Monday. */
export const MONDAY = Date.parse("2026-11-02T00:00:00.000Z");

/** Money spent in an hour, at each time (milliseconds since `MONDAY`). */
export type Pace = (since: number) => number;

interface Sweeps {
  /** Milliseconds since `MONDAY`. */
  until: number;
  from?: number;
  every?: number;
}

/** What a sweep sees of a daily trigger, of an account that spends at this pace. */
export function seen(pace: Pace, { until, from = 0, every = 5 * MINUTE }: Sweeps): SpendSample[] {
  const samples: SpendSample[] = [];
  let [counted, day] = [0, 0];
  for (let minute = 0; minute <= until / MINUTE; minute++) {
    const at = minute * MINUTE;
    if (Math.floor(at / DAY) !== day) [counted, day] = [0, Math.floor(at / DAY)];
    if (at >= from && at % every === 0) samples.push(sample(at, counted.toFixed(6), day * DAY));
    counted += pace(at) / 60;
  }
  return samples;
}

/** Times in milliseconds since `MONDAY`. */
export function sample(at: number, value: string, since: number | null = 0): SpendSample {
  return { at: iso(at), value, since: since === null ? null : iso(since) };
}

export function time(since: number): Date {
  return new Date(MONDAY + since);
}

function iso(since: number): string {
  return time(since).toISOString();
}

/** 1 while the office is open, Monday to Friday from nine to six, and a little on Saturdays. */
export function officeHours(since: number): number {
  const [day, hour] = [Math.floor(since / DAY) % 7, (since % DAY) / HOUR];
  if (hour < 9 || hour >= 18) return 0;
  return day < 5 ? 1 : 0.1;
}
