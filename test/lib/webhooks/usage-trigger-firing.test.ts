import { describe, expect, test } from "vitest";
import { readMessage } from "../../../lib/inbox/inbox.ts";
import { parseForm } from "../../../lib/twilio/signature.ts";
import { messageId, readFiring, readTime } from "../../../lib/webhooks/usage-trigger-firing.ts";
import fc from "../../support/fast-check.ts";
import { encoded, firing, USAGE_TRIGGER_SID } from "../../support/signed-webhook.ts";

const accountSid = `AC${"1".repeat(32)}`;
const receivedAt = new Date("2026-10-04T12:00:01.500Z");
const URL_TOLD = "https://tollbreaker.example.com/webhooks/usage-trigger";
const read = (changes: Parameters<typeof firing>[1], url = URL_TOLD) =>
  signalOf(encoded(firing(accountSid, changes)), url);
const signalOf = (body: string, url = URL_TOLD) => readFiring({ accountSid, form: parseForm(body), url }, receivedAt);

describe("DateFired", () => {
  test.each([
    ["Sun, 04 Oct 2026 12:00:00 +0000", "2026-10-04T12:00:00.000Z"],
    ["Sun, 04 Oct 2026 12:00:00 EST", "2026-10-04T17:00:00.000Z"],
    ["Sun, 04 Oct 2026 12:00:00 CET", null],
    // outside the years that the inbox can write
    ["31 Dec 9999 23:59:00 -0500", null],
    ["0000-01-01T00:00:00+05:00", null],
  ])("%j is %s", (text, expected) => expect(readTime(text)).toBe(expected));

  test("that is no time stays as it came, and is a firing all the same", () => {
    expect(read({ DateFired: "noon" })).toMatchObject({ kind: "usage-trigger", dateFired: "noon", firedAt: null });
  });
});

describe("what nothing is judged by", () => {
  test.each<[string, Parameters<typeof firing>[1], object]>([
    ["no DateFired", { DateFired: undefined }, { dateFired: "", firedAt: null }],
    ["two DateFired", { DateFired: ["Sun, 04 Oct 2026 12:00:00 +0000", "x"] }, { dateFired: "", firedAt: null }],
    ["an endless DateFired", { DateFired: "🚨".repeat(9000) }, { dateFired: "🚨".repeat(1024), firedAt: null }],
    ["no UsageRecordUri", { UsageRecordUri: undefined }, { usageRecordUri: "" }],
    ["an empty UsageRecordUri", { UsageRecordUri: "" }, { usageRecordUri: "" }],
    ["no IdempotencyToken", { IdempotencyToken: undefined }, { idempotencyToken: "" }],
    ["an empty IdempotencyToken", { IdempotencyToken: "" }, { idempotencyToken: "" }],
    ["no Recurring", { Recurring: undefined }, { recurring: "" }],
    ["parameters that nobody knows", { ApiVersion: "2010-04-01", New: ["1", "2"] }, {}],
  ])("%s: a firing all the same", (_, changes, expected) => {
    expect(read(changes)).toMatchObject({ kind: "usage-trigger", accountSid, ...expected });
  });

  test("without IdempotencyToken each firing has an ID of its own, the same with each delivery", () => {
    const once = read({ IdempotencyToken: undefined });
    expect(once.id).toMatch(/^firing-[0-9a-f]{64}$/);
    expect(read({ IdempotencyToken: undefined }).id).toBe(once.id);
    expect(read({ IdempotencyToken: undefined, CurrentValue: "61" }).id).not.toBe(once.id);
    // Nobody can take it with a token that looks like it.
    expect(messageId(once.id)).not.toBe(once.id);
  });
});

test.each([
  ["50.000000", "50.000000"],
  ["+81", "81"],
  [" 81", "81"],
  ["1E+2", "100"],
  [".5", "0.5"],
])("the value %j is kept as %s", (value, kept) => {
  expect(read({ TriggerValue: value, CurrentValue: value })).toMatchObject({ triggerValue: kept, currentValue: kept });
});

test.each(["1e400", "1e999999999", "NaN", "Infinity", "0x10", "1_000", "1,000.00", "٣", ""])(
  "the value %j is not understood",
  (value) => {
    expect(read({ CurrentValue: value })).toMatchObject({
      kind: "not-understood",
      problem: expect.stringMatching(/^CurrentValue: /),
    });
  },
);

describe("what a firing is judged by must be there, once, and of its kind", () => {
  const decimal = "a decimal number such as 1000.000000";
  const period = "daily, monthly, yearly, alltime or empty";
  const long = (length: number) => `"${"x".repeat(100)}…(${length} characters)"`;

  test.each<[string, string | string[] | undefined, string]>([
    ["UsageTriggerSid", undefined, "expected UT and 32 hexadecimal digits, got nothing"],
    ["UsageTriggerSid", `AC${"1".repeat(32)}`, `expected UT and 32 hexadecimal digits, got "AC${"1".repeat(32)}"`],
    ["UsageCategory", undefined, "expected a usage category such as totalprice, got nothing"],
    ["UsageCategory", " ", 'expected a usage category such as totalprice, got " "'],
    ["UsageCategory", "x".repeat(1025), `expected a usage category such as totalprice, got ${long(1025)}`],
    ["TriggerBy", "", 'expected count, usage or price, got ""'],
    ["TriggerBy", ["price", "count"], 'expected count, usage or price, got "price" and "count"'],
    ["TriggerValue", "", `expected ${decimal}, got ""`],
    ["CurrentValue", ["1", "1"], `expected ${decimal}, got "1" and "1"`],
    ["Recurring", ["daily", ""], `expected ${period}, got "daily" and ""`],
    ["Recurring", "x".repeat(65), `expected ${period}, got "${"x".repeat(65)}"`],
  ])("%s, %j", (name, value, problem) => {
    const signal = read({ [name]: value });
    expect(signal).toMatchObject({ kind: "not-understood", problem: `${name}: ${problem}` });
  });

  test.each([
    ["UsageCategory", "x".repeat(1024), "usageCategory"],
    ["Recurring", "x".repeat(64), "recurring"],
    ["Recurring", "", "recurring"],
  ])("%s may be a word of tomorrow: %j", (name, value, kept) => {
    expect(read({ [name]: value })).toMatchObject({ kind: "usage-trigger", [kept]: value });
  });
});

test("a firing is kept as it came", () => {
  expect(read({ IdempotencyToken: "idem-1" }, `${URL_TOLD}?limit=daily-spend`)).toEqual({
    kind: "usage-trigger",
    id: "idem-1",
    accountSid,
    receivedAt: receivedAt.toISOString(),
    usageTriggerSid: USAGE_TRIGGER_SID,
    dateFired: "Sun, 04 Oct 2026 12:00:00 +0000",
    firedAt: "2026-10-04T12:00:00.000Z",
    recurring: "daily",
    usageCategory: "totalprice",
    triggerBy: "price",
    triggerValue: "50.000000",
    currentValue: "60.52",
    usageRecordUri: `/2010-04-01/Accounts/${accountSid}/Usage/Records.json?Category=totalprice`,
    idempotencyToken: "idem-1",
    limit: "daily-spend",
    found: "webhook",
    probation: false,
    fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test.each([
  ["", "?limit=all&probation=1", true],
  ["alltime", "?limit=all&probation=1", true],
  ["alltime", "?probation", true],
  ["", "?limit=all", false],
  // Whoever holds the token can write it into the address of a daily trigger.
  ["daily", "?limit=all&probation=1", false],
  ["yearly", "?probation=1", false],
])("a %j trigger whose address has %j is a guard: %s", (recurring, query, probation) => {
  expect(read({ Recurring: recurring }, URL_TOLD + query)).toMatchObject({ probation });
});

test("an IdempotencyToken that says nothing is none: each firing keeps an ID of its own", () => {
  for (const token of ["", "  ", ["one", "two"]]) expect(read({ IdempotencyToken: token }).id).toMatch(/^firing-/);
  const long = read({ IdempotencyToken: "x".repeat(2000) });
  expect(long).toMatchObject({ id: messageId("x".repeat(2000)), idempotencyToken: "x".repeat(1024) });
});

describe("what is not understood", () => {
  test("shows the first forty fields, each cut to what a line holds", () => {
    const form = new Map(Array.from({ length: 50 }, (_, n): [string, string[]] => [`N${n}`, [`${n}`]]));
    form.set("N0", ["a", "b".repeat(300)]).set("N1", ["c".repeat(256)]);
    const signal = readFiring({ accountSid, form, url: URL_TOLD }, receivedAt);
    const fields = signal.kind === "not-understood" ? signal.fields : {};
    expect(Object.keys(fields)).toEqual([...form.keys()].slice(0, 40));
    expect(fields).toMatchObject({ N0: `a | ${"b".repeat(252)}…(304 characters)`, N1: "c".repeat(256), N39: "39" });
    const named = readFiring({ accountSid, form: new Map([["n".repeat(65), ["v"]]]), url: URL_TOLD }, receivedAt);
    expect(named).toMatchObject({ fields: { [`${"n".repeat(64)}…(65 characters)`]: "v" } });
  });

  test("says each thing that was wrong, what was expected and what came", () => {
    const signal = read({ UsageTriggerSid: "UT1", TriggerValue: ["1", "2"], CurrentValue: undefined });
    expect(signal).toEqual({
      kind: "not-understood",
      id: expect.stringMatching(/^unread-[0-9a-f]{64}$/),
      accountSid,
      receivedAt: receivedAt.toISOString(),
      problem: [
        'UsageTriggerSid: expected UT and 32 hexadecimal digits, got "UT1"',
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

  test.each(["😀", "x😀", "xx😀"])("is cut between characters: %s", (beginning) => {
    const endless = beginning + "😀".repeat(5000);
    const signal = read({ TriggerValue: endless, UsageTriggerSid: endless, [endless]: endless });
    const texts = signal.kind === "not-understood" ? [signal.problem, ...Object.entries(signal.fields).flat()] : [];
    expect(texts.filter((text) => text.includes("😀"))).toHaveLength(5);
    expect(texts.filter((text) => !text.isWellFormed() || text.includes("\uFFFD"))).toEqual([]);
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
    [`?limit=${"x".repeat(63)}🚨🚨`, `${"x".repeat(63)}🚨`],
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
  ["firing-x", /^sha256-[0-9a-f]{64}$/],
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
    fc.constantFrom(
      "",
      "0",
      "-1.5",
      "+81",
      "1E+2",
      "1e400",
      "Sun, 04 Oct 2026 12:00:00 CET",
      "__proto__",
      "Sun, 04 Oct 2026 12:00:00 +0000",
      `UT${"c".repeat(32)}`,
    ),
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
