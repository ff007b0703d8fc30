/**
 * Text that others chose (friendly names, categories, Twilio's messages) made safe to show: a name must not be able to
 * break a subject, forge a line of an e-mail, turn the reading direction of what follows it, or become a link.
 */

// Controls, format characters (bidirectional overrides, zero-width), lone surrogates, line and paragraph separators, and
// the two that are no characters: SQS refuses a message that holds one.
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]+/gu;
const NOT_PRINTABLE_ASCII = /[^\x20-\x7e]+/g;

/** `text` on one line without control characters, at most `limit` characters (code points). */
export function oneLine(text: string, limit: number): string {
  return cut(text.replace(UNSHOWABLE, " ").replace(/\s+/g, " ").trim(), limit);
}

/**
 * `text` on one line, cut to `limit` characters, with nothing in it that a mail client, a phone or Slack makes a link of:
 * `https://evil.com` becomes `hxxps[:]//evil[.]com`, `a@evil.com` becomes `a[@]evil[.]com`, and of a telephone number only
 * the first digits stay (whoever reads "call Twilio at ..." at 3 a.m. may do so). The brackets come on top of `limit`.
 * Digits without a plus sign or a break between them stay: they are amounts and customers' numbers.
 */
export function defanged(text: string, limit: number): string {
  const shown = oneLine(text, limit).replace(NUMBER, withoutTelephone);
  return LINK_PARTS.reduce((safe, [part, harmless]) => safe.replace(part, harmless), shown);
}

// Browsers take the look-alikes for a dot, too: https://www.unicode.org/reports/tr46/#Notation
const DOT = ".。．｡․﹒";
const COLON = ":：﹕";

/** Each applied once; none matches what another one has made, so that text can be defanged twice. */
const LINK_PARTS: readonly (readonly [part: RegExp, harmless: string])[] = [
  [new RegExp(`http(?=s?[${COLON}])`, "gi"), "hxxp"],
  // A scheme with whatever follows it (mailto:x, javascript:x, localhost:80), and all that has a slash after it.
  [new RegExp(`(?<=(?<![\\p{L}\\p{Nd}])\\p{L}[\\p{L}\\p{Nd}+.-]*)[${COLON}](?=[^\\s\\]])`, "gu"), "[:]"],
  [new RegExp(`[${COLON}](?=[/\\\\])`, "g"), "[:]"],
  // Before a letter of any script: a top-level domain begins with one, punycode too. An amount has a digit there.
  [new RegExp(`(?<=\\S)[${DOT}](?=[\\p{L}\\p{M}])|(?<=www)[${DOT}](?=[^\\s\\]])`, "giu"), "[.]"],
  // Of an IP address; an amount has one dot.
  [
    new RegExp(`(?<=\\p{Nd}[${DOT}]\\p{Nd}+)[${DOT}](?=\\p{Nd})|(?<=\\p{Nd})[${DOT}](?=\\p{Nd}+[${DOT}]\\p{Nd})`, "gu"),
    "[.]",
  ],
  [/(?<=[^\s[])[@＠﹫](?=[^\s\]])/g, "[@]"],
];

const NUMBER = /\+?\(?\p{Nd}(?:[ ().\-‐-―/]{0,3}\p{Nd}){6,}/gu;
const DATE = /^(19|20)\d\d-[01]\d-[0-3]\d/;
const AMOUNT = /^\p{Nd}+(\.\p{Nd}+)?$/u;
/** Enough to tell the country. */
const DIGITS_SHOWN = 4;
/** As few have no telephone numbers but within a town; dates and short codes do. */
const LEAST_DIGITS = 9;

function withoutTelephone(number: string): string {
  const digits = number.match(/\p{Nd}/gu) ?? [];
  const isInternational = number.startsWith("+");
  const isNational = digits.length >= LEAST_DIGITS && !AMOUNT.test(number) && !DATE.test(number);
  if (!isInternational && !isNational) return number;
  return `${isInternational ? "+" : ""}${digits.slice(0, DIGITS_SHOWN).join("")}…`;
}

/** At most `limit` code points; what was cut is marked with `mark`. */
function cut(text: string, limit: number, mark = "…"): string {
  if (text.length <= limit) return text;
  const characters = [...text];
  if (characters.length <= limit) return text;
  return characters.slice(0, limit - mark.length).join("") + mark;
}

/** More of a text is never shown in one line of ASCII, and need not be looked at. */
const MOST_ASCII = 500;

/** `text` defanged and in printable ASCII: accents dropped, each run of other letters shown as one `?`. */
export function ascii(text: string, limit: number): string {
  const unaccented = text.normalize("NFKD").replace(/\p{M}+/gu, "");
  const printable = oneLine(unaccented, Number.POSITIVE_INFINITY).replace(NOT_PRINTABLE_ASCII, "?");
  // Defanged last: each step before can make a dot, or the beginning of a word, of what was none.
  return cut(defanged(printable, MOST_ASCII).replaceAll("…", "..."), limit, "...");
}
