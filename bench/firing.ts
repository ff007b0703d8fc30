import { randomUUID } from "node:crypto";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { parseForm, signForm } from "../lib/twilio/signature.ts";

export const WEBHOOK_PATH = "/webhooks/usage-trigger";

export interface Account {
  accountSid: string;
  authToken: string;
}

export interface SignedWebhook {
  path: string;
  body: string;
  headers: Record<string, string>;
}

/** What makes a firing another one. */
export interface Change {
  /** Which limit the address names. */
  limit?: string;
  fields?: Readonly<Record<string, string>>;
}

/** A firing of a daily limit on an account's spend, as Twilio would post it to `publicUrl`. */
export function signedFiring(
  { accountSid, authToken }: Account,
  publicUrl: string,
  change: Change = {},
): SignedWebhook {
  const path = change.limit === undefined ? WEBHOOK_PATH : `${WEBHOOK_PATH}?limit=${change.limit}`;
  return signedWebhook({ ...firingOf(accountSid), ...change.fields }, { authToken, publicUrl, path });
}

interface Signing {
  authToken: string;
  publicUrl: string;
  path: string;
}

export function signedWebhook(
  parameters: Record<string, string>,
  { authToken, publicUrl, path }: Signing,
): SignedWebhook {
  const body = new URLSearchParams(parameters).toString();
  const signature = signForm(authToken, { url: publicUrl + path, form: parseForm(body) });
  return {
    path,
    body,
    headers: {
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      "user-agent": "TwilioProxy/1.1",
      "x-twilio-signature": signature,
    },
  };
}

/** The same webhook as API Gateway's HTTP API hands it to a function. */
export function lambdaEvent({ path, body, headers }: SignedWebhook): APIGatewayProxyEventV2 {
  const [rawPath = "", rawQueryString = ""] = path.split("?");
  const http = { method: "POST", path: rawPath, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "" };
  return {
    version: "2.0",
    routeKey: `POST ${rawPath}`,
    rawPath,
    rawQueryString,
    headers: { host: "localhost", ...headers },
    body,
    isBase64Encoded: false,
    requestContext: {
      accountId: "123456789012",
      apiId: "bench",
      domainName: "localhost",
      domainPrefix: "localhost",
      http,
      requestId: "bench",
      routeKey: `POST ${rawPath}`,
      stage: "$default",
      time: "21/Nov/2026:03:04:05 +0000",
      timeEpoch: 1_795_230_245_000,
    },
  };
}

function firingOf(accountSid: string): Record<string, string> {
  const usageTriggerSid = `UT${randomUUID().replaceAll("-", "")}`;
  return {
    AccountSid: accountSid,
    UsageTriggerSid: usageTriggerSid,
    DateFired: new Date().toUTCString().replace("GMT", "+0000"),
    Recurring: "daily",
    UsageCategory: "totalprice",
    TriggerBy: "price",
    TriggerValue: "100.000000",
    CurrentValue: "130.250000",
    UsageRecordUri: `/2010-04-01/Accounts/${accountSid}/Usage/Records.json?Category=totalprice`,
    IdempotencyToken: `${accountSid}-FIRES-${usageTriggerSid}`,
  };
}
