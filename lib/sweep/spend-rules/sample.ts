import { approximate, isDecimal } from "../../decimal.ts";

/** What a usage trigger of an account had counted when it was read. */
export interface SpendSample {
  /** When it was read, by our clock, ISO 8601 UTC. */
  at: string;
  /** CurrentValue: what was counted since the period began, a decimal string as Twilio writes it. */
  value: string;
  /** When that period began (GMT day, month or year), ISO 8601 UTC; null for a trigger that counts for ever. */
  since: string | null;
}

export interface Reading {
  /** Milliseconds since the epoch. */
  at: number;
  value: number;
  /** Milliseconds since the epoch; -Infinity for a trigger that counts for ever. */
  since: number;
}

const MINUTE = 60_000;
/** Clocks of two functions differ; a reading from further ahead is a mistake. */
const MOST_AHEAD = 5 * MINUTE;

/**
 * The samples that can be read, in the order of time, one for each moment. Where two are of the same moment, the later
 * one in the list counts.
 */
export function readSamples(samples: readonly SpendSample[], now: Date): Reading[] {
  const latest = now.getTime() + MOST_AHEAD;
  const readings = new Map<number, Reading>();
  for (const sample of samples) {
    const reading = read(sample);
    if (reading !== undefined && reading.at <= latest) readings.set(reading.at, reading);
  }
  return [...readings.values()].sort((one, other) => one.at - other.at);
}

// Numbers, not decimals: sums are rounded to millionths in the end, so that they are exact up to a billion.
function read({ at, value, since }: SpendSample): Reading | undefined {
  if (!isDecimal(value)) return undefined;
  const reading = {
    at: Date.parse(at),
    value: approximate(value),
    since: since === null ? Number.NEGATIVE_INFINITY : Date.parse(since),
  };
  return !Number.isNaN(reading.at) && !Number.isNaN(reading.since) ? reading : undefined;
}
