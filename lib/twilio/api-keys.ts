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

const KeyPage = z.object({
  keys: z.array(
    z.object({
      sid: z.string().check(z.regex(API_KEY_SID)),
      friendly_name: z.nullish(z.string()),
      date_created: z.nullish(z.string()),
    }),
  ),
  next_page_uri: z.nullish(z.string()),
});

/**
 * https://www.twilio.com/docs/iam/api-keys/key-resource-v2010; needs the parent's auth token, "access to subaccount
 * resources will be denied" to its API keys.
 */
export async function listApiKeys(
  twilio: TwilioClient,
  accountSid: string,
  timeoutMs: number,
): Promise<Answer<ApiKey[]>> {
  return pages(twilio, {
    path: `${accountPath(accountSid, "Keys")}?PageSize=1000`,
    answer: KeyPage,
    items: (page) =>
      page.keys.map(({ sid, friendly_name, date_created }): ApiKey => {
        return { sid, friendlyName: friendly_name ?? "", dateCreated: readTime(date_created) };
      }),
    timeoutMs,
  });
}

/** Whoever holds its secret is locked out at once, for good. A changed auth token does not do that to any API key. */
export async function deleteApiKey(
  twilio: TwilioClient,
  accountSid: string,
  sid: string,
  timeoutMs: number,
): Promise<Answer<unknown>> {
  const path = accountPath(accountSid, "Keys", sid);
  return twilio.send({ path, method: "DELETE", answer: z.unknown(), timeoutMs });
}

function readTime(text: string | null | undefined): string | null {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
