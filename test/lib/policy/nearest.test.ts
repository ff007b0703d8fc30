import { expect, test } from "vitest";
import { nearest } from "../../../lib/policy/nearest.ts";
import fc from "../../support/fast-check.ts";

const KEYS = ["mode", "limits", "errors", "unlisted", "brake", "exempt", "accounts", "parent"];

test.each([
  ["limit", "limits"],
  ["Limits", "limits"],
  ["limtis", "limits"],
  ["acounts", "accounts"],
  ["exmept", "exempt"],
  ["break", "brake"],
  ["modus", "mode"],
  ["webhooks", undefined],
  ["x", undefined],
  ["", undefined],
])("%j was meant to be %j", (word, meant) => {
  expect(nearest(word, KEYS)).toBe(meant);
});

test("what is there is its own nearest, and nothing comes back that is not there", () => {
  fc.assert(fc.property(fc.string(), (word) => [undefined, ...KEYS].includes(nearest(word, KEYS))));
  fc.assert(fc.property(fc.constantFrom(...KEYS), (word) => nearest(word, KEYS) === word));
});

test("the nearer one wins over the earlier one", () => {
  expect(nearest("calls-outbond", ["calls-inbound", "calls-outbound"])).toBe("calls-outbound");
});
