import Big from "big.js";

/**
 * Twilio's numbers are strings such as `1000.000000` or, as the offset of a trigger, `+30`: kept as they are, compared
 * and subtracted exactly.
 */
const DECIMAL = /^[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})$/;

export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
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

/** A JavaScript number in plain notation: `1e-7` is `"0.0000001"`. */
export function plainDecimal(value: number): string {
  return new Big(value).toFixed();
}

/** The same number without trailing zeros, for people: `"100.000000"` is `100`. What is no decimal stays as it is. */
export function withoutTrailingZeros(text: string): string {
  return isDecimal(text) ? exact(text).toFixed() : text;
}

/** `part` as a share of `whole` in percent with one decimal; null when `whole` is zero. */
export function percentOf(part: string, whole: string): string | null {
  const divisor = exact(whole);
  return divisor.eq(0) ? null : exact(part).times(100).div(divisor).toFixed(1);
}

// big.js takes no plus sign.
function exact(decimal: string): Big {
  return new Big(decimal.replace(/^\+/, ""));
}
