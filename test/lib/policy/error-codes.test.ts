import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { canStrangerCause, ERROR_CODES, type ErrorCode, isIgnored } from "../../../lib/policy/error-codes.ts";

const POLICY_DOC = readFileSync(new URL("../../../docs/policy.md", import.meta.url), "utf8");

test("the codes stand in ascending order, each once", () => {
  const codes = [...ERROR_CODES.keys()];
  expect(codes).toEqual([...new Set(codes)].sort((one, other) => one - other));
});

test.each([32201, 32202, 32203, 30450, 30453, 60410, 21408])("a stranger can cause %i", (code) => {
  expect(canStrangerCause(code)).toBe(true);
  expect(isIgnored(code)).toBe(false);
});

test("a code that nobody has thought through counts as a stranger's", () => {
  expect(canStrangerCause(54_321)).toBe(true);
  expect(isIgnored(54_321)).toBe(false);
});

test("only what needs the account's own credentials or papers is an insider's", () => {
  const insiders = [...ERROR_CODES.values()].filter((known) => !known.strangerCanCause && !known.ignored);
  expect(insiders.map(({ code }) => code)).toEqual([30442, 30444, 30649]);
});

test.each([10001, 10003, 20005, 30002, 12300, 11200, 11205, 11210, 11215, 11217, 11237, 11299, 91300, 91301, 91308])(
  "%i is never counted",
  (code) => {
    expect(isIgnored(code)).toBe(true);
  },
);

test.each([11100, 11199, 11300, 12400, 91299, 91400, 93100])("%i is no failure of a webhook or a sink", (code) => {
  expect(isIgnored(code)).toBe(false);
});

test("docs/policy.md has the table of the codes, row for row", () => {
  const [documented = ""] = /^\| code \| Twilio's name[\s\S]*?(?=\n\n)/m.exec(POLICY_DOC) ?? [];
  expect(documented).toBe(table());
});

function table(): string {
  const header = ["| code | Twilio's name | what it means | who can cause it |", "|---|---|---|---|"];
  return [...header, ...[...ERROR_CODES.values()].map(row)].join("\n");
}

function row(known: ErrorCode): string {
  return `| ${known.code} | ${known.name} | ${known.meaning} | ${causer(known)}: ${known.why} |`;
}

function causer({ ignored, strangerCanCause }: ErrorCode): string {
  if (ignored) return "**ignored**";
  return strangerCanCause ? "**a stranger**" : "**insiders only**";
}
