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
