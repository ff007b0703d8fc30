import { expect, test } from "vitest";
import { accountPath } from "../../../lib/twilio/paths.ts";
import fc from "../../support/fast-check.ts";

const SID = `AC${"1".repeat(32)}`;

test("an account, and what belongs to it", () => {
  expect(accountPath(SID)).toBe(`/2010-04-01/Accounts/${SID}.json`);
  expect(accountPath(SID, "Usage", "Triggers", "UT1")).toBe(`/2010-04-01/Accounts/${SID}/Usage/Triggers/UT1.json`);
});

test("whatever the parts are, the path has as many of them, or there is none", () => {
  const anything = fc.oneof(fc.string(), fc.constantFrom("..", ".", "", "a/b", "%2e%2e", "x?y", "x#y", "x\n", "Keys"));
  fc.assert(
    fc.property(fc.oneof(fc.constant(SID), anything), fc.array(anything, { maxLength: 3 }), (sid, rest) => {
      const path = pathOrNone(sid, rest);
      if (path === undefined) return;
      const { pathname, search, hash } = new URL(path, "https://api.twilio.com");
      expect(`${pathname}${search}${hash}`).toBe(`/2010-04-01/Accounts/${[SID, ...rest].join("/")}.json`);
      expect(pathname.split("/")).toHaveLength(4 + rest.length);
    }),
  );
});

test.each([
  [["AC1"], "Not an AccountSid"],
  [[`${SID}\n`], "Not an AccountSid"],
  [[SID, "Keys", ".."], 'Not a part of a path: ".."'],
  [[SID, "Keys", ""], 'Not a part of a path: ""'],
  [[SID, "Keys", "SK1?a"], "Not a part of a path"],
])("%j is none", ([sid = "", ...rest], message) => {
  expect(() => accountPath(sid, ...rest)).toThrow(message);
});

function pathOrNone(sid: string, rest: readonly string[]): string | undefined {
  try {
    return accountPath(sid, ...rest);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return undefined;
  }
}
