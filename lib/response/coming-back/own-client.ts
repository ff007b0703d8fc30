import { fetchAccount } from "../../twilio/accounts.ts";
import { retrying } from "../../twilio/backoff.ts";
import type { TwilioClient } from "../../twilio/client.ts";
import { describeFailure } from "../../twilio/failures.ts";
import { limitedTo } from "../time-limit.ts";
import { type Journey, REQUEST_TIMEOUT_MS } from "./journey.ts";

type CurrentToken = { kind: "known"; token: string } | { kind: "unknown"; why: string };

/** The account's primary auth token, as Twilio shows it to its parent: a secret. */
export async function currentToken({ twilio, accountSid, until }: Journey): Promise<CurrentToken> {
  const account = await retrying(() => fetchAccount(twilio, accountSid, REQUEST_TIMEOUT_MS), until);
  if (account.kind === "failed") return { kind: "unknown", why: describeFailure(account.failure) };
  const token = account.body.authToken;
  return token === undefined
    ? { kind: "unknown", why: "Twilio does not show us the account's auth token" }
    : { kind: "known", token };
}

/** With the account's own credentials, for what Twilio lets nobody else do. */
export function clientWith({ responder, accountSid, until }: Journey, token: string): TwilioClient {
  return limitedTo(responder.subaccount(accountSid, token), until);
}
