import { randomUUID } from "node:crypto";
import { parseForm, signForm } from "../../lib/twilio/signature.ts";

/** What Twilio would send: a usage trigger's callback, signed, and the ways in which one can be wrong. */
export type Pairs = readonly (readonly [name: string, value: string])[];

export const WEBHOOK_PATH = "/webhooks/usage-trigger";
export const USAGE_TRIGGER_SID = `UT${"c142bed7b38c4f81".repeat(2)}`;

/** The ten documented parameters, with `changes`: undefined leaves one out, a list repeats it, others are added. */
export function firing(
  accountSid: string,
  changes: Record<string, string | readonly string[] | undefined> = {},
): Pairs {
  const parameters = {
    AccountSid: accountSid,
    UsageTriggerSid: USAGE_TRIGGER_SID,
    DateFired: "Sun, 04 Oct 2026 12:00:00 +0000",
    Recurring: "daily",
    UsageCategory: "totalprice",
    TriggerBy: "price",
    TriggerValue: "50.000000",
    CurrentValue: "60.52",
    UsageRecordUri: `/2010-04-01/Accounts/${accountSid}/Usage/Records.json?Category=totalprice`,
    IdempotencyToken: randomUUID(),
    ...changes,
  };
  return Object.entries(parameters).flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one] as const));
}

export function encoded(pairs: Pairs): string {
  return new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString();
}

export interface SignedPost {
  authToken: string;
  /** The URL that Twilio was told. */
  url: string;
  form: Pairs;
  /** The body as it goes over the wire; `form`, encoded as browsers do it, when left out. */
  body?: string;
  headers?: Record<string, string>;
}

/** The request that Twilio makes; its signature is over the URL without the fragment. */
export function signedPost({ authToken, url, form, body = encoded(form), headers = {} }: SignedPost) {
  const signed = { url: url.split("#")[0] ?? url, form: parseForm(encoded(form)) };
  return {
    method: "POST",
    body,
    headers: {
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      "x-twilio-signature": signForm(authToken, signed),
      "i-twilio-idempotency-token": randomUUID(),
      ...headers,
    },
  };
}
