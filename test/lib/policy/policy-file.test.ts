import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Document, stringify } from "yaml";
import { TollbreakerError } from "../../../lib/errors.ts";
import type { Spike } from "../../../lib/policy/policy.ts";
import { examinePolicy, readPolicy } from "../../../lib/policy/policy-file.ts";
import fc from "../../support/fast-check.ts";

const SID = "AC0123456789abcdef0123456789abcdef";
const OTHER = "ACfedcba9876543210fedcba9876543210";
const LIMIT = "{ category: totalprice, by: price, every: day, at: 100, then: suspend }";

function problemsOf(text: string): string[] {
  const examination = examinePolicy(text, "policy.yml");
  return examination.kind === "wrong" ? examination.problems : [];
}

/** The policy of a text that is one. */
function policyOf(text: string) {
  return readPolicy(text, "policy.yml");
}

test("the policy that the project comes with is read as it is written", () => {
  expect(policyOf(readFileSync(new URL("../../../policy.yml", import.meta.url), "utf8"))).toEqual({
    mode: "enforce",
    currency: "USD",
    limits: {
      "daily-warning": { category: "totalprice", by: "price", every: "day", at: "80", then: "alert" },
      "daily-spend": { category: "totalprice", by: "price", every: "day", at: "100", then: "suspend" },
      "sms-burst": { category: "sms-outbound", by: "count", every: "day", at: "20000", then: "suspend" },
    },
    rates: {
      "unusual-hour": {
        kind: "spike",
        category: "totalprice",
        by: "price",
        times: 8,
        over: 604_800_000,
        atLeast: "20",
        then: "alert",
      },
    },
    errors: {
      "sms-pumping": {
        codes: [30450, 30453, 60410],
        count: 20,
        within: 600_000,
        then: "suspend",
        confirm: { category: "totalprice", by: "price", every: "day", at: "20" },
      },
      "sip-probing": { codes: [32201, 32202, 32203], count: 50, within: 300_000, then: "alert", confirm: null },
    },
    unlisted: "suspend",
    brake: { suspensions: 5, within: 600_000 },
    exempt: [],
    accounts: {},
    parent: "alert",
    probation: { share: "0.25", for: 86_400_000 },
    raise: { times: 10, for: 2_678_400_000 },
    tampering: "alert",
  });
});

test("a policy written with every key is read as it stands", () => {
  const text = `
mode: observe
currency: JPY
limits:
  warn: { category: totalprice, by: price, every: month, at: 0.10, then: alert }
  daily-spend: ${LIMIT}
  hourly: { category: totalprice, by: price, every: hour, at: 30.50, then: suspend }
  spike: { category: totalprice, by: price, spike: { times: 3, over: 48h, at-least: 0.10 }, then: alert }
errors:
  form-abuse: { codes: [30450], count: 1, within: 90s, then: suspend, confirm: { category: sms, by: count, at: "7" } }
unlisted: alert
brake: { within: 1d, suspensions: 1 }
exempt:
  - { account: ${SID}, why: emergency line, until: 2028-02-29 }
  - { account: ${OTHER}, why: " the hospital " }
accounts: { ${SID}: { daily-spend: 5000.50, hourly: 400 } }
parent: suspend-top
probation: { share: 0.10, for: 2h }
raise: { times: 3, for: 2d }
tampering: suspend
`;
  expect(policyOf(text)).toEqual({
    mode: "observe",
    currency: "JPY",
    limits: {
      warn: { category: "totalprice", by: "price", every: "month", at: "0.1", then: "alert" },
      "daily-spend": { category: "totalprice", by: "price", every: "day", at: "100", then: "suspend" },
    },
    rates: {
      hourly: { kind: "rate", category: "totalprice", by: "price", at: "30.5", then: "suspend" },
      spike: {
        kind: "spike",
        category: "totalprice",
        by: "price",
        times: 3,
        over: 172_800_000,
        atLeast: "0.1",
        then: "alert",
      },
    },
    errors: {
      "form-abuse": {
        codes: [30450],
        count: 1,
        within: 90_000,
        then: "suspend",
        confirm: { category: "sms", by: "count", every: "day", at: "7" },
      },
    },
    unlisted: "alert",
    brake: { suspensions: 1, within: 86_400_000 },
    exempt: [
      { account: SID, why: "emergency line", until: "2028-02-29" },
      { account: OTHER, why: "the hospital", until: null },
    ],
    accounts: { [SID]: { "daily-spend": "5000.5", hourly: "400" } },
    parent: "suspend-top",
    probation: { share: "0.1", for: 7_200_000 },
    raise: { times: 3, for: 172_800_000 },
    tampering: "suspend",
  });
});

test("what is left out, or left empty, has a safe default", () => {
  const defaults = {
    mode: "enforce",
    currency: null,
    limits: {},
    rates: {},
    errors: {},
    unlisted: "suspend",
    brake: { suspensions: 5, within: 600_000 },
    exempt: [],
    accounts: {},
    parent: "alert",
    probation: { share: "0.25", for: 86_400_000 },
    raise: { times: 10, for: 2_678_400_000 },
    tampering: "alert",
  };
  expect(policyOf("mode: enforce")).toEqual(defaults);
  expect(policyOf("{}")).toEqual(defaults);
  expect(policyOf("limits:\nerrors: # none yet\nexempt:\naccounts:\n")).toEqual(defaults);
  expect(policyOf("\ufeffbrake: { suspensions: 3 }\r\n")).toEqual({
    ...defaults,
    brake: { suspensions: 3, within: 600_000 },
  });
});

test.each([
  ["100", "100"],
  ["100.00", "100"],
  ["'100.00'", "100"],
  ["0.000001", "0.000001"],
  ["123456789012.345678", "123456789012.345678"],
  ["999999999999", "999999999999"],
])("the number %s is kept exactly", (written, kept) => {
  expect(
    policyOf(`limits: { a: { category: sms, by: price, every: day, at: ${written}, then: alert } }`).limits["a"]?.at,
  ).toBe(kept);
});

test("`by: rate` is another way to write `every: hour`: of money, or of what it says", () => {
  const watched = (text: string) =>
    policyOf(`limits:\n  day: { category: sms, by: ${text.includes("count") ? "count" : "price"}, every: day, at: 9, then: alert }
  a: { category: sms, ${text}, at: 5, then: alert }`).rates["a"];
  const rate = { kind: "rate", category: "sms", at: "5", then: "alert" };
  expect(watched("by: price, every: hour")).toEqual({ ...rate, by: "price" });
  expect(watched("by: rate")).toEqual({ ...rate, by: "price" });
  expect(watched("by: rate, every: hour")).toEqual({ ...rate, by: "price" });
  expect(watched("by: rate, of: count")).toEqual({ ...rate, by: "count" });
});

test.each([
  ["1", "1"],
  ["0.5", "0.5"],
  ["'0.250'", "0.25"],
  ["1.0", "1"],
  ["0.000001", "0.000001"],
])("the share %s is kept exactly", (written, share) => {
  expect(policyOf(`probation: { share: ${written} }`).probation).toEqual({ share, for: 86_400_000 });
});

test("limits keep the order of the file, and names of JavaScript's own are names like others", () => {
  const ladder = ["z-last", "constructor", "tostring", "a-first"];
  const text = ladder.map((name, index) => `  ${name}: ${LIMIT.replace("100", String(index + 1))}`);
  expect(Object.keys(policyOf(`limits:\n${text.join("\n")}`).limits)).toEqual(ladder);
});

test("an anchor can stand for its value again", () => {
  const policy = policyOf(`
limits: { a: &a ${LIMIT} }
errors:
  x: { codes: [30450], count: 5, within: 10m, then: suspend, confirm: &sure { category: totalprice, by: price, at: 20 } }
  y: { codes: [60410], count: 5, within: 10m, then: suspend, confirm: *sure }
`);
  expect(policy.errors["y"]?.confirm).toEqual(policy.errors["x"]?.confirm);
});

const AMOUNT =
  "Expected a positive number in plain digits (no sign, exponent, unit or separator; up to 12 digits, then up to 6 decimals), for example `at: 100`.";
const NAME =
  "Expected a name of small letters, digits and single `-`, with a letter in it, 40 at most, for example `daily-spend`.";
const ACCOUNT =
  "Expected an Account SID: AC and 32 hexadecimal digits, for example `AC0123456789abcdef0123456789abcdef`.";
const DURATION = "Expected a duration from 1m to 1d with its unit: s, m, h or d, for example `within: 10m`.";
const CATEGORY =
  "Expected one of Twilio's usage categories: small letters, digits, `-`, for example `category: totalprice`.";
const UNTIL =
  "Expected a day of the calendar, YYYY-MM-DD (without an end, leave the key out), for example `until: 2027-01-31`.";
const CURRENCY = "Expected a currency of ISO 4217, in three capital letters, for example `currency: USD`.";
const CODE = "Expected one of Twilio's error codes, a whole number from 10000 to 99999, for example `32201`.";

const limit = (changes: Record<string, string>) =>
  flow({ category: "totalprice", by: "price", every: "day", at: "100", then: "suspend", ...changes });
const rule = (changes: Record<string, string>) =>
  flow({ codes: "[32201]", count: "50", within: "5m", then: "alert", ...changes });
const flow = (keys: Record<string, string>) =>
  `{ ${Object.entries(keys)
    .filter(([, value]) => value !== "-")
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ")} }`;

const limits = (changes: Record<string, string>) => `limits:\n  a: ${limit(changes)}`;
const errors = (changes: Record<string, string>) => `errors:\n  a: ${rule(changes)}`;
const DAILY = "  d: { category: sms, by: count, every: day, at: 9, then: alert }";
const hourly = (changes: Record<string, string>) =>
  `limits:\n${DAILY}\n  a: ${flow({ category: "sms", by: "count", every: "hour", at: "5", then: "alert", ...changes })}`;
const spike = (changes: Record<string, string>) =>
  `limits:\n${DAILY}\n  a: ${flow({ category: "sms", by: "count", spike: flow({ times: "8", over: "7d", "at-least": "20", ...changes }), then: "alert" })}`;
const exempt = (keys: Record<string, string>) => `exempt:\n  - ${flow({ account: SID, why: "x", ...keys })}`;

test.each([
  ["an empty file", "", "1:1 The file is empty. Expected a policy: docs/policy.md shows one, and what each key means."],
  [
    "only comments",
    "# nothing\n\n",
    "1:1 The file is empty. Expected a policy: docs/policy.md shows one, and what each key means.",
  ],
  [
    "a list",
    "- mode: enforce",
    "1:1 Expected keys such as `limits:` and `errors:`; docs/policy.md shows a whole policy. Got: a list.",
  ],
  [
    "a word",
    "enforce",
    "1:1 Expected keys such as `limits:` and `errors:`; docs/policy.md shows a whole policy. Got: enforce.",
  ],
  ["a tab", "limits:\n\ta: 1", "2:1 A tab stands where spaces must be. Indent with two spaces."],
  ["a quote left open", "mode: 'enforce", "1:15 This is no valid YAML: Missing closing 'quote."],
  [
    "two documents",
    "mode: enforce\n---\nmode: observe",
    "2:1 A second document begins here. Expected one policy in the file: remove the `---`.",
  ],
  ["a tag", "mode: !secret x", "1:7 This is no valid YAML: Unresolved tag: !secret."],
  [
    "a key twice",
    "mode: enforce\nmode: observe",
    "2:1 mode: This key stands here twice; the first is in line 1. Keep one.",
  ],
  [
    "a limit twice",
    `limits:\n  a: ${LIMIT}\n  a: ${LIMIT}`,
    "3:3 limits.a: This key stands here twice; the first is in line 2. Keep one.",
  ],
  ["a list as a key", "? [a]\n: b", "1:3 A key must be plain text: not a list, a map or an alias."],
  ["__proto__", "__proto__: { mode: observe }", "1:1 There is no key `__proto__`."],
  [
    "an alias of nothing",
    "mode: *other",
    "1:1 mode: There is no anchor `&other` before this alias. Write the value itself.",
  ],
  ["a key nearly right", "limit: {}", "1:1 limit: There is no such key here. Did you mean `limits`?"],
  [
    "an unknown key",
    "webhook: {}",
    "1:1 webhook: There is no such key here. The keys here are: mode, currency, limits, errors, unlisted, brake, exempt, accounts, parent, probation, raise, tampering.",
  ],
  [
    "a merge key",
    `limits: { a: { <<: {}, category: sms, by: price, every: day, at: 1, then: alert } }`,
    "1:16 limits.a.<<: There is no such key here. The keys here are: category, by, every, at, then, spike.",
  ],
  [
    "a mode nearly right",
    "mode: Observe",
    "1:7 mode: Expected `enforce` or `observe`, for example `mode: enforce`. Got: Observe. Did you mean `observe`?",
  ],
  ["no mode", "mode:", "1:1 mode: Expected `enforce` or `observe`, for example `mode: enforce`. Got: nothing."],
  ["a currency in small letters", "mode: observe\ncurrency: usd", `2:11 currency: ${CURRENCY} Got: usd.`],
  ["a currency's sign", "currency: $", `1:11 currency: ${CURRENCY} Got: $.`],
  ["a currency that doesn't exist", "currency: UDS", `1:11 currency: ${CURRENCY} Got: UDS.`],
  ["no currency", "currency:", `1:1 currency: ${CURRENCY} Got: nothing.`],
  ["two currencies", "currency: [USD, EUR]", `1:11 currency: ${CURRENCY} Got: a list.`],
  ["a key nearly currency", "curency: USD", "1:1 curency: There is no such key here. Did you mean `currency`?"],
  [
    "unlisted: yes",
    "unlisted: yes",
    "1:11 unlisted: Expected `alert` or `suspend`, for example `unlisted: suspend`. Got: yes.",
  ],
  [
    "a parent that suspends",
    "parent: suspend",
    "1:9 parent: Expected `alert` or `suspend-top`, for example `parent: alert`. Got: suspend.",
  ],
  [
    "limits as a list",
    "limits: [ ]",
    "1:9 limits: Expected limits by name, for example `limits: { daily-spend: { ... } }`. Got: an empty list.",
  ],
  [
    "a limit without values",
    "limits: { a: }",
    "1:11 limits.a: Expected a limit, for example `{ category: totalprice, by: price, every: day, at: 100, then: suspend }`. Got: nothing.",
  ],
  ["a capital in a name", `limits: { Daily: ${LIMIT} }`, `1:11 limits.Daily: ${NAME} Got: Daily.`],
  ["a name of digits", `limits: { 50: ${LIMIT} }`, `1:11 limits.50: ${NAME} Got: 50.`],
  [
    "a name of 41",
    `limits: { ${"a".repeat(41)}: ${LIMIT} }`,
    `1:11 limits.${"a".repeat(41)}: ${NAME} Got: ${"a".repeat(41)}.`,
  ],
  ["no name", `limits: { "": ${LIMIT} }`, `1:11 limits.: ${NAME} Got: .`],
  [
    "a category with a space",
    limits({ category: "sms outbound" }),
    `2:18 limits.a.category: ${CATEGORY} Got: sms outbound.`,
  ],
  ["an empty category", limits({ category: '""' }), `2:18 limits.a.category: ${CATEGORY} Got: nothing.`],
  ["no category", limits({ category: "-" }), `2:3 limits.a.category: The key is missing. ${CATEGORY}`],
  [
    "by minutes",
    limits({ by: "minutes" }),
    "2:34 limits.a.by: Expected `count`, `usage` or `price`, for example `by: price`. Got: minutes.",
  ],
  [
    "Twilio's word for day",
    limits({ every: "daily" }),
    "2:48 limits.a.every: Expected `hour`, `day`, `month`, `year` or `once`, for example `every: day`. Got: daily. Did you mean `day`?",
  ],
  [
    "then: kill",
    limits({ then: "kill" }),
    "2:68 limits.a.then: Expected `alert` or `suspend`, for example `then: suspend`. Got: kill.",
  ],
  ["an exponent", limits({ at: "1e3" }), `2:57 limits.a.at: ${AMOUNT} Got: 1e3.`],
  ["zero", limits({ at: "0" }), `2:57 limits.a.at: ${AMOUNT} Got: 0.`],
  ["zero with decimals", limits({ at: "0.00" }), `2:57 limits.a.at: ${AMOUNT} Got: 0.00.`],
  ["a negative value", limits({ at: "-5" }), `2:57 limits.a.at: ${AMOUNT} Got: -5.`],
  ["a value relative to now", limits({ at: "+30" }), `2:57 limits.a.at: ${AMOUNT} Got: +30.`],
  ["a separator", limits({ at: "20_000" }), `2:57 limits.a.at: ${AMOUNT} Got: 20_000.`],
  ["a currency", limits({ at: "$100" }), `2:57 limits.a.at: ${AMOUNT} Got: $100.`],
  ["a hexadecimal number", limits({ at: "0x10" }), `2:57 limits.a.at: ${AMOUNT} Got: 0x10.`],
  ["no end", limits({ at: ".inf" }), `2:57 limits.a.at: ${AMOUNT} Got: .inf.`],
  ["a leading zero", limits({ at: "007" }), `2:57 limits.a.at: ${AMOUNT} Got: 007.`],
  ["seven decimals", limits({ at: "1.0000001" }), `2:57 limits.a.at: ${AMOUNT} Got: 1.0000001.`],
  ["thirteen digits", limits({ at: "1000000000000" }), `2:57 limits.a.at: ${AMOUNT} Got: 1000000000000.`],
  ["a list of values", limits({ at: "[50, 80]" }), `2:57 limits.a.at: ${AMOUNT} Got: a list.`],
  [
    "half a message",
    limits({ category: "sms", by: "count", at: "1.5" }),
    "2:50 limits.a.at: Expected a whole number, because `by: count` counts things, for example `at: 2`. Got: 1.5.",
  ],
  [
    "totalprice by count",
    limits({ by: "count" }),
    "2:34 limits.a.by: Twilio counts nothing for `totalprice`, so it would never be reached. Write `by: price`, or another category.",
  ],
  [
    "the same trigger twice",
    `limits:\n  a: ${LIMIT}\n  b: ${limit({ at: "100.0", then: "alert" })}`,
    "3:3 limits.b: This is the same usage trigger as `a`. Give it another `at`, or remove one of them.",
  ],
  [
    "a rule of a limit's name",
    `limits: { a: ${LIMIT} }\n${errors({})}`,
    "3:3 errors.a: A limit has this name too, and an alert names only the rule. Give one of them another name.",
  ],
  [
    "no codes",
    errors({ codes: "[]" }),
    "2:15 errors.a.codes: Expected a list of 1 to 100 of Twilio's error codes, for example `codes: [30450, 30453, 60410]`. Got: an empty list.",
  ],
  [
    "one code without a list",
    errors({ codes: "32201" }),
    "2:15 errors.a.codes: Expected a list of 1 to 100 of Twilio's error codes, for example `codes: [30450, 30453, 60410]`. Got: 32201.",
  ],
  ["a code of four digits", errors({ codes: "[3220]" }), `2:16 errors.a.codes[0]: ${CODE} Got: 3220.`],
  ["a code as text", errors({ codes: '["32201"]' }), `2:16 errors.a.codes[0]: ${CODE} Got: 32201.`],
  [
    "a code twice",
    errors({ codes: "[32201, 32202, 32201]" }),
    "2:30 errors.a.codes[2]: This code stands in the list twice. Keep one.",
  ],
  [
    "a code about webhooks",
    errors({ codes: "[32201, 11200]" }),
    "2:23 errors.a.codes[1]: 11200 is never counted (HTTP retrieval failure: about a webhook, often our own: acting on it would make a loop). Take it out of the list.",
  ],
  [
    "another of its family",
    errors({ codes: "[11237]" }),
    "2:16 errors.a.codes[0]: 11237 is never counted (about a webhook, often our own: acting on it would make a loop). Take it out of the list.",
  ],
  [
    "a code after a suspension",
    errors({ codes: "[30002]", then: "suspend" }),
    "2:16 errors.a.codes[0]: 30002 is never counted (Account suspended: follows from a suspension: it must not trip the account again). Take it out of the list.",
  ],
  [
    "a count of 501",
    errors({ count: "501" }),
    "2:31 errors.a.count: Expected a whole number from 1 to 500, for example `count: 20`. Got: 501.",
  ],
  [
    "a count of 2.5",
    errors({ count: "2.5" }),
    "2:31 errors.a.count: Expected a whole number from 1 to 500, for example `count: 20`. Got: 2.5.",
  ],
  ["a window without a unit", errors({ within: "10" }), `2:43 errors.a.within: ${DURATION} Got: 10.`],
  ["a window in words", errors({ within: "10 minutes" }), `2:43 errors.a.within: ${DURATION} Got: 10 minutes.`],
  ["a window of 30 seconds", errors({ within: "30s" }), `2:43 errors.a.within: ${DURATION} Got: 30s.`],
  ["a window of two days", errors({ within: "2d" }), `2:43 errors.a.within: ${DURATION} Got: 2d.`],
  [
    "a suspension on a stranger's word",
    errors({ then: "suspend" }),
    "2:53 errors.a.then: A stranger can cause 32201 (anyone can send SIP traffic to the account's domain), and could so have the account suspended. Write `then: alert`, or let the account's own usage confirm it, for example `confirm: { category: totalprice, by: price, every: day, at: 20 }`.",
  ],
  [
    "a suspension on a code unheard of",
    errors({ codes: "[99999, 30649]", then: "suspend" }),
    "2:60 errors.a.then: A stranger can cause 99999 (not in Tollbreaker's table, so taken for such a one), and could so have the account suspended. Write `then: alert`, or let the account's own usage confirm it, for example `confirm: { category: totalprice, by: price, every: day, at: 20 }`.",
  ],
  [
    "confirm forgotten half-way",
    errors({ then: "suspend", confirm: "" }),
    "2:62 errors.a.confirm: Expected a confirmation, for example `confirm: { category: totalprice, by: price, every: day, at: 20 }`. Got: nothing.",
  ],
  [
    "confirm by month",
    errors({ confirm: "{ category: sms, by: price, every: month, at: 20 }" }),
    "2:104 errors.a.confirm.every: Expected `day`, because today's Usage Records are read, for example `every: day`. Got: month.",
  ],
  [
    "a key of confirm nearly right",
    errors({ confirm: "{ category: sms, by: price, at: 20, evry: day }" }),
    "2:105 errors.a.confirm.evry: There is no such key here. Did you mean `every`?",
  ],
  [
    "totalprice confirmed by count",
    errors({ confirm: "{ category: totalprice, by: count, at: 20 }" }),
    "2:97 errors.a.confirm.by: Twilio counts nothing for `totalprice`, so it would never be reached. Write `by: price`, or another category.",
  ],
  [
    "a brake of none",
    "brake: { suspensions: 0 }",
    "1:23 brake.suspensions: Expected a whole number from 1 to 1000, for example `suspensions: 5`. Got: 0.",
  ],
  [
    "no brake",
    "brake: off",
    "1:8 brake: Expected the brake, for example `brake: { suspensions: 5, within: 10m }`. Got: off.",
  ],
  ["a SID cut short", exempt({ account: "AC..." }), `2:16 exempt[0].account: ${ACCOUNT} Got: AC....`],
  [
    "no reason",
    exempt({ why: "-" }),
    "2:5 exempt[0].why: The key is missing. Expected a reason of 1 to 200 letters on one line, for example `why: emergency line`.",
  ],
  [
    "an empty reason",
    exempt({ why: '"  "' }),
    "2:57 exempt[0].why: Expected a reason of 1 to 200 letters on one line, for example `why: emergency line`. Got:   .",
  ],
  ["a day that is not", exempt({ until: "2027-02-29" }), `2:67 exempt[0].until: ${UNTIL} Got: 2027-02-29.`],
  ["a day the other way round", exempt({ until: '"31.01.2027"' }), `2:67 exempt[0].until: ${UNTIL} Got: 31.01.2027.`],
  ["an end left empty", exempt({ until: "" }), `2:60 exempt[0].until: ${UNTIL} Got: nothing.`],
  [
    "an exemption that is a SID",
    `exempt: [${SID}]`,
    "1:10 exempt[0]: Expected an exemption, for example `{ account: AC0123456789abcdef0123456789abcdef, why: emergency line, until: 2027-01-31 }`. Got: AC0123456789abcdef0123456789abcdef.",
  ],
  [
    "an account exempted twice",
    `exempt:\n  - { account: ${SID}, why: a }\n  - { account: ${SID}, why: b }`,
    "3:16 exempt[1].account: This account is exempted twice: entry 1 of the list names it too. Keep one.",
  ],
  [
    "a value for no account",
    `limits: { a: ${LIMIT} }\naccounts: { AC1: { a: 5 } }`,
    `2:13 accounts.AC1: ${ACCOUNT} Got: AC1.`,
  ],
  [
    "a value for a limit nearly right",
    `limits: { daily-spend: ${LIMIT} }\naccounts:\n  ${SID}: { daily-spent: 5 }`,
    `3:41 accounts.${SID}.daily-spent: There is no limit of this name. Did you mean \`daily-spend\`?`,
  ],
  [
    "a value for another limit",
    `limits: { a: ${LIMIT} }\naccounts:\n  ${SID}: { monthly: 5 }`,
    `3:41 accounts.${SID}.monthly: There is no limit of this name. The limits are: a.`,
  ],
  [
    "a value without limits",
    `accounts:\n  ${SID}: { a: 5 }`,
    `2:41 accounts.${SID}.a: There is no limit of this name: the policy has no limits.`,
  ],
  [
    "a value for an error rule",
    `limits: { b: ${LIMIT} }\n${errors({})}\naccounts:\n  ${SID}: { a: 5 }`,
    `5:41 accounts.${SID}.a: This is an error rule. Only limits can have another value for an account.`,
  ],
  [
    "a value of nothing",
    `limits: { a: ${LIMIT} }\naccounts:\n  ${SID}: { a: 0 }`,
    `3:44 accounts.${SID}.a: ${AMOUNT} Got: 0.`,
  ],
  [
    "half a message for an account",
    `limits:\n  a: ${limit({ category: "sms", by: "count" })}\naccounts:\n  ${SID}: { a: 0.5 }`,
    `4:44 accounts.${SID}.a: Expected a whole number, because \`by: count\` counts things, for example \`at: 1\`. Got: 0.5.`,
  ],
  [
    "a number for an account",
    `accounts: { ${SID}: 500 }`,
    `1:49 accounts.${SID}: Expected the limits by name, each with its value, for example \`{ daily-spend: 5000 }\`. Got: 500.`,
  ],
  ["an hour without a value", hourly({ at: "-" }), `3:3 limits.a.at: The key is missing. ${AMOUNT}`],
  [
    "a rate by the day",
    hourly({ by: "rate", of: "count", every: "day" }),
    "3:40 limits.a.every: Expected `hour`, for example `every: hour`. Got: day.",
  ],
  [
    "a rate of minutes",
    hourly({ by: "rate", of: "minutes" }),
    "3:70 limits.a.of: Expected `count`, `usage` or `price`, for example `of: price`. Got: minutes.",
  ],
  [
    "half a message in an hour",
    hourly({ at: "0.5" }),
    "3:51 limits.a.at: Expected a whole number, because `by: count` counts things, for example `at: 1`. Got: 0.5.",
  ],
  [
    "a rate of messages in money",
    hourly({ by: "rate" }),
    "3:3 limits.a: The sweep sees what usage triggers count, and none counts `sms` by `price`. Add a limit that does, for example `{ category: sms, by: price, every: day, at: 1000, then: alert }`.",
  ],
  [
    "two that watch, and no trigger",
    `limits:\n  a: ${limit({ every: "hour" })}\n  b: ${limit({ every: "hour", category: "sms" })}\n  c: ${LIMIT}`,
    "3:3 limits.b: The sweep sees what usage triggers count, and none counts `sms` by `price`. Add a limit that does, for example `{ category: sms, by: price, every: day, at: 1000, then: alert }`.",
  ],
  [
    "totalprice by rate of things",
    `limits:\n  a: ${limit({ by: "rate", of: "count", every: "-" })}\n  d: ${LIMIT}`,
    "2:68 limits.a.of: Twilio counts nothing for `totalprice`, so it would never be reached. Write `of: price`, or another category.",
  ],
  [
    "a spike nearly right",
    hourly({ every: "day", spik: "8" }),
    "3:66 limits.a.spik: There is no such key here. Did you mean `spike`?",
  ],
  [
    "a spike of three quarters",
    spike({ times: "0.75" }),
    "3:50 limits.a.spike.times: Expected a whole number from 2 to 1000, for example `times: 8`. Got: 0.75.",
  ],
  [
    "a spike over a month and more",
    spike({ over: "32d" }),
    "3:59 limits.a.spike.over: Expected a duration from 2d to 31d with its unit: s, m, h or d, for example `over: 7d`. Got: 32d.",
  ],
  [
    "a spike over an hour",
    spike({ over: "1h" }),
    "3:59 limits.a.spike.over: Expected a duration from 2d to 31d with its unit: s, m, h or d, for example `over: 7d`. Got: 1h.",
  ],
  [
    "a spike from half a message on",
    spike({ "at-least": "0.5" }),
    "3:73 limits.a.spike.at-least: Expected a whole number, because `by: count` counts things, for example `at-least: 1`. Got: 0.5.",
  ],
  [
    "a spike without a floor",
    spike({ "at-least": "-" }),
    "3:34 limits.a.spike.at-least: The key is missing. Expected a positive number in plain digits (no sign, exponent, unit or separator; up to 12 digits, then up to 6 decimals), for example `at-least: 20`.",
  ],
  [
    "a key of a spike nearly right",
    spike({ tims: "8", times: "8" }),
    "3:77 limits.a.spike.tims: There is no such key here. Did you mean `times`?",
  ],
  [
    "a spike that is a number",
    `limits: { a: { category: totalprice, by: price, spike: 8, then: alert }, d: ${LIMIT} }`,
    "1:56 limits.a.spike: Expected the measures of a spike, for example `spike: { times: 8, over: 7d, at-least: 20 }`. Got: 8.",
  ],
  [
    "a spike with a value",
    `limits:\n${DAILY}\n  a: { category: sms, by: count, spike: { times: 8, over: 7d, at-least: 20 }, at: 5, then: alert }`,
    "3:79 limits.a.at: There is no such key here. The keys here are: category, by, spike, then.",
  ],
  [
    "a value for a spike",
    `${spike({})}\naccounts:\n  ${SID}: { a: 5 }`,
    `5:41 accounts.${SID}.a: This is a spike: it compares each account with itself, and has no \`at\`.`,
  ],
  [
    "half a message in an hour for an account",
    `${hourly({})}\naccounts:\n  ${SID}: { a: 0.5 }`,
    `5:44 accounts.${SID}.a: Expected a whole number, because \`by: count\` counts things, for example \`at: 1\`. Got: 0.5.`,
  ],
  [
    "a rule of a rate's name",
    `${hourly({})}\n${errors({})}`,
    "5:3 errors.a: A limit has this name too, and an alert names only the rule. Give one of them another name.",
  ],
  [
    "a share of nothing",
    "probation: { share: 0 }",
    "1:21 probation.share: Expected a share above 0, and 1 at most, in plain digits, for example `share: 0.25`. Got: 0.",
  ],
  [
    "a share of 0.0",
    "probation: { share: 0.0 }",
    "1:21 probation.share: Expected a share above 0, and 1 at most, in plain digits, for example `share: 0.25`. Got: 0.0.",
  ],
  [
    "a share of more than all",
    "probation: { share: 1.1 }",
    "1:21 probation.share: Expected a share above 0, and 1 at most, in plain digits, for example `share: 0.25`. Got: 1.1.",
  ],
  [
    "a share in percent",
    "probation: { share: 25% }",
    "1:21 probation.share: Expected a share above 0, and 1 at most, in plain digits, for example `share: 0.25`. Got: 25%.",
  ],
  [
    "half an hour of probation",
    "probation: { for: 30m }",
    "1:19 probation.for: Expected a duration from 1h to 31d with its unit: s, m, h or d, for example `for: 24h`. Got: 30m.",
  ],
  [
    "a year of probation",
    "probation: { for: 365d }",
    "1:19 probation.for: Expected a duration from 1h to 31d with its unit: s, m, h or d, for example `for: 24h`. Got: 365d.",
  ],
  [
    "probation without an end",
    "probation: { for: ever }",
    "1:19 probation.for: Expected a duration from 1h to 31d with its unit: s, m, h or d, for example `for: 24h`. Got: ever.",
  ],
  [
    "a key of the probation nearly right",
    "probation: { shares: 0.5 }",
    "1:14 probation.shares: There is no such key here. Did you mean `share`?",
  ],
  [
    "a raise by a fraction",
    "raise: { times: 1.5 }",
    "1:17 raise.times: Expected a whole number from 1 (never) to 100, for example `times: 10`. Got: 1.5.",
  ],
  [
    "a raise for ever",
    "raise: { for: 365d }",
    "1:15 raise.for: Expected a duration from 1h to 31d with its unit: s, m, h or d, for example `for: 31d`. Got: 365d.",
  ],
  [
    "no probation",
    "probation: off",
    "1:12 probation: Expected the probation, for example `probation: { share: 0.25, for: 24h }`. Got: off.",
  ],
  [
    "tampering that is ignored",
    "tampering: ignore",
    "1:12 tampering: Expected `alert` or `suspend`, for example `tampering: alert`. Got: ignore.",
  ],
  [
    "a code about a sink",
    errors({ codes: "[91305]" }),
    "2:16 errors.a.codes[0]: 91305 is never counted (Sink endpoint rejected the event: about an Event Streams sink, often our own: acting on it would make a loop). Take it out of the list.",
  ],
  [
    "another code of its family",
    errors({ codes: "[91301]" }),
    "2:16 errors.a.codes[0]: 91301 is never counted (about an Event Streams sink, often our own: acting on it would make a loop). Take it out of the list.",
  ],
  [
    "two limits that meet in an account",
    `limits:\n  a: ${limit({ at: "80" })}\n  b: ${LIMIT}\naccounts:\n  ${SID}: { b: 80 }`,
    `5:44 accounts.${SID}.b: For this account \`b\` and \`a\` become the same usage trigger. Give them different values.`,
  ],
])("%s is refused, in words that help", (_what, text, problem) => {
  expect(problemsOf(text)).toEqual([`policy.yml:${problem}`]);
});

test("every problem is told at once, in the order of the file, each once", () => {
  const text = `mode: enforced
limits:
  Spend: { category: totalprice, by: price, every: day, at: 1e3, then: suspend }
errors:
  sip: { codes: [32201, oops], count: 0, within: 5m, then: suspend }
accounts: { ${SID}: { spent: 5 } }
`;
  const places = problemsOf(text).map((problem) => problem.split(" ", 2).join(" "));
  expect(places).toEqual([
    "policy.yml:1:7 mode:",
    "policy.yml:3:3 limits.Spend:",
    "policy.yml:3:61 limits.Spend.at:",
    "policy.yml:5:25 errors.sip.codes[1]:",
    "policy.yml:5:39 errors.sip.count:",
    "policy.yml:5:60 errors.sip.then:",
    `policy.yml:6:51 accounts.${SID}.spent:`,
  ]);
});

test("the error names the file, counts the problems and lists them on lines of their own", () => {
  const read = () => readPolicy("mode: no\nunlisted: no\n", "ops/policy.yml");
  expect(read).toThrowError(
    expect.objectContaining({
      name: "TollbreakerError",
      code: "policy-invalid",
      message: [
        "ops/policy.yml cannot be used: 2 problems.",
        "ops/policy.yml:1:7 mode: Expected `enforce` or `observe`, for example `mode: enforce`. Got: no.",
        "ops/policy.yml:2:11 unlisted: Expected `alert` or `suspend`, for example `unlisted: suspend`. Got: no.",
      ].join("\n"),
    }),
  );
});

test("what cannot be seen is shown, and nothing long is repeated", () => {
  const [problem] = problemsOf(`mode: "\\e[2J\\u202e${"x".repeat(100)}"`);
  // The text in the file is escaped already: it is quoted as written.
  expect(problem).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(problemsOf(`"\\e[2J\\u202e${"x".repeat(100)}": 1`).join()).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(problem?.length).toBeLessThan(250);
});

test("an insider's code may suspend without a confirmation", () => {
  expect(policyOf(errors({ codes: "[30649]", then: "suspend" })).errors["a"]?.confirm).toBeNull();
});

test("more than 100 limits are refused: Twilio allows an account 1,000 usage triggers", () => {
  const many = Array.from({ length: 101 }, (_, index) => `  l${index}: ${limit({ at: String(index + 1) })}`);
  expect(problemsOf(`limits:\n${many.join("\n")}`)).toEqual([
    "policy.yml:2:3 limits: There are 101 limits. Expected at most 100: each is a usage trigger on every subaccount, and Twilio allows an account 1,000.",
  ]);
  expect(problemsOf(`limits:\n${many.slice(1).join("\n")}`)).toEqual([]);
});

test("of thousands of problems the first hundred are shown", () => {
  const problems = problemsOf(Array.from({ length: 5000 }, (_, index) => `key${index}: 1`).join("\n"));
  expect(problems).toHaveLength(101);
  expect(problems.at(-1)).toBe("policy.yml: and 4900 more.");
});

const bomb = (levels: number) =>
  [
    "a0: &a0 [x, x, x, x, x, x, x, x, x, x]",
    ...Array.from({ length: levels }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`).join(", ")}]`),
  ].join("\n");

test.each([
  ["a megabyte and more", `mode: enforce\n#${"x".repeat(1024 * 1024)}`, /^policy.yml:1:1 The file is larger than 1 MB/],
  ["aliases that grow without end", bomb(12), /There are more than 200000 values up to here/],
  ["an alias of itself", "limits: &a { b: *a }", /This is nested too deeply/],
  ["a thousand lists in each other", `mode: ${"[".repeat(1000)}${"]".repeat(1000)}`, /This is nested too deeply/],
  ["200,000 lists left open", "[".repeat(200_000), /This is nested too deeply|no valid YAML/],
  ["100,000 keys", Array.from({ length: 100_000 }, (_, n) => `k${n}: 1`).join("\n"), /There is no such key here/],
  ["100,000 times one key", "mode: enforce\n".repeat(70_000), /This key stands here twice/],
])("%s is refused, and does not take for ever", (_what, text, problem) => {
  expect(problemsOf(text).join("\n")).toMatch(problem);
});

/** Whatever the text: a policy, or the one error. */
function survives(text: string): void {
  try {
    readPolicy(text, "policy.yml");
  } catch (error) {
    expect(error).toBeInstanceOf(TollbreakerError);
    expect(error).toHaveProperty("code", "policy-invalid");
  }
}

test("any text at all is a policy or is refused", () => {
  const yamlish = fc.string({ unit: fc.constantFrom(..."{}[]:,-?&*!|>'\"%@`#\n\t \\<0a~", "limits", "at: ", "---\n") });
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), yamlish), survives), { numRuns: 2000 });
});

test("any YAML in the places of the keys is a policy or is refused", () => {
  const key = fc.constantFrom(
    "mode",
    "limits",
    "errors",
    "exempt",
    "accounts",
    "brake",
    "a",
    SID,
    "then",
    "confirm",
    "codes",
    "at",
    "by",
    "toString",
    "constructor",
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 5 }, fc.jsonValue({ maxDepth: 1 }), fc.array(tie("tree"), { maxLength: 4 }), tie("map")),
    map: fc.dictionary(key, tie("tree"), { maxKeys: 6 }),
  }));
  const text = fc.dictionary(key, tree, { maxKeys: 8 }).map((data) => new Document(data).toString());
  fc.assert(fc.property(text, survives), { numRuns: 1000 });
});

const anyName = fc.stringMatching(/^[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9}){0,2}$/);
const anySid = fc.stringMatching(/^AC[0-9a-f]{32}$/);
const anyMeasure = {
  category: fc.constantFrom("sms", "calls", "mms-outbound"),
  by: fc.constantFrom("count", "usage", "price"),
  at: fc.integer({ min: 1, max: 999_999_999_999 }),
};
const anyLimit = fc.record({
  ...anyMeasure,
  every: fc.constantFrom("day", "month", "year", "once"),
  then: fc.constantFrom("alert", "suspend"),
});
/** What the sweep watches, of a limit with this measure. */
const anyWatch = fc.oneof(
  fc.record({ every: fc.constant("hour"), at: anyMeasure.at, then: fc.constantFrom("alert", "suspend") }),
  fc.record({
    spike: fc.record({
      times: fc.integer({ min: 2, max: 1000 }),
      over: fc.constantFrom("2d", "7d", "31d", "100h"),
      "at-least": anyMeasure.at,
    }),
    then: fc.constantFrom("alert", "suspend"),
  }),
);
const anyRule = fc.record({
  codes: fc.uniqueArray(fc.integer({ min: 30_500, max: 91_299 }), { minLength: 1, maxLength: 100 }),
  count: fc.integer({ min: 1, max: 500 }),
  within: fc.constantFrom("1m", "90s", "24h", "1d"),
  then: fc.constantFrom("alert", "suspend"),
  confirm: fc.record({ ...anyMeasure, every: fc.constant("day") }),
});
const anyDay = fc
  .date({ min: new Date("2020-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

test("any right policy is read with just its values, and read again from what was read", () => {
  const right = fc.record({
    mode: fc.constantFrom("enforce", "observe"),
    currency: fc.constantFrom("USD", "EUR", "JPY"),
    limits: fc.uniqueArray(fc.tuple(anyName, anyLimit), { selector: ([name]) => name, maxLength: 5 }).map((entries) =>
      // Distinct values: no two are the same trigger.
      Object.fromEntries(
        entries.map(([name, entry], index) => [`l-${name}`, { ...entry, at: entry.at - (entry.at % 10) + index + 1 }]),
      ),
    ),
    errors: fc.dictionary(
      anyName.map((name) => `e-${name}`),
      anyRule,
      { maxKeys: 4 },
    ),
    exempt: fc.uniqueArray(
      fc.record({ account: anySid, why: fc.constantFrom("a", "emergency line: 112", "#1"), until: anyDay }),
      { selector: ({ account }) => account, maxLength: 3 },
    ),
    parent: fc.constantFrom("alert", "suspend-top"),
    tampering: fc.constantFrom("alert", "suspend"),
    probation: fc.record({
      share: fc.constantFrom("1", "0.25", "0.000001"),
      for: fc.constantFrom("1h", "31d", "9000s"),
    }),
  });
  fc.assert(
    fc.property(right, fc.array(anyWatch, { maxLength: 3 }), (written, watches) => {
      const [{ category, by } = { category: "none", by: "count" }] = Object.values(written.limits);
      const watched =
        category === "none" ? [] : watches.map((watch, index) => [`w-${index}`, { category, by, ...watch }] as const);
      const limits = { ...written.limits, ...Object.fromEntries(watched) };
      const policy = policyOf(stringify({ ...written, limits }));
      expect(policy.currency).toEqual(written.currency);
      expect(policy.exempt).toEqual(written.exempt);
      expect(Object.keys(policy.rates)).toEqual(watched.map(([name]) => name));
      expect(policy.probation.share).toEqual(written.probation.share);
      expect(Object.keys(policy.limits)).toEqual(Object.keys(written.limits));
      for (const [name, entry] of Object.entries(written.limits))
        expect(policy.limits[name]).toEqual({ ...entry, at: String(entry.at) });
      expect(policyOf(stringify(asWritten(policy)))).toEqual(policy);
    }),
    { numRuns: 200 },
  );
});

/** Back to keys and words. */
function asWritten({ rates, probation, raise, currency, ...policy }: ReturnType<typeof policyOf>) {
  const words = (milliseconds: number) => `${milliseconds / 1000}s`;
  const errors = Object.entries(policy.errors).map(([name, rule]) => [name, { ...rule, within: words(rule.within) }]);
  const watched = Object.entries(rates).map(([name, { kind: _, ...rule }]) => [
    name,
    "at" in rule ? { ...rule, every: "hour" } : spikeAsWritten(rule),
  ]);
  return {
    ...policy,
    ...(currency !== null && { currency }),
    limits: { ...policy.limits, ...Object.fromEntries(watched) },
    errors: Object.fromEntries(errors),
    brake: { ...policy.brake, within: words(policy.brake.within) },
    probation: { ...probation, for: words(probation.for) },
    raise: { ...raise, for: words(raise.for) },
  };

  function spikeAsWritten({ times, over, atLeast, ...rest }: Omit<Spike, "kind">) {
    return { ...rest, spike: { times, over: words(over), "at-least": atLeast } };
  }
}
