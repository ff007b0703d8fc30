import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { TollbreakerError } from "../../../lib/errors.ts";
import { isExpired, mayAct, operatorsFrom, parseOperators } from "../../../lib/operators/operators.ts";

const hashOf = (token: string) => createHash("sha256").update(token).digest("hex");
const alice = { name: "alice", sha256: hashOf("token of alice"), role: "operator" };
const bob = { name: "bob", sha256: hashOf("token of bob"), role: "viewer", expires: "2027-01-31T00:00:00Z" };
const carol = { name: "carol", sha256: hashOf("token of carol"), role: "operator", slack: "U012ABCDEF" };

describe("parseOperators", () => {
  it("reads names, hashes, roles, expiry times and Slack users", () => {
    const hash = ({ sha256 }: { sha256: string }) => Buffer.from(sha256, "hex");
    expect(parseOperators(JSON.stringify([alice, bob, carol]))).toEqual([
      { name: "alice", sha256: hash(alice), role: "operator", expires: null, slack: null },
      { name: "bob", sha256: hash(bob), role: "viewer", expires: new Date("2027-01-31"), slack: null },
      { name: "carol", sha256: hash(carol), role: "operator", expires: null, slack: "U012ABCDEF" },
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
    ["a name with a control", [{ ...alice, name: "a\u0007b" }], /"name" must have no control/],
    ["a name that reads backwards", [{ ...alice, name: "\u202eecila\u202c" }], /"name" must have no control/],
    ["a name that looks like another", [alice, { ...bob, name: "ali\u200bce" }], /"name" must have no control/],
    ["a date that is no time", [{ ...alice, expires: "next year" }], /entry 1 \("alice"\): "expires" must be a time/],
    ["a misspelt key", [{ ...alice, expire: bob.expires }], /entry 1 \("alice"\): has the unknown key "expire"/],
    ["a name of a Slack user", [{ ...carol, slack: "@carol" }], /entry 1 \("carol"\): "slack" must be a Slack user ID/],
    ["a Slack user in small letters", [{ ...carol, slack: "u012abcdef" }], /"slack" must be a Slack user ID/],
    ["a Slack channel", [{ ...carol, slack: "C012ABCDEF" }], /"slack" must be a Slack user ID/],
    ["null as Slack user", [{ ...carol, slack: null }], /"slack" must be a text/],
    [
      "one Slack user twice",
      [carol, { ...alice, slack: carol.slack }],
      /entry 2 \("alice"\): another entry has the same Slack/,
    ],
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

describe("what an operator may do", () => {
  it.each([
    [alice, true],
    [bob, false],
  ])("$name acts: %s", (record, acts) => {
    expect(parseOperators(JSON.stringify([record])).map(mayAct)).toEqual([acts]);
  });

  it("ends at the moment of expiry", () => {
    const [operator] = parseOperators(JSON.stringify([bob]));
    if (operator === undefined) throw new Error("no operator");
    expect(isExpired(operator, new Date("2027-01-30T23:59:59.999Z"))).toBe(false);
    expect(isExpired(operator, new Date("2027-01-31T00:00:00.000Z"))).toBe(true);
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
