import Big from "big.js";

/** Twilio's numbers are strings such as `1000.000000`: kept as they are, compared and subtracted exactly. */
const DECIMAL = /^[+-]?\d{1,30}(\.\d{1,30})?$/;

export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}

/** `a - b`, exactly, in plain notation without trailing zeros. */
export function subtract(a: string, b: string): string {
  return plain(new Big(a).minus(b));
}

/** The same number without trailing zeros, for people: `"100.000000"` is `100`. What is no decimal stays as it is. */
export function withoutTrailingZeros(text: string): string {
  return isDecimal(text) ? plain(new Big(text)) : text;
}

/** `part` as a share of `whole` in percent with one decimal; null when `whole` is zero. */
export function percentOf(part: string, whole: string): string | null {
  const divisor = new Big(whole);
  return divisor.eq(0) ? null : new Big(part).times(100).div(divisor).toFixed(1);
}

function plain(value: Big): string {
  return value.toFixed();
}
