import * as z from "zod/mini";
import type { Answer, TwilioClient } from "./client.ts";
import { pages } from "./paging.ts";
import { accountPath } from "./paths.ts";
import { API_KEY_SID } from "./sids.ts";

/** An API key of an account; Twilio shows its secret once, when it is created. */
export interface ApiKey {
  sid: string;
  friendlyName: string;
  /** ISO 8601 UTC, to the second; null where Twilio's text could not be read. */
  dateCreated: string | null;
}

const KeyRow = z.object({
  sid: z.string().check(z.regex(API_KEY_SID)),
  friendly_name: z.nullish(z.string()),
  date_created: z.nullish(z.string()),
});
const KeyPage = z.object({ keys: z.array(KeyRow), next_page_uri: z.nullish(z.string()) });
const OwnKeyPage = z.object({
  keys: z.array(KeyRow),
  meta: z.optional(z.object({ next_page_url: z.nullish(z.string()) })),
});

/** Where an account's API keys are listed and deleted. */
export interface ApiKeys {
  list(timeoutMs: number): Promise<Answer<ApiKey[]>>;
  /** `not-found` once it is gone, whatever the list still shows. */
  fetch(sid: string, timeoutMs: number): Promise<Answer<unknown>>;
  /** Whoever holds its secret is locked out at once, for good. A changed auth token does not do that to any API key. */
  delete(sid: string, timeoutMs: number): Promise<Answer<unknown>>;
}

/**
 * As the parent sees them, also while the account is suspended; restricted and main keys may be left out. Needs the
 * parent's auth token, "access to subaccount resources will be denied" to its API keys.
 * https://www.twilio.com/docs/iam/api-keys/key-resource-v2010
 */
export function apiKeysOf(twilio: TwilioClient, accountSid: string): ApiKeys {
  const path = (sid: string) => accountPath(accountSid, "Keys", sid);
  return {
    list: (timeoutMs) =>
      pages(twilio, {
        path: `${accountPath(accountSid, "Keys")}?PageSize=1000`,
        answer: KeyPage,
        items: ({ keys }) => keys.map(apiKeyOf),
        timeoutMs,
      }),
    fetch: (sid, timeoutMs) => twilio.send({ path: path(sid), answer: z.unknown(), timeoutMs }),
    delete: (sid, timeoutMs) => twilio.send({ path: path(sid), method: "DELETE", answer: z.unknown(), timeoutMs }),
  };
}

/**
 * As the account itself sees them: all, restricted and main ones among them. Never with the parent's credentials: a request
 * to delete names no account, and would reach the parent's own keys. A suspended account's own are refused (401).
 * https://www.twilio.com/docs/iam/api-keys/key-resource-v1
 */
export function ownApiKeys(own: TwilioClient): ApiKeys {
  const product = "iam";
  const path = (sid: string) => `/v1/Keys/${sid}`;
  return {
    list: (timeoutMs) =>
      pages(own, {
        product,
        path: `/v1/Keys?AccountSid=${own.accountSid}&PageSize=1000`,
        answer: OwnKeyPage,
        items: ({ keys }) => keys.map(apiKeyOf),
        timeoutMs,
      }),
    fetch: (sid, timeoutMs) => own.send({ product, path: path(sid), answer: z.unknown(), timeoutMs }),
    delete: (sid, timeoutMs) =>
      own.send({ product, path: path(sid), method: "DELETE", answer: z.unknown(), timeoutMs }),
  };
}

function apiKeyOf({ sid, friendly_name, date_created }: z.infer<typeof KeyRow>): ApiKey {
  return { sid, friendlyName: friendly_name ?? "", dateCreated: readTime(date_created) };
}

function readTime(text: string | null | undefined): string | null {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
