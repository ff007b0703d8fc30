import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { identify } from "../../../lib/operators/identify.ts";
import { hashOf, makeToken } from "../../../lib/operators/operator-token.ts";
import { parseOperators } from "../../../lib/operators/operators.ts";

test("a token is recognisable, and made of 32 random bytes", () => {
  const tokens = Array.from({ length: 100 }, () => makeToken().token);
  for (const token of tokens) {
    expect(token).toMatch(/^tb_[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(token.slice(3), "base64url")).toHaveLength(32);
  }
  expect(new Set(tokens).size).toBe(100);
});

test("its hash is the plain SHA-256 that sha256sum shows", () => {
  const { token, sha256 } = makeToken();
  expect(sha256).toBe(createHash("sha256").update(token).digest("hex"));
  expect(hashOf(token).toString("hex")).toBe(sha256);
});

test("whoever presents it is found by the record", () => {
  const { token, sha256 } = makeToken();
  const operators = parseOperators(JSON.stringify([{ name: "alice", sha256, role: "viewer" }]));
  expect(identify(`Bearer ${token}`, operators, new Date())).toMatchObject({ operator: { name: "alice" } });
});
