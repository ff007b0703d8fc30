import { expect, test } from "vitest";
import { cut } from "../../lib/cut.ts";
import fc from "../support/fast-check.ts";

test.each([
  ["abc", 3, "abc"],
  ["abc", 2, "ab"],
  ["a🚨b", 2, "a🚨"],
  ["🚨🚨", 1, "🚨"],
  ["", 5, ""],
  ["a\ud83d", 2, "a\uFFFD"],
])("%j cut to %i is %j", (text, most, expected) => expect(cut(text, most)).toBe(expected));

test("whatever is cut is well-formed, the beginning, and no longer than it may be", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(20), (text, most) => {
      const characters = [...text.toWellFormed()];
      expect(cut(text, most)).toBe(characters.slice(0, most).join(""));
    }),
  );
});
