/**
 * Text that others chose (friendly names, categories, Twilio's messages) made safe to show: a name must not be able to
 * break a subject, forge a line of an e-mail, or turn the reading direction of what follows it.
 */

// Controls, format characters (bidirectional overrides, zero-width), lone surrogates, line and paragraph separators.
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;
const NOT_PRINTABLE_ASCII = /[^\x20-\x7e]+/g;

/** `text` on one line without control characters, at most `limit` characters (code points). */
export function oneLine(text: string, limit: number): string {
  return cut(text.replace(UNSHOWABLE, " ").replace(/\s+/g, " ").trim(), limit);
}

/** At most `limit` code points; what was cut is marked with `mark`. */
function cut(text: string, limit: number, mark = "…"): string {
  if (text.length <= limit) return text;
  const characters = [...text];
  if (characters.length <= limit) return text;
  return characters.slice(0, limit - mark.length).join("") + mark;
}

/** `text` in printable ASCII: accents dropped, each run of other letters shown as one `?`. */
export function ascii(text: string, limit: number): string {
  const unaccented = text.normalize("NFKD").replace(/\p{M}+/gu, "");
  return cut(oneLine(unaccented, Number.POSITIVE_INFINITY).replace(NOT_PRINTABLE_ASCII, "?"), limit, "...");
}
