import { readFileSync } from "node:fs";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { examinePolicy } from "../../../lib/policy/policy-file.ts";
import { policyJsonSchema } from "../../../lib/policy/policy-json-schema.ts";
import { PolicyEntry } from "../../../lib/policy/policy-schema.ts";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

const DOCUMENT = read("docs/policy.md");
const POLICIES = [...DOCUMENT.matchAll(/^### (.+)\n[^#]*?```yaml\n([\s\S]*?)```/gm)].map(
  ([, title = "", text = ""]): [string, string] => [title, text],
);
const ajv = addFormats.default(new Ajv.default({ allowUnionTypes: true }));
const isValid = ajv.compile(JSON.parse(read("policy.schema.json")));

const SPIKE = "{ times: 8, over: 7d, at-least: 20 }";

test("policy.schema.json is what `npm run policy:schema` makes now", () => {
  expect(JSON.parse(read("policy.schema.json"))).toEqual(policyJsonSchema());
});

test("the schema explains every key to an editor", () => {
  const unexplained = keysWithoutDescription(policyJsonSchema(), "policy");
  expect(unexplained).toEqual([]);
});

function keysWithoutDescription(schema: unknown, path: string): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    const below = keysWithoutDescription(value, `${path}.${key}`);
    if (key !== "properties") return below;
    const silent = Object.entries(value).filter(([, property]) => !Object.hasOwn(Object(property), "description"));
    return [...below, ...silent.map(([name]) => `${path}.${name}`)];
  });
}

test("the policy of the project names the schema and satisfies it", () => {
  const text = read("policy.yml");
  expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/policy\.schema\.json\n/);
  expect(isValid(parse(text)), JSON.stringify(isValid.errors)).toBe(true);
});

test("docs/policy.md has its examples", () => {
  expect(POLICIES.map(([title]) => title)).toEqual(
    expect.arrayContaining(["A week of watching", "A ladder: 50, 80, 100", "Guarded by the hour as well"]),
  );
  expect(POLICIES.length).toBeGreaterThanOrEqual(6);
});

test.each(POLICIES)("the example %j is a right policy, for us and for editors", (_title, text) => {
  expect(examinePolicy(text, "policy.yml")).toMatchObject({ kind: "fine" });
  expect(isValid(parse(text)), JSON.stringify(isValid.errors)).toBe(true);
});

test.each([
  ["a key nearly right", "limit: {}"],
  ["a limit without a value", "limits: { a: { category: sms, by: price, every: day, then: alert } }"],
  ["a name with a capital", "limits: { A: { category: sms, by: price, every: day, at: 1, then: alert } }"],
  ["a value of zero", "limits: { a: { category: sms, by: price, every: day, at: 0, then: alert } }"],
  ["a window without a unit", "brake: { within: 10 }"],
  ["a SID cut short", "exempt: [ { account: AC1, why: x } ]"],
  ["an hour without a value", "limits: { a: { category: sms, by: price, every: hour, then: alert } }"],
  ["a spike of nothing", "limits: { a: { category: sms, by: price, spike: {}, then: alert } }"],
  ["a spike with a value", `limits: { a: { category: sms, by: price, spike: ${SPIKE}, at: 5, then: alert } }`],
  ["a share in percent", "probation: { share: 25 }"],
  ["a day that is not", "exempt: [ { account: AC0123456789abcdef0123456789abcdef, why: x, until: 2027-02-30 } ]"],
])("an editor marks %s", (_what, text) => {
  expect(isValid(parse(text))).toBe(false);
});

test("docs/policy.md has a row for every key", () => {
  const rows = [...DOCUMENT.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, key]) => key);
  expect(rows).toEqual(expect.arrayContaining(Object.keys(PolicyEntry.shape)));
  expect(rows).toEqual(
    expect.arrayContaining([
      "category",
      "by",
      "every",
      "at",
      "then",
      "codes",
      "count",
      "within",
      "confirm",
      "account",
      "why",
      "until",
      "times",
      "over",
      "at-least",
      "share",
      "for",
    ]),
  );
});
