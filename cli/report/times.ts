import { plain } from "./markdown.ts";

/** An ISO 8601 time for the record, to the millisecond: `2026-11-21 03:04:05.123`. Another text is shown as one. */
export function exact(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? plain(iso) : at.toISOString().replace("T", " ").replace("Z", "");
}

/** The same; null where it is not known. */
export function exactOrNull(iso: string | null): string | null {
  return iso === null ? null : exact(iso);
}
