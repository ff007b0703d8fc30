import Big from "big.js";

/**
 * The one notion of a number: exact decimals, kept as text. Twilio writes `1000.000000`, or `+30` for the offset of a
 * trigger; JSON and other writers may come with `1E+2` or `.5`. White space around it is taken, too, because a plus sign
 * that was not escaped arrives as a space. Whoever reads a number from outside turns it into plain notation at once
 * (`plainText`); what is behind it can still compare whatever `isDecimal` takes, as messages of an earlier version hold it.
 */
const DECIMAL = /^[ \t\r\n]*([+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?)[ \t\r\n]*$/;
const PLAIN = /^-?\d+(?:\.\d+)?$/;
/** Digits on either side of the point, in plain notation: no exponent makes arithmetic long. */
const MOST_DIGITS = 30;

/** Whether it is a number, and within bounds: below 10^30, with at most 30 decimals. */
export function isDecimal(text: string): boolean {
  return numberIn(text) !== undefined;
}

/** The same number as it is calculated with: `+30` is `30`, `1E+2` is `100`. What is in digits already stays, zeros and all. */
export function plainText(decimal: string): string {
  return PLAIN.test(decimal) ? decimal : exact(decimal).toFixed();
}

/** `a - b`, exactly, in plain notation without trailing zeros. */
export function subtract(a: string, b: string): string {
  return exact(a).minus(exact(b)).toFixed();
}

/** The exact sum; `"0"` for none. */
export function sum(terms: readonly string[]): string {
  return terms.reduce((total, term) => total.plus(exact(term)), new Big(0)).toFixed();
}

/** `a * b`, exactly. */
export function multiply(a: string, b: string): string {
  return exact(a).times(exact(b)).toFixed();
}

/** Rounded up, away from zero, to at most so many decimals. */
export function roundUp(value: string, decimals: number): string {
  return exact(value).round(decimals, Big.roundUp).toFixed();
}

/** Negative when `a` is less than `b`, positive when it is more, 0 when they are equal. */
export function compare(a: string, b: string): number {
  return exact(a).cmp(exact(b));
}

/** For statistics: the nearest JavaScript number. */
export function approximate(decimal: string): number {
  return Number(exact(decimal).toFixed());
}

/** A finite JavaScript number in plain notation: `1e-7` is `"0.0000001"`. */
export function plainDecimal(value: number): string {
  return new Big(value).toFixed();
}

/** The same number without trailing zeros, for people: `"100.000000"` is `100`. What is no decimal stays as it is. */
export function withoutTrailingZeros(text: string): string {
  return numberIn(text)?.toFixed() ?? text;
}

/** `part` as a share of `whole` in percent with one decimal; null when `whole` is zero. */
export function percentOf(part: string, whole: string): string | null {
  const divisor = exact(whole);
  return divisor.eq(0) ? null : exact(part).times(100).div(divisor).toFixed(1);
}

/**
 * Results of ours may have more digits than a number from outside.
 * @throws RangeError for what is no number: whoever may have one asks `isDecimal` first.
 */
function exact(decimal: string): Big {
  if (PLAIN.test(decimal)) return new Big(decimal);
  const value = numberIn(decimal);
  if (value === undefined) throw new RangeError(`no decimal number: ${JSON.stringify(decimal.slice(0, 80))}`);
  return value;
}

function numberIn(text: string): Big | undefined {
  const [, written] = DECIMAL.exec(text) ?? [];
  if (written === undefined) return undefined;
  // big.js takes no plus sign.
  const value = new Big(written.replace(/^\+/, ""));
  return isBounded(value) ? value : undefined;
}

// `c` holds the digits without zeros at either end, `e` the power of ten of the first.
function isBounded({ c, e }: Big): boolean {
  return e < MOST_DIGITS && c.length - 1 - e <= MOST_DIGITS;
}
