import fc from "fast-check";
import { expect, test } from "vitest";
import { isDecimal, percentOf, subtract } from "../../lib/decimal.ts";

test.each(["0", "57", "1000.000000", "60.52", "-0.5", "+30", ".5", "5.", "0".repeat(30), `0.${"9".repeat(30)}`])(
  "%j is a decimal",
  (text) => {
    expect(isDecimal(text)).toBe(true);
    expect(subtract(text, text)).toBe("0");
  },
);

test.each([
  "",
  " ",
  ".",
  "+",
  "-",
  "1e3",
  "1,000",
  "1 000",
  "0x10",
  "NaN",
  "Infinity",
  "1.2.3",
  " 1",
  "1\n",
  "١",
  "9".repeat(31),
])("%j is none", (text) => expect(isDecimal(text)).toBe(false));

test.each([
  ["60.52", "50.000000", "10.52"],
  ["0.3", "0.1", "0.2"],
  ["50", "60.5", "-10.5"],
  ["+30", ".5", "29.5"],
  ["0.0000001", "0", "0.0000001"],
  ["999999999999999999999999999999", "0.000001", "999999999999999999999999999998.999999"],
])("%s - %s = %s", (a, b, difference) => expect(subtract(a, b)).toBe(difference));

test.each([
  ["10.52", "50", "21.0"],
  ["1", "3", "33.3"],
  ["+30", "+60", "50.0"],
  ["-5", "50", "-10.0"],
  ["5", "0.000", null],
])("%s of %s is %s percent", (part, whole, percent) => expect(percentOf(part, whole)).toBe(percent));

test("a difference is exact for every number of decimals, as whole numbers of the smallest unit have it", () => {
  const number = fc.tuple(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), fc.nat(20));
  fc.assert(
    fc.property(number, number, ([a, decimalsOfA], [b, decimalsOfB]) => {
      const decimals = Math.max(decimalsOfA, decimalsOfB);
      const units = a * 10n ** BigInt(decimals - decimalsOfA) - b * 10n ** BigInt(decimals - decimalsOfB);
      const difference = subtract(written(a, decimalsOfA), written(b, decimalsOfB));
      expect(isDecimal(difference)).toBe(true);
      expect(unitsOf(difference, decimals)).toBe(units);
    }),
  );
});

function written(units: bigint, decimals: number): string {
  const digits = String(units < 0n ? -units : units).padStart(decimals + 1, "0");
  const [whole, fraction] = [digits.slice(0, digits.length - decimals), digits.slice(digits.length - decimals)];
  return `${units < 0n ? "-" : ""}${whole}${decimals === 0 ? "" : `.${fraction}`}`;
}

function unitsOf(text: string, decimals: number): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(decimals, "0"));
}
