import { describe, expect, test } from "vitest";
import { fetchAccount } from "../../../lib/twilio/accounts.ts";
import {
  createSecondaryAuthToken,
  deleteSecondaryAuthToken,
  promoteAuthToken,
} from "../../../lib/twilio/auth-tokens.ts";
import { simulated } from "./simulated.ts";

const at = simulated();
const token = () => at.simulator.account(at.account).authToken;
const refused = { kind: "failed", failure: { kind: "retryable", code: 20003, status: 401 } };

test("a new token takes the old one's place, and only the account's own", async () => {
  const [old, parents] = [token(), at.simulator.parent().authToken];
  const own = at.own();
  const made = await createSecondaryAuthToken(own, 2_000);
  expect(made).toEqual({ kind: "ok", body: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(token()).toBe(old);
  expect(await promoteAuthToken(own, 2_000)).toEqual(made);
  expect(made).toMatchObject({ body: token() });
  expect(token()).not.toBe(old);
  expect(at.simulator.parent().authToken).toBe(parents);

  expect(await fetchAccount(own, at.account, 2_000)).toMatchObject(refused);
  expect(await fetchAccount(at.own(), at.account, 2_000)).toMatchObject({ body: { authToken: token() } });
  expect(at.asked().slice(0, 2)).toEqual([
    { to: "POST accounts", path: "/v1/AuthTokens/Secondary", form: {} },
    { to: "POST accounts", path: "/v1/AuthTokens/Promote", form: {} },
  ]);
});

test("a secondary token that somebody left is deleted, and cannot be promoted any more", async () => {
  const own = at.own();
  const left = await createSecondaryAuthToken(own, 2_000);
  expect(await deleteSecondaryAuthToken(own, 2_000)).toEqual({ kind: "ok", body: undefined });
  expect(await promoteAuthToken(own, 2_000)).toMatchObject({ failure: { kind: "not-found" } });
  expect(await deleteSecondaryAuthToken(own, 2_000)).toMatchObject({ failure: { kind: "not-found" } });
  expect(left).not.toMatchObject({ body: token() });
});

test("a suspended account's own credentials are refused", async () => {
  const own = at.own();
  at.simulator.setStatus(at.account, "suspended");
  for (const ask of [deleteSecondaryAuthToken, createSecondaryAuthToken, promoteAuthToken]) {
    expect(await ask(own, 2_000)).toMatchObject(refused);
  }
});

describe("an answer that proves nothing", () => {
  test.each([
    ["another account's", { account_sid: `AC${"9".repeat(32)}` }],
    ["without a token", { secondary_auth_token: null, auth_token: null }],
    ["with an empty token", { secondary_auth_token: "", auth_token: "" }],
  ])("%s: asked again or read back, and the failure does not tell the token", async (_, changes) => {
    const body = { account_sid: at.account, secondary_auth_token: "s3cr3t", auth_token: "s3cr3t", ...changes };
    for (const ask of [createSecondaryAuthToken, promoteAuthToken]) {
      at.answer(200, body);
      const answer = await ask(at.own(), 2_000);
      expect(answer).toMatchObject({ kind: "failed", failure: { kind: "retryable", status: null } });
      expect(JSON.stringify(answer)).not.toContain("s3cr3t");
    }
  });
});
