import { parseForm, signForm } from "../../lib/twilio/signature.ts";
import type { ErrorEvent } from "./error-events.ts";
import { secondsIso } from "./gmt.ts";
import { type DeliveryOutcome, type SignedRequest, USER_AGENT, withoutFragment } from "./sending.ts";
import { type Account, type DebuggerWebhook, parentOf, type World } from "./state.ts";

/** A debugger webhook that hears of an event. */
export interface Hook {
  webhook: DebuggerWebhook;
  event: ErrorEvent;
  /** The account that the event is about. */
  account: Account;
  /** The account whose auth token signs. */
  signer: Account;
}

/**
 * The account's own debugger webhook and its parent's. Whether a parent's webhook hears of its subaccounts at all is not
 * documented, so each webhook says.
 */
export function hooksFor(world: World, account: Account, event: ErrorEvent): Hook[] {
  const parent = parentOf(world);
  const fromParent = account !== parent && parent.debuggerWebhook?.subaccounts ? parent.debuggerWebhook : null;
  return [account.debuggerWebhook, fromParent]
    .filter((webhook) => webhook !== null)
    .map((webhook) => ({ webhook, event, account, signer: webhook.signedBy === "parent" ? parent : account }));
}

/** https://www.twilio.com/docs/usage/troubleshooting/debugging-event-webhooks */
export function debuggerRequest({ webhook, event, account, signer }: Hook, idempotencyToken: string): SignedRequest {
  const url = withoutFragment(webhook.url);
  const body = new URLSearchParams(formOf(event, account, webhook)).toString();
  const headers = {
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "user-agent": USER_AGENT,
    "x-twilio-signature": signForm(signer.authToken, { url, form: parseForm(body) }),
    "i-twilio-idempotency-token": idempotencyToken,
  };
  return { url, method: "POST", headers, body };
}

/** No retry is documented; what is left is the default of Twilio's webhooks: once, where there was no connection. */
export const debuggerRetries = ({ kind }: DeliveryOutcome): number => (kind === "not-connected" ? 1 : 0);

function formOf(event: ErrorEvent, account: Account, webhook: DebuggerWebhook): Record<string, string> {
  return {
    AccountSid: account.sid,
    Level: event.level,
    ...parentIn(account, webhook),
    PayloadType: "application/json",
    Sid: event.sid,
    Timestamp: secondsIso(event.at),
    Payload: event.rawPayload ?? JSON.stringify(payloadOf(event)),
  };
}

function parentIn(
  { sid, ownerAccountSid }: Account,
  { parentAccountSid }: DebuggerWebhook,
): { ParentAccountSid?: string } {
  switch (parentAccountSid) {
    case "present":
      return sid === ownerAccountSid ? {} : { ParentAccountSid: ownerAccountSid };
    case "empty":
      return { ParentAccountSid: "" };
    case "absent":
      return {};
  }
}

function payloadOf({ resourceSid, serviceSid, code, moreInfo, webhook }: ErrorEvent) {
  return {
    resource_sid: resourceSid,
    service_sid: serviceSid,
    error_code: String(code),
    more_info: moreInfo,
    ...(webhook !== undefined && { webhook }),
  };
}
