import type { Incident } from "../incidents/incident.ts";

/** How long an incident waits for a person, and what its waiting costs, in one sentence. */
export function inWords({ state }: Incident, waitedMs: number, phoneNumbers: number | null): string {
  const waits = `it has waited for a person for ${duration(waitedMs)}`;
  if (state !== "suspended") return `${waits}, and may still be spending`;
  if (phoneNumbers === null) return `${waits}; phone numbers of a suspended account are still billed each month`;
  if (phoneNumbers === 0) return `${waits}; it has no phone number that would be billed`;
  const numbers = phoneNumbers === 1 ? "its phone number is" : `its ${phoneNumbers} phone numbers are`;
  return `${waits}; ${numbers} still billed each month`;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function duration(milliseconds: number): string {
  if (milliseconds >= 2 * DAY) return `${Math.floor(milliseconds / DAY)} days`;
  if (milliseconds >= 2 * HOUR) return `${Math.floor(milliseconds / HOUR)} hours`;
  return `${Math.max(1, Math.floor(milliseconds / MINUTE))} minutes`;
}
