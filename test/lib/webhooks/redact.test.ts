import { describe, expect, test } from "vitest";
import { redact } from "../../../lib/webhooks/redact.ts";
import fc from "../../support/fast-check.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const SID = `AC${TOKEN}`;

test.each([
  ["Message delivery blocked", "Message delivery blocked"],
  ["SIP: Source IP address not in ACL", "SIP: Source IP address not in ACL"],
  ["Error 30450 after 12 tries", "Error 30450 after 12 tries"],
  ["to +998993334455", "to +998993…"],
  ["to 998 99 333-44-55.", "to 998993…."],
  ["to (415) 555-1234", "to (415555…"],
  ["to 5551234", "to 555…"],
  ["to ＋９９８９９３３３４４５５", "to +998993…"],
  ["to 998\u200b993\u200b334\u200b455", "to 998993…"],
  ["from 203.0.113.77", "from 203.0.…"],
  ["from 2001:db8:0:1:aaaa::1", "from …"],
  ["mail alice@example.org now", "mail (address) now"],
  ["sip:alice:secret@example.org;transport=tls", "(address)"],
  ["get https://user:pass@example.org/voice?From=%2B998#x failed", "get https://example.org/voice?… failed"],
  ['url="https://example.org/voice?a=b"', 'url="https://example.org/voice?…'],
  [`account ${SID} failed`, "account AC… failed"],
  [`with ${TOKEN} failed`, "with … failed"],
  [`AuthToken=${TOKEN}`, "AuthToken=…"],
  ['{"password": "hunter 2", "x": 1}', '{"password"=…, "x": 1}'],
  ["api key: abc", "api key=…"],
  ["Authorization: Digest username=bob, response=abc", "authorization: …"],
  ["sent Bearer abc.def", "sent Bearer …"],
  ["<b>bold</b>\u0007\u001b[31m", "b bold /b [31m"],
  ["", ""],
])("%j becomes %j", (message, shown) => expect(redact(message)).toBe(shown));

test("says at most 200 characters, of a message of any length", () => {
  const started = performance.now();
  for (const filler of ["word ", "a", "9", "<", "@", "a.", "://", "=", ":", "key:", "é", "\u{1f600}"]) {
    const shown = redact(`blocked ${filler.repeat(200_000)}`);
    expect(shown.length).toBeLessThanOrEqual(200);
    expect(shown.isWellFormed()).toBe(true);
  }
  expect(performance.now() - started).toBeLessThan(2000);
});

describe("whatever the message", () => {
  const hex = (length: number) =>
    fc.string({ minLength: length, maxLength: length, unit: fc.constantFrom(..."0123456789abcdef") });
  const digits = fc.string({ minLength: 8, maxLength: 15, unit: fc.constantFrom(..."0123456789") });
  const between = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.constantFrom(
      " ",
      "",
      "/",
      "=",
      ":",
      "+",
      "-",
      ".",
      "@",
      "?",
      "#",
      "&",
      '"',
      "(",
      "token=",
      "https://",
      "<",
      "AC",
    ),
  );
  const message = (secret: fc.Arbitrary<string>) =>
    fc.tuple(fc.array(between), secret, fc.array(between)).map(([before, it, after]) => ({
      text: [...before, it, ...after].join(""),
      secret: it,
    }));

  test("no number survives whole", () => {
    fc.assert(
      fc.property(message(digits), ({ text }) => {
        expect(redact(text)).not.toMatch(/\p{Nd}{7}/u);
      }),
      { numRuns: 3000 },
    );
  });

  test("no secret survives", () => {
    fc.assert(
      fc.property(message(hex(32)), ({ text, secret }) => {
        expect(redact(text)).not.toContain(secret);
        expect(redact(text)).not.toMatch(/[0-9a-f]{32}/i);
      }),
      { numRuns: 3000 },
    );
  });

  test("it is one line of plain text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
        expect(redact(text)).toMatch(/^[^\p{C}\p{Zl}\p{Zp}<>]{0,200}$/u);
      }),
      { numRuns: 3000 },
    );
  });
});
