import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";
import { noAnswer, type TwilioFailure } from "./failures.ts";
import { pagesSoFar } from "./paging.ts";
import { accountPath } from "./paths.ts";
import { isAccountSid } from "./sids.ts";

/** https://www.twilio.com/docs/iam/api/account */
const AccountResource = z.object({
  sid: z.string(),
  owner_account_sid: z.string(),
  /** A name must never be the reason why an account cannot be suspended. */
  friendly_name: z.nullish(z.string()),
  status: z.string(),
  /** Absent or empty unless the request was made with the parent's auth token. */
  auth_token: z.optional(z.nullable(z.string())),
});
const Status = z.enum(["active", "suspended", "closed"]);

export interface Account {
  sid: string;
  ownerAccountSid: string;
  friendlyName: string;
  status: z.infer<typeof Status>;
  /** The primary auth token; undefined when Twilio did not show it. */
  authToken: string | undefined;
}

/** All that can be listed. What is missing in it is not gone, unless `incomplete` is null. */
export interface AccountList {
  accounts: Account[];
  /** Rows that can't be understood: no reason to lose the others. */
  setAside: SetAside[];
  /** Why pages are missing at the end; null where none is. */
  incomplete: TwilioFailure | null;
}

export interface SetAside {
  /** Null where not even that can be read. */
  sid: string | null;
  /** In words for a person. */
  why: string;
}

const AccountPage = z.object({ accounts: z.array(z.unknown()), next_page_uri: z.nullish(z.string()) });

/** An account of a status that we do not know can't be acted on: it may be a passing one, so it is read again. */
export async function fetchAccount(twilio: TwilioClient, sid: string, timeoutMs: number): Promise<Answer<Account>> {
  return understood(await twilio.send({ path: accountPath(sid), answer: AccountResource, timeoutMs }));
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
export async function listAccounts(twilio: TwilioClient, timeoutMs: number): Promise<Answer<AccountList>> {
  const answer = await pagesSoFar(twilio, {
    path: "/2010-04-01/Accounts.json?PageSize=1000",
    answer: AccountPage,
    items: (page) => page.accounts.map(readRow),
    timeoutMs,
  });
  if (answer.kind === "failed") return answer;
  const { items, incomplete } = answer.body;
  const [accounts, setAside] = [items.filter((row) => "status" in row), items.filter((row) => "why" in row)];
  return { kind: "ok", body: { accounts, setAside, incomplete } };
}

function readRow(row: unknown): Account | SetAside {
  const parsed = z.safeParse(AccountResource, row);
  const sid = z.safeParse(z.object({ sid: z.string() }), row).data?.sid ?? null;
  if (!parsed.success) return { sid, why: `it lacks what an account has (${strangeIn(parsed.error)})` };
  if (!isAccountSid(parsed.data.sid)) return { sid, why: "its SID is none of an account" };
  return accountOf(parsed.data) ?? { sid, why: unknownStatus(parsed.data) };
}

function strangeIn(error: z.core.$ZodError): string {
  return error.issues.map(({ path }) => path.join(".") || "the row").join(", ");
}

interface Asked {
  sid: string;
  /** Twilio's third status is not among them, so that nothing in this code base can ask for it: it is final. */
  status: "active" | "suspended";
  timeoutMs: number;
}

async function requestStatus(twilio: TwilioClient, { sid, status, timeoutMs }: Asked): Promise<Answer<Account>> {
  const form = { Status: status };
  return understood(await twilio.send({ path: accountPath(sid), form, answer: AccountResource, timeoutMs }));
}

type AccountResource = z.infer<typeof AccountResource>;

function understood(answer: Answer<AccountResource>): Answer<Account> {
  if (answer.kind === "failed") return answer;
  const account = accountOf(answer.body);
  return account === undefined
    ? { kind: "failed", failure: noAnswer(unknownStatus(answer.body)) }
    : { kind: "ok", body: account };
}

function unknownStatus({ status }: AccountResource): string {
  return `Twilio shows a status that we do not know: ${JSON.stringify(status.slice(0, 64))}`;
}

/** Undefined where its status is none that we know. */
function accountOf(resource: AccountResource): Account | undefined {
  const status = z.safeParse(Status, resource.status).data;
  if (status === undefined) return undefined;
  return {
    sid: resource.sid,
    ownerAccountSid: resource.owner_account_sid,
    friendlyName: resource.friendly_name ?? "",
    status,
    authToken: resource.auth_token || undefined,
  };
}
