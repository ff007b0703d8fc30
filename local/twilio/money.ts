/**
 * Amounts inside the simulator are whole millionths ("micros") of a currency, a message or a minute, so that thousands
 * of prices such as 0.0079 add up exactly. A double holds them exactly up to nine thousand million units.
 */
export type Micros = number;

const PER_UNIT = 1_000_000;
const DECIMAL = /^(\d{1,9})(?:\.(\d{1,6}))?$/;

/** Reads `"12"` or `"12.5"`: at most six decimals, no sign; undefined for any other text. */
export function microsFrom(text: string): Micros | undefined {
  const [, whole, decimals = ""] = DECIMAL.exec(text) ?? [];
  return whole === undefined ? undefined : Number(whole) * PER_UNIT + Number(decimals.padEnd(6, "0"));
}

export const micros = (units: number): Micros => Math.round(units * PER_UNIT);
export const unitsOf = (amount: Micros): number => amount / PER_UNIT;

/** `60520000` as `"60.52"`. */
export const shortDecimal = (amount: Micros): string => String(unitsOf(amount));

/** `1000000000` as `"1000.000000"`, the way Twilio writes a TriggerValue. */
export const longDecimal = (amount: Micros): string => unitsOf(amount).toFixed(6);
