import { expect, test } from "vitest";
import { compareMarks, markOf } from "../../../lib/twilio/token-mark.ts";
import fc from "../../support/fast-check.ts";

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const token = hex(32);
const sid = hex(32).map((digits) => `AC${digits}`);
const marking = fc.record({ key: token, accountSid: sid });
/** Two that differ. */
const two = <T>(one: fc.Arbitrary<T>) => fc.tuple(one, one).filter(([a, b]) => a !== b);

test("the same token of the same account under the same key is the same, and is told by the mark alone", () => {
  fc.assert(
    fc.property(token, marking, (secret, by) => {
      const stored = JSON.parse(JSON.stringify(markOf(secret, by)));
      expect(compareMarks(stored, markOf(secret, { ...by }))).toBe("same");
    }),
  );
});

test("another token is a changed one", () => {
  fc.assert(
    fc.property(two(token), marking, ([before, after], by) => {
      expect(compareMarks(markOf(before, by), markOf(after, by))).toBe("changed");
    }),
  );
});

test("after the parent's token was changed nothing can be told, whether the token is the same or another one", () => {
  fc.assert(
    fc.property(token, token, two(token), sid, (before, after, [old, fresh], accountSid) => {
      const earlier = markOf(before, { key: old, accountSid });
      expect(compareMarks(earlier, markOf(before, { key: fresh, accountSid }))).toBe("cannot-tell");
      expect(compareMarks(earlier, markOf(after, { key: fresh, accountSid }))).toBe("cannot-tell");
    }),
  );
});

test("a mark tells nothing: not the token, not the key, not that two accounts have the same token", () => {
  fc.assert(
    fc.property(token, token, two(sid), (secret, key, [one, other]) => {
      const mark = markOf(secret, { key, accountSid: one });
      expect(mark).toEqual({
        mark: expect.stringMatching(/^[0-9a-f]{32}$/),
        key: expect.stringMatching(/^[0-9a-f]{16}$/),
      });
      expect([mark.mark, mark.key]).not.toContain(secret);
      expect(mark.mark).not.toBe(markOf(secret, { key, accountSid: other }).mark);
      expect(mark.key).toBe(markOf(key, { key, accountSid: other }).key);
    }),
  );
});

// Computed with OpenSSL. Stored marks are compared with new ones: how they are made must not change.
test("a mark of a year ago is still a mark", () => {
  expect(markOf("b".repeat(32), { key: "a".repeat(32), accountSid: `AC${"1".repeat(32)}` })).toEqual({
    mark: "3353e433a7d4acb8d46b04e28e06b87d",
    key: "be336472e33ab8ca",
  });
});

test.each([
  ["no marks", { mark: "", key: "" }, { mark: "", key: "" }, "same"],
  ["marks of different lengths", { mark: "ab", key: "k" }, { mark: "abc", key: "k" }, "changed"],
  ["as many letters, not as many bytes", { mark: "ä", key: "k" }, { mark: "a", key: "k" }, "changed"],
  ["keys of different lengths", { mark: "a", key: "k" }, { mark: "a", key: "kk" }, "cannot-tell"],
] as const)("%s", (_, a, b, outcome) => expect(compareMarks(a, b)).toBe(outcome));
