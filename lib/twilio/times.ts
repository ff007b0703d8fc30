/**
 * Twilio's times: RFC 2822 (`Sun, 04 Oct 2026 12:00:00 +0000`) or ISO 8601, on a clock of 24 hours. Strict about the
 * shape, because JavaScript's parser finds a date in almost any text, and a time that is too early makes a firing look
 * like old news.
 */
const CLOCK = "(?<hours>\\d{1,2}):(?<minutes>\\d{2})(?::(?<seconds>\\d{2})(?<fraction>\\.\\d{1,9})?)?";
// A comment may follow a zone (`+0000 (UTC)`), and says nothing.
const ZONE = "(?:\\s*(?<zone>[A-Za-z]{1,5}|[+-]\\d{2}(?::?\\d{2})?)(?:\\s*\\([^()]*\\))?)?";
const SHAPES = [
  new RegExp(
    `^(?:[A-Za-z]{3,9},?\\s+)?(?<day>\\d{1,2})\\s+(?<name>[A-Za-z]{3,9})\\s+(?<year>\\d{4})\\s+${CLOCK}${ZONE}$`,
  ),
  new RegExp(`^(?<year>\\d{4})-(?<month>\\d{2})-(?<day>\\d{2})(?:T|\\s+)${CLOCK}${ZONE}$`),
];

const MONTHS = [
  ...["january", "february", "march", "april", "may", "june"],
  ...["july", "august", "september", "october", "november", "december"],
];

/** Those of RFC 2822, in hours from GMT; whoever writes another name may mean any of several. */
const NAMED_ZONES: ReadonlyMap<string, number> = new Map([
  ...["Z", "UT", "UTC", "GMT"].map((name) => [name, 0] as const),
  ...[["EDT", -4] as const, ["EST", -5] as const, ["CDT", -5] as const, ["CST", -6] as const],
  ...[["MDT", -6] as const, ["MST", -7] as const, ["PDT", -7] as const, ["PST", -8] as const],
]);

const MINUTE_MS = 60_000;

/** The time that `text` tells, GMT where it names no zone; null for what is no time, or in a zone that nobody can tell. */
export function parseTime(text: string): Date | null {
  const parts = SHAPES.map((shape) => shape.exec(text.trim())?.groups).find((groups) => groups !== undefined);
  if (parts === undefined) return null;
  const offset = offsetOf(parts["zone"]);
  const local = localTime(parts);
  return offset === undefined || local === undefined ? null : new Date(local - offset);
}

type Parts = Readonly<Record<string, string | undefined>>;

/** Milliseconds since the epoch as if it were GMT; undefined where the calendar or the clock knows no such time. */
function localTime({ year = "", month, name = "", day = "", hours = "", minutes, seconds, fraction }: Parts) {
  const date = `${year}-${month ?? monthOf(name)}-${day.padStart(2, "0")}`;
  const clock = `${hours.padStart(2, "0")}:${minutes}:${seconds ?? "00"}${fraction ?? ""}`;
  const time = new Date(`${date}T${clock}Z`);
  // JavaScript takes 31 February for 3 March, and 24:00 for the next day.
  const isThere = !Number.isNaN(time.getTime()) && time.toISOString().startsWith(`${date}T${clock.slice(0, 8)}`);
  return isThere ? time.getTime() : undefined;
}

// In full, or its first three letters.
function monthOf(name: string): string {
  const written = name.toLowerCase();
  const index = MONTHS.findIndex((month) => month === written || month.slice(0, 3) === written);
  return String(index + 1).padStart(2, "0");
}

function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined) return 0;
  const [, sign, hours, minutes = "00"] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  if (sign === undefined || hours === undefined) {
    const named = NAMED_ZONES.get(zone.toUpperCase());
    return named === undefined ? undefined : named * 60 * MINUTE_MS;
  }
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
}
