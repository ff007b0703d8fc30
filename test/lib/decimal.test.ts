import { describe, expect, test } from "vitest";
import {
  approximate,
  compare,
  isDecimal,
  multiply,
  percentOf,
  plainDecimal,
  plainText,
  roundUp,
  subtract,
  sum,
  withoutTrailingZeros,
} from "../../lib/decimal.ts";
import fc from "../support/fast-check.ts";

describe("a decimal, and what it is in plain notation", () => {
  test.each([
    ["0", "0"],
    ["-0", "-0"],
    ["57", "57"],
    ["1000.000000", "1000.000000"],
    ["60.52", "60.52"],
    ["-0.5", "-0.5"],
    ["+30", "30"],
    ["+0.0", "0"],
    [".5", "0.5"],
    [".55", "0.55"],
    ["5.", "5"],
    ["1E+2", "100"],
    ["1e3", "1000"],
    ["1e-7", "0.0000001"],
    ["-2.50e1", "-25"],
    ["0e999", "0"],
    // a plus sign that was not escaped arrives as a space
    [" 30", "30"],
    ["30\r\n", "30"],
    ["9e29", `9${"0".repeat(29)}`],
    ["1e-30", `0.${"0".repeat(29)}1`],
    ["0".repeat(30), "0".repeat(30)],
    [`0.${"9".repeat(30)}`, `0.${"9".repeat(30)}`],
  ])("%j is %s", (text, plain) => {
    expect(isDecimal(text)).toBe(true);
    expect(plainText(text)).toBe(plain);
    expect(subtract(text, text)).toBe("0");
  });

  test.each([
    ...["", " ", ".", "+", "-", "e5", "1e", "1e+", ".e1", "--5", "+-5", "- 5"],
    ...[
      "1,000",
      "1,000.00",
      "1 000",
      "1_000",
      "1.2.3",
      "$5",
      "5 USD",
      "0x10",
      "0b1",
      "1n",
      "NaN",
      "Infinity",
      "-Infinity",
    ],
    // other scripts' digits, signs and spaces
    ...["١", "５", "−5", "\u00a05", "5\u2028"],
    // out of bounds
    ...["1e400", "1e-400", "1e30", "1e-31", "1e999999999", "1e-999999999"],
  ])("%j is none, and stays as it is", (text) => {
    expect(isDecimal(text)).toBe(false);
    expect(withoutTrailingZeros(text)).toBe(text);
    expect(() => compare(text, "0")).toThrow(RangeError);
  });

  test.each(["9".repeat(31), `0.${"1".repeat(31)}`])("%j is taken from nobody, but may be a result of ours", (text) => {
    expect(isDecimal(text)).toBe(false);
    expect(subtract(text, text)).toBe("0");
  });
});

test.each([
  ["60.52", "50.000000", "10.52"],
  ["0.3", "0.1", "0.2"],
  ["50", "60.5", "-10.5"],
  ["+30", ".5", "29.5"],
  ["1E+2", " 1e-1", "99.9"],
  ["0.0000001", "0", "0.0000001"],
  ["999999999999999999999999999999", "0.000001", "999999999999999999999999999998.999999"],
])("%s - %s = %s", (a, b, difference) => expect(subtract(a, b)).toBe(difference));

test.each([
  ["10.52", "50", "21.0"],
  ["1", "3", "33.3"],
  ["+30", "+60", "50.0"],
  ["1E+1", "2e1", "50.0"],
  ["-5", "50", "-10.0"],
  ["5", "0.000", null],
])("%s of %s is %s percent", (part, whole, percent) => expect(percentOf(part, whole)).toBe(percent));

test.each([
  ["1.01", 1, "1.1"],
  ["1.0", 1, "1"],
  ["0.0000001", 6, "0.000001"],
  ["-1.01", 1, "-1.1"],
  ["24.000001", 0, "25"],
])("%s rounded up to %i decimals is %s: an allowance is never too small", (value, decimals, rounded) => {
  expect(roundUp(value, decimals)).toBe(rounded);
});

test.each([
  [1e-7, "0.0000001"],
  [1e21, "1000000000000000000000"],
  [60.52, "60.52"],
])("the JavaScript number %s is %s", (value, plain) => expect(plainDecimal(value)).toBe(plain));

test("sums are exact, of nothing zero", () => {
  expect(sum([])).toBe("0");
  expect(sum(["0.1", "0.2", "+1e1"])).toBe("10.3");
});

test("equal is equal however it is written, and nearest is JavaScript's own number", () => {
  expect(compare("100.000000", "1E+2")).toBe(0);
  expect(compare("99.999999", "100")).toBeLessThan(0);
  expect(compare("100.000001", "100")).toBeGreaterThan(0);
  expect(approximate("0.1")).toBe(0.1);
});

test.each([
  ["100.000000", "100"],
  ["1E+2", "100"],
  ["lots", "lots"],
])("people read %s as %s", (text, shown) => expect(withoutTrailingZeros(text)).toBe(shown));

test("who calculates with what is no number is told with what, and not more of it than a line holds", () => {
  expect(() => compare("lots", "1")).toThrow('no decimal number: "lots"');
  expect(() => compare("x".repeat(200), "1")).toThrow(`no decimal number: "${"x".repeat(80)}"`);
});

test.each(["\t5\n", "\r\n 5 \t", "  5  "])("white space around %j is taken", (text) => {
  expect(isDecimal(text)).toBe(true);
  expect(plainText(text)).toBe("5");
});

test.each([
  ...["x5", "5x", "5 5", "1.5x", "x1.5", "1\n2", "1e+-2", "1e1.5", "5.x", "1ee2", "1e1000", "1e-1000"],
  ...["0".repeat(31), `${"0".repeat(31)}.5`, `0.${"0".repeat(31)}`, `.${"0".repeat(31)}`, "0e1000"],
])("%j is no number, all of it", (text) => expect(isDecimal(text)).toBe(false));

// Every way to write a number that is taken.
const digits = (most: number) => fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: most });
const mantissa = fc.oneof(
  digits(30),
  fc.tuple(digits(30), fc.oneof(fc.constant(""), digits(30))).map(([whole, fraction]) => `${whole}.${fraction}`),
  digits(30).map((fraction) => `.${fraction}`),
);
const exponent = fc
  .tuple(fc.constantFrom("e", "E"), fc.constantFrom("", "+", "-"), fc.nat(999))
  .map((one) => one.join(""));
const space = fc.constantFrom("", " ", "\t", "\r\n");
const written = fc
  .tuple(space, fc.constantFrom("", "+", "-"), mantissa, fc.option(exponent, { nil: "" }), space)
  .map((parts) => parts.join(""));
const decimal = written.filter(isDecimal);
const anything = fc.oneof(written, fc.string({ unit: fc.constantFrom(..."0123456789.+-eE ,_x") }), fc.string());

test("whatever is taken is plain, bounded, the same number, and can be calculated with", () => {
  fc.assert(
    fc.property(decimal, decimal, (a, b) => {
      for (const text of [plainText(a), withoutTrailingZeros(a)]) {
        expect(text).toMatch(/^-?\d{1,30}(\.\d{1,30})?$/);
        expect(compare(text, a)).toBe(0);
        expect(plainText(text)).toBe(text);
      }
      expect(compare(a, b)).toBe(-compare(b, a) || 0);
      expect(compare(sum([subtract(a, b), b]), a)).toBe(0);
      expect(compare(multiply(a, "1"), a)).toBe(0);
      expect(compare(roundUp(a, 30), a)).toBe(0);
      expect(percentOf(a, b) === null).toBe(compare(b, "0") === 0);
      // Results are taken again, however many digits they have.
      for (const result of [subtract(a, b), sum([a, b]), multiply(a, b)]) expect(subtract(result, result)).toBe("0");
    }),
  );
});

test("whatever is taken, JavaScript understands in the same way", () => {
  fc.assert(
    fc.property(anything.filter(isDecimal), (text) => {
      expect(Math.abs(approximate(text) - Number(text))).toBeLessThanOrEqual(Math.abs(Number(text)) * 1e-12);
    }),
  );
});

test("a difference is exact for every number of decimals, as whole numbers of the smallest unit have it", () => {
  const number = fc.tuple(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), fc.nat(20));
  fc.assert(
    fc.property(number, number, ([a, decimalsOfA], [b, decimalsOfB]) => {
      const decimals = Math.max(decimalsOfA, decimalsOfB);
      const units = a * 10n ** BigInt(decimals - decimalsOfA) - b * 10n ** BigInt(decimals - decimalsOfB);
      const difference = subtract(inUnits(a, decimalsOfA), inUnits(b, decimalsOfB));
      expect(isDecimal(difference)).toBe(true);
      expect(unitsOf(difference, decimals)).toBe(units);
    }),
  );
});

function inUnits(units: bigint, decimals: number): string {
  const digits = String(units < 0n ? -units : units).padStart(decimals + 1, "0");
  const [whole, fraction] = [digits.slice(0, digits.length - decimals), digits.slice(digits.length - decimals)];
  return `${units < 0n ? "-" : ""}${whole}${decimals === 0 ? "" : `.${fraction}`}`;
}

function unitsOf(text: string, decimals: number): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(decimals, "0"));
}
