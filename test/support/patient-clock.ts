import type { Clock } from "../../lib/clock.ts";

export interface PatientClock extends Clock {
  /** Lets so many milliseconds go by at once. */
  pass(milliseconds: number): void;
}

/** Time goes by only while somebody sleeps, at once, or where a test says so: however slow the machine is, no time is lost. */
export function patientClock(begin: Date = new Date()): PatientClock {
  let time = begin.getTime();
  const pass = (milliseconds: number) => {
    time += milliseconds;
  };
  return { now: () => new Date(time), sleep: async (milliseconds) => pass(milliseconds), pass };
}
