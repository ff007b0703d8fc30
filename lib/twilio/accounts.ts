import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";
import { pages } from "./paging.ts";
import { accountPath } from "./paths.ts";

/** https://www.twilio.com/docs/iam/api/account */
const AccountResource = z.object({
  sid: z.string(),
  owner_account_sid: z.string(),
  /** A name must never be the reason why an account cannot be suspended. */
  friendly_name: z.nullish(z.string()),
  status: z.enum(["active", "suspended", "closed"]),
  /** Absent or empty unless the request was made with the parent's auth token. */
  auth_token: z.optional(z.nullable(z.string())),
});

export interface Account {
  sid: string;
  ownerAccountSid: string;
  friendlyName: string;
  status: "active" | "suspended" | "closed";
  /** The primary auth token; undefined when Twilio did not show it. */
  authToken: string | undefined;
}

const AccountPage = z.object({ accounts: z.array(AccountResource), next_page_uri: z.nullish(z.string()) });

export async function fetchAccount(twilio: TwilioClient, sid: string, timeoutMs: number): Promise<Answer<Account>> {
  const answer = await twilio.send({ path: accountPath(sid), answer: AccountResource, timeoutMs });
  return answer.kind === "ok" ? { kind: "ok", body: accountOf(answer.body) } : answer;
}

/**
 * Asks Twilio to suspend `sid`. The answer proves nothing; read the account back.
 * https://www.twilio.com/docs/iam/api/subaccounts#suspend-a-subaccount
 */
export async function requestSuspension(
  twilio: TwilioClient,
  sid: string,
  timeoutMs: number,
): Promise<Answer<Account>> {
  return requestStatus(twilio, { sid, status: "suspended", timeoutMs });
}

/**
 * Asks Twilio to set `sid` active. Its own credentials, refused while it is suspended, work again from then on. The
 * answer proves nothing; read the account back. https://www.twilio.com/docs/iam/api/account#update-an-account
 */
export async function requestActivation(
  twilio: TwilioClient,
  sid: string,
  timeoutMs: number,
): Promise<Answer<Account>> {
  return requestStatus(twilio, { sid, status: "active", timeoutMs });
}

/** All accounts that the credentials can see, the parent among them: one request per 1,000. */
export async function listAccounts(twilio: TwilioClient, timeoutMs: number): Promise<Answer<Account[]>> {
  const answer = await pages(twilio, {
    path: "/2010-04-01/Accounts.json?PageSize=1000",
    answer: AccountPage,
    items: (page) => page.accounts,
    timeoutMs,
  });
  return answer.kind === "ok" ? { kind: "ok", body: answer.body.map(accountOf) } : answer;
}

interface Asked {
  sid: string;
  /** Twilio's third status is not among them, so that nothing in this code base can ask for it: it is final. */
  status: "active" | "suspended";
  timeoutMs: number;
}

async function requestStatus(twilio: TwilioClient, { sid, status, timeoutMs }: Asked): Promise<Answer<Account>> {
  const form = { Status: status };
  const answer = await twilio.send({ path: accountPath(sid), form, answer: AccountResource, timeoutMs });
  return answer.kind === "ok" ? { kind: "ok", body: accountOf(answer.body) } : answer;
}

function accountOf(resource: z.infer<typeof AccountResource>): Account {
  return {
    sid: resource.sid,
    ownerAccountSid: resource.owner_account_sid,
    friendlyName: resource.friendly_name ?? "",
    status: resource.status,
    authToken: resource.auth_token || undefined,
  };
}
