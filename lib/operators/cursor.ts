/** A place in a list, opaque to clients so that it can change: `last` is the id of the last entry they saw. */
export function encodeCursor(last: string): string {
  return Buffer.from(last).toString("base64url");
}

/** The id in a cursor that `encodeCursor` made of such an id; undefined for any other text. */
export function decodeCursor(cursor: string, id: RegExp): string | undefined {
  const last = Buffer.from(cursor, "base64url").toString();
  // Buffer skips what is not base64url; only a text that encodes back to itself is ours.
  return id.test(last) && encodeCursor(last) === cursor ? last : undefined;
}
