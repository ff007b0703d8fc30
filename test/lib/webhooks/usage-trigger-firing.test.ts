import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readMessage } from "../../../lib/inbox/inbox.ts";
import { parseForm } from "../../../lib/twilio/signature.ts";
import { messageId, readFiring, readTime } from "../../../lib/webhooks/usage-trigger-firing.ts";
import { encoded, firing } from "../../support/signed-webhook.ts";

const accountSid = `AC${"1".repeat(32)}`;
const receivedAt = new Date("2026-10-04T12:00:01.500Z");
const URL_TOLD = "https://tollbreaker.example.com/webhooks/usage-trigger";
const read = (changes: Parameters<typeof firing>[1], url = URL_TOLD) =>
  signalOf(encoded(firing(accountSid, changes)), url);
const signalOf = (body: string, url = URL_TOLD) => readFiring({ accountSid, form: parseForm(body), url }, receivedAt);

describe("DateFired", () => {
  const noon = "2026-10-04T12:00:00.000Z";
  test.each([
    // RFC 2822, as Twilio writes its times elsewhere
    ["Sun, 04 Oct 2026 12:00:00 +0000", noon],
    ["Sun, 4 Oct 2026 12:00:00 +0000", noon],
    ["04 Oct 2026 12:00:00 +0000", noon],
    ["Sun, 04 Oct 2026 14:00:00 +0200", noon],
    ["Sun, 04 Oct 2026 12:00:00 GMT", noon],
    ["Sun, 04 Oct 2026 12:00:00 UTC", noon],
    ["Sun, 04 Oct 2026 12:00:00", noon],
    ["Sunday, 04 October 2026 12:00:00", noon],
    ["Sun, 04 Oct 2026 12:00 +0000", noon],
    // ISO 8601
    ["2026-10-04T12:00:00Z", noon],
    ["2026-10-04T12:00:00.000Z", noon],
    ["2026-10-04T12:00:00+00:00", noon],
    ["2026-10-04T14:00:00+02:00", noon],
    ["2026-10-04T12:00:00", noon],
    ["2026-10-04 12:00:00", noon],
    ["2026-10-04 12:00:00 UTC", noon],
    ["2026-10-04T12:00Z", noon],
    ["  2026-10-04T12:00:00Z\n", noon],
    // a day without its hour would make a firing look older than it is
    ["2026-10-04", null],
    ["Sun, 04 Oct 2026", null],
    // no time at all, though JavaScript's parser makes one of some of them
    ["", null],
    ["yesterday", null],
    ["1", null],
    ["1759579200", null],
    ["2026-13-04T12:00:00Z", null],
    ["2026-10-04T25:00:00Z", null],
    ["Sun, 32 Oct 2026 12:00:00 +0000", null],
    ["12:00:00", null],
    ["Trigger 5", null],
    // outside the years that the inbox can write
    ["31 Dec 9999 23:59:00 -0500", null],
    ["0000-01-01T00:00:00+05:00", null],
  ])("%j is %s", (text, expected) => expect(readTime(text)).toBe(expected));

  test("does not depend on the time zone of the machine", () => {
    const zone = process.env["TZ"];
    process.env["TZ"] = "Pacific/Auckland";
    expect(readTime("Sun, 04 Oct 2026 12:00:00")).toBe(noon);
    expect(readTime("2026-10-04 12:00:00")).toBe(noon);
    expect(readTime("2026-10-04T12:00:00")).toBe(noon);
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  });

  test("that is no time stays as it came, and is a firing all the same", () => {
    expect(read({ DateFired: "noon" })).toMatchObject({ kind: "usage-trigger", dateFired: "noon", firedAt: null });
  });
});

describe("what is not understood", () => {
  test("says each thing that was wrong, what was expected and what came", () => {
    const signal = read({ UsageTriggerSid: "UT1", TriggerValue: ["1", "2"], CurrentValue: undefined, DateFired: "" });
    expect(signal).toEqual({
      kind: "not-understood",
      id: expect.stringMatching(/^unread-[0-9a-f]{64}$/),
      accountSid,
      receivedAt: receivedAt.toISOString(),
      problem: [
        'UsageTriggerSid: expected UT and 32 hexadecimal digits, got "UT1"',
        'DateFired: expected a time, got ""',
        'TriggerValue: expected a decimal number such as 1000.000000, got "1" and "2"',
        "CurrentValue: expected a decimal number such as 1000.000000, got nothing",
      ].join("; "),
      fields: expect.objectContaining({ UsageTriggerSid: "UT1", TriggerValue: "1 | 2", UsageCategory: "totalprice" }),
    });
  });

  test("is the same each time it comes, and another when anything in it differs", () => {
    const form = parseForm(encoded(firing(accountSid, { TriggerValue: "x" })));
    const again = readFiring({ accountSid, form, url: URL_TOLD }, new Date(0));
    expect(again.id).toBe(readFiring({ accountSid, form, url: URL_TOLD }, receivedAt).id);
    expect(read({ TriggerValue: "x" }).id).not.toBe(again.id);
  });

  test("is cut to what a person can read, and what the inbox can hold", () => {
    const many = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, index) => [`Name${index}`, "\u0001🚨".repeat(500)]),
    );
    const signal = read({ ...many, TriggerValue: "y".repeat(100_000) });
    expect(JSON.stringify(signal).length).toBeLessThan(100_000);
    expect(signal).toMatchObject({ fields: { TriggerValue: `${"y".repeat(256)}…(100000 characters)` } });
  });
});

describe("the limit that the callback's address names", () => {
  test.each([
    ["", null],
    ["?limit=daily-spend", "daily-spend"],
    ["?rc=3&limit=daily-spend&rp=ct", "daily-spend"],
    ["?limit=", null],
    ["?limit", null],
    ["?Limit=daily-spend", null],
    ["?limit=first&limit=second", "first"],
    ["?limit=%F0%9F%9A%A8", "🚨"],
    ["?limit=__proto__", "__proto__"],
    [`?limit=${"x".repeat(1000)}`, "x".repeat(64)],
  ])("%s: %s", (query, limit) => {
    expect(read({}, URL_TOLD + query)).toMatchObject({ kind: "usage-trigger", limit });
  });
});

describe("the fingerprint of a firing", () => {
  const fingerprintOf = (body: string, url = URL_TOLD) => {
    const signal = signalOf(body, url);
    return signal.kind === "usage-trigger" ? signal.fingerprint : "";
  };
  const pairs = firing(accountSid, { IdempotencyToken: "idem-1" });
  const body = encoded(pairs);

  test("is the same for each delivery, in whichever order the parameters come", () => {
    expect(fingerprintOf(body)).toMatch(/^[0-9a-f]{64}$/);
    expect(fingerprintOf(encoded(pairs.toReversed()))).toBe(fingerprintOf(body));
    const later = readFiring({ accountSid, form: parseForm(body), url: URL_TOLD }, new Date(0));
    expect(later).toMatchObject({ fingerprint: fingerprintOf(body) });
  });

  test("is another when anything that was signed differs, the IdempotencyToken alone being the same", () => {
    const others = [
      ...firing(accountSid)
        .map(([name]) => name)
        .filter((name) => !["UsageTriggerSid", "AccountSid"].includes(name)),
      "Unknown",
    ].map((name) => fingerprintOf(encoded(firing(accountSid, { IdempotencyToken: "idem-1", [name]: "5" }))));
    const all = [...others, fingerprintOf(body), fingerprintOf(body, `${URL_TOLD}?limit=x`)];
    expect(new Set(all).size).toBe(all.length);
    expect(all).not.toContain("");
  });
});

test.each([
  ["idem-1", "idem-1"],
  ["x".repeat(128), "x".repeat(128)],
  [`${accountSid}-FIRES-UT${"c".repeat(32)}-2026-10-04`, `${accountSid}-FIRES-UT${"c".repeat(32)}-2026-10-04`],
  ["x".repeat(129), /^sha256-/],
  ["a b", /^sha256-/],
  ["é", /^sha256-/],
  ["sha256-x", /^sha256-[0-9a-f]{64}$/],
  ["unread-x", /^sha256-[0-9a-f]{64}$/],
])("the IdempotencyToken %j as a message's ID", (token, expected) => {
  if (typeof expected === "string") expect(messageId(token)).toBe(expected);
  else expect(messageId(token)).toMatch(expected);
});

test("different tokens never share an ID", () => {
  const token = fc.string({ unit: "binary", maxLength: 200 }).map((text) => text.toWellFormed());
  fc.assert(fc.property(token, token, (a, b) => (messageId(a) === messageId(b)) === (a === b)));
  fc.assert(fc.property(token, (a) => messageId(messageId(a)) !== messageId(a) || messageId(a) === a));
});

test("whatever was signed becomes a message that the inbox can read back", () => {
  const documented = firing(accountSid).map(([name]) => name);
  const value = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.constantFrom("", "0", "-1.5", "__proto__", "Sun, 04 Oct 2026 12:00:00 +0000", `UT${"c".repeat(32)}`),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  );
  const name = fc.oneof(
    fc.constantFrom(...documented, "__proto__", "constructor"),
    fc.string({ unit: "binary", maxLength: 80 }),
  );
  const pairs = fc.oneof(
    fc.array(fc.tuple(name, value), { maxLength: 60 }),
    fc.dictionary(fc.constantFrom(...documented), value).map((changes) => firing(accountSid, changes)),
  );
  fc.assert(
    fc.property(pairs, (pairs) => {
      const signal = signalOf(encoded(pairs));
      const { ...sent } = readMessage(JSON.stringify(signal));
      expect(sent).toMatchObject({ kind: signal.kind, id: signal.id, accountSid });
      if (signal.kind === "usage-trigger") expect(sent).toEqual(signal);
    }),
    { numRuns: 500 },
  );
});
