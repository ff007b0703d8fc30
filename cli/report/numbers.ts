import type { IncidentStory } from "../incident-view.ts";
import { lagsOf } from "../suspensions.ts";
import { amount, lag, percent, span, unitOf } from "../wording.ts";
import { code, facts, plain } from "./markdown.ts";
import { exact } from "./times.ts";

/** The limit, by how much it was passed, and how long each step took. */
export function numbers(incident: IncidentStory): string {
  const { rule, signals } = incident;
  const lags = lagsOf(incident);
  return facts([
    ["Rule", code(rule)],
    ...tripRows(incident),
    ...errorRows(incident),
    ["Fired to received", duration(lags.firedToReceived)],
    ["Received to suspended", duration(lags.receivedToSuspended)],
    ["Fired to suspended", duration(lags.firedToSuspended)],
    ["Signals in this incident", String(signals)],
  ]);
}

type Row = readonly [name: string, value: string | null];

function tripRows(incident: IncidentStory): Row[] {
  const { trip } = incident;
  if (trip === null) return [];
  const unit = unitOf(incident);
  return [
    ["UsageCategory", plain(`${trip.usageCategory}, by ${trip.triggerBy}, ${trip.recurring || "once"}`)],
    ["Limit (TriggerValue)", plain(`${amount(trip.triggerValue)}${unit}`)],
    ["Value at firing (CurrentValue)", plain(`${amount(trip.currentValue)}${unit}`)],
    ["Overshoot", plain(`${amount(trip.overshoot)}${unit}${percent(trip.overshootPercent)}`)],
  ];
}

/** Error codes with what Twilio says of them: https://www.twilio.com/docs/api/errors */
function errorRows({ errors }: IncidentStory): Row[] {
  if (errors === null) return [];
  const notes = new Map(errors.samples.map(({ code: number, note }) => [number, note]));
  const codes = [...notes].map(([number, note]) => (note === "" ? `${number}` : `${number} (${note})`));
  return [
    ["Errors", `${errors.count} within ${span(errors.within)}`],
    ["First and last error", `${exact(errors.firstAt)}, ${exact(errors.lastAt)}`],
    ["Codes", plain(codes.join(", "))],
  ];
}

function duration(milliseconds: number | null): string | null {
  if (milliseconds === null) return null;
  // The exact figure, too, where the words round it.
  return Math.abs(milliseconds) < 1000 ? lag(milliseconds) : `${lag(milliseconds)} (${milliseconds} ms)`;
}
