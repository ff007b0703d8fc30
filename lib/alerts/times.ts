const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An ISO 8601 time for people: `2026-11-21 03:04:05 UTC`. */
export function utc(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return "an unreadable time";
  return `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** How much later, in words. Twilio's clock may be ahead of ours: that is shown, not hidden. */
export function later(milliseconds: number): string {
  return milliseconds < 0 ? `${lag(-milliseconds)} earlier by our clock` : `${lag(milliseconds)} later`;
}

/** A lag in milliseconds for people: `850 ms`, `4.2 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`. */
export function lag(milliseconds: number): string {
  if (milliseconds < 0) return `-${lag(-milliseconds)}`;
  const ms = Math.round(milliseconds);
  if (ms < SECOND) return `${ms} ms`;
  if (ms < 10 * SECOND) return `${Math.floor(ms / 100) / 10} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return pair(ms, MINUTE, "min", SECOND, "s");
  if (ms < DAY) return pair(ms, HOUR, "h", MINUTE, "min");
  return pair(ms, DAY, "d", HOUR, "h");
}

function pair(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  const first = `${Math.floor(ms / large)} ${largeName}`;
  return rest === 0 ? first : `${first} ${rest} ${smallName}`;
}
