import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";

/**
 * The auth tokens of the account whose own credentials `own` uses: the parent's would change the parent's.
 * A token that is returned is a secret: it is neither kept nor told. https://www.twilio.com/docs/iam/api/authtoken
 */
const SECONDARY = "/v1/AuthTokens/Secondary";

export async function deleteSecondaryAuthToken(own: TwilioClient, timeoutMs: number): Promise<Answer<unknown>> {
  return own.send({ product: "accounts", path: SECONDARY, method: "DELETE", answer: z.unknown(), timeoutMs });
}

export async function createSecondaryAuthToken(own: TwilioClient, timeoutMs: number): Promise<Answer<unknown>> {
  const answer = z.object({ account_sid: z.literal(own.accountSid), secondary_auth_token: z.string() });
  return own.send({ product: "accounts", path: SECONDARY, method: "POST", answer, timeoutMs });
}

/** The secondary token becomes the only one: "all requests to Twilio using your old primary Auth Token will result in an error". */
export async function promoteAuthToken(own: TwilioClient, timeoutMs: number): Promise<Answer<unknown>> {
  const answer = z.object({ account_sid: z.literal(own.accountSid), auth_token: z.string() });
  return own.send({ product: "accounts", path: "/v1/AuthTokens/Promote", method: "POST", answer, timeoutMs });
}
