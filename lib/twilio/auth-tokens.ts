import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";

/**
 * The auth tokens of the account whose own credentials `own` uses: with the parent's, the parent's own would change.
 * These requests name no account, so an answer about another one is none. A token that is returned is a secret: whoever
 * asked must neither keep nor tell it. https://www.twilio.com/docs/iam/api/authtoken
 */
const SECONDARY = "/v1/AuthTokens/Secondary";

const Token = z.string().check(z.minLength(1));

/** The secondary token is refused from now on. `not-found` when there is none. */
export async function deleteSecondaryAuthToken(own: TwilioClient, timeoutMs: number): Promise<Answer<unknown>> {
  return own.send({ product: "accounts", path: SECONDARY, method: "DELETE", answer: z.unknown(), timeoutMs });
}

/** @returns the new token, which works at once, beside the primary one. */
export async function createSecondaryAuthToken(own: TwilioClient, timeoutMs: number): Promise<Answer<string>> {
  const Created = z.object({ account_sid: z.literal(own.accountSid), secondary_auth_token: Token });
  const answer = await own.send({
    product: "accounts",
    path: SECONDARY,
    method: "POST",
    answer: Created,
    timeoutMs,
  });
  return answer.kind === "ok" ? { kind: "ok", body: answer.body.secondary_auth_token } : answer;
}

/**
 * The secondary token becomes the only one: "all requests to Twilio using your old primary Auth Token will result in an
 * error", those of `own` among them. `not-found` when there is no secondary one.
 * @returns the token that is the primary one now.
 */
export async function promoteAuthToken(own: TwilioClient, timeoutMs: number): Promise<Answer<string>> {
  const Promoted = z.object({ account_sid: z.literal(own.accountSid), auth_token: Token });
  const answer = await own.send({
    product: "accounts",
    path: "/v1/AuthTokens/Promote",
    method: "POST",
    answer: Promoted,
    timeoutMs,
  });
  return answer.kind === "ok" ? { kind: "ok", body: answer.body.auth_token } : answer;
}
