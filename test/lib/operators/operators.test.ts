import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { TollbreakerError } from "../../../lib/errors.ts";
import { operatorsFrom, parseOperators } from "../../../lib/operators/operators.ts";

const hashOf = (token: string) => createHash("sha256").update(token).digest("hex");
const alice = { name: "alice", sha256: hashOf("token of alice"), role: "operator" };
const bob = { name: "bob", sha256: hashOf("token of bob"), role: "viewer", expires: "2027-01-31T00:00:00Z" };

describe("parseOperators", () => {
  it("reads names, hashes, roles and expiry times", () => {
    expect(parseOperators(JSON.stringify([alice, bob]))).toEqual([
      { name: "alice", sha256: Buffer.from(alice.sha256, "hex"), role: "operator", expires: null },
      { name: "bob", sha256: Buffer.from(bob.sha256, "hex"), role: "viewer", expires: new Date("2027-01-31") },
    ]);
  });

  it("takes a hash in capitals", () => {
    const [operator] = parseOperators(JSON.stringify([{ ...alice, sha256: alice.sha256.toUpperCase() }]));
    expect(operator?.sha256.toString("hex")).toBe(alice.sha256);
  });

  it.each([undefined, "[]"])("%s means that there are none", (text) => {
    expect(parseOperators(text)).toEqual([]);
  });

  it.each([
    ["another role", [alice, { ...bob, role: "admin" }], /entry 2 \("bob"\): "role" must be "viewer" or "operator"/],
    ["no role", [{ name: "carol", sha256: alice.sha256 }], /entry 1 \("carol"\): "role" must be/],
    ["a short hash", [{ ...alice, sha256: "abc123" }], /entry 1 \("alice"\): "sha256" must be the 64 hexadecimal/],
    ["a hash that is no text", [{ ...alice, sha256: 5 }], /entry 1 \("alice"\): "sha256" must be a text/],
    ["no name", [{ ...alice, name: "" }], /entry 1 \(""\): "name" must have 1 to 100 characters/],
    ["a name with a newline", [{ ...alice, name: "a\nb" }], /"name" must have/],
    ["a date that is no time", [{ ...alice, expires: "next year" }], /entry 1 \("alice"\): "expires" must be a time/],
    ["a misspelt key", [{ ...alice, expire: bob.expires }], /entry 1 \("alice"\): has the unknown key "expire"/],
    ["a text as entry", [alice, "bob"], /entry 2: must be an object/],
    ["null as entry", [null], /entry 1: must be an object/],
    ["no list", { alice }, /Got: no list/],
    ["one name twice", [alice, { ...bob, name: "alice" }], /entry 2 \("alice"\): the name is used twice/],
    [
      "one token twice",
      [alice, { ...bob, sha256: alice.sha256 }],
      /entry 2 \("bob"\): another entry has the same token/,
    ],
  ])("refuses %s and names the entry", (_what, entries, message) => {
    expect(() => parseOperators(JSON.stringify(entries))).toThrow(message);
  });

  it("names every wrong entry at once", () => {
    const wrong = [
      { ...alice, role: "admin" },
      { ...bob, sha256: "abc" },
    ];
    expect(() => parseOperators(JSON.stringify(wrong))).toThrow(/entry 1 \("alice"\).*entry 2 \("bob"\)/s);
  });

  it.each([
    ["text that is no JSON", "tok-5ecret,tok-other"],
    ["a token where its hash belongs", JSON.stringify([{ ...alice, sha256: "tok-5ecret" }])],
  ])("never repeats a secret: %s", (_what, text) => {
    const error = thrownBy(() => parseOperators(text));
    expect(error.code).toBe("operators-invalid");
    expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain("5ecret");
  });
});

describe("operatorsFrom", () => {
  it("sees a changed list", async () => {
    const texts = [JSON.stringify([alice]), JSON.stringify([alice, bob]), undefined];
    const operators = operatorsFrom(async () => texts.shift());
    expect(await operators()).toHaveLength(1);
    expect(await operators()).toHaveLength(2);
    expect(await operators()).toHaveLength(0);
  });

  it("parses an unchanged list once", async () => {
    const operators = operatorsFrom(async () => JSON.stringify([alice]));
    expect(await operators()).toBe(await operators());
  });

  it("refuses a list that was fine before and is broken now", async () => {
    const texts = [JSON.stringify([alice]), "["];
    const operators = operatorsFrom(async () => texts.shift());
    await operators();
    await expect(operators()).rejects.toThrow(TollbreakerError);
  });
});

function thrownBy(act: () => unknown): TollbreakerError {
  try {
    act();
  } catch (error) {
    if (error instanceof TollbreakerError) return error;
  }
  throw new Error("no TollbreakerError was thrown");
}
