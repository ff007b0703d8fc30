import { INCIDENT_ID } from "../incidents/incident-reader.ts";

/** A place in the list, opaque to clients so that it can change; `before` is the id of the last incident they saw. */
export function encodeCursor(before: string): string {
  return Buffer.from(before).toString("base64url");
}

/** The incident id in a cursor that `encodeCursor` made; undefined for any other text. */
export function decodeCursor(cursor: string): string | undefined {
  const before = Buffer.from(cursor, "base64url").toString();
  // Buffer skips what is not base64url; only a text that encodes back to itself is ours.
  return INCIDENT_ID.test(before) && encodeCursor(before) === cursor ? before : undefined;
}
