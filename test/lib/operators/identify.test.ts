import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { identify } from "../../../lib/operators/identify.ts";
import type { Operator } from "../../../lib/operators/operators.ts";

const NOW = new Date("2026-11-21T03:04:05Z");
const names = ["first", "second", "third", "last"];
const sha256 = (token: string) => createHash("sha256").update(token).digest();
const operators: Operator[] = names.map((name) => ({
  name,
  sha256: sha256(`token-of-${name}`),
  role: "viewer",
  expires: null,
  slack: null,
}));

describe("identify", () => {
  it.each(names)("finds the %s operator", (name) => {
    expect(identify(`Bearer token-of-${name}`, operators, NOW)).toMatchObject({ kind: "operator", operator: { name } });
  });

  it.each(names)("compares with everyone, also when it is the %s who asks", (name) => {
    const compared: string[] = [];
    const watched = operators.map((operator) => ({
      ...operator,
      get sha256() {
        compared.push(operator.name);
        return operator.sha256;
      },
    }));
    identify(`Bearer token-of-${name}`, watched, NOW);
    expect(compared).toEqual(names);
  });

  it.each(["Bearer", "bearer", "BEARER", "bEaReR"])("takes the scheme written %s", (scheme) => {
    expect(identify(`${scheme} token-of-last`, operators, NOW).kind).toBe("operator");
  });

  it.each([
    ["a wrong token", "Bearer token-of-nobody"],
    ["a token cut short", "Bearer token-of-las"],
    ["a token with more behind it", "Bearer token-of-lastx"],
    ["another case", "Bearer TOKEN-OF-LAST"],
    ["the hash instead of the token", `Bearer ${sha256("token-of-last").toString("hex")}`],
    ["no token", "Bearer"],
    ["an empty token", "Bearer "],
    ["two tokens", "Bearer token-of-last token-of-last"],
    ["two headers, joined", "Bearer token-of-last, Bearer token-of-last"],
    ["10 KB", `Bearer ${"a".repeat(10_240)}`],
    ["10 KB behind a right token", `Bearer token-of-last${"=".repeat(10_240)}`],
    ["a line feed behind it", "Bearer token-of-last\n"],
  ])("refuses %s", (_what, header) => {
    expect(identify(header, operators, NOW)).toEqual({ kind: "unknown-token" });
  });

  it.each([
    ["another scheme", "Basic token-of-last", "Basic"],
    ["another scheme, in lower case", "basic token-of-last", "basic"],
    ["one that nobody knows, and may be a secret", "hunter2 token-of-last", null],
    ["no scheme", "token-of-last", null],
    ["no space", "Bearertoken-of-last", null],
    ["an empty header", "", null],
  ])("names %s", (_what, header, scheme) => {
    expect(identify(header, operators, NOW)).toEqual({ kind: "other-scheme", scheme });
  });

  it("tells a missing header apart", () => {
    expect(identify(undefined, operators, NOW)).toEqual({ kind: "no-token" });
  });

  it("lets nobody in where there are no operators", () => {
    expect(identify("Bearer token-of-last", [], NOW)).toEqual({ kind: "unknown-token" });
  });

  it.each([
    ["2026-11-21T03:04:06Z", "operator"],
    ["2026-11-21T03:04:05Z", "expired-token"],
    ["2020-01-01T00:00:00Z", "expired-token"],
  ])("with a token that expires at %s: %s", (expires, kind) => {
    const [operator] = operators;
    if (operator === undefined) throw new Error("no operator");
    const limited = [{ ...operator, expires: new Date(expires) }];
    expect(identify("Bearer token-of-first", limited, NOW).kind).toBe(kind);
  });
});
