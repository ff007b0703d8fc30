import type { Incident, Recurrence } from "./incident.ts";

/** @param before the account's incident before this one */
export function recurrenceOf(limit: string, before: Pick<Incident, "id" | "recurrence">): Recurrence {
  const { id, recurrence } = before;
  return { limit, first: recurrence?.first ?? id, previous: id, nth: (recurrence?.nth ?? 1) + 1 };
}

/** Such as `2nd incident in a row, after 20261121T030405123-1f3a9c2e: the guard of daily-spend fired`. */
export function recurrenceInWords({ limit, first, previous, nth }: Recurrence): string {
  const after = first === previous ? first : `${previous}, the first is ${first}`;
  return `${ordinal(nth)} incident in a row, after ${after}: the guard of ${limit} fired`;
}

function ordinal(nth: number): string {
  const isTeen = Math.floor(nth / 10) % 10 === 1;
  const ending = isTeen ? undefined : ["th", "st", "nd", "rd"][nth % 10];
  return `${nth}${ending ?? "th"}`;
}
