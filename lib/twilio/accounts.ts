import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";
import { pages } from "./paging.ts";
import { isAccountSid } from "./sids.ts";

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
 * Asks Twilio to suspend `sid`. There is no way to ask for another status here, so that nothing in this code base can
 * close an account: closing is final. The answer proves nothing; read the account back.
 * https://www.twilio.com/docs/iam/api/subaccounts#suspend-a-subaccount
 */
export async function requestSuspension(
  twilio: TwilioClient,
  sid: string,
  timeoutMs: number,
): Promise<Answer<Account>> {
  const form = { Status: "suspended" };
  const answer = await twilio.send({ path: accountPath(sid), form, answer: AccountResource, timeoutMs });
  return answer.kind === "ok" ? { kind: "ok", body: accountOf(answer.body) } : answer;
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

// A SID goes into a path: anything else than a SID could make it another path.
function accountPath(sid: string): string {
  if (!isAccountSid(sid)) throw new TypeError(`Not an AccountSid: ${JSON.stringify(sid)}`);
  return `/2010-04-01/Accounts/${sid}.json`;
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
